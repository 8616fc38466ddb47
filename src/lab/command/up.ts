/** `isthmus up FILE`: brings a lab up and stays until Ctrl-C, or leaves it running in the background. */
import { joinedStreams, type Timer } from "../../host/index.ts";
import { claimCarriers } from "../carriers.ts";
import { serveControl } from "../control.ts";
import { createDatabaseFile } from "../database-files.ts";
import { ctlRunner } from "../ctl-runner.ts";
import { inProcessLauncher } from "../in-process-launcher.ts";
import { Lab } from "../lab.ts";
import { LabError } from "../lab-error.ts";
import { controlSocketPath, type LabRecord, maxSocketPathSize, nodeEnvironment, recordPath, topologyPath } from "../layout.ts";
import { processLauncher } from "../process-launcher.ts";
import { spreadOverThreads } from "../thread/spread.ts";
import { labHandlers } from "../serve-lab.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import { asReal, realNames } from "../topology/real.ts";
import { parseTopology, type Topology } from "../topology/topology.ts";
import { parseStandIns, standInLauncher, standInPrograms } from "../stand-in-launcher.ts";
import { takeDown } from "./down.ts";
import { absolute, readBeside, readRecord } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

const probeLimitMs = 30_000;

export interface UpOptions {
  readonly dir?: string | undefined;
  readonly processes: boolean;
  readonly setup: boolean;
  /** Every host a network namespace, whatever kind the file says: see `asReal`. */
  readonly real?: boolean | undefined;
  /** `PROGRAM=PATH`: what runs in place of our program. */
  readonly program?: readonly string[] | undefined;
  progress(step: string): void;
}

export interface RunningLab {
  readonly lab: Lab;
  readonly folder: string;
  /** Resolves when somebody has asked for the end: Ctrl-C, SIGTERM, or `isthmus down`. */
  readonly ended: Promise<void>;
  /** Takes it down and removes its folder. */
  down(): Promise<void>;
}

export function readTopology(terminal: Terminal, file: string): { readonly topology: Topology; readonly text: string } {
  const path = absolute(terminal, file);
  let text: string;
  try {
    text = terminal.host.disk.readText(path);
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${error instanceof Error && "code" in error ? String(error.code) : String(error)})`);
  }
  const topology = parseTopology(text, file, readBeside(terminal, path));
  if ("complaint" in topology) throw new UserError(topology.complaint);
  return { topology, text };
}

export async function bringUp(terminal: Terminal, file: string, options: UpOptions): Promise<RunningLab> {
  const { host, children, process, threads, machines } = terminal;
  const { topology: written, text } = readTopology(terminal, file);
  const topology = options.real === true ? asReal(written) : written;
  if (options.processes && topology.underlay !== undefined) throw new UserError(`${file}: the underlay's machines and cables live in the lab's own process: leave --processes out`);
  await checkMachines(terminal, topology);
  const folder = absolute(terminal, options.dir ?? topology.name);
  const programs = parseStandIns(options.program ?? []);
  if ("malformed" in programs) throw new UserError(`--program ${programs.malformed}: expected PROGRAM=PATH, where PROGRAM is one of ${standInPrograms.join(", ")}`);
  await prepareFolder(terminal, folder, topology);
  const { carriers, claim } = await claimCarriers([...topology.nodes.values()].map((n) => n.address), folder, host.datagrams);
  const record: LabRecord = { name: topology.name, topologyFile: absolute(terminal, file), pid: process.pid, carriers: [...carriers], isSplitIntoProcesses: options.processes };
  host.disk.write(topologyPath(folder), text);
  host.disk.write(recordPath(folder), `${JSON.stringify(record, null, 2)}\n`);
  const environmentOf = (node: TopologyNode): ReadonlyMap<string, string> => nodeEnvironment(folder, topology, node, carriers);
  const inOneThread = {
    launcher: options.processes ? processLauncher(children, folder, environmentOf, createDatabaseFile) : inProcessLauncher(folder, process.pid),
    commands: ctlRunner(),
  };
  const isInOneThread = options.processes || topology.underlay !== undefined;
  if (isInOneThread) threads.endSpare();
  const own = isInOneThread ? inOneThread : spreadOverThreads(threads, topology, folder, process.pid, carriers, inOneThread);
  const launcher = programs.size === 0 ? own.launcher : standInLauncher({ ...own, topology, children, folder, carriers, programs, environmentOf });
  // Daemons of one process need no sockets between them; whoever comes from outside does.
  const labHost = options.processes ? host : { ...host, streams: joinedStreams(host.streams) };
  const lab = new Lab({ host: labHost, topology, folder, carriers, launcher, commands: own.commands, machines, runsSetup: options.setup, progress: options.progress });
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let isGoing: Promise<void> | undefined;
  const down = (): Promise<void> => {
    isGoing ??= lab.down().then(() => {
      claim.close();
      host.disk.remove(folder);
    });
    return isGoing;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.onSignal(signal, end);
  try {
    const control = await serveControl(host, controlSocketPath(folder), labHandlers({ lab, host, folder, carriers, end }));
    await Promise.race([lab.up(), ended.then(() => Promise.reject(new UserError("interrupted", 130)))]);
    return { lab, folder, ended, down: () => down().finally(() => control.close()) };
  } catch (error) {
    await down();
    throw error instanceof LabError ? new UserError(error.message) : error;
  }
}

/** Says at once, and not half-way, that hosts of kind netns cannot be. */
async function checkMachines({ machines }: Terminal, topology: Topology): Promise<void> {
  const real = realNames(topology);
  const obstacle = real.length === 0 ? undefined : await machines.obstacle();
  if (obstacle !== undefined) throw new UserError(`${real.join(", ")}: what is of kind netns cannot be made here: ${obstacle}`);
}

/** An empty folder for the lab; what a lab whose process has died left in it is cleared away. */
async function prepareFolder(terminal: Terminal, folder: string, topology: Topology): Promise<void> {
  const { disk } = terminal.host;
  const longest = Math.max(...[...topology.nodes.keys()].map((n) => n.length));
  const size = folder.length + 1 + longest + "/ovs-vswitchd.4194304.ctl".length;
  if (size > maxSocketPathSize) {
    throw new UserError(`${folder}: the path is too long by ${size - maxSocketPathSize} characters for the sockets below it: choose a shorter --dir`);
  }
  const record = readRecord(terminal, folder);
  if (record !== undefined) {
    if (terminal.children.isRunning(record.pid)) throw new UserError(`${folder}: lab ${record.name} runs there already (pid ${record.pid}): "isthmus down --dir ${folder}" ends it`);
    await takeDown(terminal, { folder, record, topology });
  } else if (disk.exists(folder) && (!disk.isFolder(folder) || disk.list(folder).length > 0)) {
    throw new UserError(`${folder} is there and holds no lab: choose another --dir, or empty it`);
  }
  disk.makeFolder(folder);
}

/** Waits until the lab carries what its `probe` asks for; takes it down if it does not. */
export async function awaitProbe(terminal: Terminal, running: RunningLab): Promise<void> {
  const { probe } = running.lab.topology;
  if (probe === undefined || (await within(terminal, probeLimitMs, running.lab.host(probe.from).firstReply(probe.to)))) return;
  await running.down();
  throw new UserError(`${probe.from} had no reply from ${probe.to} within ${probeLimitMs / 1000} s: the lab does not carry what its "probe" asks for`);
}

/** Waits, but not beyond `limitMs`; true if `promise` came first. */
export async function within(terminal: Terminal, limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = terminal.host.clock.after(limitMs, () => resolve(false));
  });
  const result = await Promise.race([promise.then(() => true), limit]);
  timer?.cancel();
  return result;
}
