/** Rows of the northbound database by name or UUID, as the specific commands take them. */
import { isUuid, type RowOf } from "../../ovsdb/index.ts";
import { northbound } from "../../schemas/index.ts";
import type { Context } from "../command.ts";
import { fail } from "../command-error.ts";

export type Nb = typeof northbound;
export type NbContext = Context<Nb>;
export type NbRow<N extends keyof Nb["tables"] & string> = RowOf<Nb, N>;

/** Tables whose rows have a name, with the words of complaints; `plural` where names may repeat. */
const named = {
  Logical_Switch: { noun: "switch", plural: "logical switches" },
  Logical_Router: { noun: "router", plural: "logical routers" },
  Load_Balancer: { noun: "load balancer", plural: "load balancers" },
  Address_Set: { noun: "Address Set", plural: "Address Sets" },
  Logical_Switch_Port: { noun: "port", plural: undefined },
  Logical_Router_Port: { noun: "port", plural: undefined },
  Port_Group: { noun: "port group", plural: undefined },
  Mirror: { noun: "mirror", plural: undefined },
  Network_Function_Group: { noun: "network function group", plural: undefined },
  Network_Function: { noun: "network function", plural: undefined },
  HA_Chassis_Group: { noun: "ha_chassis_group", plural: undefined },
} as const;

export type NamedTable = keyof typeof named;

export function findNamed<N extends NamedTable>({ db }: NbContext, table: N, given: string): NbRow<N> | undefined {
  const byUuid = isUuid(given) ? db.row(table, given.toLowerCase()) : undefined;
  if (byUuid !== undefined) return byUuid;
  const rows = db.rowsHolding<NamedTable>(table, "name", given);
  const { plural } = named[table];
  if (rows.length > 1 && plural !== undefined) fail(`Multiple ${plural} named '${given}'.  Use a UUID.`);
  return db.row(table, rows[0]?._uuid);
}

export function getNamed<N extends NamedTable>(context: NbContext, table: N, given: string): NbRow<N> {
  return findNamed(context, table, given) ?? fail(`${given}: ${named[table].noun} ${isUuid(given) ? "UUID" : "name"} not found`);
}

/** getNamed, or nothing with --if-exists. */
export function getUnlessIfExists<N extends NamedTable>(context: NbContext, table: N, given: string): NbRow<N> | undefined {
  return context.options.has("--if-exists") ? findNamed(context, table, given) : getNamed(context, table, given);
}

/** `UUID (NAME)` for each, by name. */
export function uuidsAndNames(rows: readonly { readonly _uuid: string; readonly name: string }[]): string {
  const sorted = [...rows].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return sorted.map((row) => `${row._uuid} (${row.name})\n`).join("");
}

/** `KEY=VALUE` words as a map; words without `=` are ignored, as C does. */
export function keyValues(words: readonly string[]): ReadonlyMap<string, string> {
  const pairs = words.filter((w) => w.includes("=")).map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)] as const);
  return new Map(pairs);
}

/** `KEY=VALUE` lines, by key. */
export const printMap = (map: ReadonlyMap<string, string>): string => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${v}\n`).join("");

export function parseEnabled(state: string): boolean {
  const folded = state.toLowerCase();
  if (folded === "enabled" || folded === "disabled") return folded === "enabled";
  return fail(`${state}: state must be "enabled" or "disabled"`);
}

/** A number at the beginning of a text, as scanf reads one: what follows it is not looked at. */
export const leadingInteger = (text: string): number => (/^\s*[+-]?\d/.test(text) ? Number.parseInt(text, 10) : Number.NaN);

/** Of ACLs, policies, mirrors and gateways. */
export function parsePriority(text: string): number {
  const priority = leadingInteger(text);
  return priority >= 0 && priority <= 32767 ? priority : fail(`${text}: priority must in range 0...32767`);
}

/** The first letter is enough. */
export function parseDirection(text: string): "from-lport" | "to-lport" {
  if (text.startsWith("t")) return "to-lport";
  return text.startsWith("f") ? "from-lport" : fail(`${text}: direction must be "to-lport" or "from-lport"`);
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
