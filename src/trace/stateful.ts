/** Conntrack, translation, load balancing and ECMP: what cannot be known without a switch is assumed, and said so. */
import { addressAndPort, formatFieldReference, type LogicalActionOf, resolveField } from "../logical/index.ts";
import { formatIpv4, formatIpv6, ipv4Of, ipv6Of } from "../net/index.ts";
import { append } from "./node.ts";
import { ctState, type PacketFlow } from "./packet-flow.ts";
import type { Place, Walk } from "./walk.ts";

const stateNames: readonly string[] = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];

/** `est|trk`; bits without a name in hexadecimal; "0" for none. */
export function formatCtState(state: bigint): string {
  if (state === 0n) return "0";
  const names = stateNames.filter((_, bit) => (state & (1n << BigInt(bit))) !== 0n);
  const rest = state >> BigInt(stateNames.length);
  return [...names, ...(rest === 0n ? [] : [`0x${(rest << BigInt(stateNames.length)).toString(16)}`])].join("|");
}

export type ParsedCtState = { readonly kind: "parsed"; readonly state: bigint } | { readonly kind: "error"; readonly message: string };

/** `new`, `est,rpl` ...; always tracked. */
export function parseCtState(text: string): ParsedCtState {
  let state = ctState.tracked;
  for (const name of text.split(/[, ]+/).filter((part) => part !== "")) {
    const bit = stateNames.indexOf(name);
    if (bit < 0) return { kind: "error", message: `${name}: unknown connection tracking state flag` };
    state |= 1n << BigInt(bit);
  }
  return { kind: "parsed", state };
}

/** Goes on in `table` with a copy of the packet; what follows the action sees the packet as it was. */
function fork(walk: Walk, place: Place, title: string, flow: PacketFlow, table: number): void {
  flow.setOriginalTuple(place.flow);
  const { children } = append(place.out, "transformation", title);
  walk.trace(place.datapath, flow, table, place.pipeline, children);
}

export function ctNext(walk: Walk, place: Place, { table }: LogicalActionOf<"ct_next">): void {
  const { state, comment } = walk.nextCtState();
  const flow = place.flow.clone();
  flow.set("ct_state", state);
  fork(walk, place, `ct_next(ct_state=${formatCtState(state)}${comment})`, flow, table);
}

/** Translation looks the connection up first, unless that is done. */
function track(walk: Walk, flow: PacketFlow): string {
  if ((flow.get("ct_state") & ctState.tracked) !== 0n) return "";
  const { state, comment } = walk.nextCtState();
  flow.set("ct_state", flow.get("ct_state") | state);
  return comment;
}

export function nat(walk: Walk, place: Place, { kind, table, address }: LogicalActionOf<"ct_dnat">): void {
  const isDestination = kind.startsWith("ct_dnat");
  // In a gateway router this has no visible effect.
  if (!isDestination && place.datapath.hasLocalGateway && address === undefined) return;
  const direction = isDestination ? "dst" : "src";
  const flow = place.flow.clone();
  let title = `ct_${direction[0]}nat${kind.endsWith("_in_czone") ? "in_czone" : ""}`;
  if (address === undefined) title += ` /* assuming no un-${direction[0]}nat entry, so no change */`;
  else {
    if (address.family === 4) flow.set(isDestination ? "ip_dst" : "ip_src", BigInt(address.ip));
    else flow.set(isDestination ? "ipv6_dst" : "ipv6_src", address.ip);
    title += address.family === 4 ? `(ip4.${direction}=${formatIpv4(address.ip)})` : `(ip6.${direction}=${formatIpv6(address.ip)})`;
    flow.set("ct_state", flow.get("ct_state") | (isDestination ? ctState.dstNat : ctState.srcNat));
  }
  title += track(walk, flow);
  fork(walk, place, title, flow, table);
}

export function commitToZone(walk: Walk, place: Place, { kind, table, zone }: LogicalActionOf<"ct_commit_nat">): void {
  const flow = place.flow.clone();
  const title = kind === "ct_commit_nat" ? "ct_commit_nat /* assuming no un-nat entry, so no change */" : `ct_commit_to_zone(${zone})`;
  fork(walk, place, title + track(walk, flow), flow, table);
}

interface Destination {
  readonly family: 4 | 6;
  readonly ip: bigint;
  readonly port: number;
}

export function loadBalance(walk: Walk, place: Place, action: LogicalActionOf<"ct_lb_mark">): void {
  const flow = place.flow.clone();
  const family = flow.isIpv4 ? 4 : flow.isIpv6 ? 6 : undefined;
  let comment = "";
  if (family !== undefined) {
    const destination = chooseDestination(walk, place, action, family);
    if (destination !== undefined) {
      flow.set(family === 4 ? "ip_dst" : "ipv6_dst", destination.ip);
      if (destination.port > 0) flow.set("tcp_dst", BigInt(destination.port));
      flow.set("ct_state", flow.get("ct_state") | ctState.dstNat);
    }
    const next = walk.nextCtState();
    comment = next.comment;
    flow.set("ct_state", flow.get("ct_state") | next.state);
  }
  fork(walk, place, `${action.kind}${comment}`, flow, action.table);
}

function chooseDestination({ loadBalancer, options }: Walk, { out }: Place, { backends }: LogicalActionOf<"ct_lb_mark">, family: 4 | 6): Destination | undefined {
  const { wanted } = loadBalancer;
  if (backends.length === 0) return wanted?.family === family ? wanted : undefined;
  let chosen: Destination | undefined;
  let seen = 0;
  for (const { address, port } of backends) {
    if (address.family !== family) continue;
    const destination: Destination = { family, ip: BigInt(address.ip), port };
    if (wanted?.family === family && wanted.ip === destination.ip) {
      loadBalancer.wanted = undefined;
      return destination;
    }
    if (options.random(++seen) === 0) chosen = destination;
  }
  if (chosen === undefined) append(out, "error", "*** no load balancing destination (use --lb-dst)");
  return chosen;
}

export function select(walk: Walk, place: Place, { members, destination, table }: LogicalActionOf<"select">): void {
  const { selectId, random } = walk.options;
  const wanted = members.find(({ id }) => id === selectId);
  const id = wanted?.id ?? members[random(members.length)]?.id ?? 0;
  const flow = place.flow.clone();
  flow.writeBits(resolveField(destination), BigInt(id));
  const title = `select: ${formatFieldReference(destination)} = ${id}${wanted === undefined ? " /* Randomly selected. Use --select-id to specify. */" : ""}`;
  const { children } = append(place.out, "transformation", title);
  walk.trace(place.datapath, flow, table, place.pipeline, children);
}

/** The first virtual address that is where the connection was made to. */
function findVip({ model }: Walk, flow: PacketFlow): { readonly text: string; readonly port: number } | undefined {
  for (const vip of model.vips) {
    const parsed = addressAndPort(vip);
    if (parsed === undefined) continue;
    const { address, port } = parsed;
    const isIt = address.family === 4 ? BigInt(address.ip) === flow.get("ct_nw_dst") : address.ip === flow.get("ct_ipv6_dst");
    if (isIt) return { text: address.family === 4 ? formatIpv4(ipv4Of(address.ip)) : formatIpv6(ipv6Of(address.ip)), port };
  }
  return undefined;
}

export function checkHairpin(walk: Walk, { flow, out }: Place, { kind, destination }: LogicalActionOf<"chk_lb_hairpin">): void {
  const vip = findVip(walk, flow);
  let result = false;
  if (vip !== undefined && flow.isIp && (flow.get("ct_state") & ctState.dstNat) !== 0n) {
    const toItself = flow.isIpv4 ? flow.get("ip_src") === flow.get("ip_dst") : flow.get("ipv6_src") === flow.get("ipv6_dst");
    result = toItself && BigInt(vip.port) === flow.get(kind === "chk_lb_hairpin" ? "ct_tp_dst" : "tcp_dst");
  }
  flow.writeBits(resolveField(destination), result ? 1n : 0n);
  append(out, "modify", `${formatFieldReference(destination)} = ${result ? 1 : 0}`);
}

export function snatToVip(walk: Walk, { flow, out }: Place): void {
  const vip = findVip(walk, flow);
  if (vip !== undefined && BigInt(vip.port) === flow.get("ct_tp_dst")) append(out, "action", `/* nat(src=${vip.text}) */`);
}

export function saveCtState({ flow, out }: Place, { destination }: LogicalActionOf<"ct_state_save">): void {
  const state = flow.get("ct_state");
  const value = (state & ctState.tracked) === 0n ? 0n : state & 0xffn;
  flow.writeBits(resolveField(destination), value);
  append(out, "action", `/* ${formatFieldReference(destination)} = ${value}; */`);
}

/** What cannot be true of a connection (ovs-fields(7), ct_state). */
export function checkCtState(state: bigint): string[] {
  const text = formatCtState(state);
  const has = (bit: bigint): boolean => (state & bit) !== 0n;
  const complaints: string[] = [];
  if (has(ctState.invalid) && (state & ~(ctState.tracked | ctState.invalid)) !== 0n) complaints.push('when "inv" is set, only "trk" may also be set');
  if (has(ctState.new) && has(ctState.established)) complaints.push('"new" and "est" are mutually exclusive');
  if (has(ctState.new) && has(ctState.reply)) complaints.push('"new" and "rpy" are mutually exclusive');
  return complaints.map((complaint) => `${text}: invalid connection state: ${complaint}\n`);
}
