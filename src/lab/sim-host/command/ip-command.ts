/** `ip`: addresses, routes, neighbors and the link, shown and changed as iproute2 does. */
import { networkOf, parseIp, parseMac, parsePrefix } from "../../../net/index.ts";
import type { Device } from "../device.ts";
import type { HostServices } from "../host-services.ts";
import { sameIp, samePrefix } from "../network-state.ts";
import type { Command, CommandContext } from "./command.ts";
import { parseDestination, parseRoute } from "./ip-route-words.ts";
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

/** The device that is named (with `dev`, or by its name alone): undefined if none is, "unknown" if there is no such device. */
function deviceNamed(words: readonly string[], host: HostServices): string | undefined {
  const at = words.indexOf("dev");
  return at >= 0 ? (words[at + 1] ?? "") : words.find((w) => w === "lo" || host.ip.devices.has(w));
}

/** Complains if a device is named that is none. */
function hasWrongDevice(context: CommandContext, words: readonly string[]): boolean {
  const device = deviceNamed(words, context.host);
  if (device === undefined || device === "lo" || context.host.ip.devices.has(device)) return false;
  context.err(`Device "${device}" does not exist.\n`);
  return true;
}

function runAddress(context: CommandContext, args: readonly string[], family: 4 | 6 | undefined, isBrief: boolean): number {
  const { host } = context;
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "add", "delete", "replace", "flush"] as const);
  if (known === undefined && deviceNamed(args, host) === undefined) return fail(context, `Command "${verb}" is unknown, try "ip address help".`, 255);
  if (hasWrongDevice(context, args)) return 1;
  const device = deviceNamed(args, host);
  if (known === undefined || known === "show" || known === "list" || known === "lst") {
    context.out(isBrief ? showAddressesBriefly(host, family, device) : showAddresses(host, family, device));
    return 0;
  }
  if (known === "flush") {
    for (const a of [...host.network.addresses]) {
      if ((family === undefined || a.prefix.family === family) && (device === undefined || a.device === device)) host.network.removeAddress(a.prefix, a.device);
    }
    return 0;
  }
  const text = words[0] ?? "";
  const prefix = parsePrefix(text);
  if (prefix === undefined) return fail(context, notAPrefix(text), 1);
  if (known === "delete") return host.network.removeAddress(prefix, device) ? 0 : fail(context, "Error: ipv4: Address not found.", 2);
  const on = host.ip.devices.get(device ?? host.device.name);
  const isThere = host.network.addresses.some((a) => sameIp(a.prefix, prefix) && a.device === (device ?? host.device.name));
  if (known === "add" && isThere) return fail(context, "Error: ipv4: Address already assigned.", 2);
  host.network.setAddress({ prefix, device: device ?? host.device.name, origin: "static", validUntil: undefined, preferredUntil: undefined });
  if (on !== undefined) host.ip.resolution.announce(on, prefix);
  return 0;
}

function runRoute(context: CommandContext, args: readonly string[], family: 4 | 6 | undefined): number {
  const { host } = context;
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "add", "append", "delete", "replace", "get", "flush"] as const);
  if (known === undefined) return fail(context, `Command "${verb}" is unknown, try "ip route help".`, 255);
  if (known === "show" || known === "list" || known === "lst") {
    const to = words[0] === undefined || words[0] === "dev" ? undefined : parseDestination(words[0], family);
    context.out(showRoutes(host, to?.family ?? family ?? 4, to));
    return 0;
  }
  if (known === "get") return getRoute(context, words[0] ?? "");
  if (known === "flush") {
    host.network.removeRoute((r) => r.origin !== "kernel" && r.destination.family === (family ?? 4));
    return 0;
  }
  if (known === "delete") return deleteRoute(context, words, family);
  if (hasWrongDevice(context, words)) return 1;
  const parsed = parseRoute(words, family, host.network, (name) => name === "lo" || host.ip.devices.has(name));
  if ("wrong" in parsed) return fail(context, parsed.wrong, parsed.code);
  const { route } = parsed;
  const isSame = (r: typeof route): boolean => samePrefix(r.destination, route.destination) && r.metric === route.metric && r.origin !== "kernel";
  if (known === "replace") host.network.removeRoute(isSame);
  else if (known === "add" && host.network.routes.some(isSame)) return fail(context, "RTNETLINK answers: File exists", 2);
  return host.network.addRoute(route) ? 0 : fail(context, "RTNETLINK answers: File exists", 2);
}

function deleteRoute(context: CommandContext, words: readonly string[], family: 4 | 6 | undefined): number {
  const { network } = context.host;
  const viaAt = words.indexOf("via");
  const via = viaAt >= 0 ? parseIp(words[viaAt + 1] ?? "") : undefined;
  const to = words[0] === "blackhole" ? words[1] : words[0];
  const destination = parseDestination(to ?? "", via?.family ?? family);
  if (destination === undefined) return fail(context, `Error: inet prefix is expected rather than "${to ?? ""}".`, 1);
  if (hasWrongDevice(context, words)) return 1;
  const wanted = networkOf(destination);
  const gone = network.routes.find((r) => samePrefix(r.destination, wanted) && (via === undefined || r.hops.some((hop) => hop.via !== undefined && sameIp(hop.via, via))));
  return gone !== undefined && network.removeRoute((r) => r === gone) ? 0 : fail(context, "RTNETLINK answers: No such process", 2);
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
  if (hasWrongDevice(context, args)) return 1;
  const device = deviceNamed(args, context.host);
  if (known !== "flush") context.out(showNeighbors(context.host, family, device));
  else for (const each of context.host.ip.devices.values()) if (device === undefined || device === each.name) each.neighbors.forget();
  return 0;
}

function runLink(context: CommandContext, args: readonly string[]): number {
  const { host } = context;
  const [verb = "show", ...words] = args;
  const known = complete(verb, ["show", "list", "lst", "set"] as const);
  if (known === undefined) return fail(context, `Command "${verb}" is unknown, try "ip link help".`, 255);
  if (hasWrongDevice(context, words)) return 1;
  const device = deviceNamed(words, host);
  if (known !== "set") {
    context.out(showLinks(host, device));
    return 0;
  }
  const target = host.ip.devices.get(device ?? (words[0] === undefined ? "" : host.device.name));
  return target === undefined ? (device === "lo" ? 0 : fail(context, "Not enough information: \"dev\" argument is required.", 255)) : setLink(context, target, words);
}

function setLink(context: CommandContext, device: Device, words: readonly string[]): number {
  const addressAt = words.indexOf("address");
  if (addressAt >= 0) {
    const mac = parseMac(words[addressAt + 1] ?? "");
    if (mac === undefined) return fail(context, `"${words[addressAt + 1] ?? ""}" is invalid lladdr.`, 255);
    device.mac = mac;
  }
  const mtuAt = words.indexOf("mtu");
  if (mtuAt >= 0) {
    const mtu = Number(words[mtuAt + 1]);
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65535) return fail(context, `Error: argument "${words[mtuAt + 1] ?? ""}" is wrong: Invalid "mtu" value`, 255);
    device.mtu = mtu;
  }
  if (words.includes("up")) device.isUp = true;
  else if (words.includes("down")) device.isUp = false;
  return 0;
}
