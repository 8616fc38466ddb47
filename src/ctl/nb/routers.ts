/** Logical routers and their ports: lr-add, lr-del, lr-list, lrp-*. */
import { parseMac, parsePrefix } from "../../net/index.ts";
import { normalizedNetworks, splitSettings } from "../addresses.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findTable } from "../names.ts";
import { setColumn } from "../verbs-write.ts";
import { findNamed, getNamed, getUnlessIfExists, keyValues, type Nb, type NbContext, type NbRow, parseEnabled, uuidsAndNames } from "./find.ts";
import { addNamed } from "./switches.ts";

type Port = NbRow<"Logical_Router_Port">;
const portOf = (context: NbContext): Port => getNamed(context, "Logical_Router_Port", argument(context, 0));

export const routerCommands: readonly Command<Nb>[] = commands<Nb>("Logical routers", [
  {
    name: "lr-add", usage: "[ROUTER]", minArgs: 0, maxArgs: 1, options: "--may-exist,--add-duplicate", help: "create a logical router",
    writes: true, reads: ["Logical_Router:name"], run: (context) => addNamed(context, "Logical_Router", "router"),
  },
  {
    name: "lr-del", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a logical router and its ports",
    writes: true, reads: ["Logical_Router:name"],
    run(context) {
      const row = getUnlessIfExists(context, "Logical_Router", argument(context, 0));
      if (row !== undefined) context.db.delete(row);
    },
  },
  {
    name: "lr-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print the names of all logical routers", writes: false, reads: ["Logical_Router:name"],
    run(context) {
      context.output = uuidsAndNames(context.db.rows("Logical_Router"));
    },
  },
]);

export const routerPortCommands: readonly Command<Nb>[] = commands<Nb>("Logical router ports", [
  {
    name: "lrp-add", usage: "ROUTER PORT MAC [NETWORK]... [COLUMN[:KEY]=VALUE]...", minArgs: 3, maxArgs: Infinity, options: "--may-exist",
    help: "add a port to a router", writes: true,
    // The settings may name any column.
    reads: ["Logical_Router:name,ports", "Logical_Router_Port"], run: add,
  },
  {
    name: "lrp-set-options", usage: "PORT KEY=VALUE [KEY=VALUE]...", minArgs: 1, maxArgs: Infinity, options: "", help: "replace a port's options",
    writes: true, reads: ["Logical_Router_Port:name,options"],
    run: (context) => context.db.update(portOf(context), { options: keyValues(context.args.slice(1)) }),
  },
  {
    name: "lrp-del", usage: "PORT", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a port",
    writes: true, reads: ["Logical_Router:name,ports", "Logical_Router_Port:name"],
    run(context) {
      const port = getUnlessIfExists(context, "Logical_Router_Port", argument(context, 0));
      if (port === undefined) return;
      context.db.remove(routerOf(context, port), "ports", port._uuid);
      context.db.delete(port);
    },
  },
  {
    name: "lrp-list", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "", help: "print the names of a router's ports",
    writes: false, reads: ["Logical_Router:name,ports", "Logical_Router_Port:name"],
    run(context) {
      context.output = uuidsAndNames(context.db.those("Logical_Router_Port", getNamed(context, "Logical_Router", argument(context, 0)).ports));
    },
  },
  {
    name: "lrp-set-enabled", usage: "PORT STATE", minArgs: 2, maxArgs: 2, options: "", help: "enable or disable a port",
    writes: true, reads: ["Logical_Router_Port:name,enabled"],
    run: (context) => context.db.update(portOf(context), { enabled: parseEnabled(argument(context, 1)) }),
  },
  {
    name: "lrp-get-enabled", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print whether a port is enabled",
    writes: false, reads: ["Logical_Router_Port:name,enabled"],
    run(context) {
      context.output = portOf(context).enabled === false ? "disabled\n" : "enabled\n";
    },
  },
  {
    name: "lrp-set-redirect-type", usage: "PORT TYPE", minArgs: 2, maxArgs: 2, options: "", help: "say how packets reach the gateway: overlay or bridged",
    writes: true, reads: ["Logical_Router_Port:name,options"],
    run(context) {
      const type = argument(context, 1);
      const port = portOf(context);
      if (!["bridged", "overlay"].includes(type.toLowerCase())) fail(`Invalid redirect type: ${type}`);
      context.db.put(port, "options", { "redirect-type": type });
    },
  },
  {
    name: "lrp-get-redirect-type", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print how packets reach the gateway",
    writes: false, reads: ["Logical_Router_Port:name,options"],
    run(context) {
      context.output = `${portOf(context).options.get("redirect-type") ?? "overlay"}\n`;
    },
  },
]);

/** The router that has the port among its own. */
export function routerOf({ db }: NbContext, port: Port): NbRow<"Logical_Router"> {
  return db.rowsHolding("Logical_Router", "ports", port._uuid)[0] ?? fail(`port ${port.name} is not part of any logical router`);
}

function add(context: NbContext): void {
  const { db, symbols } = context;
  const [given = "", name = "", mac = "", ...more] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const { networks, settings } = splitSettings(more);
  if (parseMac(mac) === undefined) fail(`${name}: invalid mac address ${mac}`);
  const existing = findNamed(context, "Logical_Router_Port", name);
  if (existing !== undefined) {
    checkExisting(context, existing, router, { name, mac, networks, peer: settings.find((s) => s.startsWith("peer="))?.slice(5) });
    return;
  }
  const bad = networks.find((network) => parsePrefix(network) === undefined);
  if (bad !== undefined) fail(`${name}: invalid network address: ${bad}`);
  const port = db.insert("Logical_Router_Port", { name, mac, networks: new Set(networks) });
  const table = findTable(db.schema, "Logical_Router_Port");
  for (const setting of settings) setColumn(db, table, db.work(port), setting, symbols);
  db.add(router, "ports", port._uuid);
}

interface WantedPort {
  readonly name: string;
  readonly mac: string;
  readonly networks: readonly string[];
  readonly peer: string | undefined;
}

function checkExisting(context: NbContext, port: Port, router: NbRow<"Logical_Router">, { name, mac, networks, peer }: WantedPort): void {
  if (!context.options.has("--may-exist")) fail(`${name}: a port with this name already exists`);
  const actual = routerOf(context, port);
  if (actual._uuid !== router._uuid) fail(`${name}: port already exists but in router ${actual.name === "" ? actual._uuid : actual.name}`);
  if (parseMac(port.mac) !== parseMac(mac)) fail(`${name}: port already exists with mac ${port.mac}`);
  const wanted = normalizedNetworks(networks) ?? fail(`${name}: Invalid networks configured`);
  const have = normalizedNetworks([...port.networks]) ?? fail(`${name}: Existing port has invalid networks configured`);
  if (wanted !== have) fail(`${name}: port already exists with different network`);
  if (peer !== port.peer) fail(`${name}: port already exists with mismatching peer`);
}
