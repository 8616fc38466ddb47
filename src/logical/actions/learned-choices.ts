/**
 * The memory of choices made: commit_ecmp_nh and commit_lb_aff let the switch learn a flow, in a table of its own, where
 * chk_ecmp_nh and chk_lb_aff look for it.
 */
import { formatIpv6, ipv6Of } from "../../net/index.ts";
import { type Action, field, type FieldName, type Learn, type LearnSpec, subfield, type Subfield } from "../../openflow/index.ts";
import type { Lexer } from "../lexer.ts";
import { openflowTables } from "../openflow-tables.ts";
import { flagBits, logicalRegisters } from "../registers.ts";
import type { Address, CommitAffinity, LogicalActionOf, TransportName } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { addressAndPort, parseBoolean } from "./address-text.ts";
import { formatAddress } from "./conntrack.ts";
import { cookieOf, type EncodeContext, flagBit, wholeField } from "./encode-context.ts";

const protocols: Readonly<Record<TransportName, number>> = { tcp: 6, udp: 17, sctp: 132 };

function parseProtocol(lexer: Lexer): TransportName {
  for (const name of ["tcp", "udp", "sctp"] as const) if (lexer.matchId(name)) return name;
  return lexer.syntaxError("invalid protocol");
}

/** `name =`. */
function expectParameter(lexer: Lexer, name: string): void {
  if (!lexer.matchId(name)) lexer.syntaxError("invalid parameter");
  lexer.expect("=");
}

export function parseCommitEcmpNh({ lexer }: ActionParser): LogicalActionOf<"commit_ecmp_nh"> {
  lexer.expect("(");
  expectParameter(lexer, "ipv6");
  const ipv6 = parseBoolean(lexer);
  lexer.expect(",");
  expectParameter(lexer, "proto");
  const protocol = parseProtocol(lexer);
  lexer.expect(")");
  return { kind: "commit_ecmp_nh", ipv6, protocol };
}

const same = (to: FieldName, from: FieldName = to): LearnSpec =>
  ({ to: "match", from: { kind: "field", source: wholeField(from) }, bits: field(to).bits, target: wholeField(to) });
const equal = (to: FieldName, value: bigint): LearnSpec =>
  ({ to: "match", from: { kind: "immediate", value }, bits: field(to).bits, target: wholeField(to) });
const load = (target: Subfield, value: bigint): LearnSpec => ({ to: "load", from: { kind: "immediate", value }, bits: target.bits, target });

const ethType = (ipv6: boolean): LearnSpec => equal("eth_type", ipv6 ? 0x86ddn : 0x800n);
const learned = { finIdleTimeout: 0, finHardTimeout: 0, priority: 0x8000, sendFlowRemoved: false, deleteLearned: true, limit: 0 } as const;

export function encodeCommitEcmpNh({ ipv6, protocol }: LogicalActionOf<"commit_ecmp_nh">): Action[] {
  const src: FieldName = ipv6 ? "ipv6_src" : "ip_src";
  const dst: FieldName = ipv6 ? "ipv6_dst" : "ip_dst";
  const portSrc: FieldName = `${protocol}_src`;
  const portDst: FieldName = `${protocol}_dst`;
  /** One flow for packets as this one, which also knows the next hop's MAC, and one for the replies. */
  const learn = (original: boolean): Learn => ({
    kind: "learn", ...learned, cookie: 0n, idleTimeout: 20, hardTimeout: 30, table: original ? openflowTables.ecmpNhMac : openflowTables.ecmpNh,
    specs: [
      same("metadata"), ...(original ? [same("eth_src")] : []), ethType(ipv6),
      same(src, original ? src : dst), same(dst, original ? dst : src), equal("nw_proto", BigInt(protocols[protocol])),
      same(portSrc, original ? portSrc : portDst), same(portDst, original ? portDst : portSrc),
      load(flagBit(flagBits.lookupCommitEcmpNh), 1n),
    ],
  });
  return [learn(true), learn(false)];
}

export function parseCommitAffinity(parser: ActionParser): CommitAffinity {
  const { lexer } = parser;
  lexer.expect("(");
  expectParameter(lexer, "vip");
  const vip = parseAddressAndPort(lexer);
  lexer.expect(",");
  expectParameter(lexer, "backend");
  const start = parseAddressAndPort(lexer, vip.address.family);
  lexer.expect(",");
  let protocol: TransportName | undefined;
  if (vip.port > 0) {
    expectParameter(lexer, "proto");
    protocol = parseProtocol(lexer);
    lexer.expect(",");
  }
  expectParameter(lexer, "timeout");
  const timeout = parser.uint16("affinity timeout");
  lexer.expect(")");
  return { kind: "commit_lb_aff", vip: vip.address, vipPort: vip.port, backend: start.address, backendPort: start.port, protocol, timeout };
}

function parseAddressAndPort(lexer: Lexer, family?: 4 | 6): { address: Address; port: number } {
  const found = lexer.kind === "string" ? addressAndPort(lexer.name) : undefined;
  if (found === undefined) return lexer.syntaxError("invalid parameter");
  if (family !== undefined && found.address.family !== family) lexer.syntaxError("invalid protocol family");
  lexer.advance();
  return found;
}

export function formatCommitAffinity({ vip, vipPort, backend, backendPort, protocol, timeout }: CommitAffinity): string {
  const text = (address: Address, port: number): string =>
    `"${address.family === 6 ? `[${formatIpv6(ipv6Of(address.ip))}]` : formatAddress(address)}${port > 0 ? `:${port}` : ""}"`;
  return `commit_lb_aff(vip = ${text(vip, vipPort)}, backend = ${text(backend, backendPort)}${protocol === undefined ? "" : `, proto = ${protocol}`}, timeout = ${timeout});`;
}

export function encodeCommitAffinity({ vip, vipPort, backend, backendPort, protocol, timeout }: CommitAffinity, { flowUuid }: EncodeContext): Action {
  const ipv6 = vip.family === 6;
  return {
    kind: "learn", ...learned, cookie: BigInt(cookieOf(flowUuid)), idleTimeout: timeout, hardTimeout: 0, table: openflowTables.chkLbAffinity,
    specs: [
      same("metadata"), ethType(ipv6), same(ipv6 ? "ipv6_src" : "ip_src"), equal(ipv6 ? "ipv6_dst" : "ip_dst", BigInt(vip.ip)),
      ...(protocol === undefined ? [] : [equal("nw_proto", BigInt(protocols[protocol])), equal(`${protocol}_dst`, BigInt(vipPort))]),
      load(flagBit(flagBits.useLbAffSession), 1n),
      load(wholeField(ipv6 ? logicalRegisters.lbAffMatchIp6Addr : logicalRegisters.lbAffMatchIp4Addr), BigInt(backend.ip)),
      ...(backendPort > 0 ? [load(subfield(logicalRegisters.lbAffMatchPort, 0, 16), BigInt(backendPort))] : []),
    ],
  };
}
