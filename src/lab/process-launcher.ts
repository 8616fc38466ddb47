/** Each daemon in a process of its own, started as one would type it, so that it can be killed. */
import type { Children, Disk, Host } from "../host/index.ts";
import { commandLine, type DaemonPlan } from "./daemon-plan.ts";
import type { DaemonLauncher, LaunchedDaemon } from "./launcher.ts";
import { nodeFolder } from "./layout.ts";
import { connectPort, connectTap, framesSocket } from "../switch/index.ts";
import type { TopologyNode } from "./topology/nodes.ts";

const pollMs = 5;
const stopLimitMs = 5_000;

export function processLauncher(
  children: Children, folder: string, environmentOf: (node: TopologyNode) => ReadonlyMap<string, string>, prepare: (disk: Disk, plan: DaemonPlan) => void,
): DaemonLauncher {
  return {
    async launch(host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
      prepare(host.disk, plan);
      const own = nodeFolder(folder, node.name);
      const { program, args } = commandLine(folder, node, plan);
      const frames = `${own}/${framesSocket}`;
      const environment = new Map([
        ...environmentOf(node),
        ...(plan.kind === "switch" ? ([["ISTHMUS_FRAMES", frames]] as const) : []),
        ...(plan.kind === "controller" ? ([["ISTHMUS_KERNEL", host.routing?.entry === undefined ? "memory" : JSON.stringify(host.routing.entry)]] as const) : []),
      ]);
      const result = await children.run(program, [...args, "--detach", "--overwrite-pidfile"], { environment, folder: own });
      if (result.code !== 0) throw new Error(`${program} on ${node.name} did not start: ${result.stderr.trim() || `exit code ${result.code}, see ${own}/${plan.name}.log`}`);
      const pid = Number(host.disk.readText(`${own}/${plan.name}.pid`));
      return {
        plan,
        node: node.name,
        pid,
        get isRunning() {
          return children.isRunning(pid);
        },
        stop: () => endProcess(children, host, pid),
        kill: () => children.signal(pid, "SIGKILL"),
        attachPort: (name, receive) => connectPort(host, frames, name, receive),
        tap: (port, see) => connectTap(host, frames, port, see),
      };
    },
  };
}

/** SIGTERM, and SIGKILL to a process that does not mind; resolves when it has gone. */
export async function endProcess(children: Children, host: Host, pid: number): Promise<void> {
  if (!children.isRunning(pid)) return;
  children.signal(pid, "SIGTERM");
  const deadline = host.clock.now() + stopLimitMs;
  let isPatient = true;
  while (children.isRunning(pid)) {
    if (isPatient && host.clock.now() > deadline) {
      isPatient = false;
      children.signal(pid, "SIGKILL");
    }
    await new Promise<void>((resolve) => void host.clock.after(pollMs, resolve));
  }
}
