/** `isthmus restart NODE DAEMON`: ends the daemon if it still runs, and starts it again on the same state. */
import { ControlError } from "../control.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export async function restartCommand(terminal: Terminal, node: string, daemon: string, options: { readonly dir?: string | undefined }): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const client = await connectLab(terminal, lab);
  try {
    const pid = await client.request("restart", [node, daemon]);
    terminal.process.out(`${daemon} on ${node} runs again, pid ${String(pid)}\n`);
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    client.close();
  }
}
