/**
 * A daemon inside the lab's own process: what `runDaemon` does for a program of its own, less the process. Log file, pid file
 * and control socket stand in the node's folder under the usual names, so that ovs-appctl finds it.
 */
import { commandTable, type Daemon, type Program, serveUnixctl, type UnixctlServer, versionText, Vlog } from "../daemon/index.ts";
import type { Host } from "../host/index.ts";

export interface RunningDaemon {
  readonly pid: number;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

export interface InProcessOptions {
  /** Names pid file and log. */
  readonly name: string;
  readonly program: string;
  readonly family: Program["family"];
  readonly folder: string;
  readonly pid: number;
  /** The control socket; by default `PROGRAM.PID.ctl`. */
  readonly controlSocket?: string;
  /** Told when somebody asks the daemon to exit over its control socket. */
  exited(): void;
}

export async function startInProcess(host: Host, options: InProcessOptions, start: (host: Host) => Daemon | Promise<Daemon>): Promise<RunningDaemon> {
  const { folder, name, program, pid } = options;
  const vlog = new Vlog({ program, pid, clock: host.clock, disk: host.disk, console: () => {} });
  vlog.openFile(`${folder}/${name}.log`);
  const pidfile = `${folder}/${name}.pid`;
  host.disk.write(pidfile, `${pid}\n`);
  const ownHost = { ...host, log: vlog.log };
  const daemon = await start(ownHost);
  let unixctl: UnixctlServer | undefined;
  const stop = async (): Promise<void> => {
    await daemon.stop();
    unixctl?.close();
    host.disk.remove(pidfile);
    if (unixctl !== undefined) host.disk.remove(unixctl.path);
  };
  const exit = (): void => {
    host.clock.after(0, () => void stop().then(options.exited));
  };
  const table = commandTable(daemon.commands, { clock: host.clock, version: versionText(program, options.family), vlog, exit });
  unixctl = await serveUnixctl(ownHost, options.controlSocket ?? `${folder}/${program}.${pid}.ctl`, () => table);
  await daemon.ready;
  return { pid, stop };
}
