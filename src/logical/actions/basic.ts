/** Actions that are a word; `next`; assignments, exchanges and the stack. */
import type { Action } from "../../openflow/index.ts";
import { formatIpv4, ipv4Of } from "../../net/index.ts";
import type { Lexer } from "../lexer.ts";
import { formatConstant } from "../number-text.ts";
import { quote } from "../string-text.ts";
import { outputInit, openflowTables } from "../openflow-tables.ts";
import { checkTypes, type Constant } from "../constant.ts";
import { type Pipeline, pipelineLength } from "../stages.ts";
import { type FieldReference, formatFieldReference, resolveField } from "../symbol.ts";
import type { LogicalAction, LogicalActionOf, Next, WordKind } from "./action.ts";
import type { ActionParser } from "./action-parser.ts";
import { Bytes, controllerOp } from "./controller-op.ts";
import { type EncodeContext, firstTable, move, pop, push, resubmit, setBits } from "./encode-context.ts";

export { outputInit };

/** What is written for each word; only `handle_bfd_msg` has parentheses, and `ip.ttl` its own sign. */
export const wordTexts: Readonly<Record<WordKind, string>> = {
  output: "output", dec_ttl: "ip.ttl--", ct_clear: "ct_clear", ct_snat_to_vip: "ct_snat_to_vip", igmp: "igmp",
  handle_dhcpv6_reply: "handle_dhcpv6_reply", handle_bfd_msg: "handle_bfd_msg()", mac_cache_use: "mac_cache_use",
  flood_remote: "flood_remote",
};

export function encodeWord(kind: WordKind, context: EncodeContext): Action {
  switch (kind) {
    case "output": return resubmit(context.outputTable);
    // No controller hears of packets that run out: northd has flows for them.
    case "dec_ttl": return { kind: "dec_ttl", controllers: [] };
    case "ct_clear": return { kind: "ct_clear" };
    case "ct_snat_to_vip": return resubmit(openflowTables.ctSnatHairpin);
    case "mac_cache_use": return resubmit(openflowTables.macCacheUse);
    case "flood_remote": return resubmit(openflowTables.floodRemoteChassis);
    case "igmp": return controllerOp("igmp", context);
    case "handle_dhcpv6_reply": return controllerOp("dhcp6_server", context);
    case "handle_bfd_msg": return controllerOp("bfd_msg", context);
  }
}

export function parseNext(parser: ActionParser): Next {
  const { lexer, parameters } = parser;
  if (parameters.tables === 0) lexer.error('"next" action not allowed here.');
  let { pipeline } = parameters;
  let table = parser.nextTable;
  if (lexer.match("(")) {
    if (lexer.isSmallInteger()) table = lexer.expectSmallInteger();
    else {
      do {
        if (lexer.matchId("pipeline")) pipeline = parsePipeline(lexer);
        else if (lexer.matchId("table")) {
          lexer.expect("=");
          table = lexer.expectSmallInteger();
        } else lexer.syntaxError('expecting "pipeline" or "table"');
      } while (lexer.match(","));
    }
    lexer.expect(")");
  }
  if (table >= pipelineLength[pipeline]) lexer.error(`"next" action cannot advance beyond table ${pipelineLength[pipeline]}.`);
  return { kind: "next", pipeline, table, fromPipeline: parameters.pipeline, fromTable: parameters.table };
}

function parsePipeline(lexer: Lexer): Pipeline {
  lexer.expect("=");
  if (lexer.matchId("ingress")) return "ingress";
  if (lexer.matchId("egress")) return "egress";
  return lexer.syntaxError('expecting "ingress" or "egress"');
}

export function formatNext({ pipeline, table, fromPipeline, fromTable }: Next): string {
  if (pipeline !== fromPipeline) return `next(pipeline=${pipeline}, table=${table});`;
  return table === fromTable + 1 ? "next;" : `next(${table});`;
}

export const encodeNext = ({ pipeline, table }: Next): Action => resubmit(firstTable(pipeline) + table);

/** `field = constant`, the field and the sign already read. */
export function parseLoad(parser: ActionParser, destination: FieldReference): LogicalAction {
  parser.checkField(destination, destination.bits, true);
  const constants = parser.constants.parseConstant();
  checkTypes(parser.lexer, destination, constants);
  const [constant] = constants.values;
  if (constant === undefined) return parser.lexer.syntaxError("expecting constant");
  return { kind: destination.symbol.meaning.kind === "controller-field" ? "controller-load" : "load", destination, constant };
}

const constantText = (constant: Constant): string =>
  constant.kind === "string" ? quote(constant.text) : formatConstant(constant.value, constant.mask, constant.format);

export const formatLoad = ({ destination, constant }: LogicalActionOf<"load">): string =>
  `${formatFieldReference(destination)} = ${constantText(constant)};`;

export function encodeLoad({ destination, constant }: LogicalActionOf<"load">, context: EncodeContext): Action {
  const to = resolveField(destination);
  if (constant.kind === "string") return setBits(to, BigInt(context.lookupPort(constant.text) ?? 0));
  return setBits(to, constant.value, constant.mask);
}

/** Fields that only the controller writes travel as a note, or as an order to it. */
export function formatControllerLoad({ destination, constant }: LogicalActionOf<"controller-load">): string {
  const value = constant.kind === "integer" ? constant.value : 0n;
  const { name } = destination.symbol;
  return name === "icmp4.inner_ip4.src" ? `${name} = ${formatIpv4(ipv4Of(Number(value & 0xffffffffn)))};` : `${name} = ${value & 0xffffn};`;
}

export function encodeControllerLoad({ destination, constant }: LogicalActionOf<"controller-load">, context: EncodeContext): Action {
  const { meaning } = destination.symbol;
  const value = constant.kind === "integer" ? constant.value : 0n;
  if (meaning.kind !== "controller-field") throw new TypeError(`${destination.symbol.name} is no field of the controller`);
  const { id, bytes, isNote } = meaning.field;
  if (!isNote) return controllerOp("put_icmp4_inner_ip4_src", context, new Bytes().uint(value, bytes).take(), { pause: true });
  return { kind: "note", data: new Bytes().text("ovn").uint(0, 1).uint(id, 2).uint(0, 2).uint(value, bytes).take() };
}

/** `left = right` or `left <-> right`, all but the right side already read. */
export function parseMove(parser: ActionParser, kind: "move" | "exchange", left: FieldReference): LogicalAction {
  const { lexer } = parser;
  const right = parser.field();
  const type = (f: FieldReference): string => (f.symbol.width > 0 ? "integer" : "string");
  const isExchange = kind === "exchange";
  if (type(left) !== type(right)) {
    lexer.error(isExchange
      ? `Can't exchange ${type(left)} field (${left.symbol.name}) with ${type(right)} field (${right.symbol.name}).`
      : `Can't assign ${type(right)} field (${right.symbol.name}) to ${type(left)} field (${left.symbol.name}).`);
  }
  if (left.bits !== right.bits) {
    lexer.error(isExchange
      ? `Can't exchange ${left.bits}-bit field with ${right.bits}-bit field.`
      : `Can't assign ${right.bits}-bit value to ${left.bits}-bit destination.`);
  }
  if (left.bits === 0 && resolveField(left).bits !== resolveField(right).bits) {
    lexer.error(`String fields ${left.symbol.name} and ${right.symbol.name} are incompatible for ${isExchange ? "exchange" : "assignment"}.`);
  }
  parser.checkField(left, left.bits, true);
  parser.checkField(right, right.bits, isExchange);
  return { kind, left, right };
}

export const formatMove = ({ kind, left, right }: LogicalActionOf<"move" | "exchange">): string =>
  `${formatFieldReference(left)} ${kind === "move" ? "=" : "<->"} ${formatFieldReference(right)};`;

export function encodeMove({ kind, left, right }: LogicalActionOf<"move" | "exchange">): Action[] {
  const a = resolveField(left);
  const b = resolveField(right);
  return kind === "move" ? [move(b, a)] : [push(b), push(a), pop(b), pop(a)];
}

export function parseStack(parser: ActionParser, kind: "push" | "pop"): LogicalAction {
  parser.lexer.expect("(");
  const field = parser.field();
  parser.checkField(field, field.bits, kind === "pop");
  parser.lexer.expect(")");
  return { kind, field };
}

export const encodeStack = ({ kind, field }: LogicalActionOf<"push" | "pop">): Action =>
  kind === "push" ? push(resolveField(field)) : pop(resolveField(field));
