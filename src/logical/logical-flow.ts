/**
 * A whole logical flow to the switch's flows: what the controller does with each row of Logical_Flow, for each datapath
 * that has it.
 *
 * It goes in two steps, because most flows are the same for every datapath but for a key in the metadata. `readLogicalFlow`
 * reads the texts: its result depends on the symbols, the stage and the option tables only, and on address sets and port
 * groups if `namesSets` says so. `translateLogicalFlow` makes flows of it for one datapath, through lookups that are the caller's, so
 * that an incremental engine sees exactly what was read. The controller may keep what the first step gives, by text.
 */
import type { Action } from "../openflow/index.ts";
import type { ActionParameters } from "./actions/action-parser.ts";
import type { LogicalAction } from "./actions/action.ts";
import type { EncodeContext } from "./actions/encode-context.ts";
import { encodeActions } from "./actions/encode-actions.ts";
import { parseActions } from "./actions/parse-actions.ts";
import { annotate } from "./annotate.ts";
import { combine, type Expression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { type FlowMatches, type PortLookup, toMatches } from "./matches.ts";
import { normalize } from "./normalize.ts";
import { type ExpressionContext, ExpressionParser, type Parsed, parsed } from "./parse-expression.ts";
import { evaluateConditions, hasConditions, simplify } from "./simplify.ts";

/** A logical flow's texts, read. Does not depend on where ports are or on what datapath it is for. */
export interface ReadFlow {
  /** Annotated and simplified, the actions' prerequisites included; normalized too if it has no conditions. */
  readonly match: Expression;
  /** Whether the match waits for is_chassis_resident. */
  readonly conditional: boolean;
  readonly actions: readonly LogicalAction[];
}

/** Whether reading `match` asks for address sets (`$name`) or port groups (`@name`). */
export const namesSets = (match: string): boolean => match.includes("$") || match.includes("@");

/** Reads both texts. An error says which it is in, as the C controller logs it. */
export function readLogicalFlow(match: string, actions: string, parameters: ActionParameters, sets: Omit<ExpressionContext, "symbols"> = {}): Parsed<ReadFlow> {
  const read = parseActions(actions, parameters);
  if (read.kind === "error") return { kind: "error", message: `error parsing actions "${actions}": ${read.message}` };
  const expression = parsed(() => readMatch(match, read.value.prerequisites, { ...sets, symbols: parameters.symbols }));
  if (expression.kind === "error") return { kind: "error", message: `error parsing match "${match}": ${expression.message}` };
  return { kind: "parsed", value: { ...expression.value, actions: read.value.actions } };
}

function readMatch(text: string, prerequisites: Expression | undefined, context: ExpressionContext): { match: Expression; conditional: boolean } {
  const lexer = new Lexer(text);
  const expression = new ExpressionParser(lexer, context).parse();
  lexer.expectEnd();
  const whole = prerequisites === undefined ? expression : combine("and", expression, prerequisites);
  const simple = simplify(annotate(whole, context.symbols));
  const conditional = hasConditions(simple);
  return { match: conditional ? simple : normalize(simple), conditional };
}

export interface TranslationContext extends EncodeContext {
  readonly lookupPort: PortLookup;
  /** Whether the port (or, `cr-` in front, its gateway) is at home on this chassis. */
  isChassisResident(port: string): boolean;
}

/** The flow's matches in this datapath: its metadata is the caller's to add. */
export function flowMatches({ match, conditional }: ReadFlow, context: Pick<TranslationContext, "lookupPort" | "isChassisResident">): FlowMatches {
  const normal = conditional ? normalize(evaluateConditions(match, (port) => context.isChassisResident(port))) : match;
  return toMatches(normal, (name) => context.lookupPort(name));
}

export interface Translation extends FlowMatches {
  /** Of every match that is no conjunction's clause. */
  readonly actions: readonly Action[];
}

/** Matches and actions of the flow in this datapath. Actions are not encoded (nor groups and meters taken) if nothing can match. */
export function translateLogicalFlow(flow: ReadFlow, context: TranslationContext): Translation {
  const matches = flowMatches(flow, context);
  return { ...matches, actions: matches.matches.length === 0 ? [] : encodeActions(flow.actions, context) };
}
