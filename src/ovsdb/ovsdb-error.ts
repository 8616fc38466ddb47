/**
 * An error of the database protocol, as a value: <error> of RFC 7047, section 3.1, with the extensions of Open vSwitch
 * ("syntax", "io-error"). The tags and details are those of the C server, since clients and scripts compare them.
 */
import { type Json, type JsonObject, printJsonSorted } from "./json/json.ts";

export class OvsdbError {
  readonly tag: string;
  readonly details: string | undefined;
  /** The JSON that is at fault, printed. */
  readonly syntax: string | undefined;
  readonly ioError: string | undefined;

  constructor(tag: string, details?: string, syntax?: string, ioError?: string) {
    this.tag = tag;
    this.details = details;
    this.syntax = syntax;
    this.ioError = ioError;
  }

  toJson(): JsonObject {
    return {
      error: this.tag,
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.syntax === undefined ? {} : { syntax: this.syntax }),
      ...(this.ioError === undefined ? {} : { "io-error": this.ioError }),
    };
  }

  toString(): string {
    const syntax = this.syntax === undefined ? "" : `syntax "${this.syntax}": `;
    const details = this.details === undefined ? "" : `: ${this.details}`;
    return syntax + this.tag + details + (this.ioError === undefined ? "" : ` (${this.ioError})`);
  }

  /** The same error, its details after `context`. */
  within(context: string): OvsdbError {
    const details = this.details === undefined ? context : `${context}: ${this.details}`;
    return new OvsdbError(this.tag, details, this.syntax, this.ioError);
  }
}

export const syntaxError = (json: Json | undefined, details: string, tag = "syntax error"): OvsdbError =>
  new OvsdbError(tag, details, json === undefined ? undefined : printJsonSorted(json));
