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
  /** Its yields are other ones now than `before`. */
  settleYields(instance: RuleInstance, before: readonly Yield[]): void;
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
      const definition: RuleDefinition = { name, scheduler, body: (item) => body(context, item as T) };
      each(context).watch({
        added(item) {
          const instance = new RuleInstance(definition, item);
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

/** What the instances of one rule in one engine share. `body` takes the items of the rule's own collection alone. */
interface RuleDefinition {
  readonly name: string;
  readonly scheduler: RuleScheduler;
  body(item: unknown): Iterable<Yield>;
}

const nothing: readonly Yield[] = [];

/** One rule applied to one item: remembers what it read and what it yielded. */
export class RuleInstance extends Computation {
  readonly #definition: RuleDefinition;
  readonly #item: unknown;
  /** Each fact once. */
  yields: readonly Yield[] = nothing;
  isRetired = false;

  constructor(definition: RuleDefinition, item: unknown) {
    super();
    this.#definition = definition;
    this.#item = item;
  }

  get ruleName(): string {
    return this.#definition.name;
  }

  get item(): string {
    return String(this.#item);
  }

  protected override onStale(): void {
    this.#definition.scheduler.enqueue(this);
  }

  run(): void {
    const before = this.yields;
    this.observe();
    this.#definition.scheduler.settleYields(this, before);
  }

  protected override evaluate(): void {
    const yields = [...this.#definition.body(this.#item)];
    this.yields = yields.length === 0 ? nothing : withoutRepetitions(yields);
  }
}

const isSame = (a: Yield, b: Yield): boolean => a.relation === b.relation && a.key === b.key;

/** Beyond this many, comparing each with each costs more than sorting them into a map. */
const few = 12;

function withoutRepetitions(yields: readonly Yield[]): readonly Yield[] {
  if (yields.length === 1) return yields;
  if (yields.length > few) return [...yieldsByKey(yields).values()].flatMap((byKey) => [...byKey.values()]);
  const repeats = (item: Yield, i: number): boolean => {
    for (let j = 0; j < i; j++) {
      const other = yields[j];
      if (other !== undefined && isSame(item, other)) return true;
    }
    return false;
  };
  return yields.some(repeats) ? yields.filter((item, i) => !repeats(item, i)) : yields;
}

function yieldsByKey(yields: readonly Yield[]): Map<unknown, Map<string, Yield>> {
  const result = new Map<unknown, Map<string, Yield>>();
  for (const item of yields) {
    let byKey = result.get(item.relation);
    if (byKey === undefined) {
      byKey = new Map();
      result.set(item.relation, byKey);
    }
    if (!byKey.has(item.key)) byKey.set(item.key, item);
  }
  return result;
}

/** The items of `yields` that are not among `others`. */
export function yieldsMissingFrom(others: readonly Yield[], yields: readonly Yield[]): readonly Yield[] {
  if (others.length === 0 || yields.length === 0) return yields;
  if (others.length <= few || yields.length <= 2) return yields.filter((item) => !others.some((other) => isSame(item, other)));
  const byKey = yieldsByKey(others);
  return yields.filter((item) => byKey.get(item.relation)?.has(item.key) !== true);
}
