/**
 * An engine runs rules until nothing is stale, and tells the sinks what came and went.
 *
 * Order of work in `flush`: stale index entries, then stale rule instances in the order their rules were installed (so that a
 * rule finds the facts of earlier rules in place), then the sinks' `settle`; again, until all is quiet.
 */
import type { Collection, CollectionWatcher } from "./collection.ts";
import { sweepOrphans } from "./derived.ts";
import { type Index, MaintainedIndex } from "./index-of.ts";
import { type Relation, type RelationName, RelationStore, type Yield } from "./relation.ts";
import type { Rule, RuleInstance } from "./rule.ts";
import { assert } from "../std/index.ts";

/** Receives the facts of a relation as they come and go, within a flush. */
export interface Sink<F> extends CollectionWatcher<F> {
  /** The rules are at rest: the sink may set cells now, and rules that read them run within the same flush. */
  settle?(): void;
}

/** Why a fact stands: one entry for each rule instance that yields it. */
export interface Reason {
  readonly rule: string;
  readonly item: string;
  /** What the instance read: `Logical_Switch_Port p1.addresses`, `is-answered-for(...)`. */
  readonly reads: readonly string[];
}

/** Rounds of a flush before it is taken for a rule that feeds itself. */
const maxRounds = 1000;

export class Engine {
  readonly #stores = new Map<RelationName, RelationStore<unknown>>();
  readonly #queues: Set<RuleInstance>[] = [];
  readonly #staleIndexes = new Set<{ settle(): void }>();
  readonly #settlers: (() => void)[] = [];
  /** The rule instances that ran in the last flush, `rule(item)` in order: tests assert on it. */
  ran: string[] = [];
  /** Off by default: naming every instance costs time. */
  recordsRuns = false;

  /** Starts `rules` for `context`. Their order is the order of work; it never changes what comes out. */
  install<Context>(context: Context, rules: readonly Rule<Context>[]): void {
    for (const rule of rules) {
      const queue = new Set<RuleInstance>();
      this.#queues.push(queue);
      rule.start(context, {
        enqueue: (instance) => queue.add(instance),
        retire: (instance) => {
          instance.isRetired = true;
          instance.detach();
          queue.delete(instance);
          this.#settleYields(instance, new Map());
        },
        settleYields: (instance, yields) => this.#settleYields(instance, yields),
      });
    }
  }

  /** The facts of `relation` in this engine. */
  facts<F>(relation: Relation<F>): RelationStore<F> {
    // A store holds only what its own relation made, so its facts are of that relation's type.
    return this.#store(relation) as RelationStore<F>;
  }

  /** The items of `source` by key. `keysOf` may read rows and derived values; it is run again for an item when those change. */
  index<K, T>(name: string, source: Collection<T>, keysOf: (item: T) => Iterable<K>): Index<K, T> {
    return new MaintainedIndex(name, source, keysOf, (index) => this.#staleIndexes.add(index));
  }

  sink<F>(relation: Relation<F>, sink: Sink<F>): void {
    this.facts(relation).watch(sink);
    if (sink.settle !== undefined) this.#settlers.push(() => sink.settle?.());
  }

  /** Runs what is stale until nothing is. */
  flush(): void {
    this.ran = [];
    let rounds = 0;
    do {
      assert(++rounds <= maxRounds, "the rules do not come to rest: one feeds itself through a sink");
      this.#runStale();
      for (const settle of this.#settlers) settle();
    } while (this.isStale);
    sweepOrphans();
  }

  get isStale(): boolean {
    return this.#staleIndexes.size > 0 || this.#queues.some((queue) => queue.size > 0);
  }

  why<F>(relation: Relation<F>, fact: F): readonly Reason[] {
    return [...this.facts(relation).supportersOf(relation.keyOf(fact))].map((instance) => ({
      rule: instance.ruleName,
      item: instance.item,
      reads: instance.reads.map(({ source }) => source.describe()),
    }));
  }

  #store(relation: RelationName): RelationStore<unknown> {
    let store = this.#stores.get(relation);
    if (store === undefined) {
      store = new RelationStore(relation.relationName);
      this.#stores.set(relation, store);
    }
    return store;
  }

  #runStale(): void {
    for (;;) {
      for (const index of this.#staleIndexes) {
        this.#staleIndexes.delete(index);
        index.settle();
      }
      const queue = this.#queues.find((q) => q.size > 0);
      if (queue === undefined) return;
      for (const instance of queue) {
        queue.delete(instance);
        if (instance.isRetired || !instance.mustRun()) continue;
        if (this.recordsRuns) this.ran.push(`${instance.ruleName}(${instance.item})`);
        instance.run();
      }
    }
  }

  #settleYields(instance: RuleInstance, yields: Map<string, Yield>): void {
    const before = instance.yields;
    instance.yields = yields;
    for (const [id, { relation, key, fact }] of yields) {
      if (!before.has(id)) this.#store(relation).support(key, fact, instance);
    }
    for (const [id, { relation, key }] of before) {
      if (!yields.has(id)) this.#store(relation).withdraw(key, instance);
    }
  }
}
