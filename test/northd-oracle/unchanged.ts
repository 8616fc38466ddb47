/**
 * Databases row by row, UUIDs included: a northd that starts anew, or takes over from another, leaves them as they are. What it
 * counts and when (`nb_cfg` and its kin) is left out.
 */
import { northbound, southbound } from "../../src/schemas/index.ts";
import type { DatabaseClient } from "./database-client.ts";
import type { Row } from "./normalize.ts";

/** Tables by name; rows by UUID. */
export type Rows = ReadonlyMap<string, ReadonlyMap<string, Row>>;

const counters = new Set(["_version", "nb_cfg", "sb_cfg", "hv_cfg", "nb_cfg_timestamp", "sb_cfg_timestamp", "hv_cfg_timestamp"]);
const databases = { OVN_Northbound: Object.keys(northbound.tables), OVN_Southbound: Object.keys(southbound.tables) };

/** `isLeftOut` says which flows are not looked at. */
export async function allRows(client: DatabaseClient, isLeftOut: (flow: Row) => boolean): Promise<Rows> {
  const result = new Map<string, ReadonlyMap<string, Row>>();
  for (const [database, tables] of Object.entries(databases)) {
    for (const [table, rows] of Object.entries(await client.dump(database, tables))) {
      const meant = table === "Logical_Flow" ? rows.filter((row) => !isLeftOut(row)) : rows;
      result.set(`${database}.${table}`, new Map(meant.map((row) => [String(row["_uuid"]), row])));
    }
  }
  return result;
}

/** One line for each row that came, went or has another value than before in a column that `mayChange` does not excuse. */
export function differences(before: Rows, after: Rows, mayChange: (column: string, row: Row) => boolean): readonly string[] {
  const lines: string[] = [];
  for (const [table, rows] of before) {
    const now = after.get(table);
    for (const [uuid, row] of rows) {
      const other = now?.get(uuid);
      if (other === undefined) lines.push(`${table}: gone: ${JSON.stringify(row)}`);
      else for (const column of changedColumns(row, other)) if (!mayChange(`${table}.${column}`, row)) lines.push(`${table} ${uuid}: ${column}: ${JSON.stringify(row[column])} is now ${JSON.stringify(other[column])}`);
    }
    for (const [uuid, row] of now ?? []) if (!rows.has(uuid)) lines.push(`${table}: new: ${JSON.stringify(row)}`);
  }
  return lines;
}

/** The source files of flows, the version that wrote them; and `up` of a port whose packets are copied: by turns its own and that of the copy's port. */
export function mayChangeAfterOvn(column: string, row: Row): boolean {
  switch (column) {
    case "OVN_Southbound.Logical_Flow.external_ids":
    case "OVN_Northbound.NB_Global.options":
    case "OVN_Southbound.SB_Global.options":
      return true;
    case "OVN_Northbound.Logical_Switch_Port.up":
      return JSON.stringify(row["mirror_rules"]) !== '["set",[]]';
    // VIPs stand in it in any order.
    case "OVN_Southbound.Port_Binding.nat_addresses":
      return true;
    default:
      return false;
  }
}

const changedColumns = (row: Row, other: Row): readonly string[] =>
  Object.keys(row).filter((column) => !counters.has(column) && JSON.stringify(row[column]) !== JSON.stringify(other[column]));
