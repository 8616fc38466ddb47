/** The laws of SPEC.md, on random programs and random changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../std/index.ts";
import { Cell, type Collection, type CollectionWatcher, derived, Engine, type Index, relation, rule, sameValue } from "./index.ts";

class Items<T> implements Collection<T> {
  readonly name = "items";
  readonly items = new Set<T>();
  readonly #watchers = new Set<CollectionWatcher<T>>();
  [Symbol.iterator] = () => this.items.values();
  get size() {
    return this.items.size;
  }
  watch(watcher: CollectionWatcher<T>) {
    for (const item of this.items) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
  add(item: T) {
    this.items.add(item);
    for (const w of this.#watchers) w.added(item);
  }
  remove(item: T) {
    this.items.delete(item);
    for (const w of this.#watchers) w.removed(item);
  }
}

class Item {
  readonly name: string;
  readonly cells: readonly Cell<number>[];
  constructor(name: string, random: SeededRandom) {
    this.name = name;
    this.cells = [0, 1].map((i) => new Cell(`${name}.${i}`, random.below(4)));
  }
  toString() {
    return this.name;
  }
}

class World {
  readonly items = new Items<Item>();
  readonly cells: readonly Cell<number>[];
  constructor(random: SeededRandom) {
    this.cells = Array.from({ length: 4 }, (_, i) => new Cell(`c${i}`, random.below(4)));
  }
  toString() {
    return "world";
  }
}

/** What one computation read in its last run: the value behind each name. */
type Reads = Map<string, unknown>;

const First = relation("First", (f: { key: number; by: string }) => `${f.key} ${f.by}`);
const Second = relation("Second", (f: { text: string }) => f.text);

/** A program made of `shape`: the same seed gives the same program, with caches of its own. */
class Program {
  readonly engine = new Engine();
  readonly lastReads = new Map<string, Reads>();
  readonly #world: World;
  readonly #shape: number;
  readonly #values: ((world: World, item: Item | undefined) => number)[] = [];
  readonly #index: Index<number, Item>;
  #reading: Reads[] = [];

  constructor(world: World, shape: number) {
    this.#world = world;
    this.#shape = shape;
    for (let level = 0; level < 5; level++) {
      const compute = derived(`d${level}`, (w: World, item: Item | undefined) =>
        this.#recorded(`d${level}(world, ${String(item)})`, () => this.#level(level, w, item)));
      this.#values.push((w, item) => this.#note(`d${level}(world, ${String(item)})`, compute(w, item)));
    }
    this.#index = this.engine.index("by kind", world.items, (item) => [item.cells[0]?.get() ?? 0, this.#value(2, item) % 3]);
    this.engine.recordsRuns = true;
    this.engine.install(world, [
      rule("first", (w: World) => w.items, (_, item) => this.#recorded(`first(${item.name})`, () => [...this.#first(item)])),
      rule("second", (w: World) => w.items, (_, item) => this.#recorded(`second(${item.name})`, () => [...this.#second(item)])),
    ]);
  }

  #recorded<T>(name: string, body: () => T): T {
    const reads: Reads = new Map();
    this.#reading.push(reads);
    try {
      return body();
    } finally {
      this.#reading.pop();
      this.lastReads.set(name, reads);
    }
  }

  #note<T>(name: string, value: T): T {
    const reads = this.#reading.at(-1);
    if (reads !== undefined && !reads.has(name)) reads.set(name, value);
    return value;
  }

  #cell(cell: Cell<number> | undefined): number {
    return cell === undefined ? 0 : this.#note(cell.describe(), cell.get());
  }

  #value(level: number, item: Item | undefined): number {
    return this.#values[level]?.(this.#world, item) ?? 0;
  }

  /** What there is to read, chosen by the shape and by what has been read so far: reads change from run to run. */
  #level(level: number, world: World, item: Item | undefined): number {
    const choose = new SeededRandom(this.#shape * 31 + level);
    let sum = 0;
    for (let i = 0; i < 2; i++) {
      const what = choose.below(3);
      if (what === 0) sum += this.#cell(world.cells[(choose.below(4) + sum) % 4]);
      else if (what === 1 && level > 0) sum += this.#value(choose.below(level), choose.chance(0.5) ? item : undefined);
      else sum += this.#cell(item?.cells[choose.below(2)]);
    }
    return choose.chance(0.5) ? Math.min(sum, 2) : sum % 5;
  }

  *#first(item: Item) {
    const value = this.#value(3, item);
    if (value === 0) return;
    yield First({ key: value, by: item.name });
    const others = [...this.#index.get(value % 3)].map((other) => other.name);
    this.#note(`by kind ${value % 3}`, others.join());
    for (const other of others) yield First({ key: value + 1, by: other });
  }

  *#second(item: Item) {
    const kind = this.#cell(item.cells[1]);
    const fact = this.engine.facts(First).get(`${kind} ${item.name}`);
    this.#note(`First ${kind} ${item.name}`, fact === undefined ? "absent" : "there");
    yield Second({ text: fact === undefined ? `none of ${kind}` : `${item.name} ${this.#value(4, item)}` });
    if (kind === 3) yield Second({ text: `${this.engine.facts(First).size} in all` });
    if (kind === 3) this.#note("facts of First", Symbol("always another"));
  }

  facts(): readonly string[] {
    return [...[...this.engine.facts(First)].map((f) => `first ${f.key} ${f.by}`), ...[...this.engine.facts(Second)].map((f) => `second ${f.text}`)].sort();
  }

  /** What a read would give now. */
  now(name: string): unknown {
    const [, level, item] = /^d(\d)\(world, (.*)\)$/.exec(name) ?? [];
    if (level !== undefined) return this.#values[Number(level)]?.(this.#world, [...this.#world.items.items].find((i) => i.name === item));
    if (name.startsWith("by kind ")) return [...this.#index.get(Number(name.slice(8)))].map((i) => i.name).join();
    if (name === "facts of First") return Symbol("always another");
    if (name.startsWith("First ")) return this.engine.facts(First).get(name.slice(6)) === undefined ? "absent" : "there";
    const cells = [...this.#world.cells, ...[...this.#world.items.items].flatMap((i) => i.cells)];
    return cells.find((cell) => cell.describe() === name)?.get();
  }
}

function change(world: World, random: SeededRandom, names: { next: number }): void {
  const items = [...world.items.items];
  const dice = random.below(10);
  if (dice < 2 || items.length === 0) world.items.add(new Item(`i${names.next++}`, random));
  else if (dice < 3) world.items.remove(random.pick(items));
  else if (dice < 5) random.pick(world.cells).set(random.below(4));
  else random.pick(random.pick(items).cells).set(random.below(4));
}

test("after any changes the facts are those that a new engine would find", () => {
  fc.assert(fc.property(fc.nat(100_000), fc.nat(100_000), (shape, seed) => {
    const random = new SeededRandom(seed);
    const names = { next: 0 };
    const world = new World(random);
    const program = new Program(world, shape);
    for (let round = 0; round < 12; round++) {
      for (let i = random.below(4); i >= 0; i--) change(world, random, names);
      program.engine.flush();
      const fresh = new Program(world, shape);
      fresh.engine.flush();
      assert.deepEqual(program.facts(), fresh.facts());
    }
  }), { numRuns: 150 });
});

test("what runs again is what has read something that is different now", () => {
  fc.assert(fc.property(fc.nat(100_000), fc.nat(100_000), (shape, seed) => {
    const random = new SeededRandom(seed);
    const names = { next: 0 };
    const world = new World(random);
    const program = new Program(world, shape);
    for (let i = 0; i < 6; i++) change(world, random, names);
    program.engine.flush();
    for (let round = 0; round < 12; round++) {
      const before = new Map([...program.lastReads].map(([name, reads]) => [name, new Map(reads)]));
      const known = new Set([...world.items.items].map((item) => item.name));
      change(world, random, names);
      program.engine.flush();
      const ran = new Set(program.engine.ran);
      for (const [name, reads] of before) {
        const [, item] = /^(?:first|second)\((.*)\)$/.exec(name) ?? [];
        if (item === undefined || !known.has(item) || ![...world.items.items].some((i) => i.name === item)) continue;
        const differs = [...reads].some(([read, value]) => !sameValue(program.now(read), value));
        if (!differs) assert.ok(!ran.has(name), `${name} ran, though all it had read is as it was`);
        else if (!reads.has("facts of First")) assert.ok(ran.has(name), `${name} did not run, though something it had read is different`);
      }
    }
  }), {
    numRuns: 150,
    // A fact that one instance hands to another within a flush.
    examples: [[99_900, 65_458]],
  });
});

test("why() names the rule, the item, and what they read", () => {
  fc.assert(fc.property(fc.nat(100_000), fc.nat(100_000), (shape, seed) => {
    const random = new SeededRandom(seed);
    const world = new World(random);
    const program = new Program(world, shape);
    for (let i = 0; i < 8; i++) change(world, random, { next: i * 10 });
    program.engine.flush();
    for (const fact of program.engine.facts(First)) {
      const reasons = program.engine.why(First, fact);
      assert.ok(reasons.length > 0);
      for (const { rule: name, item, reads } of reasons) {
        const recorded = program.lastReads.get(`${name}(${item})`);
        assert.deepEqual([...new Set(reads)].sort(), [...(recorded?.keys() ?? [])].sort());
      }
    }
  }), { numRuns: 60 });
});
