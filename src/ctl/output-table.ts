/** How the ctl programs are asked for a format. The formats themselves belong to whoever prints values: see the room `ovsdb`. */
import type { TableStyle } from "../ovsdb/index.ts";
import { fail } from "./command-error.ts";

export { type Cell, defaultStyle, type OutputTable, printTable, type TableStyle } from "../ovsdb/index.ts";

export function parseFormat(text: string): TableStyle["format"] {
  if (text === "table" || text === "list" || text === "html" || text === "csv" || text === "json") return text;
  return fail(`unknown output format "${text}"`);
}

export function parseData(text: string): TableStyle["data"] {
  if (text === "string" || text === "bare" || text === "json") return text;
  return fail(`unknown data format "${text}"`);
}
