/** `output;`: from the ingress pipeline to the egress one, and from there out of a port, into its peer's datapath. */
import { flagBits } from "../logical/index.ts";
import { append, type TraceNode } from "./node.ts";
import type { TracePort } from "./model.ts";
import type { PacketFlow } from "./packet-flow.ts";
import type { Place, Walk } from "./walk.ts";

const allowLoopback = 1n;
const loopbackComment = "/* omitting output because inport == outport && !flags.loopback */";
const clearedRegisters = ["reg0", "reg1", "reg2", "reg3", "reg4", "reg5", "reg6", "reg7", "reg8", "reg9", "reg10", "reg11", "reg12", "reg13"] as const;

export function portName(place: Pick<Place, "datapath">, key: number): string {
  return place.datapath.portsByKey.get(key)?.friendlyName ?? (key === 0 ? "" : "(unnamed)");
}

export function output(walk: Walk, place: Place): void {
  const { datapath, flow, out } = place;
  const key = Number(flow.get("reg15") & 0xffffn);
  if (key === 0) {
    append(out, "error", "*** output to null logical port");
    return;
  }
  const port = datapath.portsByKey.get(key);
  const group = datapath.groups.find(({ tunnelKey }) => tunnelKey === key);
  if (port === undefined && group === undefined) append(out, "error", `*** unknown port or multicast group ${key}`);
  const name = port?.friendlyName ?? group?.name ?? "(unnamed)";
  if (place.pipeline === "egress") leave(walk, place, port, name);
  else if (group !== undefined) multicast(walk, place, group);
  else unicast(walk, place, port, name);
}

function leave(walk: Walk, { flow, out }: Place, port: TracePort | undefined, name: string): void {
  append(out, "output", `/* output to "${name}", type "${port?.type ?? ""}" */`);
  if (port?.type === "remote" && arriveElsewhere(walk, flow, port, out)) return;
  const peer = port?.peer;
  if (peer === undefined) {
    append(out, "modify", `output("${name}")`);
    return;
  }
  const { children } = append(out, "pipeline", `ingress(dp="${peer.datapath.friendlyName}", inport="${peer.friendlyName}")`);
  const entering = flow.clone();
  entering.set("reg14", BigInt(peer.tunnelKey));
  entering.set("reg15", 0n);
  walk.trace(peer.datapath, entering, 0, "ingress", children);
}

/**
 * Through the tunnel between gateways: the other zone's gateway runs the egress pipeline of the same transit switch, from
 * the keys of datapath and ports that the tunnel carries, which mean the same in every zone. False if no zone is followed
 * that has the port at home.
 */
function arriveElsewhere({ otherZones }: Walk, flow: PacketFlow, port: TracePort, out: TraceNode[]): boolean {
  const { transitSwitch } = port.datapath;
  if (transitSwitch === undefined) return false;
  for (const { name, walk } of otherZones) {
    const datapath = [...walk.model.datapaths.values()].find((dp) => dp.transitSwitch === transitSwitch);
    const arrived = datapath?.portsByKey.get(port.tunnelKey);
    if (datapath === undefined || arrived === undefined || arrived.type === "remote") continue;
    const elsewhere = egressFlow(flow);
    elsewhere.clearConntrack();
    elsewhere.set("reg10", 1n << BigInt(flagBits.rxFromTunnel));
    const inport = portName({ datapath }, Number(flow.get("reg14") & 0xffffn));
    const { children } = append(out, "pipeline", `egress(zone="${name}", dp="${datapath.friendlyName}", inport="${inport}", outport="${arrived.friendlyName}")`);
    walk.trace(datapath, elsewhere, 0, "egress", children);
    return true;
  }
  return false;
}

/** The egress pipeline starts with clean registers, but for the ports. */
function egressFlow(flow: PacketFlow): PacketFlow {
  const egress = flow.clone();
  for (const name of clearedRegisters) egress.set(name, 0n);
  return egress;
}

function multicast(walk: Walk, place: Place, group: { readonly name: string; readonly ports: readonly TracePort[] }): void {
  const { datapath, flow, out } = place;
  const inKey = Number(flow.get("reg14") & 0xffffn);
  const loopback = (flow.get("reg10") & allowLoopback) !== 0n;
  const copies = append(out, "pipeline", `multicast(dp="${datapath.friendlyName}", mcgroup="${group.name}")`).children;
  // All copies go through one flow, one after the other, as in the C program: what a copy's pipeline sets, the next one sees.
  const egress = egressFlow(flow);
  for (const port of group.ports) {
    const node = append(copies, "pipeline", egressTitle(place, inKey, port.friendlyName));
    if (port.tunnelKey === inKey && !loopback) {
      append(node.children, "output", loopbackComment);
      continue;
    }
    node.alwaysIndent = true;
    egress.set("reg15", BigInt(port.tunnelKey));
    walk.trace(datapath, egress, 0, "egress", node.children);
  }
}

const egressTitle = (place: Place, inKey: number, outport: string): string =>
  `egress(dp="${place.datapath.friendlyName}", inport="${portName(place, inKey)}", outport="${outport}")`;

function unicast(walk: Walk, place: Place, port: TracePort | undefined, name: string): void {
  const { datapath, flow, out } = place;
  const inKey = Number(flow.get("reg14") & 0xffffn);
  const egress = egressFlow(flow);
  let to = port;
  if (port?.type === "chassisredirect") {
    to = port.distributedPort;
    if (to === undefined) {
      append(out, "error", `*** output to type "${port.type}" port "${name}" with no or invalid distributed port`);
      return;
    }
    append(out, "output", `/* Replacing type "${port.type}" outport "${port.friendlyName}" with distributed port "${to.friendlyName}". */`);
    egress.set("reg15", BigInt(to.tunnelKey));
  }
  const loopback = (flow.get("reg10") & allowLoopback) !== 0n;
  if (!loopback && (to === undefined || to.tunnelKey === inKey)) {
    append(out, "output", loopbackComment);
    return;
  }
  const { children } = append(out, "pipeline", egressTitle(place, inKey, to?.friendlyName ?? name));
  walk.trace(datapath, egress, 0, "egress", children);
}
