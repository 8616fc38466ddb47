/**
 * Words inside an argument: `COLUMN:KEY=VALUE` and values are cut at delimiters, which a backslash or double quotes protect
 * (ovs-vsctl(8), "Database Values"). Quotes stay in the word, a backslash outside of them does not.
 */
import type { TableEntry, ColumnEntry } from "./names.ts";
import { findColumn } from "./names.ts";
import { CommandError, fail } from "./command-error.ts";

export const isDelimiter = (c: string): boolean => c === "" || ":=, []{}!<>".includes(c);

/** The word that begins at `from`, and the place after it. */
export function nextToken(text: string, from: number): { readonly token: string; readonly end: number } {
  let token = "";
  let quoted = false;
  let at = from;
  while (at < text.length) {
    const c = text.charAt(at);
    if (c === "\\") {
      if (quoted) token += "\\";
      if (at + 1 === text.length) fail(`${text.slice(from)}: backslash at end of argument`);
      token += text.charAt(at + 1);
      at += 2;
      continue;
    }
    if (!quoted && isDelimiter(c)) break;
    token += c;
    if (c === '"') quoted = !quoted;
    at++;
  }
  if (quoted) fail(`${text.slice(from)}: quoted string extends past end of argument`);
  return { token, end: at };
}

export interface ColumnReference {
  readonly column: ColumnEntry;
  readonly key: string | undefined;
}

/** `COLUMN[:KEY]`, and the place after it. */
function columnAndKey(table: TableEntry, text: string): ColumnReference & { readonly end: number } {
  const name = nextToken(text, 0);
  if (name.token === "") fail(`${text}: missing column name`);
  const column = findColumn(table, name.token);
  if (text.charAt(name.end) !== ":") return { column, key: undefined, end: name.end };
  const key = nextToken(text, name.end + 1);
  return { column, key: key.token, end: key.end };
}

export function parseColumnKey(table: TableEntry, text: string): ColumnReference {
  const { end, ...reference } = columnAndKey(table, text);
  if (end < text.length) fail(`${text}: trailing garbage "${text.slice(end)}" in argument`);
  return reference;
}

export interface Assignment extends ColumnReference {
  readonly operator: string;
  readonly value: string;
}

/** `COLUMN[:KEY]` OPERATOR `VALUE`. The longest operator that fits is meant. */
export function parseAssignment(table: TableEntry, text: string, operators: readonly string[] = ["="]): Assignment {
  const { end, ...reference } = columnAndKey(table, text);
  const rest = text.slice(end);
  const [operator] = operators.filter((o) => rest.startsWith(o) && rest.length > o.length).sort((a, b) => b.length - a.length);
  if (operator === undefined) {
    const quoted = operators.map((o) => `"${o}"`);
    const list = quoted.length > 2 ? `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}` : quoted.join(" or ");
    throw new CommandError(`${text}: argument does not end in ${list} followed by a value.`);
  }
  return { ...reference, operator, value: rest.slice(operator.length) };
}
