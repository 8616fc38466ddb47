/** `isthmus restart NODE [DAEMON]`: ends the daemon if it still runs, and starts it again on the same state; without a name, all that do not run. */
import { ControlError } from "../control.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export async function restartCommand(terminal: Terminal, node: string, daemon: string | undefined, options: { readonly dir?: string | undefined }): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const client = await connectLab(terminal, lab);
  try {
    const started = await client.request("restart", [node, daemon ?? null]);
    if (!Array.isArray(started)) return;
    for (const entry of started) if (Array.isArray(entry)) terminal.process.out(`${String(entry[0])} on ${node} runs again, pid ${String(entry[1])}\n`);
    if (started.length === 0) terminal.process.out(`everything on ${node} runs\n`);
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    client.close();
  }
}
