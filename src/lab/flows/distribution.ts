/** The distribution of logical flows as text: a table, or the lines that `grep -c` in a loop and `sort -g` give. */
import { textTable } from "../text-table.ts";
import { type StageCount, totalOf } from "./stage-counts.ts";

const share = (flows: number, total: number): string => `${((100 * flows) / Math.max(1, total)).toFixed(2)}%`;

/** `top` 0: all. */
export function distributionTable(counts: readonly StageCount[], top: number): string {
  const total = totalOf(counts);
  const shown = top > 0 ? counts.slice(0, top) : counts;
  const rows = shown.map(({ stage, flows }) => ({ flows: String(flows), share: share(flows, total), stage }));
  const width = (key: "flows" | "share", title: string): number => Math.max(title.length, ...rows.map((row) => row[key].length));
  const [flowsWidth, shareWidth] = [width("flows", String(total).padStart("FLOWS".length)), width("share", "SHARE")];
  const left = shown.length < counts.length ? `, ${counts.length - shown.length} more not shown` : "";
  return textTable(
    ["FLOWS".padStart(flowsWidth), "SHARE".padStart(shareWidth), "STAGE"],
    [...rows.map((row) => [row.flows.padStart(flowsWidth), row.share.padStart(shareWidth), row.stage]), [String(total).padStart(flowsWidth), "".padStart(shareWidth), `in ${counts.length} stages${left}`]],
  );
}

/** `lr_out_egr_loop: 423414  62.24%` */
export function distributionLines(counts: readonly StageCount[], top: number): string {
  const total = totalOf(counts);
  return (top > 0 ? counts.slice(0, top) : counts).map(({ stage, flows }) => `${stage}: ${flows}  ${share(flows, total)}\n`).join("");
}
