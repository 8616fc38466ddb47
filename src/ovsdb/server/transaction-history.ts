/**
 * The latest transactions of a database, so that a client that was away for a moment gets what it missed instead of
 * everything (monitor_cond_since). Bounded; identifiers mean nothing beyond the life of the server.
 */
import { ChangeSet, type SeenChange } from "./monitor-view.ts";

export const zeroTransactionId = "00000000-0000-0000-0000-000000000000";
const maxTransactions = 100;
const maxChanges = 20_000;

interface Past {
  readonly id: string;
  readonly changes: readonly SeenChange[];
}

export class TransactionHistory {
  readonly #makeUuid: () => string;
  #transactions: Past[] = [];
  #changeCount = 0;
  /** What a client knows that has seen the transactions kept, but none of them yet. */
  #baseId: string;

  constructor(makeUuid: () => string) {
    this.#makeUuid = makeUuid;
    this.#baseId = makeUuid();
  }

  get lastId(): string {
    return this.#transactions.at(-1)?.id ?? this.#baseId;
  }

  add(changes: readonly SeenChange[]): void {
    this.#transactions.push({ id: this.#makeUuid(), changes });
    this.#changeCount += changes.length;
    // Forgetting is done by halves, so that it costs little for each transaction.
    if (this.#transactions.length > 2 * maxTransactions || this.#changeCount > 2 * maxChanges) this.#forget();
  }

  #forget(): void {
    let kept = 0;
    let changes = 0;
    for (let i = this.#transactions.length - 1; i >= 0 && kept < maxTransactions; i--) {
      const count = this.#transactions[i]?.changes.length ?? 0;
      if (changes + count > maxChanges) break;
      changes += count;
      kept++;
    }
    const gone = this.#transactions.length - kept;
    this.#baseId = this.#transactions[gone - 1]?.id ?? this.#baseId;
    this.#transactions = this.#transactions.slice(gone);
    this.#changeCount = changes;
  }

  /** Everything after the transaction with this identifier; undefined if it is not known (any more). */
  since(id: string): ChangeSet | undefined {
    const at = id === this.#baseId ? -1 : this.#transactions.findLastIndex((t) => t.id === id);
    if (at < 0 && id !== this.#baseId) return undefined;
    const missed = new ChangeSet();
    for (const { changes } of this.#transactions.slice(at + 1)) for (const change of changes) missed.add(change);
    return missed;
  }
}
