/**
 * ovn-northd(8): translates wishes (OVN_Northbound) to logical flows (OVN_Southbound). Of several instances the one that
 * holds the lock "ovn_northd" of the southbound database is active; the others keep their copies up to date and wait.
 */
import { type Daemon, type UnixctlCommand, UnixctlError } from "../daemon/index.ts";
import { untracked } from "../engine/index.ts";
import type { Host, Log } from "../host/index.ts";
import { openReplica, type Replica } from "../ovsdb/index.ts";
import { northbound, southbound } from "../schemas/index.ts";
import { EngineStats } from "./engine-stats.ts";
import { intOption, uintOption } from "./options.ts";
import { Rest } from "./rest.ts";
import { internalVersion } from "./sync/globals.ts";
import { chassisFeatures } from "./topology/settings.ts";
import type { Nb, Sb } from "./topology/topology.ts";
import { Zone } from "./zone.ts";

export interface NorthdOptions {
  /** `unix:/run/ovn/ovnnb_db.sock`, or a list of remotes. */
  readonly northbound: string;
  readonly southbound: string;
  /** Starts without asking for the lock (--dry-run). */
  readonly isPaused?: boolean;
}

export interface Northd extends Daemon {
  /** "active": holds the lock. */
  readonly status: "active" | "standby" | "paused";
  /** The southbound database is as the northbound one wants it. */
  readonly isSettled: boolean;
  readonly zone: Zone | undefined;
}

const lockName = "ovn_northd";
const maxThreads = 256;

export function startNorthd(host: Host, options: NorthdOptions): Northd {
  return new LiveNorthd(host, options);
}

class LiveNorthd implements Northd {
  readonly commands: readonly UnixctlCommand[];
  readonly ready: Promise<void> = Promise.resolve();
  readonly #host: Host;
  readonly #options: NorthdOptions;
  readonly #log: Log;
  #nb: Replica<Nb>;
  #sb: Replica<Sb>;
  #zone: Zone | undefined;
  #isPaused: boolean;
  #isStopped = false;
  #threads = 1;
  /** As it was asked for; negative: nobody has. */
  #probeIntervalMs = -1;
  readonly #stats = new EngineStats();
  readonly #rest: Rest;

  constructor(host: Host, options: NorthdOptions) {
    this.#host = host;
    this.#options = options;
    this.#log = host.log.module("ovn_northd");
    this.#isPaused = options.isPaused ?? false;
    this.#log.info(`OVN internal version is : [${internalVersion}]`);
    this.#rest = new Rest(host.clock, () => this.#changed());
    this.commands = this.#makeCommands();
    [this.#nb, this.#sb] = this.#open();
  }

  get status(): "active" | "standby" | "paused" {
    return this.#isPaused ? "paused" : this.#zone === undefined ? "standby" : "active";
  }

  get isSettled(): boolean {
    return this.#zone?.isSettled ?? false;
  }

  get zone(): Zone | undefined {
    return this.#zone;
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    this.#close();
    return Promise.resolve();
  }

  #open(): [Replica<Nb>, Replica<Sb>] {
    const changed = (): void => this.#changed();
    const nb = openReplica(this.#host, northbound, this.#options.northbound, { changed });
    const sb = openReplica(this.#host, southbound, this.#options.southbound, { changed, ...(this.#isPaused ? {} : { lock: lockName }) });
    return [nb, sb];
  }

  #close(): void {
    this.#rest.end();
    this.#zone?.close();
    this.#zone = undefined;
    this.#nb.close();
    this.#sb.close();
  }

  #changed(): void {
    if (this.#isStopped) return;
    this.#followProbe();
    const { isSynced, hasLock, isLockContended } = untracked(() => this.#sb.status);
    // After a reconnection it is ours again in a moment, unless another has taken it.
    if (this.#zone !== undefined && isLockContended) {
      this.#log.info("ovn-northd lock lost. This ovn-northd instance is now on standby.");
      this.#startAnew();
      return;
    }
    if (this.#zone === undefined) {
      if (this.#isPaused || !hasLock || !isSynced || !untracked(() => this.#nb.status).isSynced) return;
      this.#log.info("ovn-northd lock acquired. This ovn-northd instance is now active.");
      this.#zone = new Zone(this.#host, this.#nb, this.#sb);
      this.#stats.recompute++;
    } else if (this.#rest.defers()) return;
    else if (this.#zone.engine.isStale) this.#stats.compute++;
    this.#step(this.#zone);
  }

  #step(zone: Zone): void {
    const { clock } = this.#host;
    const began = clock.now();
    zone.step();
    const tookMs = clock.now() - began;
    this.#stats.took(tookMs);
    const [global] = untracked(() => [...this.#nb.tables.NB_Global]);
    this.#rest.begin(tookMs, untracked(() => (global === undefined ? 0 : uintOption(global.options, "northd-backoff-interval-ms", 0))));
  }

  /** `options:northd_probe_interval` of NB_Global, for both databases; active or not. */
  #followProbe(): void {
    const [global] = untracked(() => [...this.#nb.tables.NB_Global]);
    const wanted = untracked(() => (global === undefined ? -1 : intOption(global.options, "northd_probe_interval", -1)));
    if (wanted === this.#probeIntervalMs) return;
    this.#probeIntervalMs = wanted;
    for (const replica of [this.#nb, this.#sb]) replica.setProbeInterval(wanted < 0 ? undefined : wanted);
  }

  /** Whoever is active meanwhile may decide otherwise: nothing of what was worked out is kept. */
  #startAnew(): void {
    this.#close();
    [this.#nb, this.#sb] = this.#open();
    this.#probeIntervalMs = -1;
  }

  #makeCommands(): readonly UnixctlCommand[] {
    const command = (name: string, run: (args: readonly string[]) => string, usage = "", args: readonly [number, number] = [0, 0]): UnixctlCommand =>
      ({ name, usage, minArgs: args[0], maxArgs: args[1], run });
    const connection = (replica: () => Replica<Nb> | Replica<Sb>) => () => (untracked(() => replica().status).isConnected ? "connected" : "not connected");
    const reset = (replica: () => Replica<Nb> | Replica<Sb>) => () => {
      replica().reconnect();
      return "";
    };
    return [
      command("pause", () => this.#pause()),
      command("resume", () => this.#resume()),
      command("is-paused", () => String(this.#isPaused)),
      command("status", () => `Status: ${this.status}\n`),
      command("nb-connection-status", connection(() => this.#nb)),
      command("sb-connection-status", connection(() => this.#sb)),
      command("nb-cluster-state-reset", reset(() => this.#nb)),
      command("sb-cluster-state-reset", reset(() => this.#sb)),
      command("parallel-build/set-n-threads", ([n = ""]) => this.#setThreads(Number(n)), "N_THREADS", [1, 1]),
      command("parallel-build/get-n-threads", () => `${this.#threads}\n`),
      command("inc-engine/recompute", () => this.#recompute()),
      ...this.#stats.commands(),
      command("debug/chassis-features-list", () => this.#listFeatures()),
    ];
  }

  #pause(): string {
    if (this.#isPaused) return "";
    this.#isPaused = true;
    this.#log.info("This ovn-northd instance is now paused.");
    this.#startAnew();
    return "";
  }

  #resume(): string {
    if (!this.#isPaused) return "";
    this.#isPaused = false;
    this.#sb.setLock(lockName);
    return "";
  }

  /** One thread is enough for what changes; the command is there for scripts. */
  #setThreads(threads: number): string {
    if (!(threads >= 1 && threads <= maxThreads)) throw new UnixctlError(`invalid n_threads: ${Number.isNaN(threads) ? 0 : threads}\n`);
    this.#threads = threads;
    return "";
  }

  /** Whatever anybody else has written into the southbound database is set right. */
  #recompute(): string {
    this.#stats.recompute++;
    const zone = this.#zone;
    if (zone === undefined) return "";
    zone.compareAll();
    this.#step(zone);
    return "";
  }

  #listFeatures(): string {
    const zone = this.#zone;
    const features = zone === undefined ? {} : untracked(() => chassisFeatures(zone.topology));
    return Object.entries(features).map(([name, isThere]) => `${name}: ${isThere}\n`).join("");
  }
}
