/** OpenFlow errors, named as in OVS's ofp-errors; their numbers in each version come from error-table.ts. */
import { type ErrorName, errorTable } from "./error-table.ts";
import type { OfVersion } from "./version.ts";

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

export interface ErrorPlace {
  readonly type: number;
  readonly code: number;
  /** A vendor's error: `type` is 0xffff and `code` the vendor's own. */
  readonly vendor?: number;
}

const vendors: ReadonlyMap<string, number> = new Map([["NX", 0x2320], ["ONF", 0x4f4e4600], ["NTR", 0x154d], ["EXT", 0x005ad650]]);

/** Parses `OF1.0+(1,2)`, `NX1.2+(4)`: each with the versions it holds for. */
function placesOf(text: string): { readonly from: number; readonly to: number; readonly place: ErrorPlace }[] {
  return [...text.matchAll(/([A-Z]+)1\.(\d)(?:(\+)|-1\.(\d))?\((\d+)(?:,(\d+))?\)/g)].map(([, family = "", first, open, last, a, b]) => {
    const from = Number(first) + 1;
    const to = open === "+" ? 99 : last === undefined ? from : Number(last) + 1;
    const vendor = vendors.get(family);
    if (vendor === undefined || b !== undefined) return { from, to, place: { type: Number(a), code: Number(b ?? 0) } };
    return { from, to, place: { type: 0xffff, code: Number(a), vendor } };
  });
}

const errorNames = Object.keys(errorTable) as ErrorName[];
const unencodable: ErrorPlace = { type: 0xffff, code: 10, vendor: 0x2320 };

/** The numbers of an error in `version`; where the version has none, those of NXBRC_UNENCODABLE_ERROR. */
export function errorPlace(name: ErrorName, version: OfVersion): ErrorPlace {
  return placesOf(errorTable[name]).find(({ from, to }) => from <= version && version <= to)?.place ?? unencodable;
}

/** The error of these numbers; the first so declared where a version uses them twice. Errors are rare: nothing is prepared for them. */
export function errorOnWire(type: number, code: number, vendor: number | undefined, version: OfVersion): ErrorName | undefined {
  const isIt = ({ from, to, place }: ReturnType<typeof placesOf>[number]): boolean =>
    from <= version && version <= to && place.type === type && place.code === code && place.vendor === vendor;
  return errorNames.find((name) => placesOf(errorTable[name]).some(isIt));
}
