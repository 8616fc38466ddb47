/** The programs by name, for whoever runs several of them in one process. */
import { type CtlPlace, runCtl } from "./run-ctl.ts";

const programs = {
  "ovn-nbctl": async (args: readonly string[], place: CtlPlace) => runCtl((await import("./nb/program.ts")).nbctl, args, place),
} as const;

export type ProgramName = keyof typeof programs;
export const programNames = Object.keys(programs) as readonly ProgramName[];

/** The exit code. Keeps nothing but what `place.connections` keeps. */
export const runProgram = (name: ProgramName, args: readonly string[], place: CtlPlace): Promise<number> => programs[name](args, place);
