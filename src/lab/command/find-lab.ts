/** Which running lab a command means: the one in --dir, or the only one in the current folder. */
import { parseTopology, type Topology } from "../topology/topology.ts";
import { controlSocketPath, type LabRecord, recordPath, topologyPath } from "../layout.ts";
import { type ControlClient, connectControl } from "../control.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface FoundLab {
  readonly folder: string;
  readonly record: LabRecord;
  readonly topology: Topology;
}

export const absolute = (terminal: Terminal, path: string): string => (path.startsWith("/") ? path : `${terminal.process.folder}/${path}`).replace(/\/+$/, "") || "/";

export function findLab(terminal: Terminal, dir: string | undefined): FoundLab {
  const folder = dir === undefined ? onlyLabIn(terminal, terminal.process.folder) : absolute(terminal, dir);
  const record = readRecord(terminal, folder);
  if (record === undefined) throw new UserError(`${folder} holds no lab: start one with "isthmus up FILE --dir ${dir ?? folder}"`);
  const topology = parseTopology(terminal.host.disk.readText(topologyPath(folder)), topologyPath(folder), readBeside(terminal, record.topologyFile));
  if ("complaint" in topology) throw new UserError(topology.complaint);
  return { folder, record, topology };
}

/** Reads the files that a topology file names, beside it. */
export function readBeside(terminal: Terminal, file: string): (path: string) => string | undefined {
  return (path) => {
    const whole = path.startsWith("/") ? path : file.replace(/[^/]*$/, "") + path;
    return terminal.host.disk.exists(whole) && !terminal.host.disk.isFolder(whole) ? terminal.host.disk.readText(whole) : undefined;
  };
}

export function readRecord(terminal: Terminal, folder: string): LabRecord | undefined {
  const path = recordPath(folder);
  if (!terminal.host.disk.exists(path)) return undefined;
  const value: unknown = JSON.parse(terminal.host.disk.readText(path));
  const isRecord = (v: unknown): v is LabRecord => typeof v === "object" && v !== null && "pid" in v && typeof v.pid === "number" && "carriers" in v && "name" in v;
  if (!isRecord(value)) throw new UserError(`${path} is no lab's record: was it edited?`);
  return value;
}

function onlyLabIn(terminal: Terminal, folder: string): string {
  const { disk } = terminal.host;
  if (disk.exists(recordPath(folder))) return folder;
  const labs = disk.list(folder).filter((name) => disk.exists(recordPath(`${folder}/${name}`)));
  const [only, ...others] = labs;
  if (only === undefined) throw new UserError(`no lab in ${folder}: start one with "isthmus up FILE", or say where it is with --dir DIR`);
  if (others.length > 0) throw new UserError(`several labs in ${folder}: say which with --dir ${labs.join(" or --dir ")}`);
  return `${folder}/${only}`;
}

/** A connection to the process that runs the lab; says so if it has died. */
export async function connectLab(terminal: Terminal, lab: FoundLab): Promise<ControlClient> {
  try {
    return await connectControl(terminal.host, controlSocketPath(lab.folder));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError(`the lab in ${lab.folder} does not answer (${code}): clean up with "isthmus down --dir ${lab.folder}"`);
  }
}
