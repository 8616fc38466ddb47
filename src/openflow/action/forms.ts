/** Every kind of action with its form: whom the table lacks the compiler names, and two that claim one word or number stop the program. */
import { assert } from "../../std/index.ts";
import type { Action, ActionKind } from "./action.ts";
import { connections } from "./conntrack.ts";
import { controllers } from "./controller.ts";
import { encaps } from "./encap.ts";
import { flowRemarks } from "./flow-remarks.ts";
import type { Decode, Decoders, Form, Forms, InstructionForm, Parse } from "./form.ts";
import { hashChoices } from "./hash-choice.ts";
import { headers, ttls, tunnelKeys } from "./headers.ts";
import { learns } from "./learn.ts";
import { moves } from "./move.ts";
import { nats } from "./nat.ts";
import { outputs, queues } from "./output.ts";
import { instructions, lookups } from "./pipeline.ts";
import { samples } from "./sample.ts";
import { setFields } from "./set-field.ts";
import { labels, vlans } from "./tags.ts";
import { of10, of13, of15, type OfVersion } from "../message/version.ts";

const forms: Forms<ActionKind> = {
  ...outputs, ...queues, ...controllers, ...lookups, ...instructions, ...setFields, ...moves, ...headers, ...ttls, ...tunnelKeys, ...vlans,
  ...labels, ...encaps, ...connections, ...nats, ...learns, ...hashChoices, ...samples, ...flowRemarks,
};

/** The table says that this is the form of `action`'s kind. */
export const formOf = (action: Action): Form<Action> => forms[action.kind];

const entries: readonly (readonly [kind: string, form: Form<Action>])[] = Object.entries<Form<Action>>(forms);

type Lookup<K, V> = ReadonlyMap<K, V>;

/** What all forms have, in one map; no two may claim one key. */
function gather<V>(what: string, of: (form: Form<Action>) => readonly (Readonly<Record<string, V>> | undefined)[]): Lookup<string, V> {
  const claims = entries.flatMap(([, form]) => of(form)).flatMap((part) => Object.entries(part ?? {}));
  const map = new Map(claims);
  assert(map.size === claims.length, `two actions with one ${what}`);
  return map;
}

const byNumber = (what: string, of: (form: Form<Action>) => readonly (Decoders | undefined)[]): Lookup<number, Decode> =>
  new Map([...gather(what, of)].map(([number, decode]) => [Number(number), decode]));

/** By their words, in lower case. */
export const parsers: Lookup<string, Parse> = gather("word", (form) => [form.parse]);

/** How one version of OpenFlow says them, ready for who reads and writes: flows come by the hundred thousand. */
export interface Dialect {
  /** By kind. */
  readonly encoders: Lookup<string, Form<Action>["encode"]>;
  readonly standard: Lookup<number, Decode>;
  readonly nicira: Lookup<number, Decode>;
  readonly onf: Lookup<number, Decode>;
  /** By kind. */
  readonly instructions: Lookup<string, InstructionForm<Action>>;
  readonly instructionTypes: Lookup<number, InstructionForm<Action>>;
}

function makeDialect(version: OfVersion): Dialect {
  const is10 = version === of10;
  const instructions = entries.flatMap(([kind, { instruction }]) =>
    instruction === undefined || version >= (instruction.until ?? Infinity) ? [] : [[kind, instruction] as const]);
  return {
    encoders: new Map(entries.map(([kind, form]) => [kind, (is10 ? form.of10?.encode : undefined) ?? form.encode])),
    standard: byNumber("type", (form) => (is10 ? [form.of10?.standard] : [form.standard, version >= of15 ? form.since15 : undefined])),
    nicira: byNumber("subtype", (form) => [form.nicira, is10 ? form.of10?.nicira : undefined]),
    onf: byNumber("ONF subtype", (form) => [form.onf]),
    instructions: new Map(instructions),
    instructionTypes: new Map(instructions.map(([, instruction]) => [instruction.type, instruction])),
  };
}

const dialect10 = makeDialect(of10);
const dialect13 = makeDialect(of13);
const dialect15 = makeDialect(of15);
export const dialectOf = (version: OfVersion): Dialect => (version === of10 ? dialect10 : version >= of15 ? dialect15 : dialect13);
