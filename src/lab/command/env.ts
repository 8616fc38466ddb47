/** `isthmus env NODE`: `export` lines for a shell, after which any OVN tool finds that node's databases and sockets. */
import { exportLines, nodeEnvironment } from "../layout.ts";
import { findLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export function envCommand(terminal: Terminal, nodeName: string, options: { readonly dir?: string | undefined; readonly path: boolean }): void {
  const lab = findLab(terminal, options.dir);
  const node = lab.topology.nodes.get(nodeName);
  if (node === undefined) throw new UserError(`no node ${nodeName}; there are ${[...lab.topology.nodes.keys()].join(", ")}`);
  const environment = nodeEnvironment(lab.folder, lab.topology, node, new Map(lab.record.carriers));
  terminal.process.out(exportLines(environment, options.path ? terminal.programsFolder : undefined));
}
