/** Rows of the interconnection databases by name or UUID. */
import { isUuid, type RowOf } from "../../ovsdb/index.ts";
import { icNorthbound, icSouthbound } from "../../schemas/index.ts";
import type { Context } from "../command.ts";
import { fail } from "../command-error.ts";

export type IcNb = typeof icNorthbound;
export type IcSb = typeof icSouthbound;
export type IcNbContext = Context<IcNb>;
export type IcNbRow<N extends keyof IcNb["tables"] & string> = RowOf<IcNb, N>;

const nouns = {
  Transit_Switch: "switch",
  Transit_Switch_Port: "switch port",
  Transit_Router: "router",
  Transit_Router_Port: "router port",
} as const;
type Named = keyof typeof nouns;

export function findNamed<N extends Named>({ db }: IcNbContext, table: N, given: string): IcNbRow<N> | undefined {
  const byUuid = isUuid(given) ? db.row(table, given.toLowerCase()) : undefined;
  return byUuid ?? db.row(table, db.anyRows(table).find((row) => db.datum(row, "name").keys[0] === given)?._uuid);
}

export function getNamed<N extends Named>(context: IcNbContext, table: N, given: string): IcNbRow<N> {
  return findNamed(context, table, given) ?? fail(`${given}: ${nouns[table]} ${isUuid(given) ? "UUID" : "name"} not found`);
}

export function getUnlessIfExists<N extends Named>(context: IcNbContext, table: N, given: string): IcNbRow<N> | undefined {
  return context.options.has("--if-exists") ? findNamed(context, table, given) : getNamed(context, table, given);
}

/** `UUID (NAME)` for each, by name. */
export function uuidsAndNames(rows: readonly { readonly _uuid: string; readonly name: string }[]): string {
  const sorted = [...rows].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return sorted.map((row) => `${row._uuid} (${row.name})\n`).join("");
}
