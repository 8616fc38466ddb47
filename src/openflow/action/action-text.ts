/** Lists of actions as ovs-ofctl takes and prints them (ovs-actions(7)). */
import type { Action } from "./action.ts";
import { besideConjunction } from "./flow-remarks.ts";
import { formOf, parsers } from "./forms.ts";
import { parsePort } from "../message/port.ts";
import { Complaint, splitKeyValues, type TextError } from "../text-input.ts";

const maxDepth = 100;

/** Actions after commas; "drop" for none. */
export const formatActions = (actions: readonly Action[]): string => (actions.length === 0 ? "drop" : actions.map(formatAction).join(","));
export const formatAction = (action: Action): string => formOf(action).format(action, formatActions);

/** Actions and instructions after commas; `drop` for none. */
export function parseActions(text: string): Action[] | TextError {
  const complaint = new Complaint();
  const actions = parseList(text, complaint, 0);
  return complaint.text === undefined ? actions : { error: complaint.text };
}

function parseList(text: string, complaint: Complaint, depth: number): Action[] {
  const actions: Action[] = [];
  let isDrop = false;
  if (depth > maxDepth) complaint.say("Action nested too deeply");
  const nested = (inner: string): Action[] => parseList(inner, complaint, depth + 1);
  for (const { key, value } of complaint.text === undefined ? splitKeyValues(text) : []) {
    const word = key.toLowerCase();
    if (word === "drop") isDrop = true;
    else {
      const parse = parsers.get(word);
      const action = parse === undefined ? parseOther(key, word, complaint) : parse(value, complaint, nested);
      if (action !== undefined) actions.push(action);
    }
    if (complaint.text !== undefined) break;
  }
  if (isDrop && actions.length > 0) complaint.say('"drop" must not be accompanied by any other action or instruction');
  checkOrder(actions, complaint);
  return actions;
}

/** A port by itself is an output. */
function parseOther(key: string, word: string, complaint: Complaint): Action | undefined {
  if (word === "apply_actions") return complaint.say("apply_actions is the default instruction");
  const port = parsePort(key);
  return port === undefined ? complaint.say(`unknown action ${key}`) : { kind: "output", port };
}

/** Instructions stand in the order that switches carry them out. */
function checkOrder(actions: readonly Action[], complaint: Complaint): void {
  const ranks = ["apply_actions", "clear_actions", "write_actions", "write_metadata", "goto_table"];
  let last = 0;
  for (const [i, { kind }] of actions.entries()) {
    const rank = Math.max(0, ranks.indexOf(kind));
    if (i > 0 && rank === last && rank > 0) complaint.say(`duplicate ${kind} instruction not allowed, for OpenFlow 1.1+ compatibility`);
    if (rank < last) complaint.say(`invalid instruction ordering: ${ranks[rank]} must appear before ${ranks[last]}, for OpenFlow 1.1+ compatibility`);
    last = rank;
  }
  const other = besideConjunction(actions);
  if (other !== undefined) complaint.say(`"conjunction" actions may be used along with "note" but not any other kind of action (such as the "${other.kind}" action used here)`);
}
