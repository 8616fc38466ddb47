/**
 * Which routers exchange routes with the kernel here, in which of its tables, and through which of their ports they learn
 * (ovn-controller(8), ovn-nb(5): dynamic-routing-vrf-id, -vrf-name, -maintain-vrf, -port-name, routing-protocol-redirect).
 */
import { derived, rule } from "../../engine/index.ts";
import type { RoutingTable } from "../../host/index.ts";
import { claimOf } from "../claims.ts";
import { peerPortsOf } from "../local-datapaths.ts";
import { type DatapathUuid, LocalDatapath, type Node } from "../node.ts";
import { isSwitch, ourChassis, portNamed, portOption, redirectPortOf } from "../ports.ts";
import type { DatapathBinding, PortBinding } from "../rows.ts";
import { ovsRow } from "../settings.ts";
import { ExchangePort, ExchangeTable } from "./exchange-table.ts";

const longestDeviceName = 15;
/** Those that linux/rtnetlink.h keeps for itself: unspecified, compat, local; and the one number too large. */
const reservedTables: ReadonlySet<number> = new Set([0, 252, 255, 0xffffffff]);

/** The number of the kernel's table for a router: as its owner wishes, or its tunnel key. */
export function tableIdOf(datapath: DatapathBinding): number {
  const wish = datapath.external_ids.get("dynamic-routing-vrf-id") ?? "";
  const id = /^\d{1,10}$/.test(wish) ? Number(wish) : 0;
  return id >= 1 && id <= 0xffffffff ? id : datapath.tunnel_key;
}

interface Participant {
  /** The router port itself, which routes are learned on. */
  readonly local: PortBinding;
  /** Where the options stand: that port, or the chassis-redirect port of it. */
  readonly governing: PortBinding;
}

const takesPart = (port: PortBinding): boolean => portOption(port, "dynamic-routing");

/** The ports of the router that take part here; a distributed gateway port does where it is bound. */
const participants = derived("route-exchange-participants", (node: Node, datapath: DatapathUuid): readonly Participant[] => {
  const own = ourChassis(node)?._uuid;
  return peerPortsOf(node, datapath).flatMap(({ local }) => {
    if (takesPart(local)) return [{ local, governing: local }];
    const redirect = redirectPortOf(node, local);
    if (redirect === undefined || redirect.chassis === undefined || redirect.chassis !== own || !takesPart(redirect)) return [];
    return [{ local, governing: redirect }];
  });
});

export const exchangeTables = rule("exchange-tables", (node: Node) => node.engine.facts(LocalDatapath), function* (node, { datapath }) {
  if (isSwitch(datapath)) return;
  const ports = participants(node, datapath._uuid);
  if (ports.length === 0) return;
  const id = tableIdOf(datapath);
  if (reservedTables.has(id)) {
    node.host.log.module("route_exchange").warn(`Unable to sync routes for datapath ${datapath._uuid}: invalid table id: ${id}`);
    return;
  }
  const table = { id, vrf: vrfNameOf(node, ports) ?? `ovnvrf${id}` };
  yield ExchangeTable({ datapath: datapath._uuid, table, maintainsVrf: ports.some(({ governing }) => portOption(governing, "dynamic-routing-maintain-vrf")) });
  yield* learningPorts(node, datapath._uuid, table, ports);
});

/** Of several ports' wishes the last one counts. */
function vrfNameOf(node: Node, ports: readonly Participant[]): string | undefined {
  const name = ports.at(-1)?.governing.options.get("dynamic-routing-vrf-name");
  if (name === undefined || name.length <= longestDeviceName) return name;
  node.host.log.module("exchange").warn(`Ignoring vrf name ${name}, since it is too long.Maximum length is ${longestDeviceName + 1} characters`);
  return undefined;
}

/** As soon as one port names the device it learns from, those that name none learn nothing. */
function* learningPorts(node: Node, datapath: DatapathUuid, table: RoutingTable, ports: readonly Participant[]) {
  const devices = ports.map((participant) => ({ ...participant, source: learningSource(node, participant) }));
  const isFiltered = devices.some(({ source }) => source.isNamed) || namesPortElsewhere(node, datapath);
  for (const { local, source } of devices) {
    if (source.device === undefined && (source.isNamed || isFiltered)) continue;
    yield ExchangePort({ datapath, table, port: local, device: source.device, learns: !portOption(local, "dynamic-routing-no-learning") });
  }
}

/** The option counts for the router even while its gateway port is bound elsewhere. */
function namesPortElsewhere(node: Node, datapath: DatapathUuid): boolean {
  return peerPortsOf(node, datapath).some(({ local }) =>
    !takesPart(local) && redirectPortOf(node, local)?.options.has("dynamic-routing-port-name") === true);
}

interface LearningSource {
  /** Whether there is a filter, found or not. */
  readonly isNamed: boolean;
  readonly device: string | undefined;
}

function learningSource(node: Node, { governing }: Participant): LearningSource {
  const name = governing.options.get("dynamic-routing-port-name");
  if (name !== undefined) return { isNamed: true, device: portMapping(node).get(name) ?? localInterface(node, name)?.name };
  const redirect = governing.options.get("routing-protocol-redirect");
  const peer = redirect === undefined ? undefined : localInterface(node, redirect)?.status.get("peer_ifindex");
  // The far end of a veth pair is where the routing daemon sits.
  const device = peer === undefined || !/^[1-9]\d{0,9}$/.test(peer) ? undefined : node.deviceNames.get(Number(peer));
  return { isNamed: device !== undefined, device };
}

function localInterface(node: Node, portName: string) {
  const port = portNamed(node, portName);
  const own = ourChassis(node)?._uuid;
  return port === undefined || own === undefined || port.chassis !== own ? undefined : claimOf(node, port)?.iface;
}

/** external_ids:dynamic-routing-port-mapping, `PORT=DEVICE,PORT=DEVICE`. */
const portMapping = derived("dynamic-routing-port-mapping", (node: Node): ReadonlyMap<string, string> => {
  const map = new Map<string, string>();
  for (const item of (ovsRow(node)?.external_ids.get("dynamic-routing-port-mapping") ?? "").split(/[\s,]+/)) {
    const [, port, device] = /^([^=]+)=(.+)$/.exec(item) ?? [];
    if (port !== undefined && device !== undefined) map.set(port, device);
    else if (item !== "") {
      node.host.log.module("exchange").warn(`dynamic-routing-port-mapping setting '${item}' is not valid.`);
      break;
    }
  }
  return map;
});
