/**
 * Another program in place of one of ours: `isthmus up --program ovn-northd=/usr/bin/ovn-northd` runs Debian's northd on every
 * central node, on the same databases. What it is told is what ours would be told in a process of its own.
 *
 * Such a program does not know that a lab without root carries 192.168.50.20 on 127.x.50.20, so its command line gets the latter.
 * A controller reads where its southbound database is from its switch's database; there it gets a remote of its own, under the name
 * that `-n` gives it (ovn-controller(8)). All other addresses it but hands on, to a switch of ours.
 */
import type { AddressMap, Children, Host } from "../host/index.ts";
import { LabError } from "./lab-error.ts";
import { chassisExternalIds, commandLine, type DaemonPlan } from "./daemon-plan.ts";
import type { DaemonLauncher, LaunchedDaemon } from "./launcher.ts";
import { nodeFolder } from "./layout.ts";
import { endProcess } from "./process-launcher.ts";
import type { CommandRunner } from "./command-runner.ts";
import type { TopologyNode } from "./topology/nodes.ts";
import type { Topology } from "./topology/topology.ts";

export interface StandIns {
  readonly launcher: DaemonLauncher;
  readonly commands: CommandRunner;
  readonly topology: Topology;
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

async function launchStandIn(standIns: StandIns, path: string, host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
  const { children, folder, carriers, environmentOf } = standIns;
  const own = nodeFolder(folder, node.name);
  const { program, args } = commandLine(folder, node, plan);
  const carried = args.map((arg) => carriedText(arg, carriers));
  if (plan.kind === "controller") carried.push("-n", await nameController(standIns, host, node));
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

const carriedText = (text: string, carriers: AddressMap): string => text.replace(/tcp:([\d.]+):/g, (_, address: string) => `tcp:${carriers.get(address) ?? address}:`);

/** Gives the controller of `node` its remote, and resolves to its name. */
async function nameController({ carriers, commands, environmentOf, topology }: StandIns, host: Host, node: TopologyNode): Promise<string> {
  // A program that we start for it would write routes into the kernel of everybody.
  if (host.routing?.entry !== undefined) throw new LabError(`--program ovn-controller: ${node.name} exchanges routes with a kernel of its own, which only our controller can reach`);
  const remote = carriedText(chassisExternalIds(topology, node).get("ovn-remote") ?? "", carriers);
  const argv = ["ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", `external-ids:ovn-remote-${node.systemId}="${remote}"`];
  const { exitCode, stderr } = await commands.run({ node, host, environment: environmentOf(node) }, argv);
  if (exitCode !== 0) throw new LabError(`${argv.join(" ")} on ${node.name}: ${stderr.trim()}`);
  return node.systemId;
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

export const standInPrograms: readonly string[] = ["ovn-northd", "ovn-ic", "ovn-controller"];
