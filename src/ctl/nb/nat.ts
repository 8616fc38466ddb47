/** Address translation of logical routers: lr-nat-*. */
import { parseIp, parseMac } from "../../net/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, getNamed, type Nb, type NbContext, type NbRow, parsePriority } from "./find.ts";
import { inNetworks } from "./policies.ts";
import { normalizeAddress, normalizePrefix } from "./routes.ts";

type Router = NbRow<"Logical_Router">;
type Nat = NbRow<"NAT">;
type Port = NbRow<"Logical_Router_Port">;

const reads = [
  "Logical_Router:name,nat,ports", "Logical_Router_Port:name,networks,mac,gateway_chassis,ha_chassis_group", "NAT", "Logical_Switch_Port:name",
];
const types = ["dnat", "snat", "dnat_and_snat"] as const;
type NatType = (typeof types)[number];

export const natCommands: readonly Command<Nb>[] = commands<Nb>("NAT", [
  {
    name: "lr-nat-add", usage: "ROUTER TYPE EXTERNAL_IP LOGICAL_IP [LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]", minArgs: 4, maxArgs: 7,
    options: "--may-exist,--stateless,--portrange,--add-route,--gateway-port=,--priority=,--match=", help: "translate an address", writes: true, reads, run: add,
  },
  {
    name: "lr-nat-del", usage: "ROUTER [TYPE [IP] [GATEWAY_PORT]]", minArgs: 1, maxArgs: 4, options: "--if-exists,--match=", help: "translate no longer", writes: true,
    reads, run: remove,
  },
  { name: "lr-nat-list", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "", help: "print a router's translations", writes: false, reads, run: list },
  {
    name: "lr-nat-update-ext-ip", usage: "ROUTER TYPE IP ADDRESS_SET", minArgs: 4, maxArgs: 4, options: "--is-exempted",
    help: "translate only for (or not for) addresses of a set", writes: true, reads: [...reads, "Address_Set:name"], run: updateExternal,
  },
]);

const parseType = (text: string): NatType =>
  types.find((t) => t === text) ?? fail(`${text}: type must be one of "dnat", "snat" and "dnat_and_snat".`);

interface Wanted {
  readonly type: NatType;
  readonly external: string;
  readonly logical: string;
  readonly stateless: boolean;
  readonly match: string | undefined;
  readonly priority: number;
  readonly port: string | undefined;
  readonly mac: string | undefined;
  readonly portRange: string | undefined;
}

function add(context: NbContext): void {
  const { db, options } = context;
  const router = getNamed(context, "Logical_Router", argument(context, 0));
  const type = parseType(argument(context, 1));
  const { external, logical } = addressesOf(argument(context, 2), argument(context, 3), type);
  const extra = extraOf(context, type);
  const stateless = options.has("--stateless");
  if (type !== "dnat_and_snat" && stateless) fail("stateless is not applicable to dnat or snat types");
  if (type === "snat" && options.has("--add-route")) fail("routes cannot be added for snat types.");
  const gateway = gatewayOf(context, router, external);
  const match = options.get("--match");
  const priorityText = options.get("--priority");
  if (match === undefined && priorityText !== undefined) fail("priority can be set only with --match option.");
  const priority = priorityText === undefined ? 0 : parsePriority(priorityText);
  const wanted: Wanted = { type, external, logical, stateless, match, priority, ...extra };
  if (db.those("NAT", router.nat).some((nat) => clashes(context, nat, wanted, gateway))) return;
  const row = db.insert("NAT", {
    type, external_ip: argument(context, 2), logical_ip: logical,
    ...(extra.port === undefined || extra.mac === undefined ? {} : { logical_port: extra.port, external_mac: extra.mac }),
    ...(extra.portRange === undefined ? {} : { external_port_range: extra.portRange }),
    options: { stateless: String(stateless), ...(options.has("--add-route") ? { add_route: "true" } : {}) },
    ...(options.has("--gateway-port") && gateway.port !== undefined ? { gateway_port: gateway.port._uuid } : {}),
    ...(match === undefined ? {} : { match, priority }),
  });
  db.add(router, "nat", row._uuid);
}

function addressesOf(externalText: string, logicalText: string, type: NatType): { readonly external: string; readonly logical: string } {
  const external = normalizeAddress(externalText) ?? fail(`${externalText}: Not a valid IPv4 or IPv6 address.`);
  const family = parseIp(external)?.family ?? 4;
  const ofFamily = (text: string | undefined): string | undefined => (text !== undefined && (family === 6) === text.includes(":") ? text : undefined);
  if (type === "snat") {
    return { external, logical: ofFamily(normalizePrefix(logicalText)) ?? fail(`${logicalText}: should be an IPv${family} address or network.`) };
  }
  return { external, logical: ofFamily(normalizeAddress(logicalText)) ?? fail(`${logicalText}: Not a valid IPv${family} address.`) };
}

function extraOf(context: NbContext, type: NatType): Pick<Wanted, "port" | "mac" | "portRange"> {
  const [first, mac, range] = context.args.slice(4);
  if (first === undefined) return { port: undefined, mac: undefined, portRange: undefined };
  const isRange = context.options.has("--portrange");
  if (mac === undefined) {
    if (!isRange) fail("lr-nat-add with logical_port must also specify external_mac.");
    return { port: undefined, mac: undefined, portRange: checkedRange(first) };
  }
  if (type !== "dnat_and_snat") fail('logical_port and external_mac are only valid when type is "dnat_and_snat".');
  if (range === undefined && isRange) fail("lr-nat-add with logical_port must also specify external_mac.");
  getNamed(context, "Logical_Switch_Port", first);
  if (parseMac(mac) === undefined) fail(`invalid mac address ${mac}.`);
  return { port: first, mac, portRange: range === undefined ? undefined : checkedRange(range) };
}

function checkedRange(text: string): string {
  const [, low = "", high] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const valid = Number(low) > 0 && (high === undefined || (Number(low) < Number(high) && Number(high) <= 65535));
  return low !== "" && valid ? text : fail(`invalid port range ${text}.`);
}

interface Gateway {
  readonly port: Port | undefined;
  /** How many of the router's ports are distributed gateway ports. */
  readonly count: number;
}

function gatewayOf(context: NbContext, router: Router, external: string): Gateway {
  const { db, options } = context;
  const isGateway = (port: Port): boolean => port.ha_chassis_group !== undefined || port.gateway_chassis.size > 0;
  const gateways = db.those("Logical_Router_Port", router.ports).filter(isGateway);
  const name = options.get("--gateway-port");
  if (name !== undefined) {
    const port = getNamed(context, "Logical_Router_Port", name);
    if (!router.ports.has(port._uuid)) fail(`${name} is not a router port of logical router: ${argument(context, 0)}.`);
    if (!isGateway(port)) fail(`${name} is not a distributed gateway router port.`);
    return { port, count: gateways.length };
  }
  const port = gateways.findLast((p) => inNetworks(p, external));
  if (gateways.length > 1 && port === undefined) {
    fail(
      `logical router: ${argument(context, 0)} has multiple distributed gateway ports and gateway_port can not be determined from external IP of NAT rule.`,
    );
  }
  return { port, count: gateways.length };
}

/** Whether there is nothing left to add, as `nat` says all of it already; complains where it says otherwise. */
function clashes(context: NbContext, nat: Nat, wanted: Wanted, gateway: Gateway): boolean {
  const { db, options } = context;
  const [external, logical] = [normalizePrefix(nat.external_ip), normalizePrefix(nat.logical_ip)];
  if (external === undefined || logical === undefined) return false;
  const mayExist = options.has("--may-exist");
  const onSameGateway =
    gateway.count <= 1 || gateway.port === undefined ||
    (nat.gateway_port === undefined ? inNetworks(gateway.port, external) : nat.gateway_port === gateway.port._uuid);
  const isSnat = wanted.type === "snat";
  const sameKey = isSnat ? wanted.logical === logical : wanted.external === external;
  if (wanted.type === nat.type && onSameGateway && sameKey) {
    const sameOther = isSnat ? wanted.external === external : wanted.logical === logical;
    if (sameOther) {
      if (!mayExist) fail(`${wanted.external}, ${wanted.logical}: a NAT with this external_ip and logical_ip already exists`);
      db.update(nat, {
        logical_port: wanted.port, external_mac: wanted.mac, ...(wanted.match === undefined ? {} : { match: wanted.match, priority: wanted.priority }),
      });
      return true;
    }
    if (wanted.match === undefined || nat.match === wanted.match) {
      const key = isSnat ? `logical_ip (${wanted.logical})` : `external_ip (${wanted.external})`;
      fail(`a NAT with this type (${wanted.type}), ${key} ${wanted.match === undefined ? "" : `and match "${wanted.match}" `}already exists`);
    }
  }
  const both = wanted.type === "dnat_and_snat" || nat.type === "dnat_and_snat";
  if (both && external === wanted.external && (nat.options.get("stateless") === "true" || wanted.stateless)) {
    if (!mayExist) fail(`${wanted.external}, ${wanted.logical}: External ip cannot be shared across stateless and stateful NATs`);
    return true;
  }
  return false;
}

const keyAddress = (nat: Nat, isSnat: boolean): string | undefined => normalizePrefix(isSnat ? nat.logical_ip : nat.external_ip);

function remove(context: NbContext): void {
  const { db, options } = context;
  const [given = "", typeText, addressText, portName] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const match = options.get("--match");
  const nats = db.those("NAT", router.nat);
  if (typeText === undefined) {
    db.remove(router, "nat", ...nats.filter((nat) => match === undefined || nat.match === match).map((nat) => nat._uuid));
    return;
  }
  const type = parseType(typeText);
  const isSnat = type === "snat";
  const ip = addressText === undefined ? undefined : normalizePrefix(addressText);
  if (portName !== undefined && ip === undefined) fail(`${addressText}: Invalid IP address or CIDR`);
  // A single word after the type may be either.
  const gatewayName = portName ?? (ip === undefined ? addressText : undefined);
  const gateway = gatewayName === undefined ? undefined : getNamed(context, "Logical_Router_Port", gatewayName);
  const gone = nats.filter((nat) => {
    const address = keyAddress(nat, isSnat);
    return (
      address !== undefined && nat.type === type && (ip === undefined || address === ip) &&
      (gateway === undefined || nat.gateway_port === gateway._uuid) && (match === undefined || nat.match === match)
    );
  });
  db.remove(router, "nat", ...gone.map((nat) => nat._uuid));
  if (portName === undefined || gone.length > 0 || options.has("--if-exists")) return;
  const key = isSnat ? "logical_ip" : "external_ip";
  const rest = match === undefined ? ` and gateway_port (${portName})` : `, gateway_port (${portName}) and match (${match})`;
  fail(`no matching NAT with the type (${type}), ${key} (${ip})${rest}`);
}

/** A column of a table for people: cut to one width, filled to another. */
export const tableCell = (text: string, width: number, cut: number): string => text.slice(0, cut).padEnd(width);

function list(context: NbContext): void {
  const { db } = context;
  const router = getNamed(context, "Logical_Router", argument(context, 0));
  const lines = db.those("NAT", router.nat).map((nat) => {
    const gateway = db.row("Logical_Router_Port", nat.gateway_port)?.name ?? "";
    const key = tableCell(nat.type, 17, 13) + tableCell(gateway, 22, 18) + tableCell(nat.match, 22, 18) + tableCell(nat.external_ip, 19, 15);
    const range = tableCell(nat.external_port_range, 17, 13);
    const distributed = nat.external_mac !== undefined && nat.logical_port !== undefined;
    const value = distributed
      ? range + tableCell(nat.logical_ip, 20, 16) + tableCell(nat.external_mac ?? "", 21, 17) + (nat.logical_port ?? "")
      : range + nat.logical_ip;
    return { key, text: `${tableCell(key, 80, 86)}${value}\n` };
  });
  if (lines.length === 0) return;
  const heading = [["TYPE", 17], ["GATEWAY_PORT", 22], ["MATCH", 22], ["EXTERNAL_IP", 19], ["EXTERNAL_PORT", 17], ["LOGICAL_IP", 20], ["EXTERNAL_MAC", 21]] as const;
  context.output =
    `${heading.map(([title, width]) => title.padEnd(width)).join("")}LOGICAL_PORT\n` +
    lines.sort((a, b) => compareText(a.key, b.key)).map((line) => line.text).join("");
}

function updateExternal(context: NbContext): void {
  const { db, options } = context;
  const [given = "", typeText = "", addressText = "", setName = ""] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const type = parseType(typeText);
  const set = getNamed(context, "Address_Set", setName);
  const ip = normalizePrefix(addressText) ?? fail(`${addressText}: Invalid IP address or CIDR`);
  const nat = db.those("NAT", router.nat).find((row) => row.type === type && keyAddress(row, type === "snat") === ip);
  if (nat === undefined) fail(`${type}: Could not locate nat rule for: ${ip}.`);
  db.verify(router, "nat");
  db.update(nat, options.has("--is-exempted") ? { exempted_ext_ips: set._uuid } : { allowed_ext_ips: set._uuid });
}
