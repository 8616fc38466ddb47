/** The options that every daemon and tool of the family takes (ovs-vswitchd(8), "Daemon Options", "Logging Options"). */
import type { OptionSpec } from "./option-parser.ts";
import { type Directories, inFolder } from "./directories.ts";
import type { GivenOption } from "./option-parser.ts";
import type { Vlog } from "./vlog.ts";

export const daemonOptions: readonly OptionSpec[] = [
  { name: "detach", argument: "none" },
  { name: "no-self-confinement", argument: "none" },
  { name: "no-chdir", argument: "none" },
  { name: "pidfile", argument: "optional" },
  { name: "overwrite-pidfile", argument: "none" },
  { name: "monitor", argument: "none" },
  { name: "user", argument: "required" },
];

export const vlogOptions: readonly OptionSpec[] = [
  { name: "verbose", short: "v", argument: "optional" },
  { name: "log-file", argument: "optional" },
  { name: "syslog-method", argument: "required" },
  { name: "syslog-target", argument: "required" },
];

/** Accepted everywhere; what they configure is used where a remote is `ssl:`. */
export const sslOptions: readonly OptionSpec[] = [
  { name: "private-key", short: "p", argument: "required" },
  { name: "certificate", short: "c", argument: "required" },
  { name: "ca-cert", short: "C", argument: "required" },
  { name: "peer-ca-cert", argument: "required" },
  { name: "bootstrap-ca-cert", argument: "required" },
  { name: "ssl-protocols", argument: "required" },
  { name: "ssl-ciphers", argument: "required" },
  { name: "ssl-ciphersuites", argument: "required" },
  { name: "ssl-server-name", argument: "required" },
];

export const unixctlOption: OptionSpec = { name: "unixctl", argument: "required" };

export const informationOptions: readonly OptionSpec[] = [
  { name: "help", short: "h", argument: "none" },
  { name: "version", short: "V", argument: "none" },
];

export const lastValue = (options: readonly GivenOption[], name: string): string | undefined => options.findLast((o) => o.name === name)?.value;
export const isGiven = (options: readonly GivenOption[], name: string): boolean => options.some((o) => o.name === name);

/** Applies -v and --log-file in the order in which they stand; returns what is wrong with the first wrong one. */
export function applyVlogOptions(vlog: Vlog, options: readonly GivenOption[], program: string, folders: Directories): string | undefined {
  for (const { name, value } of options) {
    if (name === "log-file") vlog.openFile(value ?? `${folders.log}/${program}.log`);
    if (name !== "verbose") continue;
    if (value === undefined) vlog.setLevel("DBG");
    else {
      const wrong = vlog.configure(value);
      if (wrong !== undefined) return `processing "${value}": ${wrong}`;
    }
  }
  return undefined;
}

/** Where --pidfile[=FILE] puts it; undefined without the option. */
export function pidfilePath(options: readonly GivenOption[], program: string, folders: Directories): string | undefined {
  if (!isGiven(options, "pidfile")) return undefined;
  return inFolder(folders.run, lastValue(options, "pidfile") ?? `${program}.pid`);
}
