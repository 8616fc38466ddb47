/** `isthmus down`: takes a lab down. The folder alone is enough: if the lab's process has died, what it left is cleared away. */
import { connectControl } from "../control.ts";
import { controlSocketPath } from "../layout.ts";
import { endProcess } from "../process-launcher.ts";
import { type FoundLab, findLab } from "./find-lab.ts";
import type { Terminal } from "./terminal.ts";

const waitLimitMs = 15_000;

export async function downCommand(terminal: Terminal, options: { readonly dir?: string | undefined }): Promise<void> {
  const lab = findLab(terminal, options.dir);
  await takeDown(terminal, lab);
  terminal.process.out(`${lab.record.name} is down\n`);
}

export async function takeDown(terminal: Terminal, lab: FoundLab): Promise<void> {
  const { host, children } = terminal;
  const client = await connectControl(host, controlSocketPath(lab.folder)).catch(() => undefined);
  if (client !== undefined) {
    // The lab goes while it answers: that the connection ends is the answer.
    await client.request("down", []).catch(() => undefined);
    client.close();
    const deadline = host.clock.now() + waitLimitMs;
    while (children.isRunning(lab.record.pid) && host.disk.exists(lab.folder) && host.clock.now() < deadline) {
      await new Promise<void>((resolve) => void host.clock.after(10, resolve));
    }
  }
  await endLeftovers(terminal, lab.folder);
  host.disk.remove(lab.folder);
}

/** Ends the daemons whose pid files are still here: those of a lab in processes whose own process was killed. */
async function endLeftovers(terminal: Terminal, folder: string): Promise<void> {
  const { host, children, process } = terminal;
  const { disk } = host;
  if (!disk.exists(folder)) return;
  const pids = new Set<number>();
  for (const node of disk.list(folder)) {
    // Nodes are folders; files of the lab itself are not.
    const names = disk.isFolder(`${folder}/${node}`) ? disk.list(`${folder}/${node}`) : [];
    for (const name of names.filter((n) => n.endsWith(".pid"))) {
      const pid = Number(disk.readText(`${folder}/${node}/${name}`));
      // The number may be another program's by now: only what was started with this folder's path is ours.
      const commandLine = `/proc/${pid}/cmdline`;
      if (pid > 1 && pid !== process.pid && disk.exists(commandLine) && disk.readText(commandLine).includes(`${folder}/${node}/`)) pids.add(pid);
    }
  }
  await Promise.all([...pids].map((pid) => endProcess(children, host, pid)));
}
