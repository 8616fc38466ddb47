/** What a message kind needs to be sent and received: its place in the numbering, and its body both ways. */
import type { MessageKind, MessageOf } from "./message.ts";
import type { OfVersion } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Where a kind stands: a type of message; or a kind of multipart; or a vendor's message. */
export type Place =
  | { readonly in: "type"; readonly type: number }
  | { readonly in: "request" | "reply"; readonly multipart: number }
  | { readonly in: "vendor"; readonly vendor: number; readonly subtype: number };

export interface Codec<K extends MessageKind> {
  /** undefined: there is no such message in that version. */
  place(version: OfVersion): Place | undefined;
  encode(w: WireWriter, message: MessageOf<K>): void;
  /** Reads to the end; what is wrong with it is the reader's error. */
  decode(r: WireReader): MessageOf<K> | undefined;
}

export type Codecs<K extends MessageKind> = { readonly [Each in K]: Codec<Each> };

export const type = (number: number) => (): Place => ({ in: "type", type: number });
export const request = (multipart: number) => (): Place => ({ in: "request", multipart });
export const reply = (multipart: number) => (): Place => ({ in: "reply", multipart });
export const nicira = (subtype: number) => (): Place => ({ in: "vendor", vendor: 0x2320, subtype });

/** Seconds and nanoseconds. */
export function putDuration(w: WireWriter, ns: bigint): void {
  w.u32(Number(ns / 1_000_000_000n));
  w.u32(Number(ns % 1_000_000_000n));
}

export const pullDuration = (r: WireReader): bigint => BigInt(r.u32()) * 1_000_000_000n + BigInt(r.u32());
