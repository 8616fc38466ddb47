/**
 * `isthmus exec HOST COMMAND...`: runs a command on a host, router or node of the lab; output, Ctrl-C and exit code pass through. On a simulated
 * host the lab runs it; on a real one it runs here, within the host's namespaces, with this terminal as its own.
 */
import { ControlError } from "../control.ts";
import { machinesOf } from "../topology/topology.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export async function execCommand(terminal: Terminal, host: string, argv: readonly string[], options: { readonly dir?: string | undefined }): Promise<number> {
  const lab = findLab(terminal, options.dir);
  const names = new Set([...lab.topology.hosts.keys(), ...lab.topology.routers.keys(), ...machinesOf(lab.topology), ...lab.topology.nodes.keys()]);
  if (!names.has(host)) throw new UserError(`no host ${host}; there are ${[...names].join(", ") || "none"}`);
  const client = await connectLab(terminal, lab);
  try {
    const real = await client.request("entry", [host, [...argv]]);
    if (Array.isArray(real) && real.length > 0) return await terminal.children.takeOver(real.map(String));
    for (const signal of ["SIGINT", "SIGTERM"] as const) terminal.process.onSignal(signal, () => client.interrupt());
    const text = new TextDecoder();
    const exitCode = await client.request("exec", [host, [...argv]], (to, bytes) => {
      if (to === "stderr") terminal.process.err(text.decode(bytes));
      else terminal.process.out(text.decode(bytes));
    });
    return Number(exitCode);
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    client.close();
  }
}
