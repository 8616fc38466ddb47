/** Middle boxes that traffic is sent through: nf-*, nfg-*. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, getNamed, getUnlessIfExists, leadingInteger, type Nb, type NbContext, type NbRow } from "./find.ts";

type Box = NbRow<"Network_Function">;
const reads = ["Network_Function", "Network_Function_Group", "Logical_Switch_Port:name"];

export const networkFunctionGroupCommands: readonly Command<Nb>[] = commands<Nb>("Network function groups", [
  {
    name: "nfg-add", usage: "NETWORK-FUNCTION-GROUP ID MODE [NETWORK-FUNCTION]...", minArgs: 3, maxArgs: Infinity, options: "--may-exist", help: "create a group",
    writes: true, reads, run: addGroup,
  },
  {
    name: "nfg-del", usage: "NETWORK-FUNCTION-GROUP", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a group", writes: true, reads,
    run(context) {
      const group = getUnlessIfExists(context, "Network_Function_Group", argument(context, 0));
      if (group !== undefined) context.db.delete(group);
    },
  },
  {
    name: "nfg-list", usage: "[NETWORK-FUNCTION-GROUP]", minArgs: 0, maxArgs: 1, options: "", help: "print all groups", writes: false, reads,
    run(context) {
      const rows = [...context.db.rows("Network_Function_Group")].sort((a, b) => compareText(a.name, b.name));
      context.output = rows.map((row) => `${row._uuid} (${row.name}) mode:${row.mode ?? "inline"}\n`).join("");
    },
  },
  {
    name: "nfg-add-nf", usage: "NETWORK-FUNCTION-GROUP NETWORK-FUNCTION", minArgs: 2, maxArgs: 2, options: "--may-exist", help: "add a network function to a group",
    writes: true, reads,
    run(context) {
      const { db } = context;
      const [groupName = "", name = ""] = context.args;
      const group = getNamed(context, "Network_Function_Group", groupName);
      const box = getNamed(context, "Network_Function", name);
      checkMode(box, group.mode ?? "inline");
      db.verify(group, "network_function");
      if (!group.network_function.has(box._uuid)) db.add(group, "network_function", box._uuid);
      else if (!context.options.has("--may-exist")) fail(`network-function ${name} is already added to network-function-group ${groupName}`);
    },
  },
  {
    name: "nfg-del-nf", usage: "NETWORK-FUNCTION-GROUP NETWORK-FUNCTION", minArgs: 2, maxArgs: 2, options: "--if-exists",
    help: "take a network function out of a group", writes: true, reads,
    run(context) {
      const { db } = context;
      const group = getUnlessIfExists(context, "Network_Function_Group", argument(context, 0));
      if (group === undefined) return;
      const box = getUnlessIfExists(context, "Network_Function", argument(context, 1));
      if (box !== undefined && group.network_function.has(box._uuid)) {
        db.verify(group, "network_function");
        db.remove(group, "network_function", box._uuid);
      } else if (!context.options.has("--if-exists")) fail(`network-function ${argument(context, 0)} is not part of any group`);
    },
  },
]);

export const networkFunctionCommands: readonly Command<Nb>[] = commands<Nb>("Network functions", [
  {
    name: "nf-add", usage: "NETWORK-FUNCTION ID PORT-IN [PORT-OUT]", minArgs: 3, maxArgs: 4, options: "--may-exist", help: "create a network function", writes: true,
    reads, run: addFunction,
  },
  {
    name: "nf-del", usage: "NETWORK-FUNCTION", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a network function", writes: true, reads,
    run(context) {
      const box = getUnlessIfExists(context, "Network_Function", argument(context, 0));
      if (box !== undefined) context.db.delete(box);
    },
  },
  {
    name: "nf-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print all network functions", writes: false, reads,
    run(context) {
      const { db } = context;
      const portName = (uuid: string | undefined): string => db.row("Logical_Switch_Port", uuid)?.name ?? "<not_set>";
      const rows = [...db.rows("Network_Function")].sort((a, b) => compareText(a.name, b.name));
      context.output = rows.map((row) => `${row._uuid} (${row.name}) id:${row.id} in:${portName(row.inport)} out:${portName(row.outport)}\n`).join("");
    },
  },
]);

function checkMode(box: Box, mode: string): void {
  if (mode === "vtap" && box.outport !== undefined) fail(`network-function ${box.name} has outport set; outport must not be set for vtap mode network functions`);
  if (mode !== "vtap" && box.outport === undefined) fail(`network-function ${box.name} has no outport set; outport is required for inline mode network functions`);
}

function parseId(text: string, what: string): number {
  const id = leadingInteger(text);
  return id >= 1 && id <= 255 ? id : fail(`${what} id must be between 1 and 255`);
}

function addGroup(context: NbContext): void {
  const { db } = context;
  const [name = "", idText = "", modeText = "", ...names] = context.args;
  const existing = db.rows("Network_Function_Group").find((row) => row.name === name);
  if (existing !== undefined && !context.options.has("--may-exist")) fail(`${name}: a network-function-group with this name already exists`);
  const group = existing ?? db.insert("Network_Function_Group", { name });
  const id = parseId(idText, "network-function-group");
  const mode = (["inline", "vtap"] as const).find((m) => m === modeText) ??
    fail(`Unsupported mode provided for network-function-group:${name}, supported values: inline, vtap`);
  db.update(group, { id, mode });
  if (names.length === 0) return;
  const boxes = names.map((boxName) => {
    const box = getNamed(context, "Network_Function", boxName);
    checkMode(box, mode);
    return box._uuid;
  });
  db.verify(group, "network_function");
  db.update(group, { network_function: new Set(boxes) });
}

function addFunction(context: NbContext): void {
  const { db } = context;
  const [name = "", idText = "", inName = "", outName] = context.args;
  const inport = getNamed(context, "Logical_Switch_Port", inName);
  const outport = outName === undefined ? undefined : getNamed(context, "Logical_Switch_Port", outName);
  const id = parseId(idText, "network-function");
  const existing = db.rows("Network_Function").find((row) => row.name === name);
  if (existing !== undefined && !context.options.has("--may-exist")) fail(`${name}: same name network-function already exists`);
  const box = existing ?? db.insert("Network_Function", { name });
  db.update(box, { id, inport: inport._uuid, outport: outport?._uuid });
}
