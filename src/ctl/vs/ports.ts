/** Ports, bonds and interfaces: add-port, del-port, list-ports, port-to-br, add-bond, *-bond-iface, list-ifaces, iface-to-br. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findTable } from "../names.ts";
import { setColumn } from "../verbs-write.ts";
import { commandText, Layout, layoutReads, type PortEntry, sortedLines, type Vs, type VsContext } from "./layout.ts";

/** Settings may name any column of a port. */
const addReads = [...layoutReads, "Port"];

export const portCommands: readonly Command<Vs>[] = commands<Vs>("Ports", [
  {
    name: "list-ports", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print the names of a bridge's ports", writes: false, reads: layoutReads,
    run(context) {
      const bridge = new Layout(context).bridge(argument(context, 0));
      context.output = sortedLines(bridge.ports.map((p) => p.row.name).filter((name) => name !== bridge.name));
    },
  },
  {
    name: "add-port", usage: "BRIDGE NEW-PORT [COLUMN[:KEY]=VALUE]...", minArgs: 2, maxArgs: Infinity, options: "--may-exist",
    help: "add a network device to a bridge", writes: true, reads: addReads,
    run(context) {
      const [bridge = "", port = "", ...settings] = context.args;
      addPort(context, "add-port", { bridge, port, interfaces: [port], settings, fakeInterface: false });
    },
  },
  {
    name: "del-port", usage: "[BRIDGE] PORT|IFACE", minArgs: 1, maxArgs: 2, options: "--if-exists,--with-iface", help: "delete a port", writes: true,
    reads: layoutReads, run: remove,
  },
  {
    name: "port-to-br", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print the bridge that has a port", writes: false, reads: layoutReads,
    run(context) {
      context.output = `${new Layout(context).port(argument(context, 0)).bridge.name}\n`;
    },
  },
]);

export const bondCommands: readonly Command<Vs>[] = commands<Vs>("Bonds and interfaces", [
  {
    name: "add-bond", usage: "BRIDGE BOND IFACE... [COLUMN[:KEY]=VALUE]...", minArgs: 4, maxArgs: Infinity, options: "--may-exist,--fake-iface",
    help: "add a port made of several interfaces", writes: true, reads: addReads,
    run(context) {
      const [bridge = "", port = "", ...words] = context.args;
      const first = words.findIndex((word) => word.includes("="));
      const interfaces = first < 0 ? words : words.slice(0, first);
      if (interfaces.length < 2) fail(`add-bond requires at least 2 interfaces, but only ${interfaces.length} were specified`);
      const settings = words.slice(interfaces.length);
      addPort(context, "add-bond", { bridge, port, interfaces, settings, fakeInterface: context.options.has("--fake-iface") });
    },
  },
  {
    name: "add-bond-iface", usage: "BOND IFACE", minArgs: 2, maxArgs: 2, options: "--may-exist", help: "add an interface to a bond", writes: true, reads: layoutReads,
    run: addBondInterface,
  },
  {
    name: "del-bond-iface", usage: "[BOND] IFACE", minArgs: 1, maxArgs: 2, options: "--if-exists", help: "take an interface out of a bond", writes: true,
    reads: layoutReads, run: removeBondInterface,
  },
  {
    name: "list-ifaces", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print the names of a bridge's interfaces", writes: false, reads: layoutReads,
    run(context) {
      const layout = new Layout(context);
      const bridge = layout.bridge(argument(context, 0));
      layout.verify();
      const names = bridge.ports.flatMap((p) => p.interfaces.map((i) => i.name));
      context.output = sortedLines(names.filter((name) => name !== bridge.name));
    },
  },
  {
    name: "iface-to-br", usage: "IFACE", minArgs: 1, maxArgs: 1, options: "", help: "print the bridge that has an interface", writes: false, reads: layoutReads,
    run(context) {
      context.output = `${new Layout(context).interface(argument(context, 0)).port.bridge.name}\n`;
    },
  },
]);

interface NewPort {
  readonly bridge: string;
  readonly port: string;
  readonly interfaces: readonly string[];
  readonly settings: readonly string[];
  readonly fakeInterface: boolean;
}

function addPort(context: VsContext, command: string, wanted: NewPort): void {
  const { db, symbols } = context;
  if (wanted.port === "") fail("port name must not be empty string");
  if (wanted.interfaces.includes("")) fail("interface name must not be empty string");
  const layout = new Layout(context);
  if (context.options.has("--may-exist")) {
    const existing = layout.findPort(wanted.port);
    if (existing !== undefined) {
      checkExisting(existing, wanted, commandText(context, command));
      return;
    }
  }
  layout.checkFree(wanted.port, `cannot create a port named ${wanted.port}`);
  for (const name of wanted.interfaces) layout.checkFree(name, `cannot create an interface named ${name}`);
  const bridge = layout.bridge(wanted.bridge);
  const interfaces = wanted.interfaces.map((name) => db.insert("Interface", { name })._uuid);
  const port = db.insert("Port", {
    name: wanted.port, interfaces, bond_fake_iface: wanted.fakeInterface, ...(bridge.parent === undefined ? {} : { tag: bridge.vlan }),
  });
  for (const setting of wanted.settings) setColumn(db, findTable(db.schema, "Port"), db.work(port), setting, symbols);
  db.add(bridge.row, "ports", port._uuid);
}

function checkExisting(port: PortEntry, wanted: NewPort, command: string): void {
  if (port.bridge.name !== wanted.bridge) fail(`"${command}" but ${wanted.port} is actually attached to bridge ${port.bridge.name}`);
  const have = port.interfaces.map((i) => i.name).sort().join(", ");
  if (have !== [...wanted.interfaces].sort().join(", ")) fail(`"${command}" but ${wanted.port} actually has interface(s) ${have}`);
}

export function deletePort({ db }: VsContext, { row, bridge, interfaces }: PortEntry): void {
  db.remove(bridge.row, "ports", row._uuid);
  for (const iface of interfaces) db.delete(iface);
  db.delete(row);
}

function remove(context: VsContext): void {
  const layout = new Layout(context);
  const mustExist = !context.options.has("--if-exists");
  const target = context.args.at(-1) ?? "";
  if (layout.findBridge(target) !== undefined) {
    if (mustExist) {
      fail(`cannot delete port ${target} because it is the local port for bridge ${target} (deleting this port requires deleting the entire bridge)`);
    }
    return;
  }
  const withInterface = context.options.has("--with-iface");
  const port = layout.findPort(target) ?? (withInterface ? layout.findInterface(target)?.port : undefined);
  if (port === undefined) {
    if (mustExist) fail(withInterface ? `no port or interface named ${target}` : `no port named ${target}`);
    return;
  }
  if (context.args.length === 2) {
    const name = argument(context, 0);
    const bridge = layout.bridge(name);
    if (port.bridge !== bridge) {
      fail(`bridge ${name} does not have a port ${target}${port.bridge.parent === bridge ? ` (although its child bridge ${port.bridge.name} does)` : ""}`);
    }
  }
  deletePort(context, port);
}

function addBondInterface(context: VsContext): void {
  const { db } = context;
  const layout = new Layout(context);
  const port = layout.port(argument(context, 0));
  const name = argument(context, 1);
  const existing = context.options.has("--may-exist") ? layout.findInterface(name) : undefined;
  if (existing !== undefined) {
    if (existing.port === port) return;
    fail(`"${commandText(context, "add-bond-iface")}" but ${name} is actually attached to port ${existing.port.row.name}`);
  }
  layout.checkFree(name, `cannot create an interface named ${name}`);
  db.add(port.row, "interfaces", db.insert("Interface", { name })._uuid);
}

function removeBondInterface(context: VsContext): void {
  const { db } = context;
  const layout = new Layout(context);
  const name = context.args.at(-1) ?? "";
  const iface = context.options.has("--if-exists") ? layout.findInterface(name) : layout.interface(name);
  if (iface === undefined) return;
  const portName = context.args.length > 1 ? argument(context, 0) : undefined;
  if (portName !== undefined && iface.port !== layout.port(portName)) fail(`port ${portName} does not have an interface ${name}`);
  if (iface.port.interfaces.length <= 1) fail(`cannot delete last interface from port ${iface.port.row.name}`);
  db.remove(iface.port.row, "interfaces", iface.row._uuid);
  db.delete(iface.row);
}
