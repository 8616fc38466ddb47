/**
 * Rules: "for each item of a collection, these facts follow". A rule is a pure function of what it reads.
 *
 *     export const arpResponder = rule("arp-responder", (zone: Zone) => zone.nb.Logical_Switch_Port, function* (zone, port) {
 *       yield Lflow({ ... });
 *     });
 */
import type { Collection } from "./collection.ts";
import type { Yield } from "./relation.ts";
import { Computation } from "./tracking.ts";

export interface Rule<Context> {
  readonly name: string;
  /** Starts one instance for each item, now and as they come. */
  start(context: Context, scheduler: RuleScheduler): void;
}

/** What a rule instance asks of its engine. */
export interface RuleScheduler {
  enqueue(instance: RuleInstance): void;
  retire(instance: RuleInstance): void;
  settleYields(instance: RuleInstance, yields: Map<string, Yield>): void;
}

export function rule<Context, T>(
  name: string,
  each: (context: Context) => Collection<T>,
  body: (context: Context, item: T) => Iterable<Yield>,
): Rule<Context> {
  return {
    name,
    start(context, scheduler) {
      const instances = new Map<T, RuleInstance>();
      each(context).watch({
        added(item) {
          const instance = new RuleInstance(name, () => String(item), () => body(context, item), scheduler);
          instances.set(item, instance);
          scheduler.enqueue(instance);
        },
        removed(item) {
          const instance = instances.get(item);
          instances.delete(item);
          if (instance !== undefined) scheduler.retire(instance);
        },
      });
    },
  };
}

/** One rule applied to one item: remembers what it read and what it yielded. */
export class RuleInstance extends Computation {
  readonly ruleName: string;
  readonly #describeItem: () => string;
  readonly #body: () => Iterable<Yield>;
  readonly #scheduler: RuleScheduler;
  /** By relation name and key. */
  yields = new Map<string, Yield>();
  isRetired = false;

  constructor(ruleName: string, describeItem: () => string, body: () => Iterable<Yield>, scheduler: RuleScheduler) {
    super();
    this.ruleName = ruleName;
    this.#describeItem = describeItem;
    this.#body = body;
    this.#scheduler = scheduler;
  }

  get item(): string {
    return this.#describeItem();
  }

  protected override onStale(): void {
    this.#scheduler.enqueue(this);
  }

  run(): void {
    const yields = new Map<string, Yield>();
    this.observe(() => {
      for (const item of this.#body()) yields.set(`${item.relation.relationName}\n${item.key}`, item);
    });
    this.#scheduler.settleYields(this, yields);
  }
}
