/** `isthmus capture NODE`: what passes a port of the node's switch, by default its tunnels; as text, or as a pcap file. */
import { ControlError } from "../control.ts";
import { absolute, connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface CaptureOptions {
  readonly dir?: string | undefined;
  readonly count: number;
  readonly port: string;
  /** A file, or "-" for standard output. */
  readonly write?: string | undefined;
}

export async function captureCommand(terminal: Terminal, node: string, options: CaptureOptions): Promise<void> {
  const lab = findLab(terminal, options.dir);
  if (!lab.topology.nodes.has(node)) throw new UserError(`no node ${node}; there are ${[...lab.topology.nodes.keys()].join(", ")}`);
  const client = await connectLab(terminal, lab);
  for (const signal of ["SIGINT", "SIGTERM"] as const) terminal.process.onSignal(signal, () => client.interrupt());
  const { process, host } = terminal;
  const path = options.write === undefined || options.write === "-" ? undefined : absolute(terminal, options.write);
  if (path !== undefined) host.disk.remove(path);
  const file = path === undefined ? undefined : host.disk.openAppend(path);
  try {
    const format = options.write === undefined ? "text" : "pcap";
    const seen = await client.request("capture", [node, options.port, options.count, format], (to, bytes) => {
      if (to === "stderr") process.err(new TextDecoder().decode(bytes));
      else if (file !== undefined) file.append(bytes);
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
