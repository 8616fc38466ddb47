/**
 * A match: what a flow demands of a packet, as (field, value, mask) terms.
 *
 * One meaning has one form, so that equal matches have equal terms:
 *
 *   - terms are in the order of field ids, one for each field; no term has an empty mask; value bits outside the mask are 0;
 *   - fields that are views of others are kept under the other: xreg and xxreg under reg (term by 32-bit term), in_port_oxm
 *     under in_port, vlan_vid, vlan_pcp, dl_vlan and dl_vlan_pcp under vlan_tci (bit 0x1000: a tag is present), ip_dscp under
 *     nw_tos (whose mask is full although its two low bits are none of it);
 *   - packet_type (0,0), an Ethernet packet, is what is meant without a term, and has none.
 *
 * Ports are the 16-bit numbers of port.ts. Numbers and bigints: see field.ts. Immutable.
 */
import { allFields, type Field, field, type FieldValue } from "./field.ts";
import type { FieldName } from "./field-table.ts";

export interface Term {
  readonly field: Field;
  readonly value: FieldValue;
  /** `field.full` where the whole field must be equal. */
  readonly mask: FieldValue;
}

export class Match {
  static readonly any: Match = new Match([]);

  readonly terms: readonly Term[];
  #key: string | undefined;

  /** `terms` must have the form described above: see MatchBuilder. */
  constructor(terms: readonly Term[]) {
    this.terms = terms;
  }

  static of(...terms: readonly (readonly [name: FieldName, value: FieldValue, mask?: FieldValue])[]): Match {
    const builder = new MatchBuilder();
    for (const [name, value, mask] of terms) builder.add(field(name), value, mask);
    return builder.build();
  }

  /** This and one term more; it replaces what was demanded of the same bits before. A bit of the mask that is 0 frees nothing. */
  with(f: Field, value: FieldValue, mask?: FieldValue): Match {
    return new MatchBuilder(this).add(f, value, mask).build();
  }

  without(f: Field): Match {
    return new Match(this.terms.filter((t) => t.field !== f));
  }

  get(f: Field): Term | undefined {
    return termOf(this.terms, f);
  }

  /** The value where the whole field is demanded and fits a number. */
  exact(name: FieldName): number | undefined {
    return exactOf(this.terms, field(name));
  }

  /** Equal for equal matches, different for different ones: a key for maps. */
  get key(): string {
    if (this.#key !== undefined) return this.#key;
    let key = "";
    for (const { field: f, value, mask } of this.terms) key += mask === f.full ? `${f.id}=${value},` : `${f.id}=${value}/${mask},`;
    this.#key = key;
    return key;
  }

  equals(other: Match): boolean {
    return this === other || this.key === other.key;
  }
}

/** Collects terms, in any order, for one match. */
export class MatchBuilder {
  readonly #terms: Term[];

  constructor(from: Match = Match.any) {
    this.#terms = [...from.terms];
  }

  add(f: Field, value: FieldValue, mask: FieldValue = exactMask(f)): this {
    if (isView[f.id] !== true) placeTerm(this.#terms, f, value, mask);
    else for (const [to, v, m] of canonicalTerms(f, value, mask)) placeTerm(this.#terms, to, v, m);
    return this;
  }

  get(f: Field): Term | undefined {
    return termOf(this.#terms, f);
  }

  exact(f: Field): number | undefined {
    return exactOf(this.#terms, f);
  }

  /** Whether some of the bits that this term would demand are demanded already. */
  overlaps(f: Field, mask: FieldValue): boolean {
    if (isView[f.id] !== true) return this.get(f) !== undefined;
    return canonicalTerms(f, 0, mask).some(([to, , m]) => {
      const old = this.get(to)?.mask ?? 0;
      const wanted = f.name === "vlan_pcp" ? 0xe000 : m;
      const common = and(old, wanted);
      return common !== 0 && common !== 0n;
    });
  }

  /** A term that has its own form already: a register, say. */
  place(f: Field, value: FieldValue, mask: FieldValue): void {
    placeTerm(this.#terms, f, value, mask);
  }

  build(): Match {
    return new Match(this.#terms);
  }
}

function termOf(terms: readonly Term[], f: Field): Term | undefined {
  for (const term of terms) if (term.field === f) return term;
  return undefined;
}

function exactOf(terms: readonly Term[], f: Field): number | undefined {
  const term = termOf(terms, f);
  return term !== undefined && term.mask === term.field.full && typeof term.value === "number" ? term.value : undefined;
}

/** What `mask` is where a whole field is meant. vlan_vid's counts the bit that says a tag is present. */
export const exactMask = (f: Field): FieldValue => (f.name === "vlan_vid" ? 0x1fff : f.full);

function placeTerm(terms: Term[], f: Field, value: FieldValue, mask: FieldValue): void {
  if (mask === 0 || mask === 0n) return;
  let at = terms.length;
  while (at > 0 && (terms[at - 1]?.field.id ?? 0) >= f.id) at--;
  const old = terms[at];
  if (old?.field !== f) terms.splice(at, 0, { field: f, value: and(value, mask), mask });
  else {
    const kept = and(old.value, andNot(f.full, mask));
    terms[at] = { field: f, value: or(kept, and(value, mask)), mask: or(old.mask, mask) };
  }
}

/** By field id: whether the field is a view of others, or needs its value trimmed. */
const isView: readonly boolean[] = allFields.map((f) => /^(xx?reg\d+|in_port_oxm|in_port|actset_output|ip_dscp|nw_tos|dl_vlan|vlan_vid|dl_vlan_pcp|vlan_pcp|packet_type)$/.test(f.name));

const inPort = field("in_port");
const nwTos = field("nw_tos");
const vlanTci = field("vlan_tci");

/** A term of a view, as terms of the fields that matches keep. */
function canonicalTerms(f: Field, value: FieldValue, mask: FieldValue): readonly (readonly [Field, FieldValue, FieldValue])[] {
  switch (f.name) {
    case "in_port":
    case "in_port_oxm":
      return [[inPort, Number(value) & 0xffff, Number(mask) & 0xffff]];
    case "actset_output":
      return [[f, Number(value) & 0xffff, f.full]];
    case "packet_type":
      return value === 0 ? [] : [[f, value, mask]];
    case "ip_dscp":
      return [[nwTos, Number(value) << 2, 0xff]];
    case "nw_tos":
      return [[f, Number(value) & 0xfc, 0xff]];
    case "dl_vlan":
      // 0xffff is OpenFlow 1.0's "no tag".
      return value === 0xffff ? [[vlanTci, 0, 0xffff]] : [[vlanTci, (Number(value) & 0xfff) | 0x1000, 0x1fff]];
    case "vlan_vid":
      return [[vlanTci, Number(value) & 0x1fff, Number(mask) & 0x1fff]];
    case "dl_vlan_pcp":
    case "vlan_pcp":
      return [[vlanTci, ((Number(value) & 7) << 13) | 0x1000, 0xf000]];
    default:
      break;
  }
  const words = registerWords(f) ?? [];
  let [v, m] = [BigInt(value), BigInt(mask)];
  const terms: [Field, FieldValue, FieldValue][] = [];
  for (let i = words.length - 1; i >= 0; i--, v >>= 32n, m >>= 32n) {
    const [reg, wordMask] = [words[i], Number(BigInt.asUintN(32, m))];
    if (reg !== undefined && wordMask !== 0) terms.push([reg, Number(BigInt.asUintN(32, v)), wordMask]);
  }
  return terms;
}

/** The registers that an xreg or xxreg consists of, the most significant first; undefined for every other field. */
export const registerWords = (f: Field): readonly Field[] | undefined => wordsOf.get(f.id);

const wordsOf: ReadonlyMap<number, readonly Field[]> = new Map(
  allFields.flatMap((f) => {
    const match = /^(xx?)reg(\d+)$/.exec(f.name);
    if (match === null) return [];
    const first = Number(match[2]) * (match[1] === "x" ? 2 : 4);
    return [[f.id, allFields.filter((reg) => /^reg\d+$/.test(reg.name) && Number(reg.name.slice(3)) >= first && Number(reg.name.slice(3)) < first + f.size / 4)] as const];
  }),
);

/** Bitwise operations on field values: 48-bit numbers do not fit JavaScript's 32-bit operators. */
export function and(a: FieldValue, b: FieldValue): FieldValue {
  if (typeof a === "bigint" || typeof b === "bigint") return BigInt(a) & BigInt(b);
  if (a <= 0xffffffff && b <= 0xffffffff) return (a & b) >>> 0;
  return (Math.floor(a / 0x100000000) & Math.floor(b / 0x100000000)) * 0x100000000 + ((a & b) >>> 0);
}

export function or(a: FieldValue, b: FieldValue): FieldValue {
  if (typeof a === "bigint" || typeof b === "bigint") return BigInt(a) | BigInt(b);
  if (a <= 0xffffffff && b <= 0xffffffff) return (a | b) >>> 0;
  return (Math.floor(a / 0x100000000) | Math.floor(b / 0x100000000)) * 0x100000000 + ((a | b) >>> 0);
}

/** The bits of `a` that `b` has not. */
export function andNot(a: FieldValue, b: FieldValue): FieldValue {
  if (typeof a === "bigint" || typeof b === "bigint") return BigInt(a) & ~BigInt(b);
  return a - Number(and(a, b));
}
