/** The commands that every daemon answers; a daemon's own command of the same name takes precedence. */
import { Coverage } from "./coverage.ts";
import type { Clock } from "../host/index.ts";
import { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";
import type { Vlog } from "./vlog.ts";

export interface BuiltinPlace {
  readonly clock: Clock;
  /** What `version` replies. */
  readonly version: string;
  readonly vlog: Vlog;
  /** Bytes; absent where many daemons share one process. */
  usage?(): { readonly residentSize: number; readonly heapSize: number };
  /** Asks the daemon to end, after the reply is out. */
  exit(): void;
}

/** All commands by name: the built-in ones and `own`, which win. */
export function commandTable(own: readonly UnixctlCommand[], place: BuiltinPlace): ReadonlyMap<string, UnixctlCommand> {
  const table = new Map<string, UnixctlCommand>();
  // The C programs count turns of a loop that found work at once; there is no such loop here.
  const coverage = new Coverage(place.clock, ["poll_zero_timeout"]);
  const builtin = [...generalCommands(place, table), ...vlogCommands(place.vlog), ...coverage.commands()];
  for (const command of [...builtin, ...own]) table.set(command.name, command);
  return table;
}

function generalCommands(place: BuiltinPlace, table: ReadonlyMap<string, UnixctlCommand>): readonly UnixctlCommand[] {
  return [
    { name: "list-commands", usage: "", minArgs: 0, maxArgs: 0, run: () => listCommands(table) },
    { name: "version", usage: "", minArgs: 0, maxArgs: 0, run: () => place.version },
    {
      name: "exit",
      usage: "",
      minArgs: 0,
      maxArgs: 0,
      run: () => {
        place.exit();
        return "";
      },
    },
    {
      name: "memory/show",
      usage: "",
      minArgs: 0,
      maxArgs: 0,
      run: () => {
        const usage = place.usage?.();
        if (usage === undefined) return "";
        const kB = (size: number): number => Math.round(size / 1024);
        return `heap-kB:${kB(usage.heapSize)} rss-kB:${kB(usage.residentSize)}\n`;
      },
    },
  ];
}

function listCommands(table: ReadonlyMap<string, UnixctlCommand>): string {
  const lines = [...table.values()]
    .filter((c) => c.usage !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((c) => `  ${c.name.padEnd(23)} ${c.usage}\n`);
  return `The available commands are:\n${lines.join("")}`;
}

function vlogCommands(vlog: Vlog): readonly UnixctlCommand[] {
  const set = (args: readonly string[]): string => {
    if (args.length === 0) vlog.setLevel("DBG");
    for (const spec of args) {
      const wrong = vlog.configure(spec);
      if (wrong !== undefined) throw new UnixctlError(wrong);
    }
    return "";
  };
  const limit = (limited: boolean) => (args: readonly string[]): string => {
    if (args.length === 0) vlog.setRateLimited(limited);
    for (const module of args) {
      if (/^any$/i.test(module)) vlog.setRateLimited(limited);
      else if (vlog.isModule(module)) vlog.setRateLimited(limited, module);
      else throw new UnixctlError("unknown module");
    }
    return "";
  };
  const reopen = (): string => {
    const wrong = vlog.reopenFile();
    if (wrong !== undefined) throw new UnixctlError(wrong);
    return "";
  };
  const close = (): string => {
    vlog.closeFile();
    return "";
  };
  const message = (args: readonly string[]): string => {
    vlog.log.module("vlog").info(`user-message: ${args[0] ?? ""}`);
    return "";
  };
  return [
    { name: "vlog/set", usage: "{spec | PATTERN:destination:pattern}", minArgs: 0, maxArgs: Infinity, run: set },
    { name: "vlog/list", usage: "", minArgs: 0, maxArgs: 0, run: () => vlog.listLevels() },
    { name: "vlog/list-pattern", usage: "", minArgs: 0, maxArgs: 0, run: () => vlog.listPatterns() },
    { name: "vlog/enable-rate-limit", usage: "[module]...", minArgs: 0, maxArgs: Infinity, run: limit(true) },
    { name: "vlog/disable-rate-limit", usage: "[module]...", minArgs: 0, maxArgs: Infinity, run: limit(false) },
    { name: "vlog/reopen", usage: "", minArgs: 0, maxArgs: 0, run: reopen },
    { name: "vlog/close", usage: "", minArgs: 0, maxArgs: 0, run: close },
    { name: "vlog/message", usage: undefined, minArgs: 1, maxArgs: 1, run: message },
  ];
}
