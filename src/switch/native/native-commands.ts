/** Commands about routes and neighbours of tunnels that the switch carries itself: ovs/route, tnl/neigh, tnl/arp (ovs-vswitchd(8)). */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import { formatIp, formatMac, type Ip, parseIp, parseMac, parsePrefix } from "../../net/index.ts";
import type { NeighbourTable } from "./neighbour-table.ts";
import { type Route, type RouteTable, routeTables } from "./route-table.ts";

export function nativeCommands(routes: RouteTable, neighbours: NeighbourTable): readonly UnixctlCommand[] {
  return [...routeCommands(routes), ...["tnl/arp", "tnl/neigh"].flatMap((family) => neighbourCommands(family, neighbours))];
}

function routeCommands(routes: RouteTable): readonly UnixctlCommand[] {
  return [
    {
      name: "ovs/route/add", usage: "ip/plen dev [gw] [pkt_mark=mark] [src=src_ip] [table=id]", minArgs: 2, maxArgs: 6,
      run([network = "", device = "", ...rest]) {
        const prefix = parsePrefix(network);
        if (prefix === undefined) throw new UnixctlError("Invalid 'ip/plen' parameter");
        const { mark, source, gateway, table } = optionsOf(rest, prefix.family, "Invalid pkt_mark, IP gateway or src_ip");
        if (!routes.add(table, { prefix, mark, device, gateway, isUser: true }, source)) throw new UnixctlError("Error while inserting route.");
        return "OK";
      },
    },
    {
      name: "ovs/route/show", usage: "[table=all|id]", minArgs: 0, maxArgs: 1,
      run([which]) {
        const { local, main, default: last } = routeTables;
        if (which === undefined) return `Route Table:\n${[local, main, last].map((table) => linesOf(routes, table)).join("")}`;
        if (which === "table=all") return [local, main, last].map((table) => linesOf(routes, table)).join("");
        const table = Number(/^table=(\d+)$/.exec(which)?.[1] ?? Number.NaN);
        if (Number.isNaN(table)) throw new UnixctlError("Invalid table format");
        if (!routes.hasTable(table)) throw new UnixctlError(`Table '${which}' not found`);
        const isStandard = table === local || table === main || table === last;
        return `${isStandard ? "Route Table:" : `Route Table #${table}:`}\n${linesOf(routes, table)}`;
      },
    },
    {
      name: "ovs/route/del", usage: "ip/plen [pkt_mark=mark] [table=id]", minArgs: 1, maxArgs: 3,
      run([network = "", ...rest]) {
        const prefix = parsePrefix(network);
        if (prefix === undefined) throw new UnixctlError("Invalid parameters");
        const { mark, table } = optionsOf(rest, undefined, "Invalid pkt_mark or table");
        if (!routes.remove(table, prefix, mark)) throw new UnixctlError("Not found");
        return "OK";
      },
    },
    {
      name: "ovs/route/lookup", usage: "ip_addr [pkt_mark=mark] [src=src_ip]", minArgs: 1, maxArgs: 3,
      run([address = "", ...rest]) {
        const to = parseIp(address);
        if (to === undefined) throw new UnixctlError("Invalid 'ip/plen' parameter");
        const { mark, source } = optionsOf(rest, to.family, "Invalid pkt_mark or src");
        const found = routes.lookup(to, source, mark);
        if (found === undefined) throw new UnixctlError("Not found");
        return `src ${formatIp(found.source)}\ngateway ${found.gateway === undefined ? "::" : formatIp(found.gateway)}\ndev ${found.device}\n`;
      },
    },
  ];
}

interface RouteOptions {
  readonly mark: number;
  readonly table: number;
  readonly source: Ip | undefined;
  readonly gateway: Ip | undefined;
}

/** `family` undefined: no addresses are wanted. */
function optionsOf(words: readonly string[], family: 4 | 6 | undefined, complaint: string): RouteOptions {
  let options: RouteOptions = { mark: 0, table: routeTables.main, source: undefined, gateway: undefined };
  for (const word of words) {
    const [, key = "", value = ""] = /^(?:(pkt_mark|src|table)=)?(.*)$/.exec(word) ?? [];
    const ip = parseIp(value);
    if (key === "table" && !/^\d+$/.test(value)) throw new UnixctlError("Invalid table format");
    if (key === "table") options = { ...options, table: Number(value) };
    else if (key === "pkt_mark" && /^\d+$/.test(value)) options = { ...options, mark: Number(value) };
    else if (ip === undefined || ip.family !== family || key === "pkt_mark") throw new UnixctlError(complaint);
    else options = key === "src" ? { ...options, source: ip } : { ...options, gateway: ip };
  }
  return options;
}

const linesOf = (routes: RouteTable, table: number): string => routes.list(table).map((route) => routeLine(route, table)).join("");

function routeLine({ prefix, mark, device, gateway, source, isUser }: Route, table: number): string {
  const parts = [`${isUser ? "User" : "Cached"}: ${formatIp(prefix)}/${prefix.length}`];
  if (mark !== 0) parts.push(`MARK ${mark}`);
  parts.push(`dev ${device}`);
  if (gateway !== undefined) parts.push(`GW ${formatIp(gateway)}`);
  parts.push(`SRC ${formatIp(source)}`);
  if (table === routeTables.local && !isUser) parts.push("local");
  return `${parts.join(" ")}\n`;
}

const addressWidth = 46;

function neighbourCommands(family: string, neighbours: NeighbourTable): readonly UnixctlCommand[] {
  return [
    {
      name: `${family}/show`, usage: "", minArgs: 0, maxArgs: 0,
      run() {
        const lines = [...neighbours].map((n) => {
          const who = n.mac === undefined ? `${" ".repeat(20)}${n.bridge} INCOMPLETE` : `${formatMac(n.mac)}   ${n.bridge}`;
          return `${formatIp(n.ip).padEnd(addressWidth)}${who}${neighbours.isExpired(n) ? " STALE" : ""}\n`;
        });
        return ["IP                                            MAC                 Bridge\n", `${"=".repeat(74)}\n`, ...lines].join("");
      },
    },
    {
      name: `${family}/set`, usage: "BRIDGE IP MAC", minArgs: 3, maxArgs: 3,
      run([bridge = "", address = "", text = ""]) {
        const [ip, mac] = [parseIp(address), parseMac(text)];
        if (ip === undefined) throw new UnixctlError("bad IP address");
        if (mac === undefined) throw new UnixctlError("bad MAC address");
        neighbours.set(bridge, ip, mac);
        return "OK";
      },
    },
    {
      name: `${family}/flush`, usage: "", minArgs: 0, maxArgs: 0,
      run() {
        neighbours.flush();
        return "OK";
      },
    },
    {
      name: `${family}/aging`, usage: "[SECS]", minArgs: 0, maxArgs: 1,
      run([text]) {
        if (text === undefined) return String(neighbours.agingMs / 1000);
        const seconds = Number(text);
        if (!(Number.isInteger(seconds) && seconds > 0 && seconds <= 3600)) throw new UnixctlError("bad aging value");
        if (seconds * 1000 < neighbours.retransmitMs) throw new UnixctlError("aging value cannot be less than retrans_time");
        neighbours.agingMs = seconds * 1000;
        neighbours.shorten();
        return "OK";
      },
    },
    ...(family === "tnl/neigh" ? [retransmitCommand(neighbours)] : []),
  ];
}

function retransmitCommand(neighbours: NeighbourTable): UnixctlCommand {
  return {
    name: "tnl/neigh/retrans_time", usage: "[MSECS]", minArgs: 0, maxArgs: 1,
    run([text]) {
      if (text === undefined) return String(neighbours.retransmitMs);
      const ms = Number(text);
      if (!Number.isInteger(ms) || ms < 0) throw new UnixctlError("bad retrans_time value");
      if (ms > neighbours.agingMs) throw new UnixctlError("retrans_time value cannot be greater than aging");
      neighbours.retransmitMs = ms;
      neighbours.shorten();
      return "OK";
    },
  };
}
