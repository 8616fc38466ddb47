import assert from "node:assert/strict";
import { test } from "node:test";
import { Cell, type Collection, type CollectionWatcher, derived, Engine, relation, rule } from "./index.ts";

class Items<T> implements Collection<T> {
  readonly name = "items";
  readonly #items = new Set<T>();
  readonly #watchers = new Set<CollectionWatcher<T>>();
  [Symbol.iterator] = () => this.#items.values();
  get size() {
    return this.#items.size;
  }
  watch(watcher: CollectionWatcher<T>) {
    for (const item of this.#items) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
  add(item: T) {
    this.#items.add(item);
    for (const w of this.#watchers) w.added(item);
  }
  remove(item: T) {
    this.#items.delete(item);
    for (const w of this.#watchers) w.removed(item);
  }
}

class Port {
  readonly name: string;
  readonly type: Cell<string>;
  readonly tag: Cell<number>;
  constructor(name: string) {
    this.name = name;
    this.type = new Cell(`${name}.type`, "");
    this.tag = new Cell(`${name}.tag`, 0);
  }
  toString() {
    return this.name;
  }
}

const Answer = relation("Answer", (a: { port: string; answered: boolean }) => `${a.port} ${a.answered}`);
const isAnswered = derived("is-answered", (port: Port) => port.type.get() !== "external");

test("a change re-runs only what read it, and a value that stays the same wakes nobody", () => {
  const ports = new Items<Port>();
  const engine = new Engine();
  engine.recordsRuns = true;
  engine.install({ ports }, [
    rule("answer", (c: { ports: Items<Port> }) => c.ports, function* (_, port) {
      yield Answer({ port: port.name, answered: isAnswered(port) });
    }),
  ]);
  const [p1, p2] = [new Port("p1"), new Port("p2")];
  ports.add(p1);
  ports.add(p2);
  engine.flush();
  assert.deepEqual(engine.ran, ["answer(p1)", "answer(p2)"]);
  p1.tag.set(7);
  engine.flush();
  assert.deepEqual(engine.ran, []);
  p1.type.set("router");
  engine.flush();
  assert.deepEqual(engine.ran, [], "is-answered is recomputed, and is the same");
  p1.type.set("external");
  engine.flush();
  assert.deepEqual(engine.ran, ["answer(p1)"]);
  assert.deepEqual([...engine.facts(Answer)].map((f) => Answer.keyOf(f)).sort(), ["p1 false", "p2 true"]);
  assert.deepEqual(engine.why(Answer, { port: "p1", answered: false }), [{ rule: "answer", item: "p1", reads: ["is-answered(p1)"] }]);
  ports.remove(p1);
  engine.flush();
  assert.deepEqual([...engine.facts(Answer)].map((f) => Answer.keyOf(f)), ["p2 true"]);
});

test("a derived value that moves in the middle of its reader's run does not count as the reader's own change", () => {
  const ports = new Items<Port>();
  const engine = new Engine();
  engine.recordsRuns = true;
  engine.install({ ports }, [
    rule("answer", (c: { ports: Items<Port> }) => c.ports, function* (_, port) {
      port.tag.get();
      yield Answer({ port: port.name, answered: isAnswered(port) });
    }),
  ]);
  const port = new Port("p1");
  ports.add(port);
  engine.flush();
  port.tag.set(1);
  port.type.set("external");
  engine.flush();
  assert.deepEqual(engine.ran, ["answer(p1)"]);
  assert.deepEqual([...engine.facts(Answer)].map((f) => Answer.keyOf(f)), ["p1 false"]);
});
