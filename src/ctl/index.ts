/** The command-line programs over the databases. Each program is imported only when it is asked for. */
export { type CtlPlace, ConnectionPool, runCtl, timedOutCode } from "./run-ctl.ts";
export type { CtlProgram } from "./ctl-program.ts";
export { runProgram, type ProgramName, programNames } from "./programs.ts";
export { ctlMain } from "./ctl-main.ts";
export { nbctl } from "./nb/program.ts";
