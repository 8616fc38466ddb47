/** ovs-ofctl's command for the switch's tables. */
import { of15, type TableStats } from "../../openflow/index.ts";
import { askFor, type Invocation, type OfCommand, replyHeader } from "./of-command.ts";
import type { SwitchLink } from "./switch-link.ts";

export const tableCommands: readonly (readonly [string, OfCommand])[] = [
  ["dump-tables", { usage: "SWITCH", help: "print how full and how used the tables are", minArgs: 1, maxArgs: 1, speaks: of15, run: dumpTables }],
];

async function dumpTables({ place }: Invocation, link: SwitchLink): Promise<void> {
  const { parts, xid, version } = await askFor(link, { kind: "table_stats_request" }, "table_stats_reply");
  place.out(`${replyHeader("TABLE", xid, version)}\n${runs(parts.flatMap((p) => p.tables)).map(formatRun).join("\n")}`);
}

/** Tables that follow each other with the same figures. */
function runs(tables: readonly TableStats[]): TableStats[][] {
  const found: TableStats[][] = [];
  for (const table of tables) {
    const last = found.at(-1);
    const first = last?.[0];
    if (last !== undefined && first?.active === table.active && first.lookups === table.lookups && first.matched === table.matched) last.push(table);
    else found.push([table]);
  }
  return found;
}

function formatRun([first, second, ...rest]: readonly TableStats[]): string {
  if (first === undefined) return "";
  const text = `  table ${first.table}:\n    active=${first.active}, lookup=${first.lookups}, matched=${first.matched}\n`;
  if (second === undefined) return text;
  const last = rest.at(-1);
  return `${text}\n  ${last === undefined ? `table ${second.table}` : `tables ${second.table}...${last.table}`}: ditto\n`;
}
