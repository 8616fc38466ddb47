/** Static routes of logical routers: lr-route-*. */
import { formatIp, formatPrefix, type Ip, networkOf, parseIp, parsePrefix, type Prefix } from "../../net/index.ts";
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findNamed, getNamed, type Nb, type NbContext, type NbRow } from "./find.ts";

type Router = NbRow<"Logical_Router">;
type Route = NbRow<"Logical_Router_Static_Route">;
const reads = ["Logical_Router:name,static_routes", "Logical_Router_Static_Route", "Logical_Router_Port:name", "BFD:dst_ip,logical_port"];

export const routeCommands: readonly Command<Nb>[] = commands<Nb>("Routes", [
  {
    name: "lr-route-add", usage: "ROUTER PREFIX NEXTHOP [PORT]", minArgs: 3, maxArgs: 4,
    options: "--may-exist,--ecmp,--ecmp-symmetric-reply,--override-connected,--policy=,--route-table=,--bfd?",
    help: "add a route", writes: true, reads, run: add,
  },
  {
    name: "lr-route-del", usage: "ROUTER [PREFIX [NEXTHOP [PORT]]]", minArgs: 1, maxArgs: 4, options: "--if-exists,--policy=,--route-table=",
    help: "delete routes", writes: true, reads, run: remove,
  },
  {
    name: "lr-route-list", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "--route-table=", help: "print a router's routes", writes: false, reads, run: list,
  },
]);

/** A prefix in the one form that is compared and stored: no host bits, no length where it covers one address. */
export function normalizePrefix(text: string): string | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return undefined;
  const network = networkOf(prefix);
  return network.length === (network.family === 4 ? 32 : 128) ? formatIp(network) : formatPrefix(network);
}

export function normalizeAddress(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip);
}

function policyOf(context: NbContext): "src-ip" | "dst-ip" | undefined {
  const policy = context.options.get("--policy");
  if (policy === undefined || policy === "src-ip" || policy === "dst-ip") return policy;
  return fail(`bad policy: ${policy}`);
}

const isSource = (policy: string | undefined): boolean => policy === "src-ip";

interface Key {
  readonly prefix: string;
  readonly nexthop: string | undefined;
  readonly source: boolean;
  readonly table: string;
}

/** A route of the same table, policy and prefix; with `nexthop`, also of the same next hop. */
function findRoute({ db }: NbContext, router: Router, { prefix, nexthop, source, table }: Key): Route | undefined {
  return db.those("Logical_Router_Static_Route", router.static_routes).find(
    (route) =>
      route.route_table === table && isSource(route.policy) === source && normalizePrefix(route.ip_prefix) === prefix &&
      (nexthop === undefined || route.nexthop === nexthop),
  );
}

interface Hop {
  /** Empty for a route that only names its port. */
  readonly nexthop: string;
  readonly port: NbRow<"Logical_Router_Port"> | undefined;
}

function hopOf(context: NbContext): Hop {
  const [, , given = "", portName] = context.args;
  const port = portName === undefined ? undefined : getNamed(context, "Logical_Router_Port", portName);
  if (given === "discard") return { nexthop: "discard", port };
  const address = normalizeAddress(given);
  if (address !== undefined) return { nexthop: address, port };
  const named = findNamed(context, "Logical_Router_Port", given) ?? fail(`bad nexthop argument: ${given}`);
  return { nexthop: "", port: port ?? named };
}

function add(context: NbContext): void {
  const { db, options } = context;
  const router = getNamed(context, "Logical_Router", argument(context, 0));
  const policy = policyOf(context);
  const prefix = normalizePrefix(argument(context, 1)) ?? fail(`bad prefix argument: ${argument(context, 1)}`);
  const hop = hopOf(context);
  const { nexthop, port } = hop;
  const findBfd = (): NbRow<"BFD"> | undefined => (options.has("--bfd") ? existingBfd(context, hop) : undefined);
  const bfd = findBfd();
  const symmetric = options.has("--ecmp-symmetric-reply");
  const ecmp = symmetric || options.has("--ecmp");
  const key = { prefix, source: isSource(policy), table: options.get("--route-table") ?? "" };
  const route = findRoute(context, router, { ...key, nexthop: ecmp ? nexthop : undefined });
  if (nexthop === "discard") checkDiscard(context, ecmp, port !== undefined);
  if (ecmp && route !== undefined) {
    if (!options.has("--may-exist")) fail("duplicate nexthop for the same ECMP route");
    return;
  }
  const useBfd = (): { bfd?: NbRow<"BFD">["_uuid"] } => (options.has("--bfd") ? { bfd: (bfd ?? newBfd(context, hop))._uuid } : {});
  const common = { ip_prefix: prefix, nexthop, ...(port === undefined ? {} : { output_port: port.name }), ...(policy === undefined ? {} : { policy }) };
  if (route !== undefined && !route.external_ids.has("ic-learned-route")) {
    if (!options.has("--may-exist")) {
      fail(`duplicate prefix: ${prefix} (policy: ${policy ?? "dst-ip"}). Use option --ecmp to allow this for ECMP routing.`);
    }
    db.verify(router, "static_routes");
    db.verify(route, "ip_prefix", "nexthop");
    db.update(route, { ...common, ...useBfd() });
    return;
  }
  if (findRoute(context, router, { ...key, nexthop: "discard" }) !== undefined) fail("discard nexthop for the same ECMP route exists.");
  const routeOptions = {
    ...(symmetric ? { ecmp_symmetric_reply: "true" } : {}),
    ...(options.has("--override-connected") ? { "override-connected": "true" } : {}),
  };
  const row = db.insert("Logical_Router_Static_Route", { ...common, route_table: key.table, options: routeOptions, ...useBfd() });
  db.add(router, "static_routes", row._uuid);
}

function checkDiscard({ options }: NbContext, ecmp: boolean, hasPort: boolean): void {
  if (ecmp) fail("ecmp is not valid for discard routes.");
  if (options.has("--bfd")) fail("bfd dst_ip cannot be discard.");
  if (hasPort) fail("outport is not valid for discard routes.");
}

/** The session that --bfd names or that watches this next hop already. */
function existingBfd({ db, options }: NbContext, { nexthop, port }: Hop): NbRow<"BFD"> | undefined {
  const given = options.get("--bfd");
  if (given !== undefined) return (isUuid(given) ? db.row("BFD", given.toLowerCase()) : undefined) ?? fail("no entry found in the BFD table");
  return db.rows("BFD").find((row) => row.dst_ip === nexthop && (port === undefined || row.logical_port === port.name));
}

function newBfd({ db }: NbContext, { nexthop, port }: Hop): NbRow<"BFD"> {
  if (port === undefined) fail("insert entry in the BFD table failed");
  return db.insert("BFD", { dst_ip: nexthop, logical_port: port.name });
}

function remove(context: NbContext): void {
  const { db, options } = context;
  const [given = "", prefixText, hopText, port] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const policy = policyOf(context);
  if (prefixText === undefined && policy === undefined) {
    db.update(router, { static_routes: [] });
    return;
  }
  const prefix = prefixText === undefined ? undefined : normalizePrefix(prefixText) ?? fail(`bad prefix argument: ${prefixText}`);
  const nexthop = hopText === undefined || hopText === "discard" ? hopText : normalizePrefix(hopText) ?? fail(`bad nexthop argument: ${hopText}`);
  const table = options.get("--route-table") ?? "";
  const gone = db.those("Logical_Router_Static_Route", router.static_routes).filter(
    (route) =>
      (policy === undefined || isSource(route.policy) === isSource(policy)) &&
      (prefix === undefined || normalizePrefix(route.ip_prefix) === prefix) &&
      (nexthop === undefined || (route.nexthop === "discard" ? "discard" : normalizePrefix(route.nexthop)) === nexthop) &&
      route.route_table === table &&
      (port === undefined || route.output_port === port),
  );
  for (const route of gone) {
    const bfd = db.row("BFD", route.bfd);
    if (bfd !== undefined) db.delete(bfd);
  }
  db.remove(router, "static_routes", ...gone.map((route) => route._uuid));
  if (gone.length > 0 || options.has("--if-exists")) return;
  fail(`no matching route: policy '${policy ?? "any"}', prefix '${prefix ?? "(null)"}', nexthop '${nexthop ?? "any"}', output_port '${port ?? "any"}'.`);
}

interface Listed {
  readonly route: Route;
  readonly prefix: Prefix;
  /** As the router weighs it: longer prefixes first, by destination before by source. */
  readonly weight: number;
}

function list(context: NbContext): void {
  const { db, options } = context;
  const router = getNamed(context, "Logical_Router", argument(context, 0));
  const table = options.get("--route-table");
  const listed: Listed[] = [];
  for (const route of db.those("Logical_Router_Static_Route", router.static_routes)) {
    if (table !== undefined && route.route_table !== table) continue;
    const prefix = parsePrefix(route.ip_prefix);
    if (prefix === undefined) context.warn(`router ${router._uuid} (${router.name}) has invalid prefix: ${route.ip_prefix}`);
    else listed.push({ route, prefix, weight: 2 * prefix.length + (isSource(route.policy) ? 0 : 1) });
  }
  const ofFamily = (family: 4 | 6): string => printFamily(family, listed.filter(({ prefix }) => prefix.family === family));
  context.output = [ofFamily(4), ofFamily(6)].filter((text) => text !== "").join("\n");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 0 for routes that are alternatives to each other. */
function compareListed(a: Listed, b: Listed): number {
  return compareText(a.route.route_table, b.route.route_table) || b.weight - a.weight || compareAddresses(a.prefix, b.prefix);
}

function compareAddresses(a: Ip, b: Ip): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}

function compareDetails(a: Route, b: Route): number {
  return compareText(a.nexthop, b.nexthop) || compareText(a.output_port ?? "", b.output_port ?? "");
}

function printFamily(family: 4 | 6, listed: readonly Listed[]): string {
  if (listed.length === 0) return "";
  const sorted = [...listed].sort((a, b) => compareListed(a, b) || compareDetails(a.route, b.route));
  let text = `IPv${family} Routes\n`;
  sorted.forEach((entry, i) => {
    const [before, after] = [sorted[i - 1], sorted[i + 1]];
    const table = entry.route.route_table;
    if (before?.route.route_table !== table) text += `${before === undefined ? "" : "\n"}Route Table ${table === "" ? "<main>" : table}:\n`;
    const ecmp = [before, after].some((other) => other !== undefined && compareListed(entry, other) === 0);
    text += printRoute(entry.route, ecmp);
  });
  return text;
}

function printRoute(route: Route, ecmp: boolean): string {
  const prefix = normalizePrefix(route.ip_prefix) ?? "";
  const nexthop = route.nexthop === "discard" ? "discard" : normalizePrefix(route.nexthop) ?? "";
  const words = [
    prefix.padStart(25), nexthop.padStart(25), route.policy ?? "dst-ip", route.output_port,
    route.external_ids.has("ic-learned-route") ? "(learned)" : undefined,
    ecmp ? "ecmp" : undefined,
    route.options.get("ecmp_symmetric_reply") === "true" ? "ecmp-symmetric-reply" : undefined,
    route.options.get("override-connected") === "true" ? "override-connected" : undefined,
    route.bfd === undefined ? undefined : "bfd",
  ];
  return `${words.filter((word) => word !== undefined).join(" ")}\n`;
}
