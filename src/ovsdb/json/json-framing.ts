/**
 * Messages on a byte stream without delimiters: each is one JSON object, and the next begins where it ends (RFC 7047,
 * section 4, after JSON-RPC 1.0). Every byte is looked at once, however the stream cuts the messages into chunks.
 */
import { isUtf8 } from "node:buffer";
import { type Json, JsonSyntaxError, maxNesting, parseJson } from "./json.ts";

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** V8 holds no longer string; a message that is larger has nobody to read it. */
export const largestMessageSize = 512 * 1024 * 1024 - 32;

export class JsonFramer {
  readonly #maxSize: number;
  #kept: Uint8Array[] = [];
  #keptSize = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #fault: JsonSyntaxError | undefined;

  constructor(maxSize = largestMessageSize) {
    this.#maxSize = maxSize;
  }

  /** Hands over each message that `bytes` completes. After an error (the return value) nothing more can be read. */
  feed(bytes: Uint8Array, deliver: (message: Json, size: number) => void): JsonSyntaxError | undefined {
    let start = 0;
    while (this.#fault === undefined && start < bytes.length) {
      if (this.#depth === 0) {
        while (start < bytes.length && isSpace(bytes[start] ?? 0)) start++;
        if (start === bytes.length) break;
        if (bytes[start] !== openBrace && bytes[start] !== openBracket) {
          this.#fault = new JsonSyntaxError("line 0, column 0, byte 0: syntax error at beginning of input");
          break;
        }
      }
      const end = this.#scan(bytes, start);
      if (end < 0) {
        this.#keep(start === 0 ? bytes : bytes.subarray(start));
        break;
      }
      this.#complete(bytes.subarray(start, end), deliver);
      start = end;
    }
    return this.#fault;
  }

  /** The place after the byte that ends the message, or -1 if `bytes` end first. */
  #scan(bytes: Uint8Array, from: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let i = from;
    const length = bytes.length;
    if (this.#escaped && i < length) {
      i++;
      this.#escaped = false;
    }
    for (; i < length; i++) {
      const byte = bytes[i];
      if (inString) {
        if (byte === quote) inString = false;
        else if (byte === backslash && ++i === length) this.#escaped = true;
      } else if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) {
        if (++depth > maxNesting) this.#fault = new JsonSyntaxError(`input exceeds maximum nesting depth ${maxNesting}`);
      } else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) {
        this.#depth = 0;
        this.#inString = false;
        return i + 1;
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    return -1;
  }

  #keep(bytes: Uint8Array): void {
    this.#keptSize += bytes.length;
    if (this.#keptSize > this.#maxSize) {
      this.#fault ??= new JsonSyntaxError(`message exceeds maximum size of ${this.#maxSize} bytes`);
      this.#kept = [];
    } else this.#kept.push(bytes);
  }

  #complete(last: Uint8Array, deliver: (message: Json, size: number) => void): void {
    let whole = last;
    if (this.#kept.length > 0) {
      this.#keep(last);
      whole = Buffer.concat(this.#kept);
      this.#kept = [];
    }
    this.#keptSize = 0;
    if (this.#fault !== undefined) return;
    if (!isUtf8(whole)) {
      this.#fault = new JsonSyntaxError("invalid UTF-8 sequence");
      return;
    }
    const message = parseJson(Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString("utf8"));
    if (message instanceof JsonSyntaxError) this.#fault = message;
    else deliver(message, whole.length);
  }
}
