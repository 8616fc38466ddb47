/**
 * The tokens of the logical-flow language (ovn-sb(5), Logical_Flow match; include/ovn/lex.h).
 *
 * A numeric constant keeps the format it was written in: it means the same, but is printed back as it was read.
 * One token of lookahead, no copies of the text, no regular expressions: each logical flow passes through here.
 */
import { LogicalSyntaxError } from "./syntax-error.ts";
import { formatConstant, maskFrom, type NumberFormat, readConstant } from "./number-text.ts";
import { quote, unescape } from "./string-text.ts";

export type TokenKind =
  | "end" | "id" | "string" | "integer" | "masked-integer" | "address-set" | "port-group" | "template" | "error"
  | "(" | ")" | "{" | "}" | "[" | "]" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" | "&&" | "||" | ".." | ","
  | ";" | "=" | "<->" | "--" | ":" | "-";

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isHex = (c: number): boolean => isDigit(c) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
/** May begin an identifier. A dot may: `.foo` is none all the same, since the dot is looked at first. */
const isIdFirst = (c: number): boolean => isLetter(c) || c === 95 || c === 46;

// Runs of characters are found by expressions that stick to where they are: programs that read once and end (and every
// program while it starts) spend their time in code that is not compiled yet, and these are.
const identifierRest = /[A-Za-z0-9_.]*/y;
const hexDigits = /[0-9a-fA-F]*/y;
const stringContents = /(?:[^"\\]|\\[^])*/y;
/**
 * It ends before "..", so that `1..2` is a range, and before a colon that follows a dot, so that `1.2.3.4:80` is an address
 * and a port.
 */
const numberContents = /[0-9A-Za-z:]*(?:\.(?!\.)[0-9A-Za-z]*)*/y;

/** Where the run that begins at `from` ends. */
function endOf(run: RegExp, text: string, from: number): number {
  run.lastIndex = from;
  run.test(text);
  return run.lastIndex;
}

export class Lexer {
  readonly text: string;
  /** Where the next token begins to be looked for. */
  #next = 0;
  /** Where the current token begins. */
  #start = 0;

  // The current token.
  kind: TokenKind = "end";
  /** id, string, address-set, port-group, template: the name or contents; error: what is wrong. */
  name = "";
  value = 0n;
  mask = 0n;
  format: NumberFormat = "decimal";

  /** The first token is current at once. */
  constructor(text: string) {
    // As in C, a text ends at its first NUL.
    const nul = text.indexOf("\0");
    this.text = nul < 0 ? text : text.slice(0, nul);
    this.advance();
  }

  /** Moves to the next token and returns its kind. */
  advance(): TokenKind {
    this.kind = this.#scan();
    return this.kind;
  }

  /** The kind of the token after the current one. */
  lookahead(): TokenKind {
    const { kind, name, value, mask, format } = this;
    const next = this.#next;
    const start = this.#start;
    const ahead = this.#scan();
    this.#next = next;
    this.#start = start;
    this.kind = kind;
    this.name = name;
    this.value = value;
    this.mask = mask;
    this.format = format;
    return ahead;
  }

  /** Moves on if the current token is of this kind. */
  match(kind: TokenKind): boolean {
    if (this.kind !== kind) return false;
    this.advance();
    return true;
  }

  matchId(name: string): boolean {
    if (this.kind !== "id" || this.name !== name) return false;
    this.advance();
    return true;
  }

  matchString(text: string): boolean {
    if (this.kind !== "string" || this.name !== text) return false;
    this.advance();
    return true;
  }

  expect(kind: TokenKind): void {
    if (!this.match(kind)) this.syntaxError(`expecting \`${kind}'`);
  }

  expectEnd(): void {
    if (this.kind !== "end") this.syntaxError("expecting end of input");
  }

  isSmallInteger(): boolean {
    return this.kind === "integer" && this.format === "decimal" && this.value <= 0x7fffffffn;
  }

  /** A decimal number up to 2^31 - 1. */
  expectSmallInteger(): number {
    if (!this.isSmallInteger()) this.syntaxError("expecting small integer");
    const value = Number(this.value);
    this.advance();
    return value;
  }

  /** The current token as text that reads back as the same token. */
  formatToken(): string {
    switch (this.kind) {
      case "end": return "$";
      case "id": return this.name;
      case "error": return `error(${quote(this.name)})`;
      case "string": return quote(this.name);
      case "integer": return formatConstant(this.value, undefined, this.format);
      case "masked-integer": return formatConstant(this.value, this.mask, this.format);
      case "address-set": return `$${this.name}`;
      case "port-group": return `@${this.name}`;
      case "template": return `^${this.name}`;
      default: return this.kind;
    }
  }

  /** Fails with `message`, or with what the lexer itself has to say of the current token. */
  error(message: string): never {
    throw new LogicalSyntaxError(this.kind === "error" ? this.name : message);
  }

  /** Fails, saying where. */
  syntaxError(message?: string): never {
    const where = this.kind === "end" ? " at end of input" : ` at \`${this.text.slice(this.#start, this.#next)}'`;
    this.error(`Syntax error${where}${message === undefined ? "" : ` ${message}`}.`);
  }

  #fail(message: string): "error" {
    this.name = message;
    return "error";
  }

  #scan(): TokenKind {
    const text = this.text;
    for (;;) {
      this.#start = this.#next;
      if (this.#next >= text.length) return "end";
      const c = text.charCodeAt(this.#next);
      if (c === 32 || (c >= 9 && c <= 13)) {
        this.#next++;
        continue;
      }
      if (c === 47) {
        const failure = this.#comment();
        if (failure === undefined) continue;
        return failure;
      }
      if (isLetter(c) || c === 95) {
        if (isHex(c) && this.#hexThenColon()) return this.#number();
        return this.#identifier("id");
      }
      if (isDigit(c)) return this.#number();
      return this.#punctuation(c);
    }
  }

  /** Skips a comment; undefined if there was one. */
  #comment(): "error" | undefined {
    const text = this.text;
    const second = text[this.#next + 1];
    if (second === "/") {
      const end = text.indexOf("\n", this.#next);
      this.#next = end < 0 ? text.length : end;
      return undefined;
    }
    if (second === "*") {
      const end = text.indexOf("*/", this.#next + 2);
      const line = text.indexOf("\n", this.#next + 2);
      if (end < 0 || (line >= 0 && line < end)) {
        this.#next = line < 0 ? text.length : line;
        return this.#fail("`/*' without matching `*/'.");
      }
      this.#next = end + 2;
      return undefined;
    }
    this.#next++;
    return this.#fail("`/' is only valid as part of `//' or `/*'.");
  }

  #identifier(kind: TokenKind): TokenKind {
    const start = this.#next;
    this.#next = endOf(identifierRest, this.text, start + 1);
    this.name = this.text.slice(start, this.#next);
    return kind;
  }

  #named(kind: TokenKind, sign: string): TokenKind {
    this.#next++;
    if (this.#next >= this.text.length || !isIdFirst(this.text.charCodeAt(this.#next))) {
      return this.#fail(`\`${sign}' must be followed by a valid identifier.`);
    }
    return this.#identifier(kind);
  }

  /** An identifier never has a colon after leading hex digits; an Ethernet or IPv6 address always has. */
  #hexThenColon(): boolean {
    return this.text.charCodeAt(endOf(hexDigits, this.text, this.#next)) === 58;
  }

  #punctuation(c: number): TokenKind {
    const text = this.text;
    const second = text.charCodeAt(this.#next + 1);
    const take = (length: number, kind: TokenKind): TokenKind => {
      this.#next += length;
      return kind;
    };
    switch (c) {
      case 40: return take(1, "(");
      case 41: return take(1, ")");
      case 123: return take(1, "{");
      case 125: return take(1, "}");
      case 91: return take(1, "[");
      case 93: return take(1, "]");
      case 44: return take(1, ",");
      case 59: return take(1, ";");
      case 61: return second === 61 ? take(2, "==") : take(1, "=");
      case 33: return second === 61 ? take(2, "!=") : take(1, "!");
      case 38: return second === 38 ? take(2, "&&") : take(1, this.#fail("`&' is only valid as part of `&&'."));
      case 124: return second === 124 ? take(2, "||") : take(1, this.#fail("`|' is only valid as part of `||'."));
      case 60: return second === 61 ? take(2, "<=") : second === 45 && text.charCodeAt(this.#next + 2) === 62 ? take(3, "<->") : take(1, "<");
      case 62: return second === 61 ? take(2, ">=") : take(1, ">");
      case 46: return second === 46 ? take(2, "..") : take(1, this.#fail("`.' is only valid as part of `..' or a number."));
      case 45: return second === 45 ? take(2, "--") : take(1, "-");
      case 58: return second === 58 ? this.#number() : take(1, ":");
      case 36: return this.#named("address-set", "$");
      case 64: return this.#named("port-group", "@");
      case 94: return this.#named("template", "^");
      case 34: return this.#string();
      default: return this.#stray(c);
    }
  }

  #stray(c: number): TokenKind {
    if (c > 32 && c < 127) {
      this.#next++;
      return this.#fail(`Invalid character \`${String.fromCharCode(c)}' in input.`);
    }
    const point = this.text.codePointAt(this.#next) ?? 0;
    // The first byte in UTF-8, as the signed character that C prints.
    const byte = point < 0x80 ? point : (point < 0x800 ? 0xc0 | (point >> 6) : point < 0x10000 ? 0xe0 | (point >> 12) : 0xf0 | (point >> 18)) - 256;
    this.#next += point > 0xffff ? 2 : 1;
    return this.#fail(`Invalid byte 0x${byte} in input.`);
  }

  #string(): TokenKind {
    const text = this.text;
    const start = this.#next;
    const end = endOf(stringContents, text, start + 1);
    if (text.charCodeAt(end) !== 34) {
      this.#next = text.length;
      return this.#fail("Input ends inside quoted string.");
    }
    this.#next = end + 1;
    const inside = text.slice(start + 1, end);
    if (!inside.includes("\\")) {
      this.name = inside;
      return "string";
    }
    const unescaped = unescape(inside);
    this.name = unescaped.text;
    return unescaped.kind;
  }

  #number(): TokenKind {
    if (!this.#plainNumber()) return "error";
    if (this.text.charCodeAt(this.#next) !== 47) return "integer";
    const value = this.value;
    const format = this.format;
    this.#next++;
    if (!this.#plainNumber()) return "error";
    const mask = maskFrom(format, value, this.format, this.value);
    if (mask === undefined) return this.#fail("Value and mask have incompatible formats.");
    this.format = format === "decimal" && this.format === "hexadecimal" ? "hexadecimal" : format;
    this.mask = mask;
    this.value = value & mask;
    return "masked-integer";
  }

  /** A decimal, hexadecimal, Ethernet, IPv4 or IPv6 constant into value and format; false after #fail. */
  #plainNumber(): boolean {
    const start = this.#next;
    this.#next = endOf(numberContents, this.text, start);
    const constant = readConstant(this.text.slice(start, this.#next));
    if (typeof constant === "string") {
      this.#fail(constant);
      return false;
    }
    this.value = constant.value;
    this.format = constant.format;
    return true;
  }
}
