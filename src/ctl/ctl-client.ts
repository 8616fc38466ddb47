/** Hands an invocation on to a ctl program that runs in the background and keeps the database at hand (ovn-nbctl(8), "Daemon Mode"). */
import { connectUnixctl, describeError, type GivenOption } from "../daemon/index.ts";
import type { Host, Log } from "../host/index.ts";
import type { Database } from "../ovsdb/index.ts";
import { CommandError } from "./command-error.ts";
import type { CtlProgram } from "./ctl-program.ts";

/** Options that mean this process, and not the one in the background. */
const ours = new Set(["unixctl", "timeout", "verbose", "log-file", "syslog-method", "syslog-target", "no-syslog"]);
/** Options that only the one in the background could have obeyed, when it started. */
const useless =
  /^(no-)?(leader-only|shuffle-remotes)$|^(detach|no-self-confinement|no-chdir|pidfile|overwrite-pidfile|monitor|user|private-key|certificate|ca-cert|peer-ca-cert|bootstrap-ca-cert|ssl-.*)$/;

export async function runThroughDaemon<D extends Database>(
  program: CtlProgram<D>, socket: string, options: readonly GivenOption[], rest: readonly string[], host: Host, log: Log,
  { out, err }: { out(text: string): void; err(text: string): void },
): Promise<number> {
  const handed: string[] = [];
  for (const { name, value } of options) {
    if (useless.test(name)) log.module("ovn_dbctl").info(`using ${program.name} daemon, ignoring ${name} option`);
    else if (!ours.has(name)) handed.push(value === undefined ? `--${name}` : `--${name}=${value}`);
  }
  let client: Awaited<ReturnType<typeof connectUnixctl>>;
  try {
    client = await connectUnixctl(host, socket);
  } catch (error) {
    throw new CommandError(
      `${socket}: could not connect to ${program.name} daemon (${describeError(error)}); unset ${program.daemonVariable} to avoid using daemon`,
    );
  }
  try {
    const reply = await client.call("run", [...handed, "--", ...rest]);
    if (reply.kind === "result") out(withNewline(reply.text));
    else err(`${program.name}: ${withNewline(reply.text)}`);
    return reply.kind === "result" ? 0 : 1;
  } catch (error) {
    throw new CommandError(`${socket}: transaction error (${describeError(error)})`);
  } finally {
    client.close();
  }
}

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
