/** What a logical switch port is like: lsp-set-* and lsp-get-*. */
import { formatIp, type Ip, parsePrefix } from "../../net/index.ts";
import { type Atom, isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { ipsOf, isDynamic, isPortAddress, sharedAddress } from "../addresses.ts";
import { findNamed, getNamed, keyValues, type Nb, type NbContext, type NbRow, parseEnabled, printMap } from "./find.ts";
import { switchOf } from "./switch-ports.ts";

type Port = NbRow<"Logical_Switch_Port">;
const portOf = (context: NbContext): Port => getNamed(context, "Logical_Switch_Port", argument(context, 0));
const types = ["", "l2gateway", "localnet", "localport", "router", "switch", "vtep", "external", "virtual", "remote"];

interface Getter {
  readonly name: string;
  readonly columns: string;
  readonly help: string;
  readonly print: (port: Port, context: NbContext) => string;
  readonly moreReads?: readonly string[];
}

const lines = (items: Iterable<string>): string => [...items].sort().map((item) => `${item}\n`).join("");

const getters: readonly Getter[] = [
  { name: "lsp-get-parent", columns: "parent_name", help: "print the parent of a nested port", print: (p) => (p.parent_name === undefined ? "" : `${p.parent_name}\n`) },
  { name: "lsp-get-tag", columns: "tag", help: "print the tag of a nested port", print: (p) => (p.tag === undefined ? "" : `${p.tag}\n`) },
  {
    name: "lsp-get-addresses", columns: "addresses,options", help: "print a port's addresses", print: addressLines,
    moreReads: ["Logical_Router_Port:name,mac,networks"],
  },
  { name: "lsp-get-port-security", columns: "port_security", help: "print the addresses that a port may use", print: (p) => lines(p.port_security) },
  { name: "lsp-get-up", columns: "up", help: "print whether a port is bound to a chassis", print: (p) => (p.up === true ? "up\n" : "down\n") },
  { name: "lsp-get-enabled", columns: "enabled", help: "print whether a port is enabled", print: (p) => (p.enabled === false ? "disabled\n" : "enabled\n") },
  { name: "lsp-get-type", columns: "type", help: "print a port's type", print: (p) => `${p.type}\n` },
  { name: "lsp-get-options", columns: "options", help: "print a port's options", print: (p) => printMap(p.options) },
  ...(["dhcpv4_options", "dhcpv6_options"] as const).map((column) => ({
    name: `lsp-get-${column.replace("_", "-")}`, columns: column, help: "print the DHCP options that a port is given",
    print: (p: Port, { db }: NbContext) => {
      const options = db.row("DHCP_Options", p[column]);
      return options === undefined ? "" : `${options._uuid} (${options.cidr})\n`;
    },
    moreReads: ["DHCP_Options:cidr"],
  })),
];

function addressLines(port: Port, context: NbContext): string {
  const peer = port.options.get("router-port");
  if (port.addresses.size === 1 && port.addresses.has("router") && peer !== undefined) {
    const router = findNamed(context, "Logical_Router_Port", peer);
    if (router !== undefined) return `${[router.mac, ...router.networks].join(" ")}\n`;
  }
  return lines(port.addresses);
}

export const switchPortGetCommands: readonly Command<Nb>[] = commands<Nb>(
  "Logical switch ports",
  getters.map(({ name, columns, help, print, moreReads = [] }) => ({
    name, usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help, writes: false, reads: [`Logical_Switch_Port:name,${columns}`, ...moreReads],
    run(context) {
      context.output = print(portOf(context), context);
    },
  })),
);

export const switchPortSetCommands: readonly Command<Nb>[] = commands<Nb>("Logical switch ports", [
  {
    name: "lsp-set-addresses", usage: "PORT [ADDRESS]...", minArgs: 1, maxArgs: Infinity, options: "", help: "say which addresses a port has",
    writes: true, reads: ["Logical_Switch:name,ports", "Logical_Switch_Port:name,addresses,dynamic_addresses"], run: setAddresses,
  },
  {
    name: "lsp-set-port-security", usage: "PORT [ADDRS]...", minArgs: 0, maxArgs: Infinity, options: "", help: "say which addresses a port may use",
    writes: true, reads: ["Logical_Switch_Port:name,port_security"],
    run: (context) => context.db.update(portOf(context), { port_security: new Set(context.args.slice(1)) }),
  },
  {
    name: "lsp-set-enabled", usage: "PORT STATE", minArgs: 2, maxArgs: 2, options: "", help: "enable or disable a port",
    writes: true, reads: ["Logical_Switch_Port:name,enabled"],
    run: (context) => context.db.update(portOf(context), { enabled: parseEnabled(argument(context, 1)) }),
  },
  {
    name: "lsp-set-type", usage: "PORT TYPE [peer=PEER]", minArgs: 2, maxArgs: 3, options: "", help: "say what a port is connected to",
    writes: true, reads: ["Logical_Switch_Port:name,type,peer"], run: setType,
  },
  {
    name: "lsp-set-options", usage: "PORT KEY=VALUE [KEY=VALUE]...", minArgs: 1, maxArgs: Infinity, options: "", help: "replace a port's options",
    writes: true, reads: ["Logical_Switch_Port:name,options"],
    run: (context) => context.db.update(portOf(context), { options: keyValues(context.args.slice(1)) }),
  },
  {
    name: "lsp-set-dhcpv4-options", usage: "PORT [DHCP_OPT_UUID]", minArgs: 1, maxArgs: 2, options: "", help: "say which DHCPv4 options a port is given",
    writes: true, reads: ["Logical_Switch_Port:name,dhcpv4_options", "DHCP_Options:cidr"],
    run: (context) => context.db.update(portOf(context), { dhcpv4_options: dhcpOptions(context, 4)?._uuid }),
  },
  {
    name: "lsp-set-dhcpv6-options", usage: "PORT [DHCP_OPT_UUID]", minArgs: 1, maxArgs: 2, options: "", help: "say which DHCPv6 options a port is given",
    writes: true, reads: ["Logical_Switch_Port:name,dhcpv6_options", "DHCP_Options:cidr"],
    run: (context) => context.db.update(portOf(context), { dhcpv6_options: dhcpOptions(context, 6)?._uuid }),
  },
]);

function setAddresses(context: NbContext): void {
  const { db } = context;
  const port = portOf(context);
  const owner = switchOf(context, port);
  const addresses = context.args.slice(1);
  for (const address of addresses) {
    if (!isPortAddress(address)) {
      fail(`${address}: Invalid address format. See ovn-nb(5). Hint: An Ethernet address must be listed before an IP address, together as a single argument.`);
    }
    const ours = ipsOf(address);
    if (ours === undefined || ours.length === 0) continue;
    for (const ip of ours) {
      for (const other of portsListing(context, ip)) {
        if (other._uuid !== port._uuid && db.rowsHolding("Logical_Switch", "ports", other._uuid).includes(owner)) checkUnique(owner, other, ours);
      }
    }
  }
  db.update(port, { addresses });
}

const ipTexts = (address: Atom): readonly string[] => (ipsOf(String(address)) ?? []).map(formatIp);

/** The ports, of whatever switch, among whose addresses of either kind this one is. */
function portsListing({ db }: NbContext, ip: Ip): readonly Port[] {
  const columns = ["addresses", "dynamic_addresses"] as const;
  return columns.flatMap((column) => db.rowsHolding("Logical_Switch_Port", column, formatIp(ip), ipTexts));
}

function checkUnique(owner: NbRow<"Logical_Switch">, other: Port, ours: readonly Ip[]): void {
  for (const address of other.addresses) {
    const actual = isDynamic(address) ? (other.dynamic_addresses ?? address) : address;
    const shared = sharedAddress(ours, ipsOf(actual) ?? []);
    if (shared !== undefined) fail(`Error on switch ${owner.name}: ${shared} found on logical switch port '${other.name}'`);
  }
}

function setType(context: NbContext): void {
  const [, type = "", peer] = context.args;
  if (peer !== undefined && !peer.startsWith("peer=")) fail(`Unrecognized argument: ${peer}\n`);
  const port = portOf(context);
  if (!types.includes(type)) fail(`Logical switch port type '${type}' is unrecognized. Not setting type.`);
  if (peer !== undefined && type !== "switch") fail("Peer can only be set for a logical switch port with type 'switch'.");
  context.db.update(port, { type, ...(peer === undefined ? {} : { peer: peer.slice(5) }) });
}

export function getDhcpOptions({ db }: NbContext, given: string): NbRow<"DHCP_Options"> {
  return (isUuid(given) ? db.row("DHCP_Options", given.toLowerCase()) : undefined) ?? fail(`${given}: dhcp options UUID not found`);
}

function dhcpOptions(context: NbContext, family: 4 | 6): NbRow<"DHCP_Options"> | undefined {
  const given = context.args[1];
  if (given === undefined) return undefined;
  const options = getDhcpOptions(context, given);
  if (parsePrefix(options.cidr)?.family !== family) fail(`DHCP options cidr '${options.cidr}' is not IPv${family}`);
  return options;
}
