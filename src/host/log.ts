/**
 * Log lines as OVS writes them (ovs-appctl(8), vlog): a module, a level, a text.
 * Where they go, and which levels pass, is decided by whoever made the Log (see daemon's vlog options).
 */
export const logLevels = ["EMER", "ERR", "WARN", "INFO", "DBG"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  /** A log of another module that goes to the same place. Module names are those of the C programs where one fits. */
  module(name: string): Log;
  emer(text: string): void;
  err(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  /** A function, since most debug lines are never looked at. */
  dbg(text: () => string): void;
}

/** One line on its way to a destination. */
export interface LogEntry {
  readonly module: string;
  readonly level: LogLevel;
  readonly text: string;
}

/** A Log that hands every line to `sink`, unless `passes` refuses its module and level. */
export function makeLog(
  sink: (entry: LogEntry) => void,
  passes: (module: string, level: LogLevel) => boolean = () => true,
  module = "main",
): Log {
  const say = (level: LogLevel, text: string): void => {
    if (passes(module, level)) sink({ module, level, text });
  };
  return {
    module: (name) => makeLog(sink, passes, name),
    emer: (text) => say("EMER", text),
    err: (text) => say("ERR", text),
    warn: (text) => say("WARN", text),
    info: (text) => say("INFO", text),
    dbg: (text) => {
      if (passes(module, "DBG")) sink({ module, level: "DBG", text: text() });
    },
  };
}

export const silentLog: Log = makeLog(() => {}, () => false);
