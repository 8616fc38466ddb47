/** Incremental computation by tracked reads. Knows nothing of databases or networks. The rules are numbered in SPEC.md. */
export { Cell, ChangeSource, Signal } from "./cell.ts";
export type { Collection, CollectionWatcher } from "./collection.ts";
export { derived } from "./derived.ts";
export { Engine, type Reason, type Sink } from "./engine.ts";
export type { Index } from "./index-of.ts";
export { type Relation, type RelationStore, relation, type Yield } from "./relation.ts";
export { type Rule, rule } from "./rule.ts";
export { sameValue } from "./same-value.ts";
export { isObserved, untracked } from "./tracking.ts";
