/** `dpctl/ct-*`, `dpctl/dump-conntrack`, `dpctl/flush-conntrack`: the connection tracker seen and told from outside (dpctl(8)). */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import { parseIp } from "../../net/index.ts";
import type { CtFlush, CtTuple } from "../../openflow/index.ts";
import { connectionText, protocolName } from "./connection-text.ts";
import type { ConnectionTracker } from "./connection-tracker.ts";

const maxLimit = 0xffffffff;

export function trackerCommands(tracker: ConnectionTracker, nowMs: () => number): readonly UnixctlCommand[] {
  const { limits } = tracker;
  const command = (name: string, usage: string, run: UnixctlCommand["run"]): UnixctlCommand => ({ name, usage, minArgs: 0, maxArgs: Number.POSITIVE_INFINITY, run });
  return [
    command("dpctl/dump-conntrack", "[-m] [-s] [dp] [zone=N]", (args) => {
      const zone = zoneOf(args);
      return [...tracker].filter((c) => zone === undefined || c.zone === zone).map((c) => `${connectionText(c, args.includes("-s"), nowMs())}\n`).join("");
    }),
    command("dpctl/flush-conntrack", "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]", (args) => {
      const zone = zoneOf(args);
      const [original, reply] = args.filter((a) => a.includes("ct_")).map(tupleOf);
      if (original === undefined) tracker.flush(zone);
      else tracker.flushMatching(filterOf(zone, original, reply));
      return "";
    }),
    command("dpctl/ct-stats-show", "[-m] [dp] [zone=N]", (args) => {
      const zone = zoneOf(args);
      const counts = new Map<string, number>();
      let total = 0;
      for (const { original, zone: own } of tracker) {
        if (zone !== undefined && zone !== own) continue;
        total++;
        const name = protocolName(original.protocol).toUpperCase();
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return [`Connections Stats:\n    Total: ${total}\n`, ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `\t${name}: ${count}\n`)].join("");
    }),
    command("dpctl/ct-get-nconns", "[dp]", () => `${tracker.size}\n`),
    command("dpctl/ct-get-maxconns", "[dp]", () => `${tracker.maxConnections}\n`),
    command("dpctl/ct-set-maxconns", "[dp] maxconns", (args) => {
      tracker.maxConnections = limitOf(args.at(-1) ?? "", "maxconns missing or malformed");
      return "setting maxconns successful\n";
    }),
    command("dpctl/ct-set-limits", "[dp] [default=limit] [zone=N,limit=limit]...", (args) => {
      const wanted = args.filter((a) => a.includes("="));
      if (wanted.length === 0) throw new UnixctlError("syntax error");
      const changes = wanted.map((text) => (text.startsWith("default=") ? { zone: undefined, limit: limitOf(text.slice("default=".length), "invalid default limit") } : zoneLimitOf(text)));
      for (const { zone, limit } of changes) {
        if (zone === undefined) limits.default = limit === 0 ? undefined : limit;
        else limits.set(zone, limit);
      }
      return "";
    }),
    command("dpctl/ct-del-limits", "[dp] [default] [zone=N[,N]...]", (args) => {
      if (args.includes("default")) limits.default = undefined;
      for (const zone of zonesOf(args)) limits.delete(zone);
      return "";
    }),
    command("dpctl/ct-get-limits", "[dp] [zone=N[,N]...]", (args) => {
      const asked = zonesOf(args);
      const lines = (asked.length > 0 ? asked : limits.zones).map((zone) => `zone=${zone},limit=${limits.limitOf(zone) ?? 0},count=${limits.countOf(zone)}\n`);
      return [`default limit=${limits.default ?? 0}\n`, ...lines].join("");
    }),
  ];
}

function zoneOf(args: readonly string[]): number | undefined {
  const given = args.find((a) => a.startsWith("zone="))?.slice("zone=".length);
  return given === undefined ? undefined : zoneNumber(given);
}

function zoneNumber(text: string): number {
  const zone = Number(text);
  if (!/^\d{1,5}$/.test(text) || zone > 0xffff) throw new UnixctlError(`bad zone ${text}`);
  return zone;
}

const zonesOf = (args: readonly string[]): readonly number[] =>
  args.filter((a) => a.startsWith("zone=")).flatMap((a) => a.slice("zone=".length).split(",").map(zoneNumber));

function limitOf(text: string, complaint: string): number {
  const limit = Number(text);
  if (!/^\d{1,10}$/.test(text) || limit > maxLimit) throw new UnixctlError(`${complaint} (Invalid argument)`);
  return limit;
}

function zoneLimitOf(text: string): { readonly zone: number; readonly limit: number } {
  const [, zone = "", limit = ""] = /^zone=([^,]*),limit=(.*)$/.exec(text) ?? [];
  if (zone === "") throw new UnixctlError(`failed to parse field zone (Invalid argument)`);
  return { zone: zoneNumber(zone), limit: limitOf(limit, "failed to parse field limit") };
}

interface ParsedTuple {
  readonly tuple: CtTuple;
  readonly family: 0 | 4 | 6;
  readonly protocol: number;
}

/** `ct_nw_src=10.1.1.1,ct_nw_proto=17,ct_tp_src=2`, in any order. */
function tupleOf(text: string): ParsedTuple {
  let family: 0 | 4 | 6 = 0;
  let protocol = 0;
  const tuple: { -readonly [K in keyof CtTuple]: CtTuple[K] } = {};
  for (const term of text.split(",")) {
    const [name = "", value = ""] = term.split("=");
    const ip = name.endsWith("_src") || name.endsWith("_dst") ? parseIp(value) : undefined;
    const number = Number(value);
    if (ip !== undefined && /^ct_(nw|ipv6)_(src|dst)$/.test(name)) {
      family = ip.family;
      tuple[name.endsWith("_src") ? "source" : "destination"] = BigInt(ip.address);
    } else if (!Number.isInteger(number) || number < 0 || number > 0xffff) throw new UnixctlError(`failed to parse field ${name} (Invalid argument)`);
    else if (name === "ct_nw_proto") protocol = number;
    else if (name === "ct_tp_src") tuple.sourcePort = number;
    else if (name === "ct_tp_dst") tuple.destinationPort = number;
    else if (name === "icmp_id") tuple.icmpId = number;
    else if (name === "icmp_type") tuple.icmpType = number;
    else if (name === "icmp_code") tuple.icmpCode = number;
    else throw new UnixctlError(`invalid conntrack tuple field: ${name} (Invalid argument)`);
  }
  return { tuple, family, protocol };
}

const filterOf = (zone: number | undefined, original: ParsedTuple, reply: ParsedTuple | undefined): CtFlush => ({
  kind: "ct_flush", ...(zone === undefined ? {} : { zone }), family: original.family === 0 ? (reply?.family ?? 0) : original.family, protocol: original.protocol === 0 ? (reply?.protocol ?? 0) : original.protocol,
  original: original.tuple, reply: reply?.tuple ?? {},
});
