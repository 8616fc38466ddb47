/** `isthmus kill NODE [DAEMON]`: a daemon, or all of a node's, end without a word, as in a power cut. `isthmus restart` brings them back. */
import { ControlError } from "../control.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export async function killCommand(terminal: Terminal, node: string, daemon: string | undefined, options: { readonly dir?: string | undefined }): Promise<void> {
  const client = await connectLab(terminal, findLab(terminal, options.dir));
  try {
    terminal.process.out(`killed on ${node}: ${String(await client.request("kill", [node, daemon ?? null]))}\n`);
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    client.close();
  }
}
