/**
 * Values as people and command lines write them (ovs-vsctl(8), "Values"): `name`, `"a b"`, `[1, 2]`, `{k=v, k2=v2}`; and
 * bare, as `--data=bare` shows them: `a b`, `1 2`, `k=v k2=v2`.
 */
import type { Atom, Datum } from "./datum.ts";
import type { AtomKind, ColumnType } from "../schema/schema.ts";

/** As C prints a double with %.15g. */
export function printReal(value: number | bigint): string {
  if (typeof value === "bigint") return value.toString();
  if (!Number.isFinite(value)) return value > 0 ? "inf" : Number.isNaN(value) ? "nan" : "-inf";
  if (value === 0) return "0";
  const [digits = "", power = ""] = value.toExponential(14).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 15) return plain(value);
  return `${digits.replace(/\.?0+$/, "")}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function plain(value: number): string {
  const text = value.toPrecision(15);
  // toPrecision turns to exponents below 1e-6, where %g does not yet.
  const fixed = text.includes("e") ? value.toFixed(20) : text;
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

const uuidShape = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
export const isUuid = (text: string): boolean => uuidShape.test(text);

/** Whether a string must be quoted so as not to be taken for something else. */
const needsQuotes = (text: string): boolean =>
  !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) || text === "true" || text === "false" || isUuid(text);

/** `"red", "green", and "blue"`, or with another conjunction. */
export function listOf(items: readonly string[], conjunction = "and"): string {
  if (items.length <= 2) return items.join(` ${conjunction} `);
  return `${items.slice(0, -1).join(", ")}, ${conjunction} ${items.at(-1)}`;
}

export function printAtom(atom: Atom, kind: AtomKind): string {
  if (kind === "string") return needsQuotes(String(atom)) ? JSON.stringify(atom) : String(atom);
  return bareAtom(atom, kind);
}

export const bareAtom = (atom: Atom, kind: AtomKind): string =>
  kind === "real" && typeof atom === "number" ? printReal(atom) : String(atom);

export function printDatum(datum: Datum, type: ColumnType): string {
  const items = datum.keys.map((key, i) => {
    const value = datum.values?.[i];
    return printAtom(key, type.key.kind) + (type.value === undefined || value === undefined ? "" : `=${printAtom(value, type.value.kind)}`);
  });
  const text = items.join(", ");
  if (type.max === 1 && items.length > 0) return text;
  return type.value === undefined ? `[${text}]` : `{${text}}`;
}

export function bareDatum(datum: Datum, type: ColumnType): string {
  return datum.keys
    .map((key, i) => {
      const value = datum.values?.[i];
      return bareAtom(key, type.key.kind) + (type.value === undefined || value === undefined ? "" : `=${bareAtom(value, type.value.kind)}`);
    })
    .join(" ");
}
