/**
 * Flows for a load balancer's client that is its own server: its packets leave with the virtual address as their source, so
 * that the answers come back by the balancer too (ovn-architecture(7), tables 92 to 94; controller/lflow.c,
 * consider_lb_hairpin_flows).
 */
import { rule, type Yield } from "../engine/index.ts";
import { addressAndPort, ctMarkBits, flagBits, logicalRegisters, openflowTables } from "../logical/index.ts";
import { type Action, field, type FieldName, type FieldValue, type LearnSpec, Match, subfield } from "../openflow/index.ts";
import { datapathField, Flow, setFlag } from "./flow.ts";
import type { DatapathUuid, Node } from "./node.ts";
import { expandTemplates } from "./parsed-flow.ts";
import { cookieOf, type LoadBalancer } from "./rows.ts";

export type Endpoint = NonNullable<ReturnType<typeof addressAndPort>>;
type Address = Endpoint["address"];

export interface Vip extends Endpoint {
  readonly backends: readonly Endpoint[];
}

export const transports = { tcp: 6, udp: 17, sctp: 132 } as const;
const portMask = 0xffff;
const learnedPriority = 0x8000;

export const hairpinFlows = rule("hairpin-flows", (node: Node) => node.sb.tables.Load_Balancer, function* (node, balancer) {
  if (!isOnLocalDatapath(node, balancer)) return;
  const snat = hairpinAddresses(node, balancer);
  for (const vip of vipsOf(node, balancer)) {
    const source = snat.find(({ family }) => family === vip.address.family);
    for (const backend of vip.backends) yield detection(balancer, vip, backend, source ?? vip.address);
    yield* translations(node, balancer, vip, source);
  }
});

export function* vipsOf(node: Node, balancer: LoadBalancer): Iterable<Vip> {
  for (const [key, value] of balancer.vips) {
    const vip = addressAndPort(expandTemplates(node, key));
    if (vip === undefined) continue;
    const backends = expandTemplates(node, value).split(",").flatMap((text) => addressAndPort(text) ?? []);
    yield { ...vip, backends: backends.filter(({ address }) => address.family === vip.address.family) };
  }
}

/** options:hairpin_snat_ip: at most one address of each family counts. */
function hairpinAddresses(node: Node, balancer: LoadBalancer): readonly Address[] {
  const text = balancer.options.get("hairpin_snat_ip");
  if (text === undefined) return [];
  const addresses = text.split(/\s+/).filter((part) => part !== "").map((part) => addressAndPort(part)?.address);
  const good = addresses.filter((address) => address !== undefined);
  if (good.length === addresses.length) return good;
  node.host.log.module("controller_lb").warn(`bad hairpin_snat_ip ${text} in load balancer ${balancer._uuid}`);
  return [];
}

function datapathsOf(node: Node, balancer: LoadBalancer, withRouters: boolean): readonly DatapathUuid[] {
  const groups = [balancer.datapath_group, balancer.ls_datapath_group, ...(withRouters ? [balancer.lr_datapath_group] : [])];
  return [...balancer.datapaths, ...groups.flatMap((group) => [...(node.sb.tables.Logical_DP_Group.get(group)?.datapaths ?? [])])];
}

export const isOnLocalDatapath = (node: Node, balancer: LoadBalancer): boolean =>
  datapathsOf(node, balancer, true).some((uuid) => node.isLocalDatapath(uuid));

export const transportOf = (balancer: LoadBalancer): keyof typeof transports => balancer.protocol ?? "tcp";

/** Both families' names of fields, where they differ. */
const names = {
  4: { ethType: 0x0800, src: "ip_src", dst: "ip_dst", originalDst: logicalRegisters.lbOrigDipIpv4 },
  6: { ethType: 0x86dd, src: "ipv6_src", dst: "ipv6_dst", originalDst: logicalRegisters.lbOrigDipIpv6 },
} as const satisfies Record<4 | 6, { ethType: number; src: FieldName; dst: FieldName; originalDst: FieldName }>;

const valueOf = (address: Address): FieldValue => address.ip;

/** Packets that were sent to the virtual address; their original destination is in registers. */
function toVip(balancer: LoadBalancer, { address, port }: Endpoint, hasTransport: boolean): Match {
  const { ethType, originalDst } = names[address.family];
  const match = Match.of(["eth_type", ethType], [originalDst, valueOf(address)]);
  if (!hasTransport) return match;
  return match.with(field("nw_proto"), transports[transportOf(balancer)]).with(field(logicalRegisters.lbOrigTpDport), port, portMask);
}

/** A balanced packet to where it came from. Its reply is told by a flow that it leaves behind. */
function detection(balancer: LoadBalancer, vip: Vip, backend: Endpoint, source: Address): Yield {
  const { src, dst } = names[vip.address.family];
  const hasTransport = backend.port > 0;
  const natted = 2 ** ctMarkBits.natted;
  const match = toVip(balancer, vip, hasTransport)
    .with(field(src), valueOf(backend.address)).with(field(dst), valueOf(backend.address)).with(field("ct_mark"), natted, natted);
  return Flow({
    table: openflowTables.chkLbHairpin, priority: 100, cookie: cookieOf(balancer),
    match: hasTransport ? match.with(field(`${transportOf(balancer)}_dst`), backend.port) : match,
    actions: [setFlag("lookupLbHairpin"), replyDetection(balancer, hasTransport, source)],
  });
}

function replyDetection(balancer: LoadBalancer, hasTransport: boolean, source: Address): Action {
  const { ethType, src, dst } = names[source.family];
  const transport = transportOf(balancer);
  return {
    kind: "learn", table: openflowTables.chkLbHairpinReply, priority: learnedPriority, cookie: BigInt(cookieOf(balancer)),
    idleTimeout: 0, hardTimeout: 0, finIdleTimeout: 0, finHardTimeout: 0, sendFlowRemoved: false, deleteLearned: true, limit: 0,
    specs: [
      same("metadata"), equal("eth_type", ethType), same(src), equal(dst, valueOf(source)),
      ...(hasTransport ? [equal("nw_proto", transports[transport]), same(`${transport}_src`, `${transport}_dst`)] : [same("nw_proto")]),
      { to: "load", from: { kind: "immediate", value: 1n }, bits: 1, target: subfield(logicalRegisters.flags, flagBits.lookupLbHairpin, 1) },
    ],
  };
}

/** The learned flow's field is to be what the packet's is. */
const same = (target: FieldName, source: FieldName = target): LearnSpec =>
  ({ to: "match", from: { kind: "field", source: subfield(source) }, bits: field(target).bits, target: subfield(target) });

const equal = (target: FieldName, value: FieldValue): LearnSpec =>
  ({ to: "match", from: { kind: "immediate", value: BigInt(value) }, bits: field(target).bits, target: subfield(target) });

/** An address of the balancer's own choosing counts only on its own datapaths, and there more. */
function* translations(node: Node, balancer: LoadBalancer, vip: Vip, chosen: Address | undefined): Iterable<Yield> {
  const hasTransport = vip.port > 0;
  const flow = {
    table: openflowTables.ctSnatHairpin, cookie: cookieOf(balancer), match: toVip(balancer, vip, hasTransport),
    actions: [translateTo(chosen ?? vip.address)],
  };
  const less = hasTransport ? 0 : 10;
  if (chosen === undefined) {
    yield Flow({ ...flow, priority: 100 - less });
    return;
  }
  for (const uuid of datapathsOf(node, balancer, false)) {
    const key = node.isLocalDatapath(uuid) ? node.sb.tables.Datapath_Binding.get(uuid)?.tunnel_key : undefined;
    if (key !== undefined) yield Flow({ ...flow, priority: 200 - less, match: flow.match.with(field(datapathField), BigInt(key)) });
  }
}

const translateTo = (address: Address): Action => ({
  kind: "ct", commit: true, force: false, zone: { kind: "field", from: subfield(logicalRegisters.snatZone, 0, 16) }, alg: 0,
  exec: [{ kind: "nat", direction: "src", ipMin: valueOf(address), family: address.family }],
});
