/** A ctl program as a process of its own. */
import { type Host, type Log, type Process, silentLog } from "../host/index.ts";
import type { Database } from "../ovsdb/index.ts";
import type { CtlProgram } from "./ctl-program.ts";
import { runCtl, timedOutCode } from "./run-ctl.ts";

export async function ctlMain<D extends Database>(program: CtlProgram<D>, process: Process, makeHost: (log: Log) => Host): Promise<never> {
  const code = await runCtl(program, process.args, {
    host: makeHost(silentLog), environment: process, process, out: (text) => process.out(text), err: (text) => process.err(text),
  });
  return code === timedOutCode ? process.dieOf("SIGALRM") : process.exit(code);
}
