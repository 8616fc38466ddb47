/** `ip`: addresses, routes, neighbors and the link, shown and changed as iproute2 does, as far as one interface goes. */
import { type Ip, parseIp, parsePrefix, type Prefix } from "../../../net/index.ts";
import { networkOf } from "../../../net/index.ts";
import type { HostServices } from "../host-services.ts";
import { sameIp } from "../network-state.ts";
import type { Command, CommandContext } from "./command.ts";
import { showAddresses, showAddressesBriefly, showLinks, showNeighbors, showRoute, showRoutes } from "./ip-show.ts";

const objects = ["address", "route", "neighbour", "link"] as const;

/** The whole word of which `text` is a beginning, by iproute2's rule: the first that fits. */
const complete = <T extends string>(text: string, words: readonly T[]): T | undefined => words.find((word) => word.startsWith(text));

export const ip: Command = {
  name: "ip",
  summary: "ip [-4|-6] [-br] address|route|neigh|link [show|add|del|get|flush|set ...]",
  run: (context, args) => Promise.resolve(run(context, args)),
};

function run(context: CommandContext, args: readonly string[]): number {
  let family: 4 | 6 | undefined;
  let isBrief = false;
  let rest = args;
  while (rest[0]?.startsWith("-") === true) {
    const option = rest[0];
    if (option === "-4" || option === "-6") family = option === "-4" ? 4 : 6;
    else if ("-brief".startsWith(option) && option.length >= 3) isBrief = true;
    else if (!["-o", "-d", "-s", "-n", "-c", "-color"].includes(option)) return fail(context, `Option "${option}" is unknown, try "ip -help".`, 255);
    rest = rest.slice(1);
  }
  const [word = "", ...tail] = rest;
  const object = word === "neighbor" ? "neighbour" : word === "" ? undefined : complete(word, objects);
  switch (object) {
    case "address":
      return runAddress(context, tail, family, isBrief);
    case "route":
      return runRoute(context, tail, family);
    case "neighbour":
      return runNeighbor(context, tail, family);
    case "link":
      return runLink(context, tail);
    case undefined:
      return word === "" ? fail(context, "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }", 255) : fail(context, `Object "${word}" is unknown, try "ip help".`, 1);
  }
}

function fail(context: CommandContext, text: string, code: number): number {
  context.err(`${text}\n`);
  return code;
}

const expected = "any valid prefix";
const notAPrefix = (text: string): string => `Error: ${expected} is expected rather than "${text}".`;

/** The device named, if it is not ours, complained about. */
function wrongDevice(context: CommandContext, words: readonly string[]): boolean {
  const at = words.indexOf("dev");
  const device = at >= 0 ? words[at + 1] : undefined;
  if (device === undefined || device === context.host.interfaceName || device === "lo") return false;
  context.err(at >= 0 ? `Device "${device}" does not exist.\n` : "");
  return true;
}

function deviceOf(words: readonly string[], host: HostServices): string | undefined {
  const at = words.indexOf("dev");
  const named = at >= 0 ? words[at + 1] : words.find((w) => w === host.interfaceName || w === "lo");
  return named;
}

function runAddress(context: CommandContext, args: readonly string[], family: 4 | 6 | undefined, isBrief: boolean): number {
  const { host } = context;
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "add", "delete", "replace", "flush"] as const);
  if (known === undefined || known === "show" || known === "list" || known === "lst") {
    if (wrongDevice(context, args) || (known === undefined && deviceOf(args, host) === undefined)) return known === undefined ? fail(context, `Command "${verb}" is unknown, try "ip address help".`, 255) : 1;
    const device = deviceOf(args, host);
    context.out(isBrief ? showAddressesBriefly(host, family, device) : showAddresses(host, family, device));
    return 0;
  }
  if (wrongDevice(context, words)) return 1;
  if (known === "flush") {
    for (const a of [...host.network.addresses]) if (family === undefined || a.prefix.family === family) host.network.removeAddress(a.prefix);
    return 0;
  }
  const text = words[0] ?? "";
  const prefix = parsePrefix(text);
  if (prefix === undefined) return fail(context, notAPrefix(text), 1);
  const isThere = host.network.addresses.some((a) => sameIp(a.prefix, prefix));
  if (known === "delete") return host.network.removeAddress(prefix) ? 0 : fail(context, "Error: ipv4: Address not found.", 2);
  if (known === "add" && isThere) return fail(context, "Error: ipv4: Address already assigned.", 2);
  host.network.setAddress({ prefix, origin: "static", validUntil: undefined, preferredUntil: undefined });
  host.ip.announce(prefix);
  return 0;
}

function parseDestination(text: string, family: 4 | 6 | undefined): Prefix | undefined {
  if (text !== "default") return parsePrefix(text);
  return parsePrefix(family === 6 ? "::/0" : "0.0.0.0/0");
}

function runRoute(context: CommandContext, args: readonly string[], family: 4 | 6 | undefined): number {
  const { host } = context;
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "add", "delete", "replace", "get", "flush"] as const);
  if (known === undefined) return fail(context, `Command "${verb}" is unknown, try "ip route help".`, 255);
  if (known === "show" || known === "list" || known === "lst") {
    context.out(showRoutes(host, family ?? 4));
    return 0;
  }
  if (known === "get") return getRoute(context, words[0] ?? "");
  if (known === "flush") {
    host.network.removeRoute((r) => r.origin !== "kernel" && r.destination.family === (family ?? 4));
    return 0;
  }
  const viaAt = words.indexOf("via");
  const via: Ip | undefined = viaAt >= 0 ? parseIp(words[viaAt + 1] ?? "") : undefined;
  if (viaAt >= 0 && via === undefined) return fail(context, `Error: inet address is expected rather than "${words[viaAt + 1] ?? ""}".`, 1);
  const destination = parseDestination(words[0] ?? "", via?.family ?? family);
  if (destination === undefined) return fail(context, `Error: inet prefix is expected rather than "${words[0] ?? ""}".`, 1);
  if (wrongDevice(context, words)) return 1;
  const network = networkOf(destination);
  const matches = (r: { destination: Prefix; via: Ip | undefined }): boolean =>
    sameIp(r.destination, network) && r.destination.length === network.length && (via === undefined || (r.via !== undefined && sameIp(r.via, via)));
  if (known === "delete") return host.network.removeRoute(matches) ? 0 : fail(context, "RTNETLINK answers: No such process", 2);
  if (via !== undefined && host.network.routeTo(via)?.via !== undefined) return fail(context, "Error: Nexthop has invalid gateway.", 2);
  if (via !== undefined && host.network.routeTo(via) === undefined) return fail(context, "Error: Nexthop has invalid gateway.", 2);
  if (known === "replace") host.network.removeRoute((r) => sameIp(r.destination, network) && r.destination.length === network.length && r.origin !== "kernel");
  const metricAt = words.indexOf("metric");
  const metric = metricAt >= 0 ? Number(words[metricAt + 1]) : network.family === 4 ? 0 : 1024;
  return host.network.addRoute({ destination: network, via, origin: "static", metric }) ? 0 : fail(context, "RTNETLINK answers: File exists", 2);
}

function getRoute(context: CommandContext, text: string): number {
  const to = parseIp(text);
  if (to === undefined) return fail(context, notAPrefix(text), 1);
  const shown = showRoute(context.host, to);
  if (shown === undefined) return fail(context, "RTNETLINK answers: Network is unreachable", 2);
  context.out(shown);
  return 0;
}

function runNeighbor(context: CommandContext, args: readonly string[], family: 4 | 6 | undefined): number {
  const known = complete(args[0] ?? "show", ["show", "list", "lst", "flush"] as const);
  if (known === undefined) return fail(context, `Command "${args[0] ?? ""}" is unknown, try "ip neighbour help".`, 255);
  if (known === "flush") context.host.ip.neighbors.forget();
  else context.out(showNeighbors(context.host, family));
  return 0;
}

function runLink(context: CommandContext, args: readonly string[]): number {
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "set"] as const);
  if (known === undefined) return fail(context, `Command "${verb}" is unknown, try "ip link help".`, 255);
  if (wrongDevice(context, words)) return 1;
  if (known !== "set") context.out(showLinks(context.host, deviceOf(words, context.host)));
  else if (words.includes("up")) context.host.isUp = true;
  else if (words.includes("down")) {
    context.host.isUp = false;
    context.host.ip.neighbors.forget();
  }
  return 0;
}
