/**
 * What iproute2 prints and reads (ip-route(8), ip(8) -json, -batch). Its output is outside text: whatever is not understood
 * is left out, and nothing makes this throw.
 */
import type { KernelNextHop, KernelRoute } from "../kernel-routing.ts";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** `ip -N -j route show`: numbers may be written as numbers or as text. */
const number = (value: unknown, otherwise: number): number => {
  const parsed = typeof value === "number" ? value : typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : otherwise;
  return Number.isSafeInteger(parsed) && parsed >= 0 ? parsed : otherwise;
};

/** The items of a JSON array; none if the text is no such thing (`ip` leaves it unfinished when a table does not exist). */
export function jsonItems(json: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter(isRecord) : [];
  } catch {
    return [];
  }
}

/** Route types (linux/rtnetlink.h) by number, and by name where an older `ip` prefers it. */
const kinds: ReadonlyMap<string, KernelRoute["kind"]> = new Map([["1", "unicast"], ["unicast", "unicast"], ["6", "blackhole"], ["blackhole", "blackhole"]]);

/** The output of `ip -N -j route show` for one family. */
export function parseRoutes(json: string, family: 4 | 6): readonly KernelRoute[] {
  return jsonItems(json).flatMap((item) => {
    const destination = text(item["dst"]);
    if (destination === undefined) return [];
    const type = item["type"];
    return [{
      kind: type === undefined ? "unicast" as const : kinds.get(String(type)) ?? "other",
      destination: withLength(destination, family),
      protocol: number(item["protocol"], 0),
      metric: number(item["metric"], 0),
      nextHops: nextHopsOf(item),
    }];
  });
}

function withLength(destination: string, family: 4 | 6): string {
  if (destination === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  return destination.includes("/") ? destination : `${destination}/${family === 4 ? 32 : 128}`;
}

function nextHopsOf(item: Readonly<Record<string, unknown>>): readonly KernelNextHop[] {
  const several = item["nexthops"];
  if (Array.isArray(several)) return several.filter(isRecord).map(nextHopOf);
  const only = nextHopOf(item);
  return only.address === undefined && only.device === undefined ? [] : [only];
}

function nextHopOf(item: Readonly<Record<string, unknown>>): KernelNextHop {
  const via = item["via"];
  return { address: text(item["gateway"]) ?? (isRecord(via) ? text(via["host"]) : undefined), device: text(item["dev"]) };
}

/**
 * Where FRR cannot give an IPv4 route an IPv6 next hop (in network namespaces), it writes 169.254.0.1, and tells the kernel
 * whose MAC address that is (RFC 5549 as zebra has it). Device to the link-local address that is meant, from `ip -j neigh show`.
 */
export const disguise = "169.254.0.1";

export function disguisedNextHops(json: string): ReadonlyMap<string, string> {
  const neighbors = jsonItems(json).flatMap((item) => {
    const [address, device, mac] = [text(item["dst"]), text(item["dev"]), text(item["lladdr"])];
    return address === undefined || device === undefined || mac === undefined ? [] : [{ address, device, mac }];
  });
  return new Map(neighbors.filter(({ address }) => address === disguise).flatMap(({ device, mac }) => {
    const known = neighbors.find((n) => n.device === device && n.mac === mac && n.address.startsWith("fe80:"));
    const meant = known?.address ?? linkLocalOf(mac);
    return meant === undefined ? [] : [[device, meant] as const];
  }));
}

/** fe80::/64 with the EUI-64 of a MAC address (RFC 4291, appendix A). */
function linkLocalOf(mac: string): string | undefined {
  const bytes = mac.split(":").map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  if (bytes.length !== 6 || bytes.some((byte) => !(byte >= 0 && byte <= 255))) return undefined;
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${groups.map((group) => group.toString(16)).join(":")}`;
}

/** The routes with the next hops that are meant. */
export const undisguised = (routes: readonly KernelRoute[], meant: ReadonlyMap<string, string>): readonly KernelRoute[] => routes.map((route) => ({
  ...route,
  nextHops: route.nextHops.map((hop) => (hop.address === disguise ? { ...hop, address: meant.get(hop.device ?? "") ?? hop.address } : hop)),
}));

/** A line for `ip -batch`. */
export function routeLine(verb: "add" | "del", route: KernelRoute, table: number | undefined): string {
  // The family follows from the destination: options such as -6 have no place in a batch.
  const words = ["route", verb];
  if (route.kind === "blackhole") words.push("blackhole");
  words.push(route.destination);
  for (const { address, device } of route.kind === "blackhole" ? [] : route.nextHops) {
    if (address !== undefined) {
      const isOther = address.includes(":") !== route.destination.includes(":");
      words.push("via", ...(isOther ? [address.includes(":") ? "inet6" : "inet"] : []), address);
    }
    if (device !== undefined) words.push("dev", device);
  }
  words.push("proto", String(route.protocol), "metric", String(route.metric));
  if (table !== undefined) words.push("table", String(table));
  return words.join(" ");
}

/** Standard error of `ip -force -batch -`: for each line that failed, counted from 1, why. */
export function batchFailures(stderr: string): ReadonlyMap<number, string> {
  const failures = new Map<number, string>();
  let reason: string | undefined;
  for (const line of stderr.split("\n")) {
    const failed = /^Command failed .*:(\d{1,9})$/.exec(line.trim());
    if (failed !== null) {
      failures.set(Number(failed[1]), reason ?? "unknown reason");
      reason = undefined;
    } else if (line.trim() !== "") reason ??= reasonOf(line);
  }
  return failures;
}

/** `RTNETLINK answers: File exists` and `Error: Nexthop has invalid gateway.` without what stands around it. */
export function reasonOf(stderr: string): string {
  const [first = ""] = stderr.trim().split("\n");
  return first.replace(/^(RTNETLINK answers|Error): /, "").replace(/\.$/, "") || "unknown reason";
}
