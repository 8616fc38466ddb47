/** A logical flow's text, read: its match as an expression, its actions; as far as possible once for all datapaths. */
import { derived } from "../engine/index.ts";
import {
  addressConstants, annotateExpression, type Expression, hasConditions, type IntegerConstant, type LogicalAction, type OptionTable, ovnAclCtSymbols,
  ovnSymbols, parseActions, parseExpression, pipelineLength, simplify,
} from "../logical/index.ts";
import { isRelated } from "./claims.ts";
import type { Node } from "./node.ts";
import { portNamed } from "./ports.ts";
import type { DatapathBinding, LogicalFlow } from "./rows.ts";
import { asBoolean, systemIdOf } from "./settings.ts";

export interface ParsedFlow {
  /** Simplified; conditions are still to be decided. */
  readonly expression: Expression;
  readonly hasConditions: boolean;
  readonly actions: readonly LogicalAction[];
}

// Tables of constants: nothing in them changes.
const symbols = ovnSymbols();
const aclSymbols = ovnAclCtSymbols();

/** Undefined (and logged) if the text cannot be read: an older controller may meet a newer northd's flows. */
export function parsedFlow(node: Node, flow: LogicalFlow, datapath: DatapathBinding): ParsedFlow | undefined {
  // Port groups are the only thing in a match that is not the same on every datapath.
  return parsedFor(node, flow, flow.match.includes("@") ? datapath.tunnel_key : 0);
}

const parsedFor = derived("parsed-flow", (node: Node, flow: LogicalFlow, datapathKey: number): ParsedFlow | undefined => {
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
    symbols: asBoolean(flow.tags.get("acl_ct_translation"), false) ? aclSymbols : symbols,
    addressSet: (name: string) => addressSet(node, name),
    portGroup: (name: string) => portGroup(node, datapathKey, name),
  };
  const match = parseExpression(matchText, context);
  if (match.kind === "error") {
    log.warn(`error parsing match "${matchText}": ${match.message}`);
    return undefined;
  }
  const { actions: parsedActions, prerequisites } = actions.value;
  const annotated = annotateExpression(prerequisites === undefined ? match.value : conjunction(match.value, prerequisites), context);
  if (annotated.kind === "error") {
    log.warn(`error parsing match "${matchText}": ${annotated.message}`);
    return undefined;
  }
  const expression = simplify(annotated.value);
  return { expression, hasConditions: hasConditions(expression), actions: parsedActions };
});

const termsOf = (expression: Expression): readonly Expression[] => (expression.kind === "and" ? expression.terms : [expression]);
const conjunction = (a: Expression, b: Expression): Expression => ({ kind: "and", terms: [...termsOf(a), ...termsOf(b)] });

export const dhcpOptions = derived("dhcp-options", (node: Node): OptionTable =>
  new Map([...node.sb.tables.DHCP_Options].map(({ name, code, type }) => [name, { name, code, type }])));
export const dhcpv6Options = derived("dhcpv6-options", (node: Node): OptionTable =>
  new Map([...node.sb.tables.DHCPv6_Options].map(({ name, code, type }) => [name, { name, code, type }])));

const addressSet = derived("address-set", (node: Node, name: string): readonly IntegerConstant[] | undefined => {
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
function expandTemplates(node: Node, text: string): string {
  if (!text.includes("^")) return text;
  const variables = node.templatesByChassis.first(systemIdOf(node) ?? "")?.variables;
  return text.replace(/\^([A-Za-z_][\w.]*)/g, (whole, name: string) => variables?.get(name) ?? whole);
}
