/**
 * A match: what a flow demands of a packet, as (field, value, mask) terms.
 *
 * One meaning has one form, so that equal matches have equal terms:
 *
 *   - terms are in the order of field ids, one for each field; no term has an empty mask; value bits outside the mask are 0;
 *   - fields that are views of others are kept under the other: xreg and xxreg under reg (term by 32-bit term), in_port_oxm
 *     under in_port, vlan_vid, vlan_pcp, dl_vlan and dl_vlan_pcp under vlan_tci (bit 0x1000: a tag is present), ip_dscp under nw_tos.
 *
 * Ports are the 16-bit numbers of port.ts. Numbers and bigints: see field.ts. Immutable.
 */
import { type Field, field, type FieldValue } from "./field.ts";
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

  private constructor(terms: readonly Term[]) {
    this.terms = terms;
  }

  static of(...terms: readonly (readonly [name: FieldName, value: FieldValue, mask?: FieldValue])[]): Match {
    let match = Match.any;
    for (const [name, value, mask] of terms) match = match.with(field(name), value, mask);
    return match;
  }

  /** This and one term more; it replaces what was demanded of the same bits before. A bit of the mask that is 0 frees nothing. */
  with(f: Field, value: FieldValue, mask: FieldValue = f.full): Match {
    const terms = [...this.terms];
    for (const [to, v, m] of canonicalTerms(f, value, mask)) placeTerm(terms, to, v, m);
    return new Match(terms);
  }

  without(f: Field): Match {
    return new Match(this.terms.filter((t) => t.field !== f));
  }

  get(f: Field): Term | undefined {
    for (const term of this.terms) if (term.field === f) return term;
    return undefined;
  }

  /** The value where the whole field is demanded and fits a number. */
  exact(name: FieldName): number | undefined {
    const term = this.get(field(name));
    return term !== undefined && term.mask === term.field.full && typeof term.value === "number" ? term.value : undefined;
  }

  /** Equal for equal matches, different for different ones: a key for maps. */
  get key(): string {
    this.#key ??= this.terms.map((t) => `${t.field.id}=${t.value.toString(36)}${t.mask === t.field.full ? "" : `/${t.mask.toString(36)}`}`).join(",");
    return this.#key;
  }

  equals(other: Match): boolean {
    return this === other || this.key === other.key;
  }
}

function placeTerm(terms: Term[], f: Field, value: FieldValue, mask: FieldValue): void {
  if (mask === 0 || mask === 0n) return;
  let at = 0;
  while (at < terms.length && (terms[at]?.field.id ?? 0) < f.id) at++;
  const old = terms[at];
  if (old?.field !== f) terms.splice(at, 0, { field: f, value: and(value, mask), mask });
  else {
    const kept = and(old.value, andNot(f.full, mask));
    terms[at] = { field: f, value: or(kept, and(value, mask)), mask: or(old.mask, mask) };
  }
}

/** A term of a view, as terms of the fields that matches keep. */
function canonicalTerms(f: Field, value: FieldValue, mask: FieldValue): readonly (readonly [Field, FieldValue, FieldValue])[] {
  switch (f.name) {
    case "in_port_oxm":
      return [[field("in_port"), Number(value) & 0xffff, 0xffff]];
    case "actset_output":
      return [[f, Number(value) & 0xffff, f.full]];
    case "ip_dscp":
      return [[field("nw_tos"), Number(value) << 2, (Number(mask) << 2) & 0xfc]];
    case "nw_tos":
      return [[f, Number(value) & 0xfc, Number(mask) & 0xfc]];
    case "dl_vlan":
      // 0xffff is OpenFlow 1.0's "no tag".
      return [[field("vlan_tci"), ...(value === 0xffff ? [0, 0xffff] as const : [(Number(value) & 0xfff) | 0x1000, 0x1fff] as const)]];
    case "vlan_vid":
      return [[field("vlan_tci"), Number(value) & 0x1fff, mask === f.full ? 0x1fff : Number(mask) & 0x1fff]];
    case "dl_vlan_pcp":
    case "vlan_pcp":
      return [[field("vlan_tci"), ((Number(value) & 7) << 13) | 0x1000, 0xf000]];
    default:
      break;
  }
  const words = registerWords(f);
  if (words === undefined) return [[f, value, mask]];
  return words.map((reg, i) => {
    const shift = BigInt(32 * (words.length - 1 - i));
    return [reg, Number((BigInt(value) >> shift) & 0xffffffffn), Number((BigInt(mask) >> shift) & 0xffffffffn)] as const;
  });
}

/** The registers that an xreg or xxreg consists of, the most significant first; undefined for every other field. */
export function registerWords(f: Field): readonly Field[] | undefined {
  const match = /^(xx?)reg(\d+)$/.exec(f.name);
  if (match === null) return undefined;
  const count = match[1] === "x" ? 2 : 4;
  return Array.from({ length: count }, (_, i) => field(`reg${Number(match[2]) * count + i}` as FieldName));
}

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
