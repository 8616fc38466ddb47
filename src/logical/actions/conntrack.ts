/** Connection tracking and address translation: ct_next, ct_commit and its kin, ct_dnat, ct_snat. */
import { formatIpv4, formatIpv6, ipv4Of, ipv6Of } from "../../net/index.ts";
import { type Action, type FieldName, type NatRange, subfield } from "../../openflow/index.ts";
import type { Lexer } from "../lexer.ts";
import { logicalRegisters } from "../registers.ts";
import type { Address, LogicalActionOf, Nat, NatKind } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { type EncodeContext, firstTable } from "./encode-context.ts";

type Zone = "dnat" | "snat";

/** The register that holds the zone: a port's own in a switch, one for each direction of translation in a router. */
export const zoneRegister = (zone: Zone, { isSwitch }: EncodeContext): FieldName =>
  isSwitch ? logicalRegisters.ctZone : zone === "dnat" ? logicalRegisters.dnatZone : logicalRegisters.snatZone;

export const zoneField = (register: FieldName) => ({ kind: "field", from: subfield(register, 0, 16) }) as const;

function parseZone(lexer: Lexer, complaint: string): Zone {
  const zone = lexer.matchId("dnat") ? "dnat" : lexer.matchId("snat") ? "snat" : undefined;
  if (zone === undefined) return lexer.error(complaint);
  lexer.expect(")");
  return zone;
}

export function parseCtNext(parser: ActionParser): LogicalActionOf<"ct_next"> {
  parser.refuseInLastTable("ct_next");
  parser.requireText("ip");
  const zone = parser.lexer.match("(") ? parseZone(parser.lexer, '"ct_next" action accepts only "dnat" or "snat" parameter.') : "dnat";
  return { kind: "ct_next", table: parser.nextTable, zone };
}

export const encodeCtNext = ({ table, zone }: LogicalActionOf<"ct_next">, context: EncodeContext): Action =>
  ({ kind: "ct", commit: false, force: false, zone: zoneField(zoneRegister(zone, context)), table: table + firstTable(context.pipeline), alg: 0, exec: [] });

export function parseCtCommit(parser: ActionParser): LogicalActionOf<"ct_commit"> {
  if (parser.lexer.kind === "{") return { kind: "ct_commit", actions: parser.nested("ip", "ct-commit") };
  parser.requireText("ip");
  return { kind: "ct_commit", actions: [] };
}

/** `exec` are the nested actions, encoded: they set the connection's mark and label. */
export function encodeCtCommit(exec: readonly Action[], context: EncodeContext): Action {
  // A source translation to nowhere keeps the tuples of plain connections apart from those of translated ones.
  const zeroSnat: readonly Action[] = context.features.ctZeroSnat ? [{ kind: "nat", direction: "src" }] : [];
  return { kind: "ct", commit: true, force: false, zone: zoneField(zoneRegister("dnat", context)), alg: 0, exec: [...zeroSnat, ...exec] };
}

/** ct_commit_nat, whose zone may be left out, and ct_commit_to_zone, whose may not. */
export function parseCommitToZone(parser: ActionParser, kind: "ct_commit_nat" | "ct_commit_to_zone"): LogicalActionOf<"ct_commit_nat"> {
  const { lexer } = parser;
  parser.requireText("ip");
  parser.refuseInLastTable(kind);
  if (kind === "ct_commit_nat" && lexer.kind !== "(") return { kind, table: parser.nextTable, zone: "dnat" };
  lexer.expect("(");
  return { kind, table: parser.nextTable, zone: parseZone(lexer, `"${kind}" action accepts only "dnat" or "snat" parameter.`) };
}

export const encodeCommitToZone = ({ kind, table, zone }: LogicalActionOf<"ct_commit_nat">, context: EncodeContext): Action => ({
  kind: "ct", commit: true, force: false, zone: zoneField(zoneRegister(zone, context)), table: table + firstTable(context.pipeline), alg: 0,
  exec: kind === "ct_commit_nat" ? [{ kind: "nat" }] : [],
});

/** An address of either family, the current token; undefined if it is none. */
export function addressToken(lexer: Lexer): Address | undefined {
  if (lexer.kind !== "integer") return undefined;
  if (lexer.format === "IPv4") return { family: 4, ip: ipv4Of(Number(lexer.value)) };
  return lexer.format === "IPv6" ? { family: 6, ip: ipv6Of(lexer.value) } : undefined;
}

export const formatAddress = (address: Address): string => (address.family === 4 ? formatIpv4(address.ip) : formatIpv6(address.ip));

export function parseNat(parser: ActionParser, kind: NatKind): Nat {
  const { lexer } = parser;
  parser.requireText("ip");
  parser.refuseInLastTable(kind);
  const table = parser.nextTable;
  if (!lexer.match("(")) return { kind, table, address: undefined, ports: undefined };
  const address = addressToken(lexer);
  if (address === undefined) lexer.syntaxError("expecting IPv4 or IPv6 address");
  lexer.advance();
  const ports = lexer.match(",") ? parsePortRange(lexer) : undefined;
  lexer.expect(")");
  return { kind, table, address, ports };
}

function parsePortRange(lexer: Lexer): { low: number; high: number } {
  if (lexer.kind !== "integer" || lexer.format !== "decimal") lexer.syntaxError("expecting Integer for port range");
  const low = Number(lexer.value & 0xffffn);
  if (low === 0) lexer.syntaxError("range can't be 0");
  lexer.advance();
  if (!lexer.match("-")) return { low, high: 0 };
  if (lexer.kind !== "integer") lexer.syntaxError("expecting Integer for port range");
  const high = Number(lexer.value & 0xffffn);
  if (high <= low) lexer.syntaxError("range high should be greater than range low");
  lexer.advance();
  return { low, high };
}

export function formatNat({ kind, address, ports }: Nat): string {
  if (address === undefined) return `${kind};`;
  const range = ports === undefined ? "" : ports.high > 0 ? `,${ports.low}-${ports.high}` : `,${ports.low}`;
  return `${kind}(${formatAddress(address)}${range});`;
}

export function encodeNat({ kind, table, address, ports }: Nat, context: EncodeContext): Action {
  const register = kind === "ct_dnat" ? logicalRegisters.dnatZone : kind === "ct_snat" ? logicalRegisters.snatZone : context.commonNatZone;
  const direction = kind.startsWith("ct_dnat") ? "dst" : "src";
  const range: NatRange = address === undefined ? {} : {
    ipMin: address.ip, family: address.family,
    ...(ports === undefined ? {} : { portMin: ports.low, ...(ports.high > 0 ? { portMax: ports.high } : {}) }),
  };
  return {
    kind: "ct", commit: address !== undefined, force: false, zone: zoneField(register), table: table + firstTable(context.pipeline), alg: 0,
    // Ports of a range are taken at random, rather than as the datapath happens to.
    exec: [{ kind: "nat", ...(address === undefined ? {} : { direction }), ...range, ...(range.portMax !== undefined ? { random: true } : {}) }],
  };
}
