/** The flows this chassis wants in its switch, as facts; and short names for what they consist of. */
import { relation } from "../engine/index.ts";
import { flagBits, logicalRegisters } from "../logical/index.ts";
import { type Action, type Field, field, type FieldName, type FieldValue, Match, ports, subfield } from "../openflow/index.ts";

export interface Flow {
  readonly table: number;
  readonly priority: number;
  /** The first 32 bits of the UUID of the row that wants it; 0 for flows that every chassis has. */
  readonly cookie: number;
  readonly match: Match;
  readonly actions: readonly Action[];
}

export const Flow = relation<Flow>("Flow", (flow) => `${slotOf(flow)}|${flow.cookie}|${fingerprintOf(flow.actions)}`);

/** In a switch there is one flow for each of these. */
export const slotOf = (flow: Pick<Flow, "table" | "priority" | "match">): string => `${flow.table}/${flow.priority}/${flow.match.key}`;

/** Equal for equal actions, different for different ones. */
export function fingerprint(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return `[${value.map(fingerprint).join(";")}]`;
  if (value instanceof Match) return `<${value.key}>`;
  if ("codePoints" in value && "id" in value) return `#${String(value.id)}`;
  let text = "{";
  for (const [key, member] of Object.entries(value)) if (member !== undefined) text += `${key}:${fingerprint(member)},`;
  return `${text}}`;
}

const fingerprints = new WeakMap<readonly Action[], string>();

/** The same, remembered as long as the list lives. */
export function fingerprintOf(actions: readonly Action[]): string {
  let text = fingerprints.get(actions);
  if (text === undefined) {
    text = fingerprint(actions);
    fingerprints.set(actions, text);
  }
  return text;
}

const wideOf = (f: Field, value: FieldValue): FieldValue => (f.isWide ? BigInt(value) : Number(value));

/** `bits` bits of the field, from bit `offset` up, become `value`; all of it if neither is given. */
export function load(name: FieldName, value: FieldValue, offset = 0, bits?: number): Action {
  const f = field(name);
  const count = bits ?? f.bits;
  if (count === f.bits) return { kind: "set_field", field: f, value: wideOf(f, value), mask: f.full };
  const mask = ((1n << BigInt(count)) - 1n) << BigInt(offset);
  return { kind: "set_field", field: f, value: wideOf(f, (BigInt(value) << BigInt(offset)) & mask), mask: wideOf(f, mask) };
}

export const move = (from: FieldName, fromOffset: number, to: FieldName, toOffset: number, bits: number): Action =>
  ({ kind: "move", from: subfield(from, fromOffset, bits), to: subfield(to, toOffset, bits) });

export const resubmit = (table: number): Action => ({ kind: "resubmit", port: ports.inPort, table });
export const output = (port: number): Action => ({ kind: "output", port });
export const push = (name: FieldName): Action => ({ kind: "push", from: subfield(name) });
export const pop = (name: FieldName): Action => ({ kind: "pop", to: subfield(name) });

/** A packet may not leave by the port it came in by: this makes the switch forget which that was. */
export const forgetInPort: Action = load("in_port", ports.none);

export const setFlag = (flag: keyof typeof flagBits, value = 1): Action => load(logicalRegisters.flags, value, flagBits[flag], 1);

export const { datapath: datapathField, flags: flagsField, inport: inportField, outport: outportField } = logicalRegisters;

/** Packets on the logical datapath. */
export const onDatapath = (datapathKey: number): Match => Match.of([datapathField, BigInt(datapathKey)]);
export const toPort = (datapathKey: number, key: number): Match => Match.of([datapathField, BigInt(datapathKey)], [outportField, key]);
export const fromPort = (datapathKey: number, key: number): Match => Match.of([datapathField, BigInt(datapathKey)], [inportField, key]);

/** The match with the named flags as given and the rest as it is. */
export function withFlags(match: Match, set: readonly (keyof typeof flagBits)[], clear: readonly (keyof typeof flagBits)[] = []): Match {
  const bits = (names: readonly (keyof typeof flagBits)[]): number => names.reduce((sum, name) => sum + 2 ** flagBits[name], 0);
  return match.with(field(flagsField), bits(set), bits(set) + bits(clear));
}
