/**
 * Reads the members of a JSON object one by one and complains of those that are missing, of the wrong type or unknown,
 * in the words of ovsdb-parser(3) of Open vSwitch. The first complaint stands.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, member } from "./json.ts";
import { type OvsdbError, syntaxError } from "./ovsdb-error.ts";

export const isId = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);

/** An exact integer: what JSON writes as `1.0` counts, as in C. */
export const isInteger = (json: Json | undefined): json is number | bigint => typeof json === "bigint" || Number.isSafeInteger(json);

export class JsonMembers {
  readonly #json: JsonObject;
  readonly #whole: Json;
  readonly #name: string;
  readonly #used = new Set<string>();
  error: OvsdbError | undefined;

  /** `name` says what is parsed: "table operation". */
  constructor(json: Json, name: string) {
    this.#whole = json;
    this.#json = isJsonObject(json) ? json : {};
    this.#name = name;
    if (!isJsonObject(json)) this.#raise("Object expected.");
  }

  /** Adds a complaint of the caller's own. */
  raise(text: string): void {
    this.#raise(text);
  }

  #raise(text: string): undefined {
    const quoted = isJsonObject(this.#whole) ? this.#whole : undefined;
    this.error ??= syntaxError(quoted, `Parsing ${this.#name} failed: ${text}`);
    return undefined;
  }

  #take<T extends Json>(name: string, optional: boolean, fits: (json: Json) => json is T): T | undefined {
    if (!isJsonObject(this.#whole)) return undefined;
    const value = member(this.#json, name);
    if (value === undefined) return optional ? undefined : this.#raise(`Required '${name}' member is missing.`);
    if (!fits(value)) return this.#raise(`Type mismatch for member '${name}'.`);
    this.#used.add(name);
    return value;
  }

  /** Each returns undefined when the member is absent or wrong; look at `finish()` before using any. */
  string(name: string, optional = false): string | undefined {
    return this.#take(name, optional, (j): j is string => typeof j === "string");
  }
  id(name: string, optional = false): string | undefined {
    return this.#take(name, optional, (j): j is string => typeof j === "string" && isId(j));
  }
  boolean(name: string, optional = false): boolean | undefined {
    return this.#take(name, optional, (j): j is boolean => typeof j === "boolean");
  }
  integer(name: string, optional = false): number | bigint | undefined {
    return this.#take(name, optional, isInteger);
  }
  number(name: string, optional = false): number | bigint | undefined {
    return this.#take(name, optional, (j): j is number | bigint => typeof j === "number" || typeof j === "bigint");
  }
  array(name: string, optional = false): readonly Json[] | undefined {
    return this.#take(name, optional, isJsonArray);
  }
  object(name: string, optional = false): JsonObject | undefined {
    return this.#take(name, optional, isJsonObject);
  }
  any(name: string, optional = false): Json | undefined {
    return this.#take(name, optional, (j): j is Json => j !== undefined);
  }
  /** A member of which the caller says what is accepted. */
  fitting<T extends Json>(name: string, fits: (json: Json) => json is T, optional = false): T | undefined {
    return this.#take(name, optional, fits);
  }

  finish(): OvsdbError | undefined {
    if (this.error === undefined) {
      const unused = Object.keys(this.#json).filter((name) => !this.#used.has(name));
      const [first, ...others] = unused;
      if (others.length > 0) {
        this.#raise(`Member '${first}' and ${others.length} other member${others.length > 1 ? "s" : ""} are present but not allowed here.`);
      } else if (first !== undefined) this.#raise(`Member '${first}' is present but not allowed here.`);
    }
    return this.error;
  }
}
