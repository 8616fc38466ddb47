/** Changes to single entries of map columns, which leave the others to whoever else writes them. */
import type { Bridge, Interface, OpenVswitchTransaction } from "./rows.ts";

/** Sets or (undefined) removes entries of the row's external_ids. */
export function setEntries(txn: OpenVswitchTransaction, row: Bridge | Interface, entries: { readonly [key: string]: string | undefined }): void {
  const stale = Object.keys(entries).filter((key) => row.external_ids.has(key) && row.external_ids.get(key) !== entries[key]);
  const fresh = Object.entries(entries).flatMap(([key, value]) => (value === undefined || row.external_ids.get(key) === value ? [] : [[key, value] as const]));
  // An insertion never replaces a value.
  if (stale.length > 0) txn.mutate<"Bridge" | "Interface">(row, "external_ids", "delete", stale);
  if (fresh.length > 0) txn.mutate<"Bridge" | "Interface", "external_ids">(row, "external_ids", "insert", new Map(fresh));
}
