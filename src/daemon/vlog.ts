/**
 * Logging as OVS's programs do it (ovs-appctl(8), "Logging Commands"): each module has a level for each destination, each
 * destination a pattern. What passes is one line on the console (standard error) and in the log file; there is no syslog
 * here, but its levels are kept, since scripts set and list them.
 */
import { type AppendFile, type Clock, type Disk, type Log, type LogEntry, logLevels, makeLog } from "../host/index.ts";
import { RateLimit } from "./rate-limit.ts";
import { knownModules } from "./vlog-modules.ts";
import { formatLine } from "./vlog-pattern.ts";

const destinations = ["syslog", "console", "file"] as const;
type Destination = (typeof destinations)[number];

/** OFF, or the least severe level that passes. */
const thresholds = ["OFF", ...logLevels] as const;
type Threshold = (typeof thresholds)[number];
const severity = new Map<string, number>(thresholds.map((name, i) => [name, i]));

interface ModuleLevels {
  readonly levels: Record<Destination, Threshold>;
  limited: boolean;
}

export interface VlogPlace {
  readonly program: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly disk: Disk;
  console(text: string): void;
}

export class Vlog {
  readonly log: Log;
  readonly #place: VlogPlace;
  readonly #modules = new Map<string, ModuleLevels>();
  readonly #defaults: ModuleLevels = { levels: { syslog: "INFO", console: "INFO", file: "INFO" }, limited: true };
  readonly #patterns: Record<Destination, string> = {
    syslog: "ovs|%05N|%c%T|%p|%m",
    console: "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    file: "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
  };
  readonly #rateLimit: RateLimit;
  readonly #startedAt: number;
  #file: AppendFile | undefined;
  #fileName: string | undefined;
  #number = 0;
  #console = true;

  constructor(place: VlogPlace) {
    this.#place = place;
    this.#startedAt = place.clock.now();
    this.#rateLimit = new RateLimit(place.clock);
    this.log = makeLog((entry) => this.#write(entry), (module, level) => this.#passes(module, level));
  }

  /** Once a daemon is in the background its console leads nowhere. */
  closeConsole(): void {
    this.#console = false;
  }

  /** Whether file logging is configured. Takes effect even if the file cannot be opened, as `reopen` may succeed later. */
  openFile(name: string): string | undefined {
    this.#file?.close();
    this.#file = undefined;
    this.#fileName = name;
    try {
      this.#file = this.#place.disk.openAppend(name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.module("vlog").warn(`failed to open ${name} for logging: ${reason}`);
      return reason;
    }
    this.log.module("vlog").info(`opened log file ${name}`);
    return undefined;
  }

  /** The text of a failure, or undefined. */
  reopenFile(): string | undefined {
    return this.#fileName === undefined ? "Logging to file not configured" : this.openFile(this.#fileName);
  }

  closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Every module, every destination, unless narrowed. */
  setLevel(threshold: Threshold, module?: string, destination?: Destination): void {
    const which = destination === undefined ? destinations : [destination];
    const targets = module === undefined ? [this.#defaults, ...this.#modules.values()] : [this.#module(module)];
    for (const target of targets) for (const d of which) target.levels[d] = threshold;
  }

  /** `spec` as after -v: module, destination and level in any order; PATTERN:DEST:TEXT. Returns what is wrong with it. */
  configure(spec: string): string | undefined {
    const pattern = /^[ ,:\t]*pattern(?:[ ,:\t]+([^ ,:\t]+)(?:[ ,:\t]([\s\S]*))?)?$/i.exec(spec);
    if (pattern !== null) return this.#setPattern(pattern[1], pattern[2] ?? "");
    if (/^[ ,:\t]*facility([ ,:\t]|$)/i.test(spec)) return undefined;
    const chosen: { module?: string; destination?: Destination; threshold?: Threshold } = {};
    for (const word of spec.split(/[ ,:\t]+/).filter((w) => w !== "")) {
      const wrong = this.#take(word, chosen);
      if (wrong !== undefined) return wrong;
    }
    this.setLevel(chosen.threshold ?? "DBG", chosen.module, chosen.destination);
    return undefined;
  }

  #take(word: string, chosen: { module?: string; destination?: Destination; threshold?: Threshold }): string | undefined {
    if (/^any$/i.test(word)) return undefined;
    const destination = destinations.find((d) => d === word.toLowerCase());
    const threshold = thresholds.find((t) => t === word.toUpperCase());
    if (destination !== undefined) {
      if (chosen.destination !== undefined) return "cannot specify multiple destinations";
      chosen.destination = destination;
    } else if (threshold !== undefined) {
      if (chosen.threshold !== undefined) return "cannot specify multiple levels";
      chosen.threshold = threshold;
    } else if (this.isModule(word)) {
      if (chosen.module !== undefined) return "cannot specify multiple modules";
      chosen.module = moduleName(word);
    } else return `no destination, level, or module "${word}"`;
    return undefined;
  }

  #setPattern(destination: string | undefined, pattern: string): string | undefined {
    if (destination === undefined) return "missing destination";
    const which = /^any$/i.test(destination) ? destinations : destinations.filter((d) => d === destination.toLowerCase());
    if (which.length === 0) return `unknown destination "${destination}"`;
    for (const d of which) this.#patterns[d] = pattern;
    return undefined;
  }

  isModule(name: string): boolean {
    return knownModules.has(moduleName(name)) || this.#modules.has(moduleName(name));
  }

  setRateLimited(limited: boolean, module?: string): void {
    const targets = module === undefined ? [this.#defaults, ...this.#modules.values()] : [this.#module(moduleName(module))];
    for (const target of targets) target.limited = limited;
  }

  /** The table of vlog/list. */
  listLevels(): string {
    const lines = [...new Set([...knownModules, ...this.#modules.keys()])].sort().map((name) => {
      const { levels, limited } = this.#modules.get(name) ?? this.#defaults;
      const [console, syslog, file] = [levels.console, levels.syslog, levels.file].map((l) => l.padStart(4));
      return `${name.padEnd(16)}  ${console}       ${syslog}       ${file}${limited ? "" : "    (rate limiting disabled)"}\n`;
    });
    return `                 console    syslog    file\n                 -------    ------    ------\n${lines.join("")}`;
  }

  listPatterns(): string {
    const lines = destinations.map((d) => `${d.padEnd(7)}  ${"none".padEnd(32)}  ${this.#patterns[d]}\n`);
    return `         prefix                            format\n         ------                            ------\n${lines.join("")}`;
  }

  #module(name: string): ModuleLevels {
    let module = this.#modules.get(name);
    if (module === undefined) {
      module = { levels: { ...this.#defaults.levels }, limited: this.#defaults.limited };
      this.#modules.set(name, module);
    }
    return module;
  }

  #passes(name: string, level: string): boolean {
    const { levels } = this.#module(name);
    const rank = severity.get(level) ?? 0;
    return (this.#console && atLeast(levels.console, rank)) || (this.#file !== undefined && atLeast(levels.file, rank));
  }

  #write(entry: LogEntry): void {
    const module = this.#module(entry.module);
    // Debugging wants every line, and the last words of a program are never dropped.
    if (module.limited && entry.level !== "DBG" && entry.level !== "EMER") {
      const verdict = this.#rateLimit.judge(entry.module, entry.text);
      if (!verdict.pass) return;
      if (verdict.report !== undefined) this.#put(module, { ...entry, text: verdict.report });
    }
    this.#put(module, entry);
  }

  #put(module: ModuleLevels, entry: LogEntry): void {
    const { program, pid, clock } = this.#place;
    const rank = severity.get(entry.level) ?? 0;
    const line = { ...entry, program, pid, number: ++this.#number, wallMs: clock.wall(), sinceStartMs: clock.now() - this.#startedAt };
    if (this.#console && atLeast(module.levels.console, rank)) this.#place.console(`${formatLine(this.#patterns.console, line)}\n`);
    if (this.#file === undefined || !atLeast(module.levels.file, rank)) return;
    try {
      this.#file.append(`${formatLine(this.#patterns.file, line)}\n`);
    } catch {
      // A full disk must not stop the daemon, and there is nowhere to say so.
      this.closeFile();
    }
  }
}

const atLeast = (threshold: Threshold, rank: number): boolean => (severity.get(threshold) ?? 0) >= rank;
const moduleName = (name: string): string => name.toLowerCase().replaceAll("-", "_");
