/**
 * Instructions (OpenFlow 1.5, section 7.2.5). A list of actions holds them too; on the wire the plain actions stand inside
 * "apply actions", and the order is that in which a switch carries them out.
 */
import type { Action } from "./action.ts";
import { decodeActions } from "./action-decode.ts";
import { encodeActions } from "./action-encode.ts";
import { of15 } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

const isInstruction = (w: WireWriter, action: Action): boolean =>
  action.kind === "clear_actions" || action.kind === "write_actions" || action.kind === "write_metadata" || action.kind === "goto_table" ||
  (action.kind === "meter" && w.version < of15);

export function encodeInstructions(w: WireWriter, actions: readonly Action[]): void {
  for (let i = 0; i < actions.length; ) {
    const start = w.size;
    const action = actions[i];
    if (action === undefined) break;
    if (isInstruction(w, action)) {
      encodeInstruction(w, action);
      i++;
    } else {
      w.u16(4);
      w.zeros(6);
      const first = i;
      while (i < actions.length && !isInstruction(w, actions[i] ?? action)) i++;
      encodeActions(w, actions.slice(first, i));
      w.setU16(start + 2, w.size - start);
    }
  }
}

function encodeInstruction(w: WireWriter, action: Action): void {
  const start = w.size;
  switch (action.kind) {
    case "goto_table":
      w.u16(1);
      w.u16(8);
      w.u8(action.table);
      w.zeros(3);
      break;
    case "write_metadata":
      w.u16(2);
      w.u16(24);
      w.zeros(4);
      w.u64(action.value);
      w.u64(action.mask);
      break;
    case "write_actions":
      w.u16(3);
      w.zeros(6);
      encodeActions(w, action.actions);
      w.setU16(start + 2, w.size - start);
      break;
    case "clear_actions":
      w.u16(5);
      w.u16(8);
      w.zeros(4);
      break;
    case "meter":
      w.u16(6);
      w.u16(8);
      w.u32(action.meter);
      break;
    default:
      break;
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
  const actions = [6, 4, 5, 3, 2, 1].flatMap((type) => slots.get(type) ?? []);
  const isConjunctive = actions.some((a) => a.kind === "conjunction");
  if (isConjunctive && !actions.every((a) => a.kind === "conjunction" || a.kind === "note")) r.fail("NXBAC_BAD_CONJUNCTION");
  return r.ok ? actions : [];
}

function decodeInstruction(r: WireReader, type: number): Action[] {
  switch (type) {
    case 1:
      return [{ kind: "goto_table", table: r.u8() }];
    case 2:
      r.skip(4);
      return [{ kind: "write_metadata", value: r.u64(), mask: r.u64() }];
    case 3: {
      r.skip(4);
      const actions = decodeActions(r.part(r.remaining));
      if (!actions.every(mayBeInActionSet)) r.fail("OFPBAC_BAD_TYPE");
      return [{ kind: "write_actions", actions }];
    }
    case 4:
      r.skip(4);
      return decodeActions(r.part(r.remaining));
    case 5:
      return [{ kind: "clear_actions" }];
    case 6:
      if (r.version < of15) return [{ kind: "meter", meter: r.u32() }];
      break;
    case 0xffff:
      r.fail("OFPBIC_BAD_EXPERIMENTER");
      return [];
    default:
      break;
  }
  r.fail("OFPBIC_UNKNOWN_INST");
  return [];
}

const setKinds: ReadonlySet<Action["kind"]> = new Set([
  "dec_mpls_ttl", "dec_ttl", "group", "output", "output_trunc", "output_reg", "pop_mpls", "push_mpls", "push_vlan", "set_field", "move",
  "mod_dl_src", "mod_dl_dst", "mod_nw_ecn", "mod_nw_tos", "mod_nw_ttl", "mod_nw_src", "mod_nw_dst", "mod_tp_src", "mod_tp_dst",
  "set_mpls_label", "set_mpls_tc", "set_mpls_ttl", "set_queue", "set_tunnel", "set_vlan_pcp", "set_vlan_vid", "pop_vlan", "ct", "ct_clear",
  "nat", "encap", "decap", "dec_nsh_ttl", "meter",
]);
const mayBeInActionSet = (action: Action): boolean => setKinds.has(action.kind);
