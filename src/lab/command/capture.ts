/** `isthmus capture NODE`: what passes a port of the node's switch, by default its tunnels; as text, or as a pcap file. */
import { ControlError } from "../control.ts";
import { machinesOf } from "../topology/topology.ts";
import { absolute, connectLab, findLab, type FoundLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface CaptureOptions {
  readonly dir?: string | undefined;
  readonly count: number;
  readonly port: string;
  /** A file, or "-" for standard output. */
  readonly write?: string | undefined;
  /** Only frames whose text has this in it. */
  readonly only?: string | undefined;
  /** `HOST COMMAND`: run it once the capture listens, and end when it has ended. */
  readonly exec?: string | undefined;
}

/** How long after the end of the command its last frames may take. */
const lastFramesMs = 150;

export async function captureCommand(terminal: Terminal, node: string, filter: string, options: CaptureOptions): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const places = new Set([...lab.topology.nodes.keys(), ...machinesOf(lab.topology), ...(lab.topology.underlay?.switches.keys() ?? [])]);
  if (!places.has(node)) throw new UserError(`no node ${node}; there are ${[...places].join(", ")}`);
  const client = await connectLab(terminal, lab);
  for (const signal of ["SIGINT", "SIGTERM"] as const) terminal.process.onSignal(signal, () => client.interrupt());
  const { process, host } = terminal;
  const path = options.write === undefined || options.write === "-" ? undefined : absolute(terminal, options.write);
  if (path !== undefined) host.disk.remove(path);
  const file = path === undefined ? undefined : host.disk.openAppend(path);
  try {
    const format = options.write === undefined ? "text" : "pcap";
    let isListening = false;
    const seen = await client.request("capture", [node, options.port, options.count, format, options.only ?? null, filter], (to, bytes) => {
      if (to === "stderr") process.err(new TextDecoder().decode(bytes));
      if (!isListening && options.exec !== undefined) void runMeanwhile(terminal, lab, options.exec).finally(() => client.interrupt());
      isListening = true;
      if (to === "stderr") return;
      if (file !== undefined) file.append(bytes);
      else process.outBytes(bytes);
    });
    process.err(`${String(seen)} packets captured\n`);
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    file?.close();
    client.close();
  }
}

/** On a connection of its own: interrupting the capture is no business of the command. What the command prints is not what was asked for. */
async function runMeanwhile(terminal: Terminal, lab: FoundLab, line: string): Promise<void> {
  const [name = "", ...argv] = line.trim().split(/\s+/);
  const client = await connectLab(terminal, lab);
  try {
    await client.request("exec", [name, argv]);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    terminal.process.err(`isthmus: ${error.message}\n`);
  } finally {
    client.close();
  }
  await new Promise<void>((resolve) => void terminal.host.clock.after(lastFramesMs, resolve));
}
