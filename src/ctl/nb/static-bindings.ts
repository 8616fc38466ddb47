/** Neighbours that routers need not ask for: static-mac-binding-*; and ports that share an address: fwd-group-*. */
import { parseIpv4, parseMac } from "../../net/index.ts";
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, findNamed, getNamed, type Nb, type NbContext, type NbRow } from "./find.ts";
import { tableCell } from "./nat.ts";
import { normalizeAddress } from "./routes.ts";
import { switchOf } from "./switch-ports.ts";

const bindingReads = ["Static_MAC_Binding", "Logical_Router_Port:name"];
const findBinding = ({ db }: NbContext, port: string, ip: string): NbRow<"Static_MAC_Binding"> | undefined =>
  db.rows("Static_MAC_Binding").find((row) => row.logical_port === port && row.ip === ip);
const validAddress = (text: string): string => normalizeAddress(text) ?? fail(`${text}: Not a valid IPv4 or IPv6 address.`);

export const staticBindingCommands: readonly Command<Nb>[] = commands<Nb>("Static neighbours", [
  {
    name: "static-mac-binding-add", usage: "LOGICAL_PORT IP MAC", minArgs: 3, maxArgs: 3, options: "--may-exist", help: "say which MAC an address has",
    writes: true, reads: bindingReads,
    run(context) {
      const { db } = context;
      const [port = "", given = "", mac = ""] = context.args;
      getNamed(context, "Logical_Router_Port", port);
      const ip = validAddress(given);
      if (parseMac(mac) === undefined) fail(`invalid mac address ${mac}.`);
      const existing = findBinding(context, port, given);
      if (existing === undefined) db.insert("Static_MAC_Binding", { logical_port: port, ip, mac });
      else if (context.options.has("--may-exist")) db.update(existing, { mac });
      else fail(`${port}, ${ip}: a Static_MAC_Binding with this logical_port and ip already exists`);
    },
  },
  {
    name: "static-mac-binding-del", usage: "LOGICAL_PORT IP", minArgs: 2, maxArgs: 2, options: "--if-exists", help: "let it be asked for", writes: true,
    reads: bindingReads,
    run(context) {
      const port = argument(context, 0);
      getNamed(context, "Logical_Router_Port", port);
      const ip = validAddress(argument(context, 1));
      const existing = findBinding(context, port, ip);
      if (existing !== undefined) context.db.delete(existing);
      else if (!context.options.has("--if-exists")) fail(`no matching Static_MAC_Binding with port ${port} and ip ${ip}`);
    },
  },
  {
    name: "static-mac-binding-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print all of them", writes: false, reads: bindingReads,
    run(context) {
      const lines = context.db.rows("Static_MAC_Binding").map((row) => `${row.logical_port.padEnd(25)}${row.ip.padEnd(25)}${row.mac}\n`);
      if (lines.length > 0) context.output = `${"LOGICAL_PORT".padEnd(25)}${"IP".padEnd(25)}MAC\n${lines.sort().join("")}`;
    },
  },
]);

type Group = NbRow<"Forwarding_Group">;
const groupReads = ["Logical_Switch:name,ports,forwarding_groups", "Logical_Switch_Port:name", "Forwarding_Group"];

export const forwardingGroupCommands: readonly Command<Nb>[] = commands<Nb>("Forwarding groups", [
  {
    name: "fwd-group-add", usage: "GROUP SWITCH VIP VMAC PORT...", minArgs: 4, maxArgs: Infinity, options: "--liveness", help: "let ports share an address",
    writes: true, reads: groupReads, run: addGroup,
  },
  {
    name: "fwd-group-del", usage: "GROUP", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a group", writes: true, reads: groupReads,
    run(context) {
      const group = findGroup(context, argument(context, 0));
      const owner = group === undefined ? undefined : switchOfGroup(context, group);
      if (group === undefined || owner === undefined) return;
      context.db.remove(owner, "forwarding_groups", group._uuid);
      context.db.delete(group);
    },
  },
  { name: "fwd-group-list", usage: "[SWITCH]", minArgs: 0, maxArgs: 1, options: "", help: "print groups", writes: false, reads: groupReads, run: listGroups },
]);

const findGroup = ({ db }: NbContext, given: string): Group | undefined =>
  (isUuid(given) ? db.row("Forwarding_Group", given.toLowerCase()) : undefined) ?? db.rows("Forwarding_Group").find((row) => row.name === given);

/** By way of its first port. */
function switchOfGroup(context: NbContext, group: Group): NbRow<"Logical_Switch"> | undefined {
  const [first = ""] = group.child_port;
  const port = findNamed(context, "Logical_Switch_Port", first);
  return port === undefined ? undefined : switchOf(context, port);
}

function addGroup(context: NbContext): void {
  const { db } = context;
  const [name = "", switchName = "", vip = "", vmac = "", ...ports] = context.args;
  if (ports.length === 0) fail("Usage : ovn-nbctl fwd-group-add group switch vip vmac child_ports...");
  if (findGroup(context, name) !== undefined) fail(`${name}: a forwarding group by this name already exists`);
  const owner = getNamed(context, "Logical_Switch", switchName);
  if (parseIpv4(vip) === undefined) fail(`invalid ip address ${vip}`);
  if (parseMac(vmac) === undefined) fail(`invalid mac address ${vmac}`);
  for (const portName of ports) {
    const port = findNamed(context, "Logical_Switch_Port", portName) ?? fail(`${portName}: logical switch port does not exist`);
    const actual = switchOf(context, port);
    if (actual._uuid !== owner._uuid) fail(`${portName}: port already exists but in logical switch ${actual.name}`);
  }
  const group = db.insert("Forwarding_Group", { name, vip, vmac, child_port: new Set(ports), liveness: context.options.has("--liveness") });
  db.add(owner, "forwarding_groups", group._uuid);
}

function listGroups(context: NbContext): void {
  const { db } = context;
  const [given] = context.args;
  const only = given === undefined ? undefined : getNamed(context, "Logical_Switch", given);
  context.output = `${tableCell("FWD_GROUP", 16, 16)}${tableCell("LS", 14, 16)}${tableCell("VIP", 16, 7)}${tableCell("VMAC", 22, 21)}CHILD_PORTS\n`;
  for (const group of [...db.rows("Forwarding_Group")].sort((a, b) => compareText(a.name, b.name))) {
    const owner = switchOfGroup(context, group);
    if (owner === undefined || (only !== undefined && owner._uuid !== only._uuid)) continue;
    const ports = [...group.child_port].map((port) => ` ${port}`).join("");
    context.output += `${tableCell(group.name, 16, 16)}${tableCell(owner.name, 14, 18)}${tableCell(group.vip, 15, 16)}${tableCell(group.vmac, 9, 18)}     ${ports}\n`;
  }
}
