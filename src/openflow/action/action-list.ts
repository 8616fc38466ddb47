/** A list of actions by itself, without a message around it: what a controller keeps in a `controller` action's userdata. */
import type { Action } from "./action.ts";
import { decodeActions } from "./action-decode.ts";
import { encodeActions } from "./action-encode.ts";
import type { OfError } from "../message/error.ts";
import type { OfVersion } from "../message/version.ts";
import { WireReader } from "../message/wire-reader.ts";
import { WireWriter } from "../message/wire-writer.ts";

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
