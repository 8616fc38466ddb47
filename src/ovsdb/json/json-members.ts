/**
 * Reads the members of a JSON object one by one and complains of those that are missing, of the wrong type or unknown,
 * in the words of ovsdb-parser(3) of Open vSwitch. The first complaint stands.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, member } from "./json.ts";
import { type OvsdbError, syntaxError } from "../ovsdb-error.ts";

export const isId = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);

/** What JSON writes as `1.0` or `1e17` counts too, as in C. */
export const isInteger = (json: Json | undefined): json is number | bigint =>
  typeof json === "bigint" || (Number.isInteger(json) && Math.abs(Number(json)) <= 2 ** 63);

// Functions made once: a schema or a transaction asks for thousands of members.
const isString = (json: Json): json is string => typeof json === "string";
const isIdString = (json: Json): json is string => typeof json === "string" && isId(json);
const isBoolean = (json: Json): json is boolean => typeof json === "boolean";
const isNumber = (json: Json): json is number | bigint => typeof json === "number" || typeof json === "bigint";
const isAnything = (json: Json): json is Json => json !== undefined;

export class JsonMembers {
  readonly #json: JsonObject | undefined;
  readonly #name: string;
  readonly #used: string[] = [];
  error: OvsdbError | undefined;

  /** `name` says what is parsed: "table operation". */
  constructor(json: Json, name: string) {
    this.#json = isJsonObject(json) ? json : undefined;
    this.#name = name;
    if (this.#json === undefined) this.raise("Object expected.");
  }

  /** The first complaint stands; this one may be the caller's own. */
  raise(text: string): void {
    this.error ??= syntaxError(this.#json, `Parsing ${this.#name} failed: ${text}`);
  }

  #take<T extends Json>(name: string, optional: boolean, fits: (json: Json) => json is T): T | undefined {
    if (this.#json === undefined) return undefined;
    const value = member(this.#json, name);
    if (value === undefined) {
      if (!optional) this.raise(`Required '${name}' member is missing.`);
      return undefined;
    }
    if (!fits(value)) {
      this.raise(`Type mismatch for member '${name}'.`);
      return undefined;
    }
    this.#used.push(name);
    return value;
  }

  /** Each returns undefined when the member is absent or wrong; look at `finish()` before using any. */
  string(name: string, optional = false): string | undefined {
    return this.#take(name, optional, isString);
  }
  id(name: string, optional = false): string | undefined {
    return this.#take(name, optional, isIdString);
  }
  boolean(name: string, optional = false): boolean | undefined {
    return this.#take(name, optional, isBoolean);
  }
  integer(name: string, optional = false): number | bigint | undefined {
    return this.#take(name, optional, isInteger);
  }
  number(name: string, optional = false): number | bigint | undefined {
    return this.#take(name, optional, isNumber);
  }
  array(name: string, optional = false): readonly Json[] | undefined {
    return this.#take(name, optional, isJsonArray);
  }
  object(name: string, optional = false): JsonObject | undefined {
    return this.#take(name, optional, isJsonObject);
  }
  any(name: string, optional = false): Json | undefined {
    return this.#take(name, optional, isAnything);
  }
  /** A member of which the caller says what is accepted. */
  fitting<T extends Json>(name: string, fits: (json: Json) => json is T, optional = false): T | undefined {
    return this.#take(name, optional, fits);
  }

  finish(): OvsdbError | undefined {
    if (this.error !== undefined || this.#json === undefined) return this.error;
    const names = Object.keys(this.#json);
    if (names.length === this.#used.length) return undefined;
    const [first, ...others] = names.filter((name) => !this.#used.includes(name));
    if (others.length > 0) {
      this.raise(`Member '${first}' and ${others.length} other member${others.length > 1 ? "s" : ""} are present but not allowed here.`);
    } else if (first !== undefined) this.raise(`Member '${first}' is present but not allowed here.`);
    return this.error;
  }
}
