/**
 * JSON as OVSDB carries it (RFC 8259, read as lib/json.c of Open vSwitch reads it): integers of 64 bits stay exact.
 *
 * Nearly every text holds only integers that a JavaScript number holds exactly, so the built-in parser and printer do the
 * work; a number of sixteen digits or a bigint is what sends a text to the slow parser and a value to the slow printer.
 */

/** An integer beyond ±(2^53 - 1) is a bigint; every other number is a number. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json | undefined;
}

export const isJsonObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);
export const isJsonArray = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);

/** Own members only: what a peer named `constructor` or `__proto__` must not find what every object has. */
export const member = (json: JsonObject, name: string): Json | undefined => (Object.hasOwn(json, name) ? json[name] : undefined);

/** What is wrong with a text that is not JSON. */
export class JsonSyntaxError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export const maxNesting = 1000;
/** A number starts the text or follows one of these; inside a string the same may stand, which costs time but does no harm. */
const mayExceedDouble = /(?:^|[[:,])\s*-?\d{16}/;

export function parseJson(text: string): Json | JsonSyntaxError {
  if (mayExceedDouble.test(text)) return new ExactParser(text).parse();
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The built-in parser's messages are its own; ours say where, as C's do.
    const slow = new ExactParser(text).parse();
    return slow instanceof JsonSyntaxError ? slow : new JsonSyntaxError("syntax error");
  }
}

export function printJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch {
    return printExactly(value, false);
  }
}

/** Members in the order of their names, as error texts quote JSON. */
export const printJsonSorted = (value: Json): string => printExactly(value, true);

function printExactly(value: Json, sorted: boolean): string {
  if (typeof value === "bigint") return value.toString();
  if (isJsonArray(value)) return `[${value.map((v) => printExactly(v, sorted)).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value);
  if (sorted) names.sort();
  const members = names.map((name) => {
    const inner = value[name];
    return inner === undefined ? undefined : `${JSON.stringify(name)}:${printExactly(inner, sorted)}`;
  });
  return `{${members.filter((m) => m !== undefined).join(",")}}`;
}

/** Members sorted and indented, as `ovsdb-client -v` and `ovs-appctl` print JSON for people. */
export function printJsonPretty(value: Json, indent = ""): string {
  const deeper = `${indent}  `;
  if (isJsonArray(value)) {
    return value.length === 0 ? "[]" : `[\n${value.map((v) => deeper + printJsonPretty(v, deeper)).join(",\n")}]`;
  }
  if (!isJsonObject(value)) return printExactly(value, true);
  const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
  if (names.length === 0) return "{}";
  return `{\n${names.map((n) => `${deeper}${JSON.stringify(n)}: ${printJsonPretty(value[n] ?? null, deeper)}`).join(",\n")}}`;
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** The number nearest to what the digits say, or the bigint where only that is exact; beyond 64 bits a real. */
function exactNumber(digits: string): number | bigint {
  const value = Number(digits);
  if (Number.isSafeInteger(value) || /[.eE]/.test(digits)) return value;
  const exact = BigInt(digits);
  return exact >= minInt64 && exact <= maxInt64 ? exact : value;
}

class SyntaxFault extends Error {}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const stringPattern = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Recursive descent; strings and numbers are found by pattern and read by the built-in parser. */
class ExactParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json | JsonSyntaxError {
    try {
      this.#skipSpace();
      if (this.#at === this.#text.length) throw new SyntaxFault("empty input stream");
      const value = this.#value();
      this.#skipSpace();
      if (this.#at < this.#text.length) throw new SyntaxFault("trailing garbage at end of input");
      return value;
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      const atEnd = this.#at === this.#text.length && this.#text !== "";
      return new JsonSyntaxError(this.#where() + (atEnd ? "unexpected end of input" : fault.message));
    }
  }

  #where(): string {
    const before = this.#text.slice(0, this.#at);
    const lines = before.split("\n");
    return `line ${lines.length - 1}, column ${(lines.at(-1) ?? "").length}, byte ${Buffer.byteLength(before)}: `;
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && " \t\n\r".includes(this.#text.charAt(this.#at))) this.#at++;
  }

  #value(): Json {
    this.#skipSpace();
    const c = this.#text.charAt(this.#at);
    if (c === "{") return this.#object();
    if (c === "[") return this.#array();
    if (c === '"') return this.#string();
    if (c === "-" || (c >= "0" && c <= "9")) return exactNumber(this.#match(numberPattern, "syntax error in number"));
    for (const [word, value] of [["null", null], ["true", true], ["false", false]] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw new SyntaxFault(c === "" ? "unexpected end of input" : "syntax error expecting value");
  }

  #match(pattern: RegExp, complaint: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new SyntaxFault(complaint);
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #string(): string {
    return JSON.parse(this.#match(stringPattern, "unexpected end of input in quoted string")) as string;
  }

  #enter(): void {
    this.#at++;
    if (++this.#depth > maxNesting) throw new SyntaxFault(`input exceeds maximum nesting depth ${maxNesting}`);
  }

  #takes(c: string): boolean {
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== c) return false;
    this.#at++;
    return true;
  }

  #array(): Json[] {
    this.#enter();
    const items: Json[] = [];
    if (!this.#takes("]")) {
      do items.push(this.#value());
      while (this.#takes(","));
      if (!this.#takes("]")) throw new SyntaxFault("syntax error expecting ']' or ','");
    }
    this.#depth--;
    return items;
  }

  #object(): JsonObject {
    this.#enter();
    const members: [string, Json][] = [];
    if (!this.#takes("}")) {
      do {
        this.#skipSpace();
        if (this.#text.charAt(this.#at) !== '"') throw new SyntaxFault("syntax error parsing object expecting string");
        const name = this.#string();
        if (!this.#takes(":")) throw new SyntaxFault("syntax error parsing object expecting ':'");
        members.push([name, this.#value()]);
      } while (this.#takes(","));
      if (!this.#takes("}")) throw new SyntaxFault("syntax error expecting '}' or ','");
    }
    this.#depth--;
    // fromEntries makes own members even of `__proto__`.
    return Object.fromEntries(members);
  }
}
