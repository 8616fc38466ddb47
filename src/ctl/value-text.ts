/** Values as users type them, read as the column's type wants them (ovs-vsctl(8), "Database Values"). */
import { type Atom, type BaseType, checkAtom, type ColumnType, compareAtoms, type Datum, isUuid, JsonSyntaxError, parseJson } from "../ovsdb/index.ts";
import { CommandError, fail } from "./command-error.ts";
import type { Symbols } from "./symbols.ts";
import { isDelimiter, nextToken } from "./tokens.ts";

/** More than this many integers in one range are taken for a mistake. */
const maxRangeSize = 4096n;

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

export function atomFromText(text: string, base: BaseType, symbols: Symbols): Atom {
  const atom = plainAtom(text, base, symbols);
  checked(atom, base);
  return atom;
}

function checked(atom: Atom, base: BaseType): void {
  const error = checkAtom(atom, base);
  if (error !== undefined) fail(error.toString());
}

function plainAtom(text: string, base: BaseType, symbols: Symbols): Atom {
  switch (base.kind) {
    case "integer":
      return integerOf(text) ?? fail(`"${text}" is not a valid integer or range`);
    case "real":
      return realOf(text) ?? fail(`"${text}" is not a valid real number`);
    case "boolean":
      if (["true", "yes", "on", "1"].includes(text)) return true;
      if (["false", "no", "off", "0"].includes(text)) return false;
      return fail(`"${text}" is not a valid boolean (use "true" or "false")`);
    case "string":
      return stringOf(text);
    case "uuid":
      if (text.startsWith("@")) return symbols.refer(text, base);
      return isUuid(text) ? text.toLowerCase() : fail(`"${text}" is not a valid UUID`);
  }
}

function integerOf(text: string): Atom | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const exact = BigInt(text.replace(/^\+/, ""));
  if (exact < minInt64 || exact > maxInt64) return undefined;
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

function realOf(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number + 0 : undefined;
}

function stringOf(text: string): string {
  if (text === "") fail('An empty string is not valid as input; use "" to represent the empty string');
  if (!text.startsWith('"')) return text;
  if (text.length < 2 || !text.endsWith('"')) fail(`${text}: missing quote at end of quoted string`);
  const json = parseJson(text);
  if (typeof json === "string") return json;
  throw new CommandError(`${text}: ${json instanceof JsonSyntaxError ? json.message : "not a string"}`);
}

/** `first-last`, where a set of integers may have it. */
function rangeOf(text: string, base: BaseType): readonly Atom[] | undefined {
  const match = /^([+-]?\d+)-([+-]?\d+)$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [BigInt((match[1] ?? "").replace(/^\+/, "")), BigInt((match[2] ?? "").replace(/^\+/, ""))];
  if (last < first) fail(`"${text}" is not a valid range. Range end cannot be before start.`);
  checked(Number(first), base);
  checked(Number(last), base);
  if (last - first >= maxRangeSize) {
    fail(`constraint violation: Range "${first}-${last}" is too big. Maximum allowed size is ${maxRangeSize}.`);
  }
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => Number(first) + i);
}

const skipSpaces = (text: string, at: number): number => {
  while (/[ \t\n\r\f\v]/.test(text.charAt(at))) at++;
  return at;
};

export function datumFromText(text: string, type: ColumnType, symbols: Symbols): Datum {
  const isMap = type.value !== undefined;
  let at = skipSpaces(text, 0);
  let close = "";
  if (text.charAt(at) === (isMap ? "{" : "[")) {
    close = isMap ? "}" : "]";
    at = skipSpaces(text, at + 1);
  } else if (at === text.length) fail(isMap ? 'use "{}" to specify the empty map' : 'use "[]" to specify the empty set');
  const keys: Atom[] = [];
  const values: Atom[] = [];
  while (at < text.length && text.charAt(at) !== close) {
    if (isDelimiter(text.charAt(at))) fail(`${text}: unexpected "${text.charAt(at)}" parsing ${describeType(type)}`);
    at = takeItem(text, at, type, symbols, keys, values);
    at = skipSpaces(text, at);
    if (text.charAt(at) === ",") at = skipSpaces(text, at + 1);
  }
  if (close !== "") {
    if (at >= text.length) fail(`${text}: missing "${close}" at end of data`);
    at = skipSpaces(text, at + 1);
    if (at < text.length) fail(`${text}: trailing garbage after "${close}"`);
  }
  checkCount(text, keys.length, type);
  return sorted(text, keys, isMap ? values : undefined);
}

function takeItem(text: string, from: number, type: ColumnType, symbols: Symbols, keys: Atom[], values: Atom[]): number {
  const { token, end } = nextToken(text, from);
  const range = type.key.kind === "integer" ? rangeOf(token, type.key) : undefined;
  const items = range ?? [atomFromText(token, type.key, symbols)];
  keys.push(...items);
  if (type.value === undefined) return end;
  let at = skipSpaces(text, end);
  if (text.charAt(at) !== "=") fail(`${text.slice(from)}: syntax error at "${text.charAt(at)}" expecting "="`);
  at = skipSpaces(text, at + 1);
  const value = nextToken(text, at);
  const atom = atomFromText(value.token, type.value, symbols);
  for (const _ of items) values.push(atom);
  return value.end;
}

function checkCount(text: string, count: number, type: ColumnType): void {
  const what = type.value === undefined ? "value(s)" : "pair(s)";
  if (count < type.min) fail(`${text}: ${count} ${what} specified but the minimum number is ${type.min}`);
  if (count > type.max) fail(`${text}: ${count} ${what} specified but the maximum number is ${type.max}`);
}

function sorted(text: string, keys: readonly Atom[], values: readonly Atom[] | undefined): Datum {
  const order = keys.map((_, i) => i).sort((a, b) => compareAtoms(keys[a] ?? 0, keys[b] ?? 0));
  const sortedKeys = order.map((i) => keys[i] ?? 0);
  for (let i = 1; i < sortedKeys.length; i++) {
    if (compareAtoms(sortedKeys[i - 1] ?? 0, sortedKeys[i] ?? 0) === 0) {
      fail(values === undefined ? `${text}: set contains duplicate value` : `${text}: map contains duplicate key`);
    }
  }
  return values === undefined ? { keys: sortedKeys } : { keys: sortedKeys, values: order.map((i) => values[i] ?? 0) };
}

/** A type in words, as C's complaints name it: `set of 1 to 5 integers`. */
function describeType(type: ColumnType): string {
  if (type.value === undefined && type.min === 1 && type.max === 1) return type.key.kind;
  const unlimited = type.max === Number.POSITIVE_INFINITY;
  const count = unlimited ? (type.min > 0 ? ` ${type.min} or more` : "") : type.min > 0 ? ` ${type.min} to ${type.max}` : ` up to ${type.max}`;
  return type.value === undefined ? `set of${count} ${type.key.kind}s` : `map of${count} (${type.key.kind}, ${type.value.kind}) pairs`;
}
