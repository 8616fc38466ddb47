/** OpenFlow errors, named as in OVS's ofp-errors; numbers for each version stand in error-table.ts. */
import type { ErrorName } from "./error-table.ts";

export type { ErrorName } from "./error-table.ts";

/** Why a message could not be decoded or obeyed: what goes back in an OFPT_ERROR. */
export class OfError {
  readonly name: ErrorName;
  /** For logs, not for the wire. */
  readonly detail: string;

  constructor(name: ErrorName, detail = "") {
    this.name = name;
    this.detail = detail;
  }

  toString(): string {
    return this.detail === "" ? this.name : `${this.name} (${this.detail})`;
  }
}

export const isOfError = (value: unknown): value is OfError => value instanceof OfError;
