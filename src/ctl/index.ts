/** The command-line programs over the databases and control sockets. */
export { ctlMain } from "./ctl-main.ts";
export { isProgramName, type ProgramName, programNames, runProgram } from "./programs.ts";
export { type CtlPlace, ConnectionPool, timedOutCode } from "./run-ctl.ts";
