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

/**
 * What of a port cannot be changed without its becoming another: a port that moves to another switch, or turns virtual or
 * nested, gets a new row, so that nothing that a chassis has made of the old one stays.
 */
export function bindingKey(datapath: string, name: string, type: string, parent: string | undefined): string {
  return `${datapath} ${name}${type === "virtual" ? " virtual" : ""}${type === "" && parent !== undefined ? " nested" : ""}`;
}

/**
 * The row of a port, or of its stand-in `name` on a gateway chassis. A port that changes its type otherwise keeps the row it has,
 * though that still says nested, or will.
 */
export function wishedPort(datapath: Datapath, port: Port, name: string = port.row.name) {
  const on = datapath.row._uuid;
  if (port.kind !== "switch-port") return wished("Port_Binding", bindingKey(on, name, "patch", undefined));
  const { type, parent_name: parent } = port.row;
  const row = bindingOf(port.topology, datapath, name);
  const keeps = row !== undefined && (row.type !== "" || type !== "") && row.type !== "virtual" && type !== "virtual";
  return wished("Port_Binding", keeps ? identifyBinding(port.topology, row) : bindingKey(on, name, type, parent));
}

/** The northbound row of the datapath that a binding is on. */
export function datapathOfBinding(t: Topology, row: BindingRow): string | undefined {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  return datapath === undefined ? undefined : northboundUuidOf(datapath);
}

export const identifyBinding = (t: Topology, row: BindingRow): string =>
  bindingKey(datapathOfBinding(t, row) ?? "", row.logical_port, row.type, row.parent_port);

/** The row as it is in the southbound database. */
export function bindingOf(t: Topology, datapath: Datapath, name: string): BindingRow | undefined {
  const row = t.bindingsByName.first(name);
  if (row === undefined) return undefined;
  return datapathOfBinding(t, row) === datapath.row._uuid ? row : undefined;
}

/** Binds the port, or its stand-in `name`, on the datapath: asks for a key, and once it has one, for the row with these columns. */
export function* bindPort(datapath: Datapath, port: Port, columns: () => BindingColumns, name: string = port.row.name): Iterable<Yield> {
  const { topology: t } = datapath;
  // A stand-in has the options of its port, but the key was asked for the port.
  const requested = name === port.row.name ? requestedPortKey(port) : 0;
  const key: string = datapath.row._uuid;
  yield PortKeyRequest({ scope: key, key: name, requested, max: maxPortKey(t) });
  const tunnelKey = t.portKeys.get(name);
  if (tunnelKey === undefined) return;
  // Chassis set it to true and back, but only once it has been false.
  const isUnset = t.bindingsByName.first(name)?.up === undefined;
  yield WishedPort({
    key: wishedPort(datapath, port, name).key,
    columns: { logical_port: name, datapath: wished("Datapath_Binding", key), tunnel_key: tunnelKey, ...columns(), ...(isUnset ? { up: false } : {}) },
  });
}

/** options:requested-tnl-key. */
function requestedPortKey(port: Port): number {
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
