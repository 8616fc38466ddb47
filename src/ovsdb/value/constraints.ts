/** What a <base-type> forbids beyond its kind (RFC 7047, section 3.2): the error, in the C server's words, or nothing. */
import { type Atom, compareAtoms } from "./datum.ts";
import { printAtom, printReal } from "./datum-text.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import type { BaseType } from "../schema/schema.ts";

const violation = (details: string): OvsdbError => new OvsdbError("constraint violation", details);

export function checkAtom(atom: Atom, base: BaseType): OvsdbError | undefined {
  if (base.enum !== undefined) {
    if (base.enum.some((allowed) => compareAtoms(allowed, atom) === 0)) return undefined;
    const allowed = [...base.enum].sort(compareAtoms).map((a) => printAtom(a, base.kind));
    return violation(`${printAtom(atom, base.kind)} is not one of the allowed values ([${allowed.join(", ")}])`);
  }
  switch (base.kind) {
    case "integer":
      return checkRange(atom, base.minInteger, base.maxInteger, String);
    case "real":
      return checkRange(atom, base.minReal, base.maxReal, printReal);
    case "string":
      return base.minLength === undefined && base.maxLength === undefined ? undefined : checkLength(String(atom), base);
    default:
      return undefined;
  }
}

type Number_ = number | bigint;

function checkRange(atom: Atom, min: Number_ | undefined, max: Number_ | undefined, print: (n: Number_) => string): OvsdbError | undefined {
  if (typeof atom !== "number" && typeof atom !== "bigint") return undefined;
  if ((min === undefined || atom >= min) && (max === undefined || atom <= max)) return undefined;
  if (min === undefined) return violation(`${print(atom)} is greater than maximum allowed value ${max === undefined ? "" : print(max)}`);
  if (max === undefined) return violation(`${print(atom)} is less than minimum allowed value ${print(min)}`);
  return violation(`${print(atom)} is not in the valid range ${print(min)} to ${print(max)} (inclusive)`);
}

function checkLength(text: string, base: BaseType): OvsdbError | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = base;
  // Characters, not UTF-16 units; a text as short as that cannot have too many of either.
  const length = text.length <= maxLength && text.length >= 2 * minLength ? text.length : [...text].length;
  if (length < minLength) return violation(`"${text}" length ${length} is less than minimum allowed length ${minLength}`);
  if (length > maxLength) return violation(`"${text}" length ${length} is greater than maximum allowed length ${maxLength}`);
  return undefined;
}
