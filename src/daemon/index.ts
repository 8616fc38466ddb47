/** What every daemon has: control socket, log levels, options, pid file, background. */
export { type BuiltinPlace, commandTable } from "./builtin-commands.ts";
export {
  applyVlogOptions, daemonOptions, informationOptions, isGiven, lastValue, pidfilePath, sslOptions, unixctlOption, vlogOptions,
} from "./common-options.ts";
export { Coverage } from "./coverage.ts";
export type { Daemon } from "./daemon.ts";
export { type Directories, directories, inFolder } from "./directories.ts";
export { type GivenOption, optionList, type OptionSpec, type ParsedOptions, parseOptions } from "./option-parser.ts";
export { readPidfile } from "./pidfile.ts";
export { type DaemonContext, type Program, runDaemon, StartError } from "./run-daemon.ts";
export { Stopwatches } from "./stopwatch.ts";
export { describeError, errorCode } from "./system-error.ts";
export { connectUnixctl, type UnixctlClient, type UnixctlReply } from "./unixctl-client.ts";
export { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";
export { serveUnixctl, type UnixctlServer } from "./unixctl-server.ts";
export { type Family, isthmusVersion, ovnInternalVersion, ovnVersion, ovsVersion, versionText } from "./versions.ts";
export { Vlog, type VlogPlace } from "./vlog.ts";
