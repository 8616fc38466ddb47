/**
 * Who has what, directly or by way of groups: switches and the load balancers of their load balancer groups, switches and the
 * access control lists of their port groups. Kept pair by pair: a group that gains a member gives one pair to each who has the
 * group, and whoever gains a group one pair for each of its members; nobody looks at the others.
 */
import { ChangeSource, type Collection, type CollectionWatcher, isObserved, Signal } from "../../engine/index.ts";

/** `owner` has `item` itself. */
export interface Direct<Owner, Item> {
  readonly owner: Owner;
  readonly item: Item;
}

export interface GroupUse<Owner, Group> {
  readonly owner: Owner;
  readonly group: Group;
}

export interface GroupMember<Group, Item> {
  readonly group: Group;
  readonly item: Item;
}

export interface PairSources<Owner, Group, Item> {
  readonly direct: Collection<Direct<Owner, Item>>;
  readonly uses: Collection<GroupUse<Owner, Group>>;
  readonly members: Collection<GroupMember<Group, Item>>;
}

/** What somebody has asked about one owner or one item; lives as long as he depends on the answer. */
class Asked extends ChangeSource {
  readonly #what: string;
  readonly #forget: () => void;
  constructor(what: string, forget: () => void) {
    super();
    this.#what = what;
    this.#forget = forget;
  }
  describe(): string {
    return this.#what;
  }
  unread(): void {
    this.#forget();
  }
}

interface Pair<P> {
  readonly pair: P;
  /** In how many ways. */
  ways: number;
}

export class JoinedPairs<Owner, Group, Item, P> implements Collection<P> {
  readonly name: string;
  readonly #make: (owner: Owner, item: Item) => P;
  readonly #pairs = new Map<Owner, Map<Item, Pair<P>>>();
  readonly #ownersOfItem = new Map<Item, Set<Owner>>();
  readonly #owners = new Map<Group, Set<Owner>>();
  readonly #items = new Map<Group, Set<Item>>();
  readonly #watchers = new Set<CollectionWatcher<P>>();
  readonly #membership: Signal;
  readonly #askedOwners = new Map<Owner, Asked>();
  readonly #askedItems = new Map<Item, Asked>();
  /** Of items of which it was asked only whether anybody has them. */
  readonly #askedUses = new Map<Item, Asked>();

  constructor(name: string, { direct, uses, members }: PairSources<Owner, Group, Item>, make: (owner: Owner, item: Item) => P) {
    this.name = name;
    this.#make = make;
    this.#membership = new Signal(() => name);
    direct.watch({ added: ({ owner, item }) => this.#add(owner, item), removed: ({ owner, item }) => this.#remove(owner, item) });
    uses.watch({
      added: ({ owner, group }) => {
        addTo(this.#owners, group, owner);
        for (const item of this.#items.get(group) ?? []) this.#add(owner, item);
      },
      removed: ({ owner, group }) => {
        removeFrom(this.#owners, group, owner);
        for (const item of this.#items.get(group) ?? []) this.#remove(owner, item);
      },
    });
    members.watch({
      added: ({ group, item }) => {
        addTo(this.#items, group, item);
        for (const owner of this.#owners.get(group) ?? []) this.#add(owner, item);
      },
      removed: ({ group, item }) => {
        removeFrom(this.#items, group, item);
        for (const owner of this.#owners.get(group) ?? []) this.#remove(owner, item);
      },
    });
  }

  *[Symbol.iterator](): Iterator<P> {
    this.#membership.read();
    for (const byItem of this.#pairs.values()) for (const { pair } of byItem.values()) yield pair;
  }

  get size(): number {
    this.#membership.read();
    let size = 0;
    for (const byItem of this.#pairs.values()) size += byItem.size;
    return size;
  }

  /** The pairs of one owner: a tracked read of those alone. */
  *of(owner: Owner): Iterable<P> {
    this.#ask(this.#askedOwners, owner, "pairs of");
    for (const { pair } of this.#pairs.get(owner)?.values() ?? []) yield pair;
  }

  /** Who has the item: a tracked read of that alone. */
  ownersOf(item: Item): ReadonlySet<Owner> {
    this.#ask(this.#askedItems, item, "owners of");
    return this.#ownersOfItem.get(item) ?? new Set();
  }

  /** Whether anybody has the item: one more or less among several wakes nobody. */
  isOwned(item: Item): boolean {
    this.#ask(this.#askedUses, item, "use of");
    return this.#ownersOfItem.has(item);
  }

  #ask<K>(asked: Map<K, Asked>, key: K, what: string): void {
    let one = asked.get(key);
    if (one === undefined && isObserved()) {
      one = new Asked(`${this.name}: ${what} ${String(key)}`, () => asked.delete(key));
      asked.set(key, one);
    }
    one?.read();
  }

  watch(watcher: CollectionWatcher<P>): () => void {
    for (const byItem of this.#pairs.values()) for (const { pair } of byItem.values()) watcher.added(pair);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #add(owner: Owner, item: Item): void {
    let byItem = this.#pairs.get(owner);
    if (byItem === undefined) {
      byItem = new Map();
      this.#pairs.set(owner, byItem);
    }
    const known = byItem.get(item);
    if (known !== undefined) {
      known.ways++;
      return;
    }
    const pair = this.#make(owner, item);
    byItem.set(item, { pair, ways: 1 });
    const isFirst = !this.#ownersOfItem.has(item);
    addTo(this.#ownersOfItem, item, owner);
    this.#moved(owner, item, isFirst);
    for (const watcher of this.#watchers) watcher.added(pair);
  }

  #remove(owner: Owner, item: Item): void {
    const byItem = this.#pairs.get(owner);
    const known = byItem?.get(item);
    if (byItem === undefined || known === undefined || --known.ways > 0) return;
    byItem.delete(item);
    if (byItem.size === 0) this.#pairs.delete(owner);
    removeFrom(this.#ownersOfItem, item, owner);
    this.#moved(owner, item, !this.#ownersOfItem.has(item));
    for (const watcher of this.#watchers) watcher.removed(known.pair);
  }

  #moved(owner: Owner, item: Item, isUseOther: boolean): void {
    this.#membership.change();
    this.#askedOwners.get(owner)?.change();
    this.#askedItems.get(item)?.change();
    if (isUseOther) this.#askedUses.get(item)?.change();
  }
}

function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
