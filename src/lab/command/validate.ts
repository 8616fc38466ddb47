/**
 * `isthmus validate [FILE]`: puts the claims of a topology file to the test, in a lab that runs already or in one brought up
 * for it. Exit code 0: all hold; 1: some fail; 2: there are none.
 */
import { present } from "../../std/index.ts";
import { connectControl } from "../control.ts";
import { controlSocketPath } from "../layout.ts";
import { labGround } from "../validate/lab-ground.ts";
import { runStep, type StepResult } from "../validate/run-step.ts";
import { verdictText } from "../validate/verdict.ts";
import { absolute, findLab, type FoundLab, readRecord } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";
import { awaitProbe, bringUp, readTopology } from "./up.ts";

const nothingToCheck = 2;

export interface ValidateOptions {
  readonly dir?: string | undefined;
  readonly processes: boolean;
  readonly real?: boolean | undefined;
  readonly program?: readonly string[] | undefined;
}

export async function validateCommand(terminal: Terminal, file: string | undefined, options: ValidateOptions): Promise<number> {
  if (file === undefined) {
    const lab = findLab(terminal, options.dir);
    return validate(terminal, lab, lab.record.topologyFile);
  }
  const { topology } = readTopology(terminal, file);
  if (topology.validate.length === 0) return saysNothing(terminal, file);
  const folder = absolute(terminal, options.dir ?? topology.name);
  if (await isRunning(terminal, folder)) return validate(terminal, { ...findLab(terminal, folder), topology }, file);
  const running = await bringUp(terminal, file, { dir: folder, processes: options.processes, real: options.real, setup: true, program: options.program, progress: () => undefined });
  try {
    await awaitProbe(terminal, running);
    return await validate(terminal, { folder, topology, record: present(readRecord(terminal, folder)) }, file);
  } finally {
    await running.down();
  }
}

async function isRunning(terminal: Terminal, folder: string): Promise<boolean> {
  if (readRecord(terminal, folder) === undefined) return false;
  const client = await connectControl(terminal.host, controlSocketPath(folder)).catch(() => undefined);
  client?.close();
  return client !== undefined;
}

function saysNothing(terminal: Terminal, file: string): number {
  terminal.process.err(`isthmus: ${file} has no "validate:" steps: nothing to check\n`);
  return nothingToCheck;
}

async function validate(terminal: Terminal, lab: FoundLab, file: string): Promise<number> {
  const { host, children, programsFolder } = terminal;
  if (lab.topology.validate.length === 0) return saysNothing(terminal, file);
  let ground;
  try {
    ground = await labGround({ host, children, programsFolder, ...lab });
  } catch (error) {
    throw new UserError(`the lab in ${lab.folder} does not answer (${error instanceof Error ? error.message : String(error)})`);
  }
  const results: StepResult[] = [];
  try {
    for (const step of lab.topology.validate) results.push(await runStep(ground, step));
  } finally {
    ground.close();
  }
  terminal.process.out(verdictText(results, file));
  return results.every((r) => r.complaint === undefined) ? 0 : 1;
}
