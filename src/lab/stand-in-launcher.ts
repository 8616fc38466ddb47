/**
 * Another program in place of one of ours: `isthmus up --program ovn-northd=/usr/bin/ovn-northd` runs Debian's northd on every
 * central node, on the same databases. What it is told is what ours would be told in a process of its own.
 *
 * Such a program does not know that a lab without root carries 192.168.50.20 on 127.x.50.20, so its command line gets the latter;
 * what reads addresses from a database, as chassis do, cannot be replaced this way.
 */
import type { AddressMap, Children, Host } from "../host/index.ts";
import { commandLine, type DaemonPlan } from "./daemon-plan.ts";
import type { DaemonLauncher, LaunchedDaemon } from "./launcher.ts";
import { nodeFolder } from "./layout.ts";
import { endProcess } from "./process-launcher.ts";
import type { TopologyNode } from "./topology/nodes.ts";

export interface StandIns {
  readonly launcher: DaemonLauncher;
  readonly children: Children;
  readonly folder: string;
  readonly carriers: AddressMap;
  /** Name of our program, and the path of what runs instead. */
  readonly programs: ReadonlyMap<string, string>;
  environmentOf(node: TopologyNode): ReadonlyMap<string, string>;
}

export function standInLauncher(standIns: StandIns): DaemonLauncher {
  const { launcher, folder, programs } = standIns;
  return {
    async launch(host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
      const path = programs.get(commandLine(folder, node, plan).program);
      return path === undefined ? launcher.launch(host, node, plan) : launchStandIn(standIns, path, host, node, plan);
    },
  };
}

async function launchStandIn({ children, folder, carriers, environmentOf }: StandIns, path: string, host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
  const own = nodeFolder(folder, node.name);
  const { program, args } = commandLine(folder, node, plan);
  const carried = args.map((arg) => arg.replace(/tcp:([\d.]+):/g, (_, address: string) => `tcp:${carriers.get(address) ?? address}:`));
  const { code, stderr } = await children.execute(path, [...carried, "--detach", "--overwrite-pidfile"], { environment: environmentOf(node), folder: own });
  if (code !== 0) throw new Error(`${path} on ${node.name} did not start: ${stderr.trim() || `exit code ${code}, see ${own}/${plan.name}.log`}`);
  const pid = Number(host.disk.readText(`${own}/${plan.name}.pid`));
  const noSwitch = (): never => {
    throw new Error(`${program} is no switch of ours`);
  };
  return {
    plan,
    node: node.name,
    pid,
    get isRunning() {
      return children.isRunning(pid);
    },
    stop: () => endProcess(children, host, pid),
    kill: () => children.signal(pid, "SIGKILL"),
    attachPort: noSwitch,
    tap: noSwitch,
  };
}

/** `PROGRAM=PATH` texts as a map; the text that is none. */
export function parseStandIns(texts: readonly string[]): ReadonlyMap<string, string> | { readonly malformed: string } {
  const map = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const program = text.slice(0, equals);
    if (equals <= 0 || !standInPrograms.includes(program)) return { malformed: text };
    map.set(program, text.slice(equals + 1));
  }
  return map;
}

export const standInPrograms: readonly string[] = ["ovn-northd", "ovn-ic"];
