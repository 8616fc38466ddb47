/** `isthmus up FILE`: progress while it comes up, then a summary and what to type next. */
import { readRecord } from "./find-lab.ts";
import { reportOf } from "../report.ts";
import { reportTables } from "./inspect.ts";
import { awaitProbe, bringUp, type UpOptions } from "./up.ts";
import type { Terminal } from "./terminal.ts";
import { present } from "../../std/index.ts";

export async function upCommand(terminal: Terminal, file: string, options: Omit<UpOptions, "progress"> & { readonly detach: boolean }): Promise<number> {
  const { process, host } = terminal;
  const { background } = process;
  if (options.detach && !background.isChild) {
    const { code, message } = await background.start();
    process.out(message);
    return code;
  }
  const lines: string[] = [];
  const say = (text: string): void => {
    lines.push(`${text}\n`);
    if (!background.isChild) process.out(`${text}\n`);
  };
  const running = await bringUp(terminal, file, { ...options, progress: (step) => say(`  ${(host.clock.now() / 1000).toFixed(2)} s  ${step}`) });
  // Without its set-up nothing is meant to answer.
  if (options.setup) await awaitProbe(terminal, running);
  const { probe } = running.lab.topology;
  if (probe !== undefined && options.setup) say(`  ${(host.clock.now() / 1000).toFixed(2)} s  first reply: ${probe.from} <- ${probe.to}`);
  const carriers = new Map(present(readRecord(terminal, running.folder)).carriers);
  const { topology } = running.lab;
  const dir = ` --dir ${running.folder}`;
  const firstHost = [...topology.hosts.keys()][0];
  const hints = [
    ...(firstHost === undefined || topology.probe === undefined ? [] : [`  isthmus exec${dir} ${topology.probe.from} ping -c 3 ${topology.probe.to}`]),
    `  eval "$(isthmus env${dir} ${[...topology.nodes.keys()][0] ?? ""})"`,
    `  isthmus down${dir}`,
  ];
  say(`\n${reportTables(reportOf(running.lab, running.folder, carriers))}\nNext:\n${hints.join("\n")}`);
  if (background.isChild) background.ready(lines.join(""));
  await running.ended;
  await running.down();
  return 0;
}
