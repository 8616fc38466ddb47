/**
 * Repairs: where a database is not as it should be, and how to put it right.
 *
 * A rule compares a row with what it ought to say and yields a repair if it differs. Once the repair has been written and
 * the row has come back changed, the rule runs again and the repair is gone. So nothing has to be remembered about what was
 * written: a lost transaction, a server that restarted, somebody else's change lead back to the same comparison.
 */
import { relation, type Relation, type Sink } from "../engine/index.ts";
import type { Clock, Log, Timer } from "../host/index.ts";
import type { CommitResult, Transaction } from "../ovsdb/index.ts";
import type { OpenVswitchTransaction, SouthboundTransaction } from "./rows.ts";

export interface Repair<T> {
  /** Says what is to be done, in full: a repair with another content has another key. */
  readonly key: string;
  /** For the database's log. */
  readonly comment?: string;
  /** Adds the operations; or returns for how many milliseconds it had better wait. */
  apply(txn: T): number | void;
  /** For what is to be said once, whatever becomes of it then: it has been. */
  written?(): void;
}

export const SouthboundRepair: Relation<Repair<SouthboundTransaction>> = relation("SouthboundRepair", (r) => r.key);
export const OpenVswitchRepair: Relation<Repair<OpenVswitchTransaction>> = relation("OpenVswitchRepair", (r) => r.key);

interface Committable {
  comment(text: string): void;
  readonly isEmpty: boolean;
  commit(): Promise<CommitResult>;
}

const firstRetryMs = 10;
const lastRetryMs = 8000;
/** How long after a successful write a repair may stand before it is tried again. */
const recheckMs = 1000;

/** Carries the repairs of one database out, one transaction at a time. */
export class RepairCrew<T extends Committable & Pick<Transaction<never>, "commit">> implements Sink<Repair<T>> {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #begin: () => T | undefined;
  readonly #waiting = new Set<Repair<T>>();
  readonly #written = new Set<Repair<T>>();
  #isBusy = false;
  /** After an error: one repair in a transaction, so that a bad one holds up no other. */
  #isCautious = false;
  #retryMs = firstRetryMs;
  #timer: Timer | undefined;
  #isStopped = false;

  /** `begin` gives undefined while there is no connection. */
  constructor(clock: Clock, log: Log, begin: () => T | undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#begin = begin;
  }

  added(repair: Repair<T>): void {
    this.#waiting.add(repair);
  }

  removed(repair: Repair<T>): void {
    this.#waiting.delete(repair);
    this.#written.delete(repair);
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#waiting.size === 0;
  }

  settle(): void {
    if (this.#waiting.size > 0 && !this.#isBusy && this.#timer === undefined && !this.#isStopped) this.#start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #start(): void {
    const txn = this.#begin();
    if (txn === undefined) return this.#later(firstRetryMs);
    const applied: Repair<T>[] = [];
    let delayMs = Infinity;
    for (const repair of this.#waiting) {
      const wait = repair.apply(txn);
      if (typeof wait === "number") {
        delayMs = Math.min(delayMs, wait);
        continue;
      }
      if (repair.comment !== undefined) txn.comment(repair.comment);
      applied.push(repair);
      if (this.#isCautious) break;
    }
    if (applied.length === 0) return this.#later(delayMs);
    for (const repair of applied) {
      this.#waiting.delete(repair);
      this.#written.add(repair);
    }
    this.#isBusy = true;
    void txn.commit().then((result) => this.#finished(applied, result));
  }

  #finished(applied: readonly Repair<T>[], result: CommitResult): void {
    this.#isBusy = false;
    const standing = applied.filter((repair) => this.#written.has(repair));
    if (result.kind === "committed" || result.kind === "unchanged") {
      this.#retryMs = firstRetryMs;
      for (const repair of applied) repair.written?.();
      if (this.#waiting.size === 0) this.#isCautious = false;
      if (standing.length > 0) this.#clock.after(recheckMs, () => this.#recheck(standing));
      this.settle();
      return;
    }
    for (const repair of standing) {
      this.#written.delete(repair);
      this.#waiting.add(repair);
    }
    if (result.kind === "error") {
      this.#log.warn(`${applied.map((r) => r.key).join(", ")}: ${result.error}${result.details === undefined ? "" : ` (${result.details})`}`);
      this.#isCautious = true;
    }
    this.#later(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }

  #recheck(repairs: readonly Repair<T>[]): void {
    for (const repair of repairs) if (this.#written.delete(repair)) this.#waiting.add(repair);
    this.settle();
  }

  #later(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      this.settle();
    });
  }
}
