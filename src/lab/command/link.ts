/**
 * `isthmus link`: the links of a lab's underlay, and what is wrong with them; `isthmus link NAME cut`, `mend`, `delay 10ms loss 5%
 * rate 10mbit`, `clear` change that at once, both ways or one. In a lab of real machines the same: the links are the lab's own.
 */
import { ControlError } from "../control.ts";
import { textTable } from "../text-table.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface LinkOptions {
  readonly dir?: string | undefined;
  readonly way: string;
}

export async function linkCommand(terminal: Terminal, name: string | undefined, words: readonly string[], options: LinkOptions): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const client = await connectLab(terminal, lab);
  try {
    if (name !== undefined && words.length > 0) {
      await client.request("link", [name, options.way, [...words]]);
      return;
    }
    const links = await client.request("links", []);
    const rows: string[][] = [];
    for (const link of Array.isArray(links) ? links : []) {
      if (typeof link !== "object" || link === null || Array.isArray(link) || (name !== undefined && link["name"] !== name)) continue;
      const pair = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
      const [one = "", other = ""] = pair(link["ends"]);
      const [there = "", back = ""] = pair(link["impairment"]);
      rows.push([String(link["name"]), `${one} - ${other}`, there === back ? there || "-" : `there: ${there || "-"}; back: ${back || "-"}`, String(link["lost"])]);
    }
    if (name !== undefined && rows.length === 0) throw new UserError(`no link ${name}: "isthmus link" lists them`);
    terminal.process.out(textTable(["LINK", "BETWEEN", "IMPAIRMENT", "LOST"], rows));
  } catch (error) {
    if (error instanceof ControlError) throw new UserError(error.message);
    throw error;
  } finally {
    client.close();
  }
}
