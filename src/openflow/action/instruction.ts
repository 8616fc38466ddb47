/**
 * Instructions on the wire (OpenFlow 1.5, section 7.2.5). A list of actions holds them too; on the wire the plain actions
 * stand inside "apply actions", and the order is that in which a switch carries them out.
 */
import type { Action } from "./action.ts";
import { decodeActions, encodeActions } from "./action-list.ts";
import { besideConjunction } from "./flow-remarks.ts";
import { dialectOf, formOf } from "./forms.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

const applyActions = 4;
/** meter, apply_actions, clear_actions, write_actions, write_metadata, goto_table. */
const order: readonly number[] = [6, applyActions, 5, 3, 2, 1];

export function encodeInstructions(w: WireWriter, actions: readonly Action[]): void {
  const { instructions } = dialectOf(w.version);
  for (let i = 0; i < actions.length; ) {
    const action = actions[i];
    if (action === undefined) break;
    const start = w.size;
    const instruction = instructions.get(action.kind);
    w.u16(instruction?.type ?? applyActions);
    w.u16(0);
    if (instruction !== undefined) {
      instruction.encode(w, action, encodeActions);
      i++;
    } else {
      const first = i;
      while (i < actions.length && !instructions.has(actions[i]?.kind ?? "")) i++;
      w.zeros(4);
      encodeActions(w, actions.slice(first, i));
    }
    w.setU16(start + 2, w.size - start);
  }
}

/** Reads instructions to the end of `r`, as actions in the order they take effect. */
export function decodeInstructions(r: WireReader): Action[] {
  const slots = new Map<number, Action[]>();
  if (r.remaining % 8 !== 0) r.fail("OFPBIC_BAD_LEN");
  while (r.remaining > 0) {
    const size = r.peekU16(2);
    if (size < 8 || size % 8 !== 0 || size > r.remaining) {
      r.fail("OFPBIC_BAD_LEN");
      break;
    }
    const body = r.part(size, "OFPBIC_BAD_LEN");
    const type = body.u16();
    body.skip(2);
    if (slots.has(type)) r.fail("OFPBIC_DUP_INST");
    slots.set(type, decodeInstruction(body, type));
  }
  const actions = order.flatMap((type) => slots.get(type) ?? []);
  if (besideConjunction(actions) !== undefined) r.fail("NXBAC_BAD_CONJUNCTION");
  return r.ok ? actions : [];
}

function decodeInstruction(r: WireReader, type: number): Action[] {
  if (type === applyActions) {
    r.skip(4);
    return decodeActions(r);
  }
  const action = dialectOf(r.version).instructionTypes.get(type)?.decode(r, decodeActions);
  if (action === undefined) r.fail(type === 0xffff ? "OFPBIC_BAD_EXPERIMENTER" : "OFPBIC_UNKNOWN_INST");
  else if (action.kind === "write_actions" && !action.actions.every((a) => formOf(a).inActionSet === true)) r.fail("OFPBAC_BAD_TYPE");
  return action === undefined ? [] : [action];
}
