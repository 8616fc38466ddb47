/** Port_Binding: what both kinds of port share: keys, and the relation of wished rows. */
import type { Yield } from "../../engine/index.ts";
import { type Uuid, wished, type WishColumnsOf, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { intOption } from "../options.ts";
import { isVxlanMode, maxPortKey } from "../topology/settings.ts";
import { type Datapath, northboundUuidOf, type Port, type Sb, type SbRow, type Topology } from "../topology/topology.ts";
import { keyRequests } from "./key-allocator.ts";

export const PortKeyRequest = keyRequests("port keys");
export const WishedPort = wishRelation(southbound, "Port_Binding");

export type BindingColumns = WishColumnsOf<Sb, "Port_Binding">;
type BindingRow = SbRow<"Port_Binding">;

/** A port that moves to another switch gets another row, as in the C program: its key has the datapath in it. */
export const bindingKey = (datapath: string, name: string): string => `${datapath} ${name}`;

export const wishedPort = (datapath: Datapath, name: string) => wished("Port_Binding", bindingKey(datapath.row._uuid, name));

export function identifyBinding(t: Topology, row: BindingRow): string {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  return bindingKey((datapath === undefined ? undefined : northboundUuidOf(datapath)) ?? "", row.logical_port);
}

/** The row as it is in the southbound database. */
export function bindingOf(t: Topology, datapath: Datapath, name: string): BindingRow | undefined {
  const row = t.bindingsByName.first(name);
  if (row === undefined) return undefined;
  const owner = t.sb.Datapath_Binding.get(row.datapath);
  return owner !== undefined && northboundUuidOf(owner) === datapath.row._uuid ? row : undefined;
}

/** Binds `name` on the datapath: asks for a key, and once it has one, for the row. */
export function* bindPort(datapath: Datapath, name: string, requested: number, columns: BindingColumns): Iterable<Yield> {
  const { topology: t } = datapath;
  const key: string = datapath.row._uuid;
  yield PortKeyRequest({ scope: key, key: name, requested, max: maxPortKey(t) });
  const tunnelKey = t.portKeys.get(name);
  if (tunnelKey === undefined) return;
  // Chassis set it to true and back, but only once it has been false.
  const isUnset = t.bindingsByName.first(name)?.up === undefined;
  yield WishedPort({
    key: bindingKey(key, name),
    columns: { logical_port: name, datapath: wished("Datapath_Binding", key), tunnel_key: tunnelKey, ...columns, ...(isUnset ? { up: false } : {}) },
  });
}

/** options:requested-tnl-key. */
export function requestedPortKey(port: Port): number {
  const requested = intOption(port.row.options, "requested-tnl-key", 0);
  if (requested < 2048 || !isVxlanMode(port.topology)) return Math.max(0, requested);
  port.topology.warn(`Tunnel key ${requested} for port ${port.row.name} is incompatible with VXLAN`);
  return 0;
}

const preference = ["vxlan", "geneve"];

/** options:requested-encap-ip: which of a chassis' addresses packets to the port go to. */
export function requestedEncap(port: Port, chassis: SbRow<"Chassis"> | undefined, binding: BindingRow | undefined): { readonly encap?: Uuid<"Encap"> | undefined } {
  const ip = port.row.options.get("requested-encap-ip");
  if (ip === undefined || ip === "") return (binding?.options.get("requested-encap-ip") ?? "") === "" ? {} : { encap: undefined };
  const encaps = [...port.topology.encapsByIp.get(ip)].filter((e) => chassis === undefined || e.chassis_name === chassis.name);
  const [best] = encaps.sort((a, b) => preference.indexOf(b.type) - preference.indexOf(a.type));
  if (best === undefined) {
    const and = chassis === undefined ? "" : ` and requested-chassis="${chassis.name}"`;
    port.topology.warn(`No Encap matches options requested-encap-ip="${ip}"${and} for logical port ${port.row.name}; clearing Port_Binding.encap.`);
  }
  return { encap: best?._uuid };
}
