/** Flows of a port that is on this chassis: in from its OpenFlow port, out to it, and no packet back to where it came from. */
import { logicalRegisterCount, logicalRegisters, openflowTables } from "../../logical/index.ts";
import { type Action, field, type FieldName, Match } from "../../openflow/index.ts";
import type { Yield } from "../../engine/index.ts";
import {
  datapathField, Flow, forgetInPort, fromPort, inportField, load, output, outportField, pop, push, resubmit, setFlag, toPort, withFlags,
} from "../flow.ts";
import type { Node } from "../node.ts";
import { kindOf, portOption } from "../ports.ts";
import { cookieOf, type DatapathBinding, type PortBinding } from "../rows.ts";
import { encapAddresses } from "../settings.ts";
import type { Attachment } from "./attachment.ts";
import { drop } from "./sampled-drops.ts";
import { loadZones } from "./zones.ts";

export const clearRegisters: readonly Action[] = Array.from({ length: logicalRegisterCount }, (_, n) => load(`reg${n}` as FieldName, 0));

/** Keys to go by: the datapath's and the port's. */
export interface Keys {
  readonly datapath: number;
  readonly port: number;
}

export const keysOf = (datapath: DatapathBinding, port: PortBinding): Keys => ({ datapath: datapath.tunnel_key, port: port.tunnel_key });

/** What every port on this chassis has, patch ports too. */
export function* commonLocalFlows(node: Node, port: PortBinding, keys: Keys, parent?: PortBinding): Iterable<Yield> {
  const cookie = cookieOf(port);
  yield Flow({
    table: openflowTables.localOutput, priority: 100, cookie, match: toPort(keys.datapath, keys.port),
    actions: [...loadZones(node, port), resubmit(openflowTables.checkLoopback)],
  });
  // A packet does not go back to the port it came from, unless a logical flow said that it may.
  yield Flow({
    table: openflowTables.checkLoopback, priority: 100, cookie,
    match: withFlags(toPort(keys.datapath, keys.port), [], ["allowLoopback"]).with(field(inportField), keys.port),
    actions: drop(node, openflowTables.checkLoopback),
  });
  const hairpin = [push("in_port"), forgetInPort, resubmit(openflowTables.logToPhy), pop("in_port")];
  const out = toPort(keys.datapath, keys.port);
  yield Flow({
    table: openflowTables.saveInport, priority: 100, cookie,
    match: parent === undefined ? withFlags(out, ["allowLoopback"]) : out, actions: hairpin,
  });
  if (parent !== undefined) {
    yield Flow({
      table: openflowTables.saveInport, priority: 100, cookie: cookieOf(parent),
      match: withFlags(toPort(keys.datapath, parent.tunnel_key), ["nestedContainer"]), actions: hairpin,
    });
  }
}

/** Tells the pipeline where the packet is: zones, datapath, input port, and by which address its answers leave. */
export function loadIngress(node: Node, port: PortBinding, keys: Keys, withEncap: boolean): readonly Action[] {
  return [
    ...loadZones(node, port), load(datapathField, keys.datapath), load(inportField, keys.port),
    ...(withEncap ? [load(logicalRegisters.encapId, encapIdOf(node, port), 16, 16)] : []),
  ];
}

function encapIdOf(node: Node, port: PortBinding): number {
  const ip = node.sb.tables.Encap.get(port.encap)?.ip;
  return ip === undefined ? 0 : Math.max(0, encapAddresses(node).indexOf(ip));
}

const ethTypes: ReadonlyMap<string, number> = new Map([["802.1ad", 0x88a8], ["802.11ad", 0x88a8], ["802.1q", 0x8100], ["802.11q", 0x8100]]);

export function pushTag(options: ReadonlyMap<string, string> | undefined, tag: number): readonly Action[] {
  const ethType = ethTypes.get(options?.get("ethtype")?.toLowerCase() ?? "") ?? 0x8100;
  return [{ kind: "push_vlan", ethType }, { kind: "set_vlan_vid", vid: tag }];
}
export const popTag: Action = { kind: "pop_vlan" };

/** A port with an OpenFlow port of its own, or a tag on one. */
export function* attachedFlows(
  node: Node, port: PortBinding, keys: Keys, { ofport, tag, parent }: Attachment, localnet: PortBinding | undefined,
): Iterable<Yield> {
  const cookie = cookieOf(port);
  const kind = kindOf(port);
  yield* commonLocalFlows(node, port, keys, parent);
  const isUplink = kind === "localnet" || kind === "l2gateway";
  const ingress: readonly Action[] = [
    ...loadIngress(node, port, keys, true),
    ...(kind === "localport" ? [setFlag("localport")] : []),
    resubmit(openflowTables.logIngressPipeline),
  ];
  const nested = parent === undefined || (tag === 0 && !isUplink) ? [] : [setFlag("nestedContainer")];
  // Tagged frames; a tag of 0, which carries only a priority, counts as none.
  const strips = (tag !== 0 || isUplink) && (tag !== 0 || !portOption(port, "vlan-passthru"));
  yield Flow({
    table: openflowTables.phyToLog, priority: tag === 0 ? 100 : 150, cookie,
    match: strips ? Match.of(["in_port", ofport], ["dl_vlan", tag]) : Match.of(["in_port", ofport]),
    actions: [...nested, ...(strips ? [popTag] : []), ...ingress],
  });
  if (tag === 0 && isUplink) {
    yield Flow({
      table: openflowTables.phyToLog, priority: 100, cookie,
      match: Match.of(["in_port", ofport], ["vlan_tci", 0, 0x1000]), actions: ingress,
    });
  }
  yield Flow({
    table: openflowTables.logToPhy, priority: 100, cookie, match: toPort(keys.datapath, keys.port),
    actions: tag === 0 ? [output(ofport)] : [...pushTag(localnet?.options, tag), output(ofport), popTag],
  });
  // What comes from a localport never leaves the chassis.
  if (kind === "localport") {
    yield Flow({
      table: openflowTables.remoteOutput, priority: 150, cookie, match: fromPort(keys.datapath, keys.port),
      actions: [resubmit(openflowTables.localOutput)],
    });
  }
}

/** A patch port hands the packet to its peer: into the peer's pipeline, with clean registers. */
export function* patchFlows(node: Node, port: PortBinding, keys: Keys, peer: PortBinding, peerKeys: Keys): Iterable<Yield> {
  yield* commonLocalFlows(node, port, keys);
  const actions: readonly Action[] = [
    { kind: "ct_clear" }, load(logicalRegisters.dnatZone, 0), load(logicalRegisters.snatZone, 0), load(logicalRegisters.ctZone, 0, 0, 16),
    ...loadIngress(node, peer, peerKeys, false), load(logicalRegisters.flags, 0), load(outportField, 0), ...clearRegisters,
    resubmit(openflowTables.logIngressPipeline),
  ];
  yield Flow({
    table: openflowTables.logToPhy, priority: 100, cookie: cookieOf(port), match: toPort(keys.datapath, keys.port),
    actions: [{ kind: "clone", actions }],
  });
}

/** A chassisredirect port that is served here stands for its distributed port. */
export function redirectFlow(node: Node, port: PortBinding, keys: Keys, distributed: PortBinding | undefined): Yield {
  const actions = distributed === undefined ? [] : [
    load(outportField, distributed.tunnel_key), ...loadZones(node, distributed),
    // The packet may leave by the tunnel that it came in by.
    forgetInPort, resubmit(openflowTables.checkLoopback),
  ];
  return Flow({ table: openflowTables.localOutput, priority: 100, cookie: cookieOf(port), match: toPort(keys.datapath, keys.port), actions });
}

/** ICMP errors that the kernel answered into a tunnel come back without zones. */
export const zoneLookupFlow = (node: Node, port: PortBinding, keys: Keys): Yield => Flow({
  table: openflowTables.ctZoneLookup, priority: 100, cookie: cookieOf(port), match: fromPort(keys.datapath, keys.port),
  actions: [...loadZones(node, port), resubmit(openflowTables.logIngressPipeline)],
});
