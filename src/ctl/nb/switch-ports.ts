/** Logical switch ports, as they are made, listed and removed: lsp-add, lsp-del, lsp-list, lsp-get-ls and the shortcuts. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findNamed, getNamed, getUnlessIfExists, type Nb, type NbContext, type NbRow, uuidsAndNames } from "./find.ts";

const reads = ["Logical_Switch:name,ports", "Logical_Switch_Port:name,parent_name,tag_request"];

export const switchPortCommands: readonly Command<Nb>[] = commands<Nb>("Logical switch ports", [
  {
    name: "lsp-add", usage: "SWITCH PORT [PARENT] [TAG]", minArgs: 2, maxArgs: 4, options: "--may-exist",
    help: "add a port, or a port nested in PARENT with TAG", writes: true, reads, run: add,
  },
  {
    name: "lsp-del", usage: "PORT", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a port", writes: true, reads,
    run(context) {
      const port = getUnlessIfExists(context, "Logical_Switch_Port", argument(context, 0));
      if (port === undefined) return;
      context.db.remove(switchOf(context, port), "ports", port._uuid);
      context.db.delete(port);
    },
  },
  {
    name: "lsp-list", usage: "SWITCH", minArgs: 1, maxArgs: 1, options: "", help: "print the names of a switch's ports", writes: false, reads,
    run(context) {
      const row = getNamed(context, "Logical_Switch", argument(context, 0));
      context.output = uuidsAndNames(context.db.those("Logical_Switch_Port", row.ports));
    },
  },
  {
    name: "lsp-get-ls", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print the switch that a port belongs to", writes: false, reads,
    run(context) {
      const port = getNamed(context, "Logical_Switch_Port", argument(context, 0));
      const owners = context.db.rows("Logical_Switch").filter((row) => row.ports.has(port._uuid));
      context.output = owners.map((row) => `${row._uuid} (${row.name})\n`).join("");
    },
  },
  {
    name: "lsp-add-router-port", usage: "SWITCH PORT PEER", minArgs: 3, maxArgs: 3, options: "--may-exist",
    help: "add a port that is connected to the router port PEER", writes: true,
    reads: ["Logical_Switch:name,ports", "Logical_Switch_Port:name,type,addresses,options"],
    run: (context) => addConnected(context, { type: "router", address: "router", option: "router-port" }),
  },
  {
    name: "lsp-add-localnet-port", usage: "SWITCH PORT NETWORK", minArgs: 3, maxArgs: 3, options: "--may-exist",
    help: "add a port that is connected to the physical NETWORK", writes: true,
    reads: ["Logical_Switch:name,ports", "Logical_Switch_Port:name,type,addresses,options"],
    run: (context) => addConnected(context, { type: "localnet", address: "unknown", option: "network_name" }),
  },
]);

/** The switch that has the port among its own. */
export function switchOf({ db }: NbContext, port: NbRow<"Logical_Switch_Port">): NbRow<"Logical_Switch"> {
  return db.rowsHolding("Logical_Switch", "ports", port._uuid)[0] ?? fail(`logical port ${port.name} is not part of any logical switch`);
}

const nameOf = (row: NbRow<"Logical_Switch">): string => (row.name === "" ? row._uuid : row.name);

function add(context: NbContext): void {
  const { db } = context;
  const [given = "", name = "", parent, tagText] = context.args;
  const owner = getNamed(context, "Logical_Switch", given);
  if (parent !== undefined && tagText === undefined) fail("lsp-add with parent must also specify a tag");
  const tag = tagText === undefined ? undefined : Number.parseInt(tagText, 10);
  if (tag !== undefined && !(tag >= 0 && tag <= 4095)) fail(`${tagText}: invalid tag (must be in range 0 to 4095)`);
  const existing = findNamed(context, "Logical_Switch_Port", name);
  if (existing !== undefined) {
    checkExisting(context, existing, owner, name, parent, tag);
    return;
  }
  const port = db.insert("Logical_Switch_Port", { name, ...(tag === undefined ? {} : { parent_name: parent, tag_request: tag }) });
  db.add(owner, "ports", port._uuid);
}

function checkExisting(
  context: NbContext, port: NbRow<"Logical_Switch_Port">, owner: NbRow<"Logical_Switch">, name: string, parent: string | undefined, tag: number | undefined,
): void {
  if (!context.options.has("--may-exist")) fail(`${name}: a port with this name already exists`);
  const actual = switchOf(context, port);
  if (actual._uuid !== owner._uuid) fail(`${name}: port already exists but in switch ${nameOf(actual)}`);
  if (parent === undefined) {
    if (port.parent_name !== undefined) fail(`${name}: port already exists but has parent ${port.parent_name}`);
    return;
  }
  if (port.parent_name === undefined) fail(`${name}: port already exists but has no parent`);
  if (port.parent_name !== parent) fail(`${name}: port already exists with different parent ${port.parent_name}`);
  if (port.tag_request === undefined) fail(`${name}: port already exists but has no tag_request`);
  if (port.tag_request !== tag) fail(`${name}: port already exists with different tag_request ${port.tag_request}`);
}

interface Connected {
  readonly type: string;
  readonly address: string;
  readonly option: string;
}

function addConnected(context: NbContext, { type, address, option }: Connected): void {
  const { db, options } = context;
  const [given = "", name = "", target = ""] = context.args;
  const owner = getNamed(context, "Logical_Switch", given);
  const existing = findNamed(context, "Logical_Switch_Port", name);
  if (existing === undefined) {
    const port = db.insert("Logical_Switch_Port", { name, type, addresses: [address], options: { [option]: target } });
    db.add(owner, "ports", port._uuid);
    return;
  }
  if (!options.has("--may-exist")) fail(`${name}: a port with this name already exists`);
  const actual = switchOf(context, existing);
  if (actual._uuid !== owner._uuid) fail(`${name}: a port already exists but in switch ${nameOf(actual)}`);
  if (existing.type !== type) fail(`${name}: a port already exists but with different type "${existing.type}"`);
  const other = existing.options.get(option) ?? "";
  if (other !== target) fail(`${name}: a port already exists but with different ${option} "${other}"`);
}
