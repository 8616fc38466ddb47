/** Transit routers and their ports: tr-*, trp-*. */
import { parseMac, parsePrefix } from "../../net/index.ts";
import { normalizedNetworks, splitSettings } from "../addresses.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findTable } from "../names.ts";
import { setColumn } from "../verbs-write.ts";
import { findNamed, getNamed, getUnlessIfExists, type IcNb, type IcNbContext, type IcNbRow, uuidsAndNames } from "./find.ts";

const ports = ["Transit_Router:name,ports", "Transit_Router_Port"];

export const transitRouterCommands: readonly Command<IcNb>[] = commands<IcNb>("Transit routers", [
  {
    name: "tr-add", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "--may-exist", help: "create a transit router", writes: true, reads: ["Transit_Router:name"],
    run(context) {
      const name = argument(context, 0);
      const exists = context.db.rows("Transit_Router").some((row) => row.name === name);
      if (exists && !context.options.has("--may-exist")) fail(`${name}: a transit router with this name already exists`);
      if (!exists) context.db.insert("Transit_Router", { name });
    },
  },
  {
    name: "tr-del", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a transit router", writes: true, reads: ["Transit_Router:name"],
    run(context) {
      const row = getUnlessIfExists(context, "Transit_Router", argument(context, 0));
      if (row !== undefined) context.db.delete(row);
    },
  },
  {
    name: "tr-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print the names of all transit routers", writes: false, reads: ["Transit_Router:name"],
    run(context) {
      context.output = uuidsAndNames(context.db.rows("Transit_Router"));
    },
  },
  {
    name: "trp-add", usage: "ROUTER PORT MAC [NETWORK]... [COLUMN[:KEY]=VALUE]...", minArgs: 5, maxArgs: Infinity, options: "--may-exist",
    help: "add a port to a transit router", writes: true, reads: ports, run: addPort,
  },
  {
    name: "trp-del", usage: "PORT", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a port", writes: true, reads: ports,
    run(context) {
      const port = getUnlessIfExists(context, "Transit_Router_Port", argument(context, 0));
      if (port === undefined) return;
      context.db.remove(getNamed(context, "Transit_Router", port.tr_uuid), "ports", port._uuid);
      context.db.delete(port);
    },
  },
]);

function addPort(context: IcNbContext): void {
  const { db, symbols } = context;
  const [routerName = "", name = "", mac = "", ...words] = context.args;
  const router = getNamed(context, "Transit_Router", routerName);
  const existing = findNamed(context, "Transit_Router_Port", name);
  const { networks, settings } = splitSettings(words);
  if (parseMac(mac) === undefined) fail(`${name}: invalid mac address ${mac}`);
  if (existing !== undefined) {
    if (!context.options.has("--may-exist")) fail(`${name}: a port with this name already exists`);
    checkSame(existing, name, mac, networks);
    return;
  }
  const bad = networks.find((network) => parsePrefix(network) === undefined);
  if (bad !== undefined) fail(`${name}: invalid network address: ${bad}`);
  const port = db.insert("Transit_Router_Port", { name, mac, tr_uuid: router._uuid, networks: new Set(networks) });
  for (const setting of settings) setColumn(db, findTable(db.schema, "Transit_Router_Port"), db.work(port), setting, symbols);
  db.add(router, "ports", port._uuid);
}

function checkSame(port: IcNbRow<"Transit_Router_Port">, name: string, mac: string, networks: readonly string[]): void {
  if (parseMac(port.mac) !== parseMac(mac)) fail(`${name}: port already exists with mac ${port.mac}`);
  const wanted = normalizedNetworks(networks) ?? fail(`${name}: Invalid networks configured`);
  const have = normalizedNetworks([...port.networks]) ?? fail(`${name}: Existing port has invalid networks configured`);
  if (wanted !== have) fail(`${name}: port already exists with different network`);
}
