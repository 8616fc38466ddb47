/**
 * What is wrong with a topology file, in words with a place.
 *
 * A schema's issue becomes one sentence and the path of the value it is about; what a schema cannot see (names that must exist,
 * addresses that must differ) each noun's file finds itself and yields as `Misfit`.
 */
import type * as z from "zod";

export type Path = readonly (string | number)[];

/** A value that has the right form and the wrong meaning. */
export interface Misfit {
  readonly path: Path;
  readonly message: string;
}

/** What is wrong with a topology file, as text with line, column and caret, ready to be printed. */
export interface TopologyComplaint {
  readonly complaint: string;
}

/** A list of the names there are, for "no such ...; there are ...". */
export const known = (names: Iterable<string>): string => [...names].join(", ") || "(none)";

export function pathOf(issue: z.core.$ZodIssue): Path {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  // An unknown key is better pointed at itself than at the mapping that holds it.
  return issue.code === "unrecognized_keys" && issue.keys[0] !== undefined ? [...path, issue.keys[0]] : path;
}

export function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown key "${issue.keys[0]}"`;
    case "invalid_type":
      return issue.input === undefined ? `"${String(issue.path.at(-1))}" is missing: expected ${issue.expected}` : `expected ${issue.expected}`;
    case "invalid_value":
      return `expected one of ${issue.values.join(", ")}`;
    case "invalid_key":
      return `not ${issue.issues[0]?.message ?? "a name"}`;
    case "custom":
    case "invalid_format":
      return `expected ${issue.message}`;
    default:
      return issue.message;
  }
}
