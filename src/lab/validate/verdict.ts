/** What became of the claims, for a reader: a table of all, then what is wrong with those that fail. */
import { textTable } from "../text-table.ts";
import type { ValidateStep } from "../topology/validate.ts";
import { pingLine, type StepResult } from "./run-step.ts";

/** Longer lines of a command are cut: the file has them. */
const checkWidth = 48;

export function verdictText(results: readonly StepResult[], fileName: string): string {
  const rows = results.map(({ step, complaint, tookMs }, i) => [String(i + 1), complaint === undefined ? "holds" : "FAILS", `${(tookMs / 1000).toFixed(1)} s`, step.claim, checkOf(step)]);
  const failed = results.flatMap((r, i) => (r.complaint === undefined ? [] : [{ ...r, number: i + 1, complaint: r.complaint }]));
  const details = failed.map(({ number, step, complaint }) => `\n${number}. ${step.claim} (${fileName}:${step.line})\n  ${complaint}\n`);
  const sum = failed.length === 0 ? `all ${results.length} claims hold` : `${failed.length} of ${results.length} claims fail`;
  return `${textTable(["#", "RESULT", "TIME", "CLAIM", "CHECK"], rows)}${details.join("")}\n${sum}\n`;
}

/** What was done to find out, in a few words. */
function checkOf(step: ValidateStep): string {
  const acts = [...step.kill.map((place) => `kill ${place}`), ...step.restart.map((place) => `restart ${place}`)];
  const line = step.ping !== undefined ? `${step.ping.from}: ${pingLine(step.ping)}` : step.run === undefined ? undefined : `${step.on ?? ""}: ${(step.run.trim().split("\n")[0] ?? "").replace(/\s+/g, " ")}`;
  const seen = step.captures.map((c) => `capture ${c.on} ${c.port}`);
  const text = [...(line === undefined ? [] : [line]), ...acts, ...seen].join("; ");
  return text.length > checkWidth ? `${text.slice(0, checkWidth - 3)}...` : text;
}
