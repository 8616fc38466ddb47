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
import { type Rule, type RuleInstance, yieldsMissingFrom } from "./rule.ts";
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
  /** Stale instances, rule by rule in the order of their installation. */
  readonly #queues: Set<RuleInstance>[] = [];
  /** No queue before this one holds anything. */
  #firstQueue = Number.POSITIVE_INFINITY;
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
      const place = this.#queues.push(queue) - 1;
      rule.start(context, {
        enqueue: (instance) => {
          queue.add(instance);
          if (place < this.#firstQueue) this.#firstQueue = place;
        },
        retire: (instance) => {
          instance.isRetired = true;
          instance.detach();
          queue.delete(instance);
          const before = instance.yields;
          instance.yields = [];
          this.#settleYields(instance, before);
        },
        settleYields: (instance, before) => this.#settleYields(instance, before),
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
    this.sinkOf(this.facts(relation), sink);
  }

  /** For the items of any collection that follows from facts. */
  sinkOf<T>(source: Collection<T>, sink: Sink<T>): void {
    source.watch(sink);
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
    return this.#staleIndexes.size > 0 || this.#nextQueue() !== undefined;
  }

  why<F>(relation: Relation<F>, fact: F): readonly Reason[] {
    return [...this.facts(relation).supportersOf(relation.keyOf(fact))].map((instance) => ({
      rule: instance.ruleName,
      item: instance.item,
      reads: instance.reads.map((source) => source.describe()),
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

  #nextQueue(): Set<RuleInstance> | undefined {
    while (this.#firstQueue < this.#queues.length) {
      const queue = this.#queues[this.#firstQueue];
      if (queue !== undefined && queue.size > 0) return queue;
      this.#firstQueue++;
    }
    this.#firstQueue = Number.POSITIVE_INFINITY;
    return undefined;
  }

  #runStale(): void {
    for (;;) {
      for (const index of this.#staleIndexes) {
        this.#staleIndexes.delete(index);
        index.settle();
      }
      const queue = this.#nextQueue();
      if (queue === undefined) return;
      for (const instance of queue) {
        queue.delete(instance);
        if (instance.isRetired || !instance.mustRun()) continue;
        if (this.recordsRuns) this.ran.push(`${instance.ruleName}(${instance.item})`);
        instance.run();
      }
    }
  }

  #settleYields(instance: RuleInstance, before: readonly Yield[]): void {
    const { yields } = instance;
    for (const { relation, key, fact } of yieldsMissingFrom(before, yields)) this.#store(relation).support(key, fact, instance);
    for (const { relation, key } of yieldsMissingFrom(yields, before)) this.#store(relation).withdraw(key, instance);
  }
}
