/** Tables of results in the five formats that the command-line programs share (ovs-vsctl(8), "Table Formatting Options"). */
import type { Datum } from "./value/datum.ts";
import { datumToJson } from "./value/datum-json.ts";
import { bareDatum, printDatum } from "./value/datum-text.ts";
import { type Json, type JsonObject, printJsonPretty, printJsonSorted } from "./json/json.ts";
import type { ColumnType } from "./schema/schema.ts";

export interface TableStyle {
  readonly format: "table" | "list" | "html" | "csv" | "json";
  readonly data: "string" | "bare" | "json";
  readonly headings: boolean;
  readonly pretty: boolean;
  /** 0: unlimited. */
  readonly maxColumnWidth: number;
}

export const defaultStyle: TableStyle = { format: "list", data: "string", headings: true, pretty: false, maxColumnWidth: 0 };

/** A value of the database, JSON, or plain text. */
export type Cell =
  | { readonly datum: Datum; readonly type: ColumnType }
  | { readonly json: Json }
  | { readonly text: string };

export interface OutputTable {
  readonly caption?: string;
  /** When it was made, for tables that follow one another. */
  readonly timestamp?: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** `isFirst`: no other table was printed before; formats for people put an empty line between tables. */
export function printTable(table: OutputTable, style: TableStyle, isFirst: boolean): string {
  const head = (table.timestamp === undefined ? "" : `${table.timestamp}\n`) + (table.caption === undefined ? "" : `${table.caption}\n`);
  const gap = (isFirst ? "" : "\n") + head;
  switch (style.format) {
    case "table":
      return gap + printColumns(table, style);
    case "list":
      return gap + printList(table, style);
    case "csv":
      return gap + printCsv(table, style);
    case "html":
      return printHtml(table, style);
    case "json":
      return printJsonTable(table, style);
  }
}

function cellText(cell: Cell, style: TableStyle): string {
  if ("text" in cell) return cell.text;
  if ("json" in cell) return printJsonSorted(cell.json);
  const { datum, type } = cell;
  if (style.data === "json") return printJsonSorted(datumToJson(datum, type));
  return style.data === "bare" ? bareDatum(datum, type) : printDatum(datum, type);
}

const texts = (table: OutputTable, style: TableStyle): readonly (readonly string[])[] =>
  table.rows.map((row) => row.map((cell) => cellText(cell, style)));

const byteLength = (text: string): number => Buffer.byteLength(text);

function printColumns(table: OutputTable, style: TableStyle): string {
  const rows = texts(table, style);
  const widths = table.headings.map((heading, x) => {
    const widest = Math.max(0, ...rows.map((row) => byteLength(row[x] ?? "")));
    const limited = style.maxColumnWidth > 0 ? Math.min(widest, style.maxColumnWidth) : widest;
    return style.headings ? Math.max(limited, heading.length) : limited;
  });
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((text, x) => {
      const width = widths[x] ?? 0;
      const cut = byteLength(text) > width ? Buffer.from(text).subarray(0, width).toString() : text;
      return cut + " ".repeat(Math.max(0, width - byteLength(cut)));
    });
    return `${padded.join(" ").replace(/ +$/, "")}\n`;
  };
  const head = style.headings ? line(table.headings) + line(widths.map((w) => "-".repeat(w))) : "";
  return head + rows.map(line).join("");
}

function printList(table: OutputTable, style: TableStyle): string {
  const paragraphs = texts(table, style).map((row) =>
    row.map((text, x) => (style.headings ? `${(table.headings[x] ?? "").padEnd(20)}: ${text}\n` : `${text}\n`)).join(""),
  );
  return paragraphs.join("\n");
}

const csvCell = (text: string): string => (/[\n",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function printCsv(table: OutputTable, style: TableStyle): string {
  const line = (cells: readonly string[]): string => `${cells.map(csvCell).join(",")}\n`;
  return (style.headings ? line(table.headings) : "") + texts(table, style).map(line).join("");
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c] ?? "&quot;");
const uuidPattern = /[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/g;

function htmlCell(element: string, text: string): string {
  let html = "";
  let at = 0;
  for (const match of text.matchAll(uuidPattern)) {
    html += `${escapeHtml(text.slice(at, match.index))}<a href="#${match[0]}">${match[0].slice(0, 8)}</a>`;
    at = match.index + match[0].length;
  }
  return `    <${element}>${html}${escapeHtml(text.slice(at))}</${element}>\n`;
}

function printHtml(table: OutputTable, style: TableStyle): string {
  const rows = texts(table, style).map((row) => {
    const cells = row.map((text, x) =>
      table.headings[x] === "_uuid" ? `    <td><a name="${escapeHtml(text)}">${escapeHtml(text.slice(0, 8))}</a></td>\n` : htmlCell("td", text),
    );
    return `  <tr>\n${cells.join("")}  </tr>\n`;
  });
  const head = style.headings ? `  <tr>\n${table.headings.map((h) => htmlCell("th", h)).join("")}  </tr>\n` : "";
  const caption = table.caption === undefined ? "" : htmlCell("caption", table.caption);
  const time = table.timestamp === undefined ? "" : `${table.timestamp}\n`;
  return `${time}<table border=1>\n${caption}${head}${rows.join("")}</table>\n`;
}

const cellJson = (cell: Cell): Json => ("text" in cell ? cell.text : "json" in cell ? cell.json : datumToJson(cell.datum, cell.type));

function printJsonTable(table: OutputTable, style: TableStyle): string {
  const data = table.rows.map((row): Json => row.map(cellJson));
  const { caption, timestamp, headings } = table;
  const json: JsonObject = {
    ...(caption === undefined ? {} : { caption }), ...(timestamp === undefined ? {} : { time: timestamp }), headings, data,
  };
  return `${style.pretty ? printJsonPretty(json) : printJsonSorted(json)}\n`;
}
