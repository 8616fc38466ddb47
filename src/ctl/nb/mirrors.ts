/** Copies of a port's traffic: mirror-*, mirror-rule-*, lsp-attach-mirror, lsp-detach-mirror. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, findNamed, getNamed, type Nb, type NbContext, type NbRow, parsePriority } from "./find.ts";
import { normalizeAddress } from "./routes.ts";

type Rule = NbRow<"Mirror_Rule">;
const ruleReads = ["Mirror:name,mirror_rules", "Mirror_Rule"];
const portReads = ["Logical_Switch_Port:name,mirror_rules", "Mirror:name"];

export const mirrorCommands: readonly Command<Nb>[] = commands<Nb>("Mirrors", [
  {
    name: "mirror-add", usage: "NAME TYPE INDEX FILTER SINK", minArgs: 4, maxArgs: 5, options: "--may-exist", help: "say where copies go", writes: true,
    reads: ["Mirror", "Logical_Switch_Port:name"], run: add,
  },
  {
    name: "mirror-del", usage: "[NAME]", minArgs: 0, maxArgs: 1, options: "", help: "delete a mirror, or all", writes: true, reads: ["Mirror:name"],
    run(context) {
      const [name] = context.args;
      for (const row of context.db.rows("Mirror")) if (name === undefined || row.name === name) context.db.delete(row);
    },
  },
  { name: "mirror-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print all mirrors", writes: false, reads: ["Mirror", "Mirror_Rule"], run: list },
  {
    name: "mirror-rule-add", usage: "MIRROR-NAME PRIORITY MATCH ACTION", minArgs: 4, maxArgs: 4, options: "", help: "say what is copied and what skipped",
    writes: true, reads: ruleReads, run: addRule,
  },
  {
    name: "mirror-rule-del", usage: "MIRROR-NAME [PRIORITY MATCH]", minArgs: 1, maxArgs: 3, options: "", help: "delete a mirror's rules", writes: true, reads: ruleReads,
    run: removeRules,
  },
  {
    name: "lsp-attach-mirror", usage: "PORT MIRROR", minArgs: 2, maxArgs: 2, options: "--may-exist", help: "copy a port's traffic", writes: true, reads: portReads,
    run(context) {
      const { port, mirror } = portAndMirror(context);
      if (!port.mirror_rules.has(mirror._uuid)) context.db.add(port, "mirror_rules", mirror._uuid);
      else if (!context.options.has("--may-exist")) fail(`mirror ${mirror.name} is already attached to the logical port ${argument(context, 0)}.`);
    },
  },
  {
    name: "lsp-detach-mirror", usage: "PORT MIRROR", minArgs: 2, maxArgs: 2, options: "", help: "copy a port's traffic no longer", writes: true, reads: portReads,
    run(context) {
      const { port, mirror } = portAndMirror(context);
      context.db.remove(port, "mirror_rules", mirror._uuid);
    },
  },
]);

function portAndMirror(context: NbContext): { readonly port: NbRow<"Logical_Switch_Port">; readonly mirror: NbRow<"Mirror"> } {
  return { port: getNamed(context, "Logical_Switch_Port", argument(context, 0)), mirror: getNamed(context, "Mirror", argument(context, 1)) };
}

/** The first letter is enough. */
function parseFilter(text: string): "to-lport" | "from-lport" | "both" {
  if (text.startsWith("t")) return "to-lport";
  if (text.startsWith("f")) return "from-lport";
  return text.startsWith("b") ? "both" : fail(`${text}: selection must be "to-lport", "from-lport", or "both"`);
}

function add(context: NbContext): void {
  const { db } = context;
  const [name = "", typeText = "", ...words] = context.args;
  if (db.rows("Mirror").some((row) => row.name === name)) fail(`Mirror with ${name} name already exists.`);
  const type = (["gre", "erspan", "local", "lport"] as const).find((t) => t === typeText) ??
    fail(`${typeText}: type must be "gre", "erspan", or "local" or "lport"`);
  const tunnelled = type === "gre" || type === "erspan";
  const indexText = tunnelled ? (words.shift() ?? "") : undefined;
  if (indexText !== undefined && !/^[+-]?\d+$/.test(indexText)) fail("Invalid Index");
  const filter = parseFilter(words.shift() ?? "");
  const sink = words.shift() ?? "";
  if (tunnelled && normalizeAddress(sink) === undefined) fail(`Invalid sink ip: ${sink}`);
  if (type === "lport" && findNamed(context, "Logical_Switch_Port", sink) === undefined) {
    context.warn(`Attaching target to non existing port with name ${sink}.`);
  }
  db.insert("Mirror", { name, index: indexText === undefined ? -1 : Number(indexText), filter, type, sink });
}

function compareRules(a: Rule, b: Rule): number {
  return a.priority - b.priority || compareText(a.match, b.match) || compareText(a.action, b.action);
}

function list(context: NbContext): void {
  const { db } = context;
  for (const row of db.rows("Mirror")) {
    const tunnelled = row.type !== "local" && row.type !== "lport";
    const rules = [...db.those("Mirror_Rule", row.mirror_rules)].sort(compareRules);
    const lines = rules.map((r) => `       ${String(r.priority).padStart(5)} ${r.match.padStart(30)} ${r.action.padStart(15)}\n`);
    context.output +=
      `${row.name}:\n  Type     :  ${row.type}\n  Sink     :  ${row.sink}\n  Filter   :  ${row.filter}\n` +
      (tunnelled ? `  Index/Key:  ${row.index}\n` : "") +
      (lines.length > 0 ? `  Rules    :\n${lines.join("")}` : "") +
      "\n";
  }
}

function addRule(context: NbContext): void {
  const { db } = context;
  const [mirrorName = "", priorityText = "", match = "", actionText = ""] = context.args;
  const mirror = getNamed(context, "Mirror", mirrorName);
  const priority = parsePriority(priorityText);
  const action = (["mirror", "skip"] as const).find((a) => a === actionText) ?? fail(`${actionText}: action must be one of "mirror", "skip"`);
  const row = db.insert("Mirror_Rule", { match, action, priority });
  if (db.those("Mirror_Rule", mirror.mirror_rules).some((other) => compareRules(other, row) === 0)) {
    fail(`Same mirror-rule already exists on the mirror ${mirrorName}.`);
  }
  db.add(mirror, "mirror_rules", row._uuid);
}

function removeRules(context: NbContext): void {
  const { db } = context;
  const [mirrorName = "", priorityText, match] = context.args;
  const mirror = getNamed(context, "Mirror", mirrorName);
  const rules = db.those("Mirror_Rule", mirror.mirror_rules);
  const priority = priorityText === undefined ? undefined : parsePriority(priorityText);
  const matching = rules.filter((row) => (priority === undefined || row.priority === priority) && (match === undefined || row.match === match));
  // A priority alone names one rule.
  const gone = priority !== undefined && match === undefined ? matching.slice(0, 1) : matching;
  db.remove(mirror, "mirror_rules", ...gone.map((row) => row._uuid));
}
