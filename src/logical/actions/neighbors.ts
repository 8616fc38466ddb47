/** What is known of neighbors and MAC addresses: get_arp, put_arp, lookup_arp and their kin for ND and for the FDB. */
import { type Action, type FieldName, subfield } from "../../openflow/index.ts";
import { openflowTables } from "../openflow-tables.ts";
import { flagBits, logicalRegisters } from "../registers.ts";
import { type FieldReference, formatFieldReference as name, resolveField } from "../symbol.ts";
import type { LogicalActionOf } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { controllerOp } from "./controller-op.ts";
import { type EncodeContext, flagBit, move, pop, push, resubmit, setBits, wholeField, withArguments } from "./encode-context.ts";

type Get = LogicalActionOf<"get_arp">;
type Put = LogicalActionOf<"put_arp">;
type Lookup = LogicalActionOf<"lookup_arp">;
type LookupIp = LogicalActionOf<"lookup_arp_ip">;
type CheckEvpn = LogicalActionOf<"chk_evpn_arp">;
type PutFdb = LogicalActionOf<"put_fdb">;
type GetFdb = LogicalActionOf<"get_fdb">;
type LookupFdb = LogicalActionOf<"lookup_fdb">;

/** Fields between parentheses, each of its width; 0 stands for a port. */
function fields(parser: ActionParser, widths: readonly number[]): FieldReference[] {
  return widths.map((width, i) => {
    parser.lexer.expect(i === 0 ? "(" : ",");
    const field = parser.typedField(width);
    if (i === widths.length - 1) parser.lexer.expect(")");
    return field;
  });
}

function three([a, b, c]: readonly FieldReference[]): readonly [FieldReference, FieldReference, FieldReference] {
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("three fields");
  return [a, b, c];
}

function two([a, b]: readonly FieldReference[]): readonly [FieldReference, FieldReference] {
  if (a === undefined || b === undefined) throw new TypeError("two fields");
  return [a, b];
}

const isNd = (kind: string): boolean => kind.includes("_nd");
const ipBits = (kind: string): number => (isNd(kind) ? 128 : 32);

/** Sets the flag to 0, asks the table, and moves what it found to `to`. */
const askBit = (bit: number, table: number, to: FieldReference): Action[] =>
  [setBits(flagBit(bit), 0n), resubmit(table), move(flagBit(bit), resolveField(to))];

export function parseGet(parser: ActionParser, kind: Get["kind"]): Get {
  const [port, ip] = two(fields(parser, [0, ipBits(kind)]));
  return { kind, port, ip };
}

export const formatGet = ({ kind, port, ip }: Get): string => `${kind}(${name(port)}, ${name(ip)});`;

export const encodeGet = ({ kind, port, ip }: Get): Action[] =>
  withArguments([[port, logicalRegisters.outport], [ip, isNd(kind) ? "xxreg1" : "reg0"]],
    [setBits(wholeField("eth_dst"), 0n), resubmit(openflowTables.macBinding)]);

export function parsePut(parser: ActionParser, kind: Put["kind"]): Put {
  const [port, ip, mac] = three(fields(parser, [0, ipBits(kind), 48]));
  return { kind, port, ip, mac };
}

export const formatPut = ({ kind, port, ip, mac }: Put): string => `${kind}(${name(port)}, ${name(ip)}, ${name(mac)});`;

export const encodePut = ({ kind, port, ip, mac }: Put, context: EncodeContext): Action[] =>
  withArguments([[port, logicalRegisters.inport], [ip, isNd(kind) ? "xxreg0" : "reg0"], [mac, "eth_src"]], [controllerOp(kind, context)]);

/** `bit = lookup_arp(port, ip, mac)`: whether the binding is known as it is. */
export function parseLookup(parser: ActionParser, kind: Lookup["kind"], destination: FieldReference): Lookup {
  parser.checkField(destination, 1, true);
  parser.lexer.advance();
  const [port, ip, mac] = three(fields(parser, [0, ipBits(kind), 48]));
  return { kind, destination, port, ip, mac };
}

export const formatLookup = ({ kind, destination, port, ip, mac }: Lookup): string =>
  `${name(destination)} = ${kind}(${name(port)}, ${name(ip)}, ${name(mac)});`;

export const encodeLookup = ({ kind, destination, port, ip, mac }: Lookup): Action[] =>
  withArguments([[port, logicalRegisters.inport], [ip, isNd(kind) ? "xxreg0" : "reg0"], [mac, "eth_src"]],
    askBit(flagBits.lookupMac, openflowTables.macLookup, destination));

/** `bit = lookup_arp_ip(port, ip)`: whether any binding of the address is known. */
export function parseLookupIp(parser: ActionParser, kind: LookupIp["kind"], destination: FieldReference): LookupIp {
  parser.checkField(destination, 1, true);
  parser.lexer.advance();
  const [port, ip] = two(fields(parser, [0, ipBits(kind)]));
  return { kind, destination, port, ip };
}

export const formatLookupIp = ({ kind, destination, port, ip }: LookupIp): string =>
  `${name(destination)} = ${kind}(${name(port)}, ${name(ip)});`;

export const encodeLookupIp = ({ kind, destination, port, ip }: LookupIp): Action[] =>
  // The table that answers also writes eth.dst, which must stay as it is.
  withArguments([[port, logicalRegisters.outport], [ip, isNd(kind) ? "xxreg1" : "reg0"]],
    [push(wholeField("eth_dst")), ...askBit(flagBits.lookupMac, openflowTables.macBinding, destination), pop(wholeField("eth_dst"))]);

export function parseCheckEvpn(parser: ActionParser, destination: FieldReference): CheckEvpn {
  const { lexer } = parser;
  parser.checkField(destination, 1, true);
  lexer.advance();
  lexer.expect("(");
  const ip = parser.field();
  const { bits } = resolveField(ip);
  if (bits !== 32 && bits !== 128) lexer.error("chk_evpn_arp requires a 32-bit or 128-bit IP field");
  lexer.expect(")");
  return { kind: "chk_evpn_arp", destination, ip };
}

export const encodeCheckEvpn = ({ destination, ip }: CheckEvpn): Action[] =>
  withArguments([[ip, resolveField(ip).bits === 32 ? "reg0" : "xxreg0"]], askBit(flagBits.evpnLookup, openflowTables.evpnArpLookup, destination));

export function parsePutFdb(parser: ActionParser): PutFdb {
  const [port, mac] = two(fields(parser, [0, 48]));
  return { kind: "put_fdb", port, mac };
}

export const encodePutFdb = ({ port, mac }: PutFdb, context: EncodeContext): Action[] =>
  withArguments([[port, logicalRegisters.inport], [mac, "eth_src"]], [controllerOp("put_fdb", context)]);

/** `outport = get_fdb(mac)`: the port behind which a MAC was last seen, 0 if none. */
export function parseGetFdb(parser: ActionParser, kind: GetFdb["kind"], destination: FieldReference): GetFdb {
  const { lexer } = parser;
  lexer.advance();
  lexer.advance();
  if (destination.bits > 0) parser.checkField(destination, 32, true);
  const mac = parser.typedField(48);
  lexer.expect(")");
  return { kind, destination, mac };
}

export function encodeGetFdb({ kind, destination, mac }: GetFdb): Action[] {
  const found: FieldName = kind === "get_remote_fdb" ? logicalRegisters.remoteOutport : logicalRegisters.outport;
  const table = kind === "get_remote_fdb" ? openflowTables.getRemoteFdb : openflowTables.getFdb;
  const to = resolveField(destination);
  return [
    ...withArguments([[mac, "eth_dst"]], [setBits(wholeField(found), 0n), resubmit(table)]),
    ...(to.field.name === found ? [] : [move(subfield(found), to)]),
  ];
}

export function parseLookupFdb(parser: ActionParser, destination: FieldReference): LookupFdb {
  parser.lexer.advance();
  parser.checkField(destination, 1, true);
  const [port, mac] = two(fields(parser, [0, 48]));
  return { kind: "lookup_fdb", destination, port, mac };
}

export function encodeLookupFdb({ destination, port, mac }: LookupFdb): Action[] {
  const flag = flagBit(flagBits.lookupFdb);
  return [
    ...withArguments([[port, logicalRegisters.inport], [mac, "eth_src"]], [setBits(flag, 0n), resubmit(openflowTables.lookupFdb)]),
    move(flag, resolveField(destination)),
  ];
}
