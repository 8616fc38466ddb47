/**
 * The format of database files (ovsdb(5), "File Formats", standalone): records, each a header line that names the length
 * and the SHA-1 of what follows, then a JSON object. The first record is the schema, the others are transactions.
 *
 *     OVSDB JSON 133 a11126007f4b1bb630531642be20616f76cb2fe8
 *     {"_date":1795182877587,"Transit_Switch":{"2f1636df-...":{"name":"ts1"}},"_is_diff":true}
 */
import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, JsonSyntaxError, parseJson } from "../json/json.ts";
import { OvsdbError, syntaxError } from "../ovsdb-error.ts";

const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");

export function recordBytes(json: string): Uint8Array {
  const body = Buffer.from(`${json}\n`, "utf8");
  return Buffer.concat([Buffer.from(`OVSDB JSON ${body.length} ${sha1(body)}\n`, "latin1"), body]);
}

const newline = 0x0a;
const longestHeader = 128;

/** Reads the records of a file one after the other, as long as they are whole. */
export class LogReader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  /** Where the last whole record ended: what comes after may be cut off. */
  offset = 0;
  /** The text of the first record, which in a database file is the schema. */
  firstText: string | undefined;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  /** Undefined at the end of the file; an error where something else than a whole record stands. */
  next(): JsonObject | OvsdbError | undefined {
    const { offset } = this;
    if (offset === this.#bytes.length) return undefined;
    const lineEnd = this.#bytes.subarray(offset, offset + longestHeader).indexOf(newline);
    const line = Buffer.from(this.#bytes.subarray(offset, lineEnd < 0 ? offset + longestHeader : offset + lineEnd)).toString("latin1");
    const header = lineEnd < 0 ? null : /^OVSDB (\S+) (\d+) ([0-9a-fA-F]{40})$/.exec(line);
    if (header === null) return syntaxError(undefined, `${this.#name}: parse error at offset ${offset} in header line "${line}"`);
    const [, magic, lengthText, expected = ""] = header;
    if (magic !== "JSON") return this.#otherMagic(magic ?? "");
    const start = offset + lineEnd + 1;
    const length = Number(lengthText);
    const body = this.#bytes.subarray(start, start + length);
    const where = `${length} bytes starting at offset ${start}`;
    if (body.length < length) {
      return new OvsdbError("I/O error", `${this.#name}: error reading ${where}`, undefined, "End of file");
    }
    const actual = sha1(body);
    if (actual !== expected.toLowerCase()) {
      return syntaxError(undefined, `${this.#name}: ${where} have SHA-1 hash ${actual} but should have hash ${expected.toLowerCase()}`);
    }
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
    this.firstText ??= text.trimEnd();
    const json = parseJson(text);
    if (json instanceof JsonSyntaxError) return syntaxError(undefined, `${this.#name}: ${where} are not valid JSON (${json.message})`);
    if (!isJsonObject(json)) return syntaxError(undefined, `${this.#name}: ${where} are not a JSON object`);
    this.offset = start + length;
    return json;
  }

  #otherMagic(magic: string): OvsdbError {
    if (magic === "CLUSTER") {
      return new OvsdbError("not supported", `${this.#name}: clustered databases are not supported: use "ovsdb-tool cluster-to-standalone"`);
    }
    return syntaxError(undefined, `${this.#name}: cannot identify file type`, "ovsdb error");
  }
}
