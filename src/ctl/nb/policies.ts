/** Policies of logical routers: lr-policy-*. */
import { contains, parseIp, parsePrefix } from "../../net/index.ts";
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, findNamed, getNamed, type Nb, type NbContext, type NbRow, parsePriority } from "./find.ts";
import { normalizeAddress, normalizePrefix } from "./routes.ts";

type Router = NbRow<"Logical_Router">;
type Policy = NbRow<"Logical_Router_Policy">;
const reads = ["Logical_Router:name,policies,ports", "Logical_Router_Policy", "Logical_Router_Port:name,mac,networks", "BFD:dst_ip,logical_port"];
const actions = ["allow", "drop", "reroute", "jump"] as const;

export const policyCommands: readonly Command<Nb>[] = commands<Nb>("Policies", [
  {
    name: "lr-policy-add", usage: "ROUTER PRIORITY MATCH ACTION [NEXTHOP] [KEY=VALUE]...", minArgs: 4, maxArgs: Infinity,
    options: "--may-exist,--bfd?,--chain=,--output-port=", help: "add a policy", writes: true, reads, run: add,
  },
  {
    name: "lr-policy-del", usage: "ROUTER [{PRIORITY | UUID} [MATCH]]", minArgs: 1, maxArgs: 3, options: "--if-exists,--chain=", help: "delete policies",
    writes: true, reads, run: remove,
  },
  { name: "lr-policy-list", usage: "ROUTER", minArgs: 1, maxArgs: 1, options: "", help: "print a router's policies", writes: false, reads, run: list },
]);

function add(context: NbContext): void {
  const { db, options } = context;
  const [given = "", priorityText = "", match = "", actionText = "", target, ...more] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const priority = parsePriority(priorityText);
  const action = actions.find((a) => a === actionText) ?? fail(`${actionText}: action must be one of "allow", "drop", "reroute", "jump"`);
  if (action === "reroute" && target === undefined) fail("Nexthop is required when action is reroute.");
  if (action !== "reroute" && options.has("--output-port")) fail("Specifying output-port is only allowed for reroute policies.");
  if (action === "jump" && target === undefined) fail("Chain name is required when action is jump.");
  const chain = options.get("--chain");
  const same = db.those("Logical_Router_Policy", router.policies).some((p) => p.priority === priority && p.match === match && (p.chain ?? "") === (chain ?? ""));
  if (same) {
    if (!options.has("--may-exist")) fail(`Same routing policy already existed on the logical router ${given}.`);
    return;
  }
  const nexthops = action === "reroute" ? parseNexthops(target ?? "") : [];
  const port = action === "reroute" ? outputPort(context, nexthops.length) : undefined;
  const takesTarget = action === "reroute" || action === "jump";
  const policy = db.insert("Logical_Router_Policy", {
    priority, match, action, nexthops,
    ...(chain === undefined ? {} : { chain }),
    ...(action === "jump" && target !== undefined ? { jump_chain: target } : {}),
    ...(port === undefined ? {} : { output_port: port._uuid }),
    options: parseOptions(takesTarget || target === undefined ? more : [target, ...more]),
  });
  db.add(router, "policies", policy._uuid);
  if (!options.has("--bfd")) return;
  if (action !== "reroute") fail("BFD is valid only with reroute action.");
  db.update(policy, { bfd_sessions: new Set(nexthops.map((nexthop) => bfdFor(context, router, nexthop)._uuid)) });
}

function parseNexthops(text: string): readonly string[] {
  const nexthops = text.split(",").filter((t) => t !== "").map((t) => normalizeAddress(t) ?? fail(`bad next hop argument: ${text}`));
  if (new Set(nexthops.map((n) => n.includes("."))).size > 1) fail(`bad next hops argument, not in the same addr family : ${text}`);
  return nexthops;
}

function outputPort(context: NbContext, count: number): NbRow<"Logical_Router_Port"> | undefined {
  const name = context.options.get("--output-port");
  if (name === undefined) return undefined;
  if (count !== 1) fail("output-port option is supported only for policies with a single reroute next hop");
  return findNamed(context, "Logical_Router_Port", name) ?? fail(`unknown output-port: ${name}`);
}

function parseOptions(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(words.map((word) => {
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    return equals < 0 || equals === word.length - 1 ? fail(`No value specified for the option : ${key}`) : ([key, word.slice(equals + 1)] as const);
  }));
}

/** Whether an address is in one of the networks that a router port is connected to. */
export function inNetworks(port: NbRow<"Logical_Router_Port">, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && [...port.networks].some((network) => {
    const prefix = parsePrefix(network);
    return prefix !== undefined && contains(prefix, ip);
  });
}

function bfdFor({ db }: NbContext, router: Router, nexthop: string): NbRow<"BFD"> {
  const port = db.those("Logical_Router_Port", router.ports).find((p) => inNetworks(p, nexthop)) ?? fail(`out lrp not found for ${nexthop} nexthop`);
  return db.rows("BFD").find((row) => row.dst_ip === nexthop && row.logical_port === port.name) ?? db.insert("BFD", { dst_ip: nexthop, logical_port: port.name });
}

function remove(context: NbContext): void {
  const { db, options } = context;
  const [given = "", which, match] = context.args;
  const router = getNamed(context, "Logical_Router", given);
  const chain = options.get("--chain") ?? "";
  const policies = db.those("Logical_Router_Policy", router.policies);
  const drop = (gone: readonly Policy[]): void => db.remove(router, "policies", ...gone.map((p) => p._uuid));
  if (which === undefined && chain === "") {
    drop(policies);
    return;
  }
  if (which !== undefined && match === undefined && isUuid(which)) {
    const gone = policies.filter((p) => p._uuid === which.toLowerCase());
    if (gone.length === 0 && !options.has("--if-exists")) fail("Logical router policy uuid is not found.");
    drop(gone);
    return;
  }
  const priority = which === undefined ? 0 : parsePriority(which);
  drop(policies.filter((p) => (priority === 0 || p.priority === priority) && (p.chain ?? "") === chain && (match === undefined || p.match === match)));
}

function list(context: NbContext): void {
  const { db } = context;
  const router = getNamed(context, "Logical_Router", argument(context, 0));
  const chainOf = (p: Policy): string => p.chain ?? "";
  const policies = [...db.those("Logical_Router_Policy", router.policies)].sort(
    (a, b) => compareText(chainOf(a), chainOf(b)) || b.priority - a.priority || compareText(a.match, b.match),
  );
  if (policies.length > 0) context.output = "Routing Policies\n";
  // Chains are named only where there are any.
  const last = policies.at(-1);
  const named = last !== undefined && chainOf(last) !== "";
  policies.forEach((policy, i) => {
    const chain = chainOf(policy);
    const before = policies[i - 1];
    if (named && (before === undefined || chainOf(before) !== chain)) context.output += chain === "" ? "Chain <Default>:\n" : `\nChain ${chain}:\n`;
    context.output += printPolicy(context, policy);
  });
}

function printPolicy({ db }: NbContext, policy: Policy): string {
  let text = `${String(policy.priority).padStart(10)} ${policy.match.padStart(50)} ${policy.action.padStart(15)}`;
  if (policy.action === "jump" && (policy.jump_chain ?? "") !== "") text += ` -> ${policy.jump_chain}`;
  [...policy.nexthops].forEach((nexthop, i) => {
    const normal = normalizePrefix(nexthop) ?? "";
    text += i === 0 ? ` ${normal.padStart(25)}` : `, ${normal}`;
  });
  const port = db.row("Logical_Router_Port", policy.output_port);
  if (port !== undefined) text += ` ${port.name}`;
  const details = [...(policy.bfd_sessions.size > 0 ? ["bfd"] : []), ...[...policy.options].map(([k, v]) => `${k}=${v}`)];
  return `${text}${details.length > 0 ? `${" ".repeat(15)}${details.join(",")}` : ""}\n`;
}
