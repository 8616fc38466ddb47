/**
 * The form of an action: how one kind is written, as text and on the wire, in both directions.
 *
 * The file of its family gives each kind its form; forms.ts lists them all, and whoever reads or writes a list of actions
 * looks there. Numbers are those of OpenFlow 1.3 and later, and of Nicira's extensions, which every version may use.
 */
import type { Action, ActionKind, ActionOf } from "./action.ts";
import { type Complaint, parseBounded } from "../text-input.ts";
import type { OfVersion } from "../message/version.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";

/** Reads what follows an action's word; `nested` reads actions within it. Undefined: there is a complaint. */
export type Parse = (text: string, complaint: Complaint, nested: (text: string) => Action[]) => Action | undefined;
/** Reads an action's body; `nested` reads the actions within it, to the end. Undefined: the reader has failed. */
export type Decode = (r: WireReader, nested: DecodeNested) => Action | undefined;
export type DecodeNested = (r: WireReader) => Action[];
export type EncodeNested = (w: WireWriter, actions: readonly Action[]) => void;
export type FormatNested = (actions: readonly Action[]) => string;

/** Decoders by type or subtype. */
export type Decoders = Readonly<Record<number, Decode>>;

/** Its parts are methods, so that the form found for an action's kind takes that action (see forms.ts). */
export interface Form<A extends Action> {
  /** By the words that ask for it. */
  readonly parse: Readonly<Record<string, Parse>>;
  format(action: A, nested: FormatNested): string;
  /** All of it, header and padding too. */
  encode(w: WireWriter, action: A, nested: EncodeNested): void;
  readonly standard?: Decoders;
  /** Standard types that came with OpenFlow 1.5. */
  readonly since15?: Decoders;
  readonly nicira?: Decoders;
  readonly onf?: Decoders;
  readonly of10?: Of10Form<A>;
  readonly instruction?: InstructionForm<A>;
  /** `write_actions` may hold it. */
  readonly inActionSet?: true;
}

/** Where OpenFlow 1.0 differs: its own actions, and extensions for which later versions have standard actions. */
export interface Of10Form<A extends Action> {
  encode?(w: WireWriter, action: A, nested: EncodeNested): void;
  readonly standard?: Decoders;
  readonly nicira?: Decoders;
}

/** Of what stands beside the lists of actions, since OpenFlow 1.1: the part after type and length. */
export interface InstructionForm<A extends Action> {
  readonly type: number;
  /** From this version on it is an action. */
  readonly until?: OfVersion;
  encode(w: WireWriter, action: A, nested: EncodeNested): void;
  readonly decode: Decode;
}

/** What the file of a family exports. */
export type Forms<K extends ActionKind> = { readonly [P in K]: Form<ActionOf<P>> };

/** Words that a number of so many bits follows. */
export function number(words: readonly string[], bits: number, make: (value: number) => Action): Readonly<Record<string, Parse>> {
  return Object.fromEntries(words.map((word): [string, Parse] => [word, (text, complaint) => {
    const value = parseBounded(text, bits, word, complaint);
    return value === undefined ? undefined : make(value);
  }]));
}

/** The action itself, for what says nothing but its name. */
export const always = (action: Action) => (): Action => action;
