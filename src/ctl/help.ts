/** `--help` and `--commands`, made from the declarations. */
import type { Database } from "../ovsdb/index.ts";
import type { Command } from "./command.ts";
import type { CtlProgram } from "./ctl-program.ts";

export function helpText<D extends Database>(program: CtlProgram<D>, table: ReadonlyMap<string, Command<D>>, defaultRemote: string): string {
  const groups = new Map<string, string[]>();
  for (const command of table.values()) {
    if (command.help === undefined) continue;
    const group = command.group ?? "Commands";
    groups.set(group, [...(groups.get(group) ?? []), helpLine(command)]);
  }
  const sections = [...groups].map(([group, lines]) => `${group}:\n${lines.join("")}`);
  const waiting = program.waiting === undefined ? "" : waitingHelp(program.waiting.option === "flag", program.waiting.kinds);
  return `${program.name}: ${program.purpose}\n\nusage: ${program.name} [OPTION]... [COMMAND-OPTION]... COMMAND [ARG]... [-- ...]\n
Several commands, separated by --, are carried out as one transaction.\n
${sections.join("\n")}
Options:
  --db=DATABASE            the database's server (default: ${defaultRemote})
  --no-leader-only         any server of a cluster will do
  -t, --timeout=SECS       give up after so many seconds
  --dry-run                change nothing
  --oneline                each command's output on one line
${waiting}  -f, --format=FORMAT      table, list, csv, html or json
  -d, --data=FORMAT        string, bare or json
  --no-headings, --bare, --pretty, --max-column-width=N
  --commands, --options    what there is, for shells to complete
  -vSPEC, --log-file[=FILE], -h, --help, -V, --version
`;
}

const helpLine = (command: Pick<Command, "name" | "usage" | "options" | "help">): string => {
  const options = command.options.split(",").filter((o) => o !== "").map((o) => `[${o.replace("?", "[=X]").replace(/=$/, "=X")}] `).join("");
  return `  ${options}${command.name}${command.usage === "" ? "" : ` ${command.usage}`}\n      ${command.help ?? ""}\n`;
};

function waitingHelp(isFlag: boolean, kinds: readonly string[]): string {
  if (isFlag) return "  --no-wait                do not wait until the switch has the new configuration\n";
  return `  --wait=${kinds.join("|").padEnd(17)} how far changes must have come before this returns\n  --print-wait-time        say how long that took\n`;
}

/** A line for each command: its options, its name, and its arguments marked as needed (!), optional (?) or repeated (* or +). */
export function commandList<D extends Database>(table: ReadonlyMap<string, Command<D>>): string {
  const lines = [...table.values()].map(({ name, options, usage }) => {
    const given = options.split(",").filter((o) => o !== "").map((o) => `[${o}] `).join("");
    return `${given},${name},${markArguments(usage)}\n`;
  });
  return lines.join("");
}

function markArguments(usage: string): string {
  const words = usage.match(/\[[^\]]*(?:\[[^\]]*\][^\]]*)*\](?:\.\.\.)?|\{[^}]*\}|\S+/g) ?? [];
  return words.map((word) => {
    const repeated = word.endsWith("...");
    const bare = word.replace(/\.\.\.$/, "");
    const optional = /^\[.*\]$/.test(bare) && !/^\[[^\]]*\][^[]/.test(bare);
    const mark = optional ? (repeated ? "*" : "?") : repeated ? "+" : "!";
    return mark + (optional ? bare.slice(1, -1) : bare).replaceAll("[", "?").replaceAll("]", "");
  }).join(" ");
}
