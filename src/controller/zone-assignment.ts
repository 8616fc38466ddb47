/**
 * Conntrack zones: a number for every bound port and two for every local datapath (NAME_dnat, NAME_snat). They are kept in
 * the bridge's external_ids (`ct-zone-NAME`), so that connections survive a restart (ovn-controller(8)).
 */
import { Cell, relation, type Sink } from "../engine/index.ts";
import type { Log } from "../host/index.ts";

export interface ZoneUser {
  readonly name: string;
  /** How older controllers called it: a zone recorded so is its own. */
  readonly formerly?: string;
  /** Datapath_Binding.external_ids:snat-ct-zone: this very number; 0 is shared with whoever else uses the switch's host. */
  readonly requested: number | undefined;
  /** ct-zone-limit: how many connections the switch may keep in the zone. */
  readonly limit: number | undefined;
}

export const ZoneUser = relation<ZoneUser>("ZoneUser", ({ name, requested, limit }) => `${requested ?? ""} ${limit ?? ""} ${name}`);

const highestZone = 65535;
const none = -1;
/** The zone of everything that asks for no other. */
const sharedZone = 0;

export class ZoneAssignment implements Sink<ZoneUser> {
  readonly #log: Log;
  readonly #cells = new Map<string, Cell<number>>();
  readonly #holders = new Map<number, string>();
  readonly #users = new Map<string, ZoneUser>();
  readonly #gone = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #toFlush = new Set<number>();
  #hasAll = false;
  #range: { readonly min: number; readonly max: number } = { min: 1, max: highestZone };

  constructor(log: Log) {
    this.#log = log;
  }

  /** The user's zone; 0 while it has none. A tracked read. */
  zoneOf(name: string): number {
    return this.recordOf(name) ?? 0;
  }

  /** What is to be remembered of the user. A tracked read. */
  recordOf(name: string): number | undefined {
    const zone = this.#cell(name).get();
    return zone === none ? undefined : zone;
  }

  /** Assignments of a controller that ran before: they hold until their users turn out to be gone. */
  restore(assignments: Iterable<readonly [name: string, zone: number]>): void {
    for (const [name, zone] of assignments) {
      if (this.#holders.has(zone) || zone < sharedZone || zone > highestZone) continue;
      this.#assign(name, zone);
      if (!this.#users.has(name)) this.#gone.add(name);
    }
  }

  /** Who has a zone outside of it gets another. */
  setRange(min: number, max: number): void {
    this.#range = { min, max };
    for (const name of this.#users.keys()) this.#waiting.add(name);
  }

  added(user: ZoneUser): void {
    this.#users.set(user.name, user);
    this.#gone.delete(user.name);
    this.#waiting.add(user.name);
  }

  removed(user: ZoneUser): void {
    if (this.#users.get(user.name) !== user) return;
    this.#users.delete(user.name);
    this.#waiting.delete(user.name);
    this.#gone.add(user.name);
  }

  settle(): void {
    if (this.#hasAll) this.#dropGone();
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting].flatMap((name) => this.#users.get(name) ?? []);
    this.#waiting.clear();
    for (const user of waiting) this.#inherit(user);
    // Who asks for a certain zone gets it first, whoever else has it.
    for (const user of waiting) {
      if (user.requested === sharedZone) this.#share(user.name);
      else if (user.requested !== undefined) this.#yieldTo(user, user.requested);
    }
    for (const user of waiting) {
      const zone = this.#cell(user.name).get();
      if (zone === none || (user.requested === undefined && (zone < this.#range.min || zone > this.#range.max))) this.#assignFree(user.name);
    }
  }

  /** Everything there is has been seen: from now on zones of users that are gone are free. */
  dropUnused(): void {
    this.#hasAll = true;
    this.#dropGone();
  }

  #dropGone(): void {
    for (const name of this.#gone) {
      const zone = this.#cells.get(name)?.get() ?? none;
      if (zone > sharedZone) this.#toFlush.add(zone);
      this.#release(name);
    }
    this.#gone.clear();
  }

  /** The zones whose connections are to be forgotten, since they changed hands. */
  takeFlushes(): readonly number[] {
    const zones = [...this.#toFlush];
    this.#toFlush.clear();
    return zones;
  }

  /** `NAME ZONE`, as ct-zone-list shows them. */
  list(): string {
    return [...this.#cells].flatMap(([name, cell]) => (cell.get() === none ? [] : [`${name} ${cell.get()}\n`])).join("");
  }

  /** Its connections there are not only the user's: they are not forgotten. */
  #share(name: string): void {
    if (this.#cell(name).get() === sharedZone) return;
    this.#release(name);
    this.#assign(name, sharedZone);
  }

  #yieldTo(user: ZoneUser, zone: number): void {
    const holder = this.#holders.get(zone);
    if (holder === user.name) return;
    if (holder !== undefined) {
      this.#release(holder);
      if (this.#users.has(holder)) this.#waiting.add(holder);
    }
    this.#release(user.name);
    this.#assign(user.name, zone);
    this.#toFlush.add(zone);
    for (const name of this.#waiting) this.#assignFree(name);
    this.#waiting.clear();
  }

  #inherit({ name, formerly }: ZoneUser): void {
    const zone = (formerly === undefined ? undefined : this.#cells.get(formerly)?.get()) ?? none;
    if (formerly === undefined || zone === none || this.#users.has(formerly) || this.#cell(name).get() !== none) return;
    this.#log.dbg(() => `ct zone ${zone} replace uuid name '${formerly}' with '${name}'`);
    this.#release(formerly);
    this.#gone.delete(formerly);
    this.#assign(name, zone);
  }

  #assignFree(name: string): void {
    this.#release(name);
    for (let zone = this.#range.min; zone <= this.#range.max; zone++) {
      if (this.#holders.has(zone)) continue;
      this.#assign(name, zone);
      this.#toFlush.add(zone);
      return;
    }
    this.#log.warn("exhausted all ct zones");
  }

  #assign(name: string, zone: number): void {
    this.#log.dbg(() => `assigning ct zone ${zone} for '${name}'`);
    if (zone !== sharedZone) this.#holders.set(zone, name);
    this.#cell(name).set(zone);
  }

  #release(name: string): void {
    const zone = this.#cells.get(name)?.get() ?? none;
    if (zone === none) return;
    this.#log.dbg(() => `removing ct zone ${zone} for '${name}'`);
    this.#holders.delete(zone);
    this.#cell(name).set(none);
  }

  #cell(name: string): Cell<number> {
    let cell = this.#cells.get(name);
    if (cell === undefined) {
      cell = new Cell(`ct zone of ${name}`, none);
      this.#cells.set(name, cell);
    }
    return cell;
  }
}
