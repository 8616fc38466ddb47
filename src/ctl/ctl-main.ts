/** A ctl program as a process of its own. */
import { type Host, type Log, type Process, silentLog } from "../host/index.ts";
import { type ProgramName, runProgram } from "./programs.ts";
import { timedOutCode } from "./run-ctl.ts";

export async function ctlMain(name: ProgramName, process: Process, makeHost: (log: Log) => Host): Promise<never> {
  const code = await runProgram(name, process.args, {
    host: makeHost(silentLog), environment: process, process, out: (text) => process.out(text), err: (text) => process.err(text),
  });
  return code === timedOutCode ? process.dieOf("SIGALRM") : process.exit(code);
}
