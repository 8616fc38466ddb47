/** What ovs-appctl can ask of the switch (ovs-vswitchd(8), "RUNTIME MANAGEMENT COMMANDS"). */
import { type UnixctlCommand, UnixctlError } from "../daemon/index.ts";
import { formatMac, macOf } from "../net/index.ts";
import { formatPort } from "../openflow/index.ts";
import type { BfdMonitor } from "./port/bfd-monitor.ts";
import type { Bridge } from "./bridge.ts";
import { cacheEntryText } from "./flow/cache-entry-text.ts";
import type { Configuration } from "./configuration.ts";
import type { ConfiguredBridge } from "./configured-bridge.ts";
import type { ConnectionTracker } from "./conntrack/connection-tracker.ts";
import { trackerCommands } from "./conntrack/tracker-commands.ts";
import type { Datapath } from "./datapath.ts";
import { portNames, portNumbers } from "./packet/datapath-action-text.ts";
import { traceCommand } from "./walk/trace-command.ts";
import type { Tunnels } from "./port/tunnels.ts";

export interface CommandParts {
  readonly configuration: Configuration;
  readonly datapath: Datapath;
  readonly tunnels: Tunnels;
  readonly tracker: ConnectionTracker;
  readonly bfd: BfdMonitor;
  nowMs(): number;
}

/** `--cleanup` also takes the datapath away, which here is nothing that could outlive the process. */
export function exitCommand(exit: () => void): UnixctlCommand {
  return {
    name: "exit", usage: "[--cleanup]", minArgs: 0, maxArgs: 1,
    run() {
      exit();
      return "";
    },
  };
}

export function switchCommands(parts: CommandParts): readonly UnixctlCommand[] {
  const { configuration, datapath, tracker, tunnels, bfd, nowMs } = parts;
  const sorted = (): ConfiguredBridge[] => [...configuration.bridges.values()].sort((a, b) => (a.bridge.name < b.bridge.name ? -1 : 1));
  const bridgeNamed = (name: string | undefined): Bridge => {
    const found = sorted().find((b) => b.bridge.name === name)?.bridge;
    if (found === undefined) throw new UnixctlError("no such bridge");
    return found;
  };
  const command = (name: string, usage: string, minArgs: number, maxArgs: number, run: UnixctlCommand["run"]): UnixctlCommand => ({ name, usage, minArgs, maxArgs, run });
  return [
    command("ofproto/list", "", 0, 0, () => sorted().map((b) => `${b.bridge.name}\n`).join("")),
    command("dpif/show", "", 0, 0, () => {
      const { hits, misses } = datapath.cache;
      const lines = sorted().flatMap(({ bridge }) => [`  ${bridge.name}:`, ...portLines(bridge)]);
      return [`netdev@ovs-netdev: hit:${hits} missed:${misses}`, ...lines].map((line) => `${line}\n`).join("");
    }),
    command("fdb/show", "bridge", 1, 1, ([name]) => {
      const rows = [...bridgeNamed(name).macs].map(({ port, vlan, mac, seenMs }) =>
        `${formatPort(port.number).padStart(5)}  ${String(vlan).padStart(4)}  ${formatMac(macOf(mac))}  ${String(Math.floor((nowMs() - seenMs) / 1000)).padStart(3)}\n`);
      return [" port  VLAN  MAC                Age\n", ...rows].join("");
    }),
    command("fdb/flush", "[bridge]", 0, 1, ([name]) => {
      for (const { bridge } of sorted()) {
        if (name !== undefined && bridge.name !== name) continue;
        bridge.macs.flush();
        bridge.generation++;
      }
      return "table successfully flushed\n";
    }),
    traceCommand(datapath, (name) => sorted().find((b) => b.bridge.name === name)?.bridge),
    command("dpctl/dump-flows", "[-m] [--names] [dp]", 0, Number.POSITIVE_INFINITY, (args) => {
      const ports = args.includes("--names") ? portNames((n) => datapath.ports.get(n)?.port.name) : portNumbers;
      return ["flow-dump from the main thread:", ...[...datapath.cache.entries()].map((entry) => cacheEntryText(entry, nowMs(), ports))].map((line) => `${line}\n`).join("");
    }),
    command("dpctl/show", "[-s] [dp]", 0, Number.POSITIVE_INFINITY, () => {
      const { hits, misses, count, exactHits, maskCount } = datapath.cache;
      const ports = [...datapath.ports].filter(({ port }) => port.kind.type !== "patch").map(({ port }) => `  port ${port.datapathNumber}: ${port.name} (${port.kind.type})`);
      return ["netdev@ovs-netdev:", `  lookups: hit:${hits} missed:${misses} lost:${datapath.dropped}`, `  flows: ${count}`, `  masks: total:${maskCount}`, `  cache: exact hit:${exactHits}`, ...ports].map((line) => `${line}\n`).join("");
    }),
    ...trackerCommands(tracker, nowMs),
    command("bfd/show", "[interface]", 0, 1, ([name]) => {
      const monitored = [...datapath.ports].map(({ port }) => port).filter((port) => port.isMonitored && (name === undefined || port.name === name));
      if (name !== undefined && monitored.length === 0) throw new UnixctlError("no such bfd object");
      return monitored.map((port) => [`---- ${port.name} ----`, ...[...bfd.statusOf(port)].map(([key, value]) => `\t${key}: ${value}`), ""].map((line) => `${line}\n`).join("")).join("");
    }),
    command("ofproto/list-tunnels", "", 0, 0, () => tunnels.describe().map((line) => `${line}\n`).join("")),
    command("revalidator/purge", "", 0, 0, () => {
      datapath.cache.clear();
      return "";
    }),
    command("revalidator/wait", "", 0, 0, () => {
      datapath.cache.sweep(nowMs());
      return "";
    }),
  ];
}

function portLines(bridge: Bridge): string[] {
  const ports = [...bridge.portsByName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return ports.map((port) => {
    const { kind } = port;
    const datapathNumber = kind.type === "patch" ? "none" : String(port.datapathNumber);
    const about = kind.type === "patch" ? `patch: peer=${kind.peer}` : kind.type;
    return `    ${port.name} ${port.number}/${datapathNumber}: (${about})`;
  });
}
