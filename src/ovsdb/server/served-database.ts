/**
 * A database that is being served: a store, the file behind it if it has one, its monitors, and the transactions that wait
 * for it to change.
 *
 * A transaction takes effect and stands in the file as soon as it is executed; what is to be told of it is told by `flush`,
 * once for all that came in the same turn: first stable storage if somebody asked for it, then the monitors, then the replies.
 */
import type { Clock, Log, Timer } from "../../host/index.ts";
import type { DatabaseFile } from "../file/database-file.ts";
import { type Json, printJson } from "../json/json.ts";
import { transactionRecord } from "../file/log-record.ts";
import { Monitors } from "./monitors.ts";
import { execute, type ExecuteOptions } from "../store/operations.ts";
import type { OvsdbError } from "../ovsdb-error.ts";
import type { DatabaseSchema } from "../schema/schema.ts";
import { schemaToJson } from "../schema/schema-json.ts";
import type { Store } from "../store/store.ts";
import { StoreTransaction } from "../store/store-transaction.ts";
import type { StoredTable } from "../store/stored-table.ts";

export type TransactReply = { readonly kind: "result"; readonly text: string } | { readonly kind: "error"; readonly error: Json };

export interface TransactRequest {
  readonly params: readonly Json[];
  readonly readOnly: boolean;
  ownsLock(name: string): boolean;
  reply(reply: TransactReply): void;
}

/** A transaction whose "wait" is not satisfied yet. */
interface Waiting {
  readonly request: TransactRequest;
  readonly since: number;
  timer: Timer | undefined;
}

export interface DatabaseSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  makeUuid(): string;
  /** Asks for `flush` at the end of the turn. */
  flushSoon(database: ServedDatabase): void;
}

/** Compaction is not worth more than so often. */
const compactionIntervalMs = 10 * 60 * 1000;

/** Replies of one turn are not kept back beyond this many characters. */
const largestTurn = 16 * 1024 * 1024;

export class ServedDatabase {
  readonly file: DatabaseFile | undefined;
  readonly #around: DatabaseSurroundings;
  #store: Store;
  #monitors: Monitors;
  #schemaText: string | undefined;
  #replies: { reply: () => void; durable: boolean }[] = [];
  #replySize = 0;
  #waiting = new Set<Waiting>();
  #changed = new Set<StoredTable>();
  #lastCompaction: number;

  constructor(store: Store, file: DatabaseFile | undefined, around: DatabaseSurroundings) {
    this.#store = store;
    this.file = file;
    this.#schemaText = file?.schemaText;
    this.#around = around;
    this.#monitors = new Monitors(() => around.makeUuid());
    this.#lastCompaction = around.clock.now();
  }

  get store(): Store {
    return this.#store;
  }
  get monitors(): Monitors {
    return this.#monitors;
  }
  get name(): string {
    return this.#store.name;
  }
  get schema(): DatabaseSchema {
    return this.#store.schema;
  }

  /** The reply to get_schema. */
  get schemaText(): string {
    this.#schemaText ??= printJson(schemaToJson(this.schema));
    return this.#schemaText;
  }

  /** Returns a function that cancels the transaction if it waits, and says whether it did. */
  transact(request: TransactRequest): () => boolean {
    const waiting: Waiting = { request, since: this.#around.clock.now(), timer: undefined };
    this.#try(waiting);
    return () => {
      if (!this.#waiting.delete(waiting)) return false;
      waiting.timer?.cancel();
      request.reply({ kind: "error", error: "canceled" });
      return true;
    };
  }

  #try(waiting: Waiting): void {
    const { request, since } = waiting;
    waiting.timer?.cancel();
    waiting.timer = undefined;
    const elapsedMs = Math.floor(this.#around.clock.now() - since);
    const options: ExecuteOptions = { readOnly: request.readOnly, elapsedMs, mayWait: true, ownsLock: (name) => request.ownsLock(name) };
    const done = execute(this.#store, request.params, options);
    switch (done.kind) {
      case "refused":
        // Although it is no result of an operation, the C server sends this one as a result.
        this.#answer(waiting, printJson(done.error.toJson()), false);
        return;
      case "failed":
        this.#answer(waiting, `[${done.results.join(",")}]`, false);
        return;
      case "waiting":
        this.#waiting.add(waiting);
        if (Number.isFinite(done.timeoutMs)) {
          const leftMs = Math.max(0, done.timeoutMs - elapsedMs);
          waiting.timer = this.#around.clock.after(leftMs, () => this.#try(waiting));
        }
        return;
      case "done": {
        const bad = this.#commit(done.transaction);
        const results = bad === undefined ? done.results : [...done.results, printJson(bad.toJson())];
        this.#answer(waiting, `[${results.join(",")}]`, done.durable && bad === undefined);
      }
    }
  }

  #answer(waiting: Waiting, text: string, durable: boolean): void {
    this.#waiting.delete(waiting);
    this.#replies.push({ reply: () => waiting.request.reply({ kind: "result", text }), durable });
    this.#replySize += text.length;
    this.#around.flushSoon(this);
    // So that whoever asks for a lot feels that it does not read it, before it has asked for more.
    if (this.#replySize > largestTurn) this.#tell();
  }

  /** A change that the server itself makes. */
  apply(change: (transaction: StoreTransaction) => void): OvsdbError | undefined {
    const transaction = new StoreTransaction(this.#store);
    change(transaction);
    return this.#commit(transaction);
  }

  #commit(transaction: StoreTransaction): OvsdbError | undefined {
    const bad = transaction.check() ?? this.#write(transaction);
    if (bad !== undefined) {
      transaction.undo();
      return bad;
    }
    if (transaction.isEmpty) return undefined;
    transaction.commit();
    for (const { row } of transaction.changes) this.#changed.add(row.table);
    this.#monitors.collect(transaction.changes);
    this.#around.flushSoon(this);
    return undefined;
  }

  #write(transaction: StoreTransaction): OvsdbError | undefined {
    if (this.file === undefined || transaction.isEmpty) return undefined;
    const record = transactionRecord(transaction.changes, transaction.comments, this.#around.clock.wall());
    const bad = record === undefined ? undefined : this.file.append(record);
    if (bad !== undefined) this.#around.log.err(String(bad));
    return bad;
  }

  /** Tells what has happened since the last time; returns the tables that changed. */
  flush(): ReadonlySet<StoredTable> {
    const changed = this.#changed;
    this.#changed = new Set();
    this.#tell();
    if (changed.size > 0) {
      for (const waiting of [...this.#waiting]) if (this.#waiting.has(waiting)) this.#try(waiting);
      this.#compactIfDue();
    }
    return changed;
  }

  /** Stable storage first, then the monitors, then the replies. */
  #tell(): void {
    const replies = this.#replies;
    this.#replies = [];
    this.#replySize = 0;
    if (replies.some(({ durable }) => durable)) this.#sync();
    this.#monitors.flush();
    for (const { reply } of replies) reply();
  }

  #sync(): void {
    const bad = this.file?.sync();
    // It stands in the file; that the disk refuses to promise more is for the operator to see.
    if (bad !== undefined) this.#around.log.err(String(bad));
  }

  #compactIfDue(): void {
    const now = this.#around.clock.now();
    if (this.file === undefined || !this.file.hasGrownLots || now - this.#lastCompaction < compactionIntervalMs) return;
    this.compact();
  }

  compact(): OvsdbError | undefined {
    this.#lastCompaction = this.#around.clock.now();
    const bad = this.file?.compact(this.#store, undefined, this.#around.clock.wall());
    if (bad !== undefined) this.#around.log.err(String(bad));
    return bad;
  }

  /** Goes on with another store, converted from this one; `beforehand` tells those who monitor the old one. */
  replaceStore(store: Store, beforehand: () => void): OvsdbError | undefined {
    const bad = this.file?.compact(store, "converted by ovsdb-server", this.#around.clock.wall());
    if (bad !== undefined) return bad;
    beforehand();
    this.#store = store;
    this.#schemaText = undefined;
    this.#monitors = new Monitors(() => this.#around.makeUuid());
    this.cancelWaiting();
    return undefined;
  }

  /** RFC 7047, section 4.1.4, leaves no room for a reason. */
  cancelWaiting(): void {
    for (const waiting of this.#waiting) {
      waiting.timer?.cancel();
      waiting.request.reply({ kind: "error", error: "canceled" });
    }
    this.#waiting.clear();
  }

  close(): void {
    this.flush();
    this.cancelWaiting();
    this.file?.close();
  }
}
