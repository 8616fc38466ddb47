/** The text of a Logical_Flow's actions, read: which word begins which action. */
import type { Expression } from "../expression.ts";
import { Lexer } from "../lexer.ts";
import { type Parsed, parsed } from "../parse-expression.ts";
import type { FieldReference } from "../symbol.ts";
import type { LogicalAction, NestedKind } from "./action.ts";
import { type ActionParameters, ActionParser } from "./action-parser.ts";
import { parseLoad, parseMove, parseNext, parseStack } from "./basic.ts";
import { parseCommitToZone, parseCtCommit, parseCtNext, parseNat } from "./conntrack.ts";
import { parseCommitAffinity, parseCommitEcmpNh } from "./learned-choices.ts";
import { parseForwardingGroup, parseLoadBalance, parseSelect } from "./load-balance.ts";
import { parseCheckEvpn, parseGet, parseGetFdb, parseLookup, parseLookupFdb, parseLookupIp, parsePut, parsePutFdb } from "./neighbors.ts";
import { parseDhcpRelay, parsePutOptions, parseTriggerEvent } from "./put-options.ts";
import { parseResult, resultKinds } from "./results.ts";
import { parseBindVport, parseCheckPacketLarger, parseLog, parseMirror, parseSample, parseServiceCheck, parseSetMeter, parseSetQueue } from "./watching.ts";

export interface ParsedActions {
  readonly actions: readonly LogicalAction[];
  /** What the match must hold for the actions to make sense; not yet annotated. */
  readonly prerequisites: Expression | undefined;
}

export const parseActions = (text: string, parameters: ActionParameters): Parsed<ParsedActions> => parsed(() => {
  const parser = new ActionParser(new Lexer(text), parameters, parseList);
  const actions = parseList(parser, "end");
  return { actions, prerequisites: parser.prerequisites };
});

/** Actions up to `end`. `drop;` stands for none, and alone. */
function parseList(parser: ActionParser, end: "}" | "end"): readonly LogicalAction[] {
  const lexer: Lexer = parser.lexer;
  if (lexer.kind === "id" && lexer.name === "drop" && lexer.lookahead() === ";") {
    lexer.advance();
    lexer.advance();
    if (end === "end") lexer.expectEnd();
    else lexer.expect(end);
    return [];
  }
  const actions: LogicalAction[] = [];
  for (;;) {
    if (end === "end" ? lexer.kind === "end" : lexer.match(end)) return actions;
    const action = parseAction(parser);
    if (action !== undefined) actions.push(action);
  }
}

function parseAction(parser: ActionParser): LogicalAction | undefined {
  const lexer: Lexer = parser.lexer;
  if (lexer.kind === "template") lexer.error("Unexpanded template.");
  if (lexer.kind !== "id") lexer.syntaxError();
  const next = lexer.lookahead();
  let action: LogicalAction | undefined;
  if (next === "=" || next === "<->" || next === "[") action = parseAssignment(parser);
  else {
    const parse = statements.get(lexer.name);
    if (parse === undefined) lexer.syntaxError("expecting action");
    lexer.advance();
    action = parse(parser);
  }
  lexer.expect(";");
  return action;
}

type Statement = (parser: ActionParser) => LogicalAction | undefined;

/** Nested actions, with what they demand of the packet they come from; undefined: what the inner actions demand. */
const nestedPrerequisites: readonly (readonly [NestedKind, string | undefined])[] = [
  ["arp", "ip"], ["icmp4", "ip4"], ["icmp4_error", "ip4"], ["icmp6", "ip6"], ["icmp6_error", "ip6"], ["tcp_reset", "tcp"],
  ["sctp_abort", "sctp"], ["nd_na", "nd_ns"], ["nd_na_router", "nd_ns"], ["nd_ns", "ip"], ["reject", undefined],
];

const statements: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  ["next", parseNext],
  ["output", () => ({ kind: "output" })],
  ["push", (p) => parseStack(p, "push")],
  ["pop", (p) => parseStack(p, "pop")],
  ["ip.ttl", (p) => {
    p.lexer.expect("--");
    p.requireText("ip");
    return { kind: "dec_ttl" };
  }],
  ["ct_next", parseCtNext],
  ["ct_commit", parseCtCommit],
  ["ct_commit_to_zone", (p) => parseCommitToZone(p, "ct_commit_to_zone")],
  ["ct_commit_nat", (p) => parseCommitToZone(p, "ct_commit_nat")],
  ["ct_dnat", (p) => parseNat(p, "ct_dnat")],
  ["ct_snat", (p) => parseNat(p, "ct_snat")],
  ["ct_dnat_in_czone", (p) => parseNat(p, "ct_dnat_in_czone")],
  ["ct_snat_in_czone", (p) => parseNat(p, "ct_snat_in_czone")],
  ["ct_lb_mark", (p) => parseLoadBalance(p, "ct_lb_mark")],
  ["ct_lb_mark_local", (p) => parseLoadBalance(p, "ct_lb_mark_local")],
  ["ct_clear", () => ({ kind: "ct_clear" })],
  ["ct_snat_to_vip", () => ({ kind: "ct_snat_to_vip" })],
  ["clone", (p) => ({ kind: "clone", actions: p.nested(undefined, "default") })],
  ...nestedPrerequisites.map(([kind, prerequisite]): [string, Statement] => [kind, (p) => ({ kind, actions: p.nested(prerequisite, p.scope) })]),
  ["igmp", () => ({ kind: "igmp" })],
  ["get_arp", (p) => parseGet(p, "get_arp")],
  ["get_nd", (p) => parseGet(p, "get_nd")],
  ["put_arp", (p) => parsePut(p, "put_arp")],
  ["put_nd", (p) => parsePut(p, "put_nd")],
  ["put_fdb", parsePutFdb],
  ["set_queue", parseSetQueue],
  ["log", parseLog],
  ["set_meter", parseSetMeter],
  ["trigger_event", parseTriggerEvent],
  ["bind_vport", parseBindVport],
  ["handle_svc_check", parseServiceCheck],
  ["fwd_group", parseForwardingGroup],
  ["handle_dhcpv6_reply", () => ({ kind: "handle_dhcpv6_reply" })],
  ["handle_bfd_msg", (p) => {
    p.lexer.expect("(");
    p.lexer.expect(")");
    return { kind: "handle_bfd_msg" };
  }],
  ["commit_ecmp_nh", parseCommitEcmpNh],
  ["commit_lb_aff", parseCommitAffinity],
  ["sample", parseSample],
  ["mac_cache_use", () => ({ kind: "mac_cache_use" })],
  ["flood_remote", () => ({ kind: "flood_remote" })],
  ["mirror", parseMirror],
]);

/** `field = ...` or `field <-> field`. */
function parseAssignment(parser: ActionParser): LogicalAction | undefined {
  const lexer: Lexer = parser.lexer;
  const left = parser.field();
  if (lexer.match("<->")) return parseMove(parser, "exchange", left);
  if (!lexer.match("=")) lexer.syntaxError("expecting `=' or `<->'");
  if (lexer.kind !== "id") return parseLoad(parser, left);
  const parse = questions.get(lexer.name);
  // The checks of relayed DHCP are known by name alone.
  if (parse !== undefined && (lexer.name.startsWith("dhcp_relay_") || lexer.lookahead() === "(")) return parse(parser, left);
  return parseMove(parser, "move", left);
}

type Question = (parser: ActionParser, destination: FieldReference) => LogicalAction | undefined;

const questions: ReadonlyMap<string, Question> = new Map<string, Question>([
  ["select", parseSelect],
  ["put_dhcp_opts", (p, to) => parsePutOptions(p, "put_dhcp_opts", to)],
  ["put_dhcpv6_opts", (p, to) => parsePutOptions(p, "put_dhcpv6_opts", to)],
  ["put_nd_ra_opts", (p, to) => parsePutOptions(p, "put_nd_ra_opts", to)],
  ["check_pkt_larger", parseCheckPacketLarger],
  ["lookup_arp", (p, to) => parseLookup(p, "lookup_arp", to)],
  ["lookup_nd", (p, to) => parseLookup(p, "lookup_nd", to)],
  ["lookup_arp_ip", (p, to) => parseLookupIp(p, "lookup_arp_ip", to)],
  ["lookup_nd_ip", (p, to) => parseLookupIp(p, "lookup_nd_ip", to)],
  ["chk_evpn_arp", parseCheckEvpn],
  ["get_fdb", (p, to) => parseGetFdb(p, "get_fdb", to)],
  ["get_remote_fdb", (p, to) => parseGetFdb(p, "get_remote_fdb", to)],
  ["lookup_fdb", parseLookupFdb],
  ["dhcp_relay_req_chk", (p, to) => parseDhcpRelay(p, "dhcp_relay_req_chk", to)],
  ["dhcp_relay_resp_chk", (p, to) => parseDhcpRelay(p, "dhcp_relay_resp_chk", to)],
  ...resultKinds.map((kind): [string, Question] => [kind, (p, to) => parseResult(p, kind, to)]),
]);
