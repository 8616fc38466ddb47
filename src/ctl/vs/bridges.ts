/** Bridges: add-br, del-br, list-br, br-*. */
import { argument, type Command, commands } from "../command.ts";
import { ExitWith, fail } from "../command-error.ts";
import { type BridgeEntry, Layout, layoutReads, sortedLines, switchRow, type Vs, type VsContext, type VsRow } from "./layout.ts";
import { deletePort } from "./ports.ts";

const idReads = [...layoutReads, "Bridge:external_ids", "Port:external_ids"];
const show = (print: (bridge: BridgeEntry) => string) => (context: VsContext): void => {
  context.output = `${print(new Layout(context).bridge(argument(context, 0)))}\n`;
};

export const bridgeCommands: readonly Command<Vs>[] = commands<Vs>("Bridges", [
  {
    name: "add-br", usage: "NEW-BRIDGE [PARENT] [NEW-VLAN]", minArgs: 1, maxArgs: 3, options: "--may-exist",
    help: "create a bridge, or a fake bridge for a VLAN of PARENT", writes: true, reads: layoutReads, run: add,
  },
  {
    name: "del-br", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a bridge and its ports",
    writes: true, reads: [...layoutReads, "Flow_Sample_Collector_Set:bridge"],
    run(context) {
      const layout = new Layout(context);
      const bridge = context.options.has("--if-exists") ? layout.findBridge(argument(context, 0)) : layout.bridge(argument(context, 0));
      if (bridge !== undefined) deleteBridge(context, layout, bridge);
    },
  },
  {
    name: "list-br", usage: "", minArgs: 0, maxArgs: 0, options: "--real,--fake", help: "print the names of all bridges", writes: false, reads: layoutReads,
    run(context) {
      const [real, fake] = [context.options.has("--real"), context.options.has("--fake")];
      const wanted = [...new Layout(context).bridges.values()].filter((b) => real === fake || (b.parent === undefined ? real : fake));
      context.output = sortedLines(wanted.map((b) => b.name));
    },
  },
  {
    name: "br-exists", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "exit with 2 if there is no such bridge", writes: false, reads: layoutReads,
    run(context) {
      if (new Layout(context).findBridge(argument(context, 0)) === undefined) throw new ExitWith(2);
    },
  },
  {
    name: "br-to-vlan", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print the VLAN of a fake bridge", writes: false, reads: layoutReads,
    run: show((bridge) => String(bridge.vlan)),
  },
  {
    name: "br-to-parent", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print the bridge behind a fake bridge", writes: false, reads: layoutReads,
    run: show((bridge) => bridge.parent?.name ?? bridge.name),
  },
  {
    name: "br-set-external-id", usage: "BRIDGE KEY [VALUE]", minArgs: 2, maxArgs: 3, options: "", help: "set or remove one of a bridge's external IDs",
    writes: true, reads: idReads, run: setExternalId,
  },
  {
    name: "br-get-external-id", usage: "BRIDGE [KEY]", minArgs: 1, maxArgs: 2, options: "", help: "print a bridge's external IDs, or one of them",
    writes: false, reads: idReads, run: getExternalId,
  },
]);

function add(context: VsContext): void {
  const { db } = context;
  const [name = "", parentName, vlanText] = context.args;
  if (name === "") fail("bridge name must not be empty string");
  if (context.args.length === 2) fail("'add-br' command takes exactly 1 or 3 arguments");
  const vlan = vlanText === undefined ? 0 : Number.parseInt(vlanText, 10) || 0;
  if (vlan < 0 || vlan > 4095) fail("add-br: vlan must be between 0 and 4095");
  const layout = new Layout(context);
  if (context.options.has("--may-exist")) {
    const existing = layout.findBridge(name);
    if (existing !== undefined) {
      checkExisting(existing, name, parentName, vlan);
      return;
    }
  }
  layout.checkFree(name, `cannot create a bridge named ${name}`);
  const iface = db.insert("Interface", { name, type: "internal" });
  if (parentName === undefined) {
    const port = db.insert("Port", { name, interfaces: [iface._uuid] });
    const bridge = db.insert("Bridge", { name, ports: [port._uuid] });
    db.add(switchRow(context), "bridges", bridge._uuid);
    return;
  }
  const parent = layout.findBridge(parentName) ?? fail(`parent bridge ${parentName} does not exist`);
  if (parent.parent !== undefined) fail("cannot create bridge with fake bridge as parent");
  const conflict = layout.vlanBridge(parent, vlan);
  if (conflict !== undefined) fail(`bridge ${parentName} already has a child VLAN bridge ${conflict.name} on VLAN ${vlan}`);
  const port = db.insert("Port", { name, interfaces: [iface._uuid], fake_bridge: true, tag: vlan });
  db.add(parent.row, "ports", port._uuid);
}

function checkExisting(bridge: BridgeEntry, name: string, parent: string | undefined, vlan: number): void {
  if (parent === undefined) {
    if (bridge.parent !== undefined) fail(`"--may-exist add-br ${name}" but ${name} is a VLAN bridge for VLAN ${bridge.vlan}`);
    return;
  }
  const said = `"--may-exist add-br ${name} ${parent} ${vlan}" but ${name}`;
  if (bridge.parent === undefined) fail(`${said} is not a VLAN bridge`);
  if (bridge.parent.name !== parent) fail(`${said} has the wrong parent ${bridge.parent.name}`);
  if (bridge.vlan !== vlan) fail(`${said} is a VLAN bridge for the wrong VLAN ${bridge.vlan}`);
}

function deleteBridge(context: VsContext, layout: Layout, bridge: BridgeEntry): void {
  const { db } = context;
  for (const child of layout.children(bridge)) deleteBridge(context, layout, child);
  for (const port of bridge.ports) deletePort(context, port);
  if (bridge.parent !== undefined) {
    const own = layout.ports.get(bridge.name);
    if (own !== undefined) deletePort(context, own);
    return;
  }
  for (const set of db.rows("Flow_Sample_Collector_Set")) if (set.bridge === bridge.row._uuid) db.delete(set);
  db.remove(switchRow(context), "bridges", bridge.row._uuid);
  db.delete(bridge.row);
}

/** A fake bridge's external IDs are its port's, under a prefix. */
function externalIds(context: VsContext): { readonly row: VsRow<"Bridge"> | VsRow<"Port">; readonly prefix: string } {
  const layout = new Layout(context);
  const bridge = layout.bridge(argument(context, 0));
  const port = bridge.parent === undefined ? undefined : layout.ports.get(bridge.name)?.row;
  return port === undefined ? { row: bridge.row, prefix: "" } : { row: port, prefix: "fake-bridge-" };
}

function setExternalId(context: VsContext): void {
  const { db } = context;
  const [, key = "", value] = context.args;
  const { row, prefix } = externalIds(context);
  const entry = { [`${prefix}${key}`]: value };
  if (row._table === "Bridge") db.put<"Bridge">(row as VsRow<"Bridge">, "external_ids", entry);
  else db.put<"Port">(row as VsRow<"Port">, "external_ids", entry);
}

function getExternalId(context: VsContext): void {
  const [, key] = context.args;
  const { row, prefix } = externalIds(context);
  const ids = [...row.external_ids].filter(([k]) => k.startsWith(prefix)).map(([k, v]) => [k.slice(prefix.length), v] as const);
  if (key === undefined) context.output = sortedLines(ids.map(([k, v]) => `${k}=${v}`));
  else context.output = ids.filter(([k]) => k === key).map(([, v]) => `${v}\n`).join("");
}
