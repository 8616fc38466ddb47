/** The file that says which process a daemon is, by which scripts and ovs-appctl find it. */
import type { Disk, Process } from "../host/index.ts";

/** The process id in the file; undefined if it holds none. Throws the system's error when the file cannot be read. */
export function readPidfile(disk: Disk, path: string): number | undefined {
  const text = /^\s*(\d+)\s*$/.exec(disk.readText(path))?.[1];
  return text === undefined ? undefined : Number(text);
}

/** The process that holds `path`, if it still runs and is this program: the file may be left from a daemon that died. */
export function runningHolder(disk: Disk, process: Process, path: string, program: string): number | undefined {
  if (!disk.exists(path)) return undefined;
  const pid = readPidfile(disk, path);
  if (pid === undefined || pid === process.pid || !process.isRunning(pid)) return undefined;
  const commandLine = `/proc/${pid}/cmdline`;
  // Numbers are used again: another program under that number holds nothing.
  return disk.exists(commandLine) && !disk.readText(commandLine).includes(program) ? undefined : pid;
}
