/** A logical flow's text, read: its match as an expression, its actions; as far as possible once for all datapaths. */
import { derived } from "../engine/index.ts";
import {
  addressConstants, annotateExpression, type Expression, type FlowMatches, hasConditions, type IntegerConstant, type LogicalAction, normalize,
  type OptionTable, ovnAclCtSymbols, ovnSymbols, parseActions, parseExpression, pipelineLength, simplify, toMatches,
} from "../logical/index.ts";
import { isRelated } from "./claims.ts";
import type { Node } from "./node.ts";
import { portNamed } from "./ports.ts";
import type { DatapathBinding, LogicalFlow } from "./rows.ts";
import { asBoolean, systemIdOf } from "./settings.ts";

export interface ParsedFlow {
  /** Normalized, unless conditions are still to be decided. */
  readonly expression: Expression;
  readonly hasConditions: boolean;
  /** What it matches, where no ports are named and nothing is to be decided: the same on every datapath. */
  readonly matches: FlowMatches | undefined;
  readonly actions: readonly LogicalAction[];
}

// Tables of constants: nothing in them changes.
export const symbols = ovnSymbols();
const aclSymbols = ovnAclCtSymbols(symbols);

/**
 * Texts that were read before. What a text means depends on nothing else, as long as it names no sets, variables or DHCP options;
 * northd writes the same text for many switches, and several controllers in one process meet the same ones.
 */
const memo = new Map<string, ParsedFlow>();
const memoLimit = 8192;
const contextual = /[$@^]|put_dhcp/;

/** Undefined (and logged) if the text cannot be read: an older controller may meet a newer northd's flows. */
export function parsedFlow(node: Node, flow: LogicalFlow, datapath: DatapathBinding): ParsedFlow | undefined {
  // Port groups are the only thing in a match that is not the same on every datapath; a template may bring one in.
  return parsedFor(node, flow, /[@^]/.test(flow.match) ? datapath.tunnel_key : 0);
}

const parsedFor = derived("parsed-flow", (node: Node, flow: LogicalFlow, datapathKey: number): ParsedFlow | undefined => {
  const { match, actions, pipeline, table_id } = flow;
  const isAcl = asBoolean(flow.tags.get("acl_ct_translation"), false);
  if (contextual.test(match) || contextual.test(actions)) return parse(node, flow, datapathKey, isAcl);
  const key = `${pipeline} ${table_id} ${isAcl ? "acl " : ""}${actions}\n${match}`;
  const known = memo.get(key);
  if (known !== undefined) return known;
  const parsed = parse(node, flow, datapathKey, isAcl);
  if (parsed === undefined) return undefined;
  if (memo.size >= memoLimit) memo.clear();
  memo.set(key, parsed);
  return parsed;
});

function parse(node: Node, flow: LogicalFlow, datapathKey: number, isAcl: boolean): ParsedFlow | undefined {
  const log = node.host.log.module("lflow");
  const actionText = expandTemplates(node, flow.actions);
  const actions = parseActions(actionText, {
    symbols, dhcpOptions: dhcpOptions(node), dhcpv6Options: dhcpv6Options(node), pipeline: flow.pipeline, table: flow.table_id,
    tables: pipelineLength[flow.pipeline],
  });
  if (actions.kind === "error") {
    log.warn(`error parsing actions "${actionText}": ${actions.message}`);
    return undefined;
  }
  const matchText = expandTemplates(node, flow.match);
  const context = {
    symbols: isAcl ? aclSymbols : symbols,
    addressSet: (name: string) => addressSet(node, name),
    portGroup: (name: string) => portGroup(node, datapathKey, name),
  };
  const match = parseExpression(matchText, context);
  const { actions: parsedActions, prerequisites } = actions.value;
  const annotated = match.kind === "error" ? match
    : annotateExpression(prerequisites === undefined ? match.value : conjunction(match.value, prerequisites), context);
  if (annotated.kind === "error") {
    log.warn(`error parsing match "${matchText}": ${annotated.message}`);
    return undefined;
  }
  const simple = simplify(annotated.value);
  if (hasConditions(simple)) return { expression: simple, hasConditions: true, matches: undefined, actions: parsedActions };
  const expression = normalize(simple);
  return { expression, hasConditions: false, matches: namesPorts(expression) ? undefined : toMatches(expression, () => undefined), actions: parsedActions };
}

const namesPorts = (expression: Expression): boolean =>
  expression.kind === "comparison" ? expression.symbol.width === 0 : "terms" in expression && expression.terms.some(namesPorts);

const termsOf = (expression: Expression): readonly Expression[] => (expression.kind === "and" ? expression.terms : [expression]);
const conjunction = (a: Expression, b: Expression): Expression => ({ kind: "and", terms: [...termsOf(a), ...termsOf(b)] });

export const dhcpOptions = derived("dhcp-options", (node: Node): OptionTable =>
  new Map([...node.sb.tables.DHCP_Options].map(({ name, code, type }) => [name, { name, code, type }])));
export const dhcpv6Options = derived("dhcpv6-options", (node: Node): OptionTable =>
  new Map([...node.sb.tables.DHCPv6_Options].map(({ name, code, type }) => [name, { name, code, type }])));

export const addressSet = derived("address-set", (node: Node, name: string): readonly IntegerConstant[] | undefined => {
  const row = node.addressSetsByName.first(name);
  return row && addressConstants(row.addresses);
});

/** northd keeps a group's ports of each datapath apart, as KEY_NAME. Ports elsewhere are of no use here. */
const portGroup = derived("port-group", (node: Node, datapathKey: number, name: string): readonly string[] | undefined => {
  const row = node.portGroupsByName.first(`${datapathKey}_${name}`);
  return row && [...row.ports].filter((port) => {
    const binding = portNamed(node, port);
    return binding !== undefined && isRelated(node, binding);
  });
});

/** `^NAME` stands for what Chassis_Template_Var says on this chassis; without a value it stays, and is refused. */
export function expandTemplates(node: Node, text: string): string {
  if (!text.includes("^")) return text;
  const variables = node.templatesByChassis.first(systemIdOf(node) ?? "")?.variables;
  return text.replace(/\^([A-Za-z_][\w.]*)/g, (whole, name: string) => variables?.get(name) ?? whole);
}
