/**
 * Lists of actions on the wire, within a message or by themselves (what a controller keeps in a `controller` action's
 * userdata). What is wrong with them is an OFPBAC or NXBAC error in the reader.
 */
import type { Action } from "./action.ts";
import type { DecodeNested } from "./form.ts";
import { type Dialect, dialectOf } from "./forms.ts";
import { niciraVendor, onfVendor } from "./layout.ts";
import type { OfError } from "../message/error.ts";
import type { OfVersion } from "../message/version.ts";
import { WireReader } from "../message/wire-reader.ts";
import { WireWriter } from "../message/wire-writer.ts";

/** Actions within actions deeper than this are refused: nobody needs them, and a stack has an end. */
const maxDepth = 32;

export function encodeActions(w: WireWriter, actions: readonly Action[]): void {
  const { encoders } = dialectOf(w.version);
  for (const action of actions) encoders.get(action.kind)?.(w, action, encodeActions);
}

/** Reads actions to the end of `r`. */
export function decodeActions(r: WireReader, depth = 0): Action[] {
  const actions: Action[] = [];
  if (depth > maxDepth) r.fail("OFPBAC_TOO_MANY", "actions nested too deep");
  const dialect = dialectOf(r.version);
  const nested: DecodeNested = (part) => decodeActions(part, depth + 1);
  while (r.remaining > 0) {
    if (r.remaining < 8) {
      r.fail("OFPBAC_BAD_LEN", "cut within an action's header");
      break;
    }
    const size = r.peekU16(2);
    if (size < 8 || size % 8 !== 0 || size > r.remaining) {
      r.fail("OFPBAC_BAD_LEN", `an action of ${size} bytes`);
      break;
    }
    const action = decodeAction(r.part(size, "OFPBAC_BAD_LEN"), dialect, nested);
    if (action !== undefined && r.ok) actions.push(action);
  }
  return r.ok ? actions : [];
}

function decodeAction(r: WireReader, dialect: Dialect, nested: DecodeNested): Action | undefined {
  const type = r.u16();
  r.skip(2);
  if (type === 0xffff) return decodeExperimenter(r, dialect, nested);
  const decode = dialect.standard.get(type);
  if (decode === undefined) r.fail("OFPBAC_BAD_TYPE", `type ${type}`);
  return decode?.(r, nested);
}

function decodeExperimenter(r: WireReader, { nicira, onf }: Dialect, nested: DecodeNested): Action | undefined {
  const vendor = r.u32();
  if (vendor !== niciraVendor && vendor !== onfVendor) {
    r.fail("OFPBAC_BAD_VENDOR");
    return undefined;
  }
  const subtype = r.u16();
  const decode = (vendor === niciraVendor ? nicira : onf).get(subtype);
  if (decode === undefined) r.fail("OFPBAC_BAD_VENDOR_TYPE", vendor === niciraVendor ? `Nicira action ${subtype}` : "");
  return decode?.(r, nested);
}

export function actionsToBytes(actions: readonly Action[], version: OfVersion): Uint8Array {
  const writer = new WireWriter(version);
  encodeActions(writer, actions);
  return writer.finish();
}

export function actionsFromBytes(bytes: Uint8Array, version: OfVersion): { readonly actions: readonly Action[] } | { readonly error: OfError } {
  const reader = new WireReader(bytes, version);
  const actions = decodeActions(reader);
  return reader.error === undefined ? { actions } : { error: reader.error };
}
