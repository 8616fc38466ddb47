/**
 * What the engine costs: 100,000 ports on 1,000 switches, three rules; filling it, one change, and the memory of it all.
 *
 *     npm run bench -- engine
 */
import { Cell, type Collection, type CollectionWatcher, derived, Engine, relation, rule } from "../src/engine/index.ts";

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
}

class Switch {
  readonly name: string;
  readonly vlan: Cell<string>;
  constructor(name: string) {
    this.name = name;
    this.vlan = new Cell("vlan", "0");
  }
}

class Port {
  readonly name: string;
  readonly on: Switch;
  readonly type: Cell<string>;
  readonly address: Cell<string>;
  constructor(name: string, on: Switch) {
    this.name = name;
    this.on = on;
    this.type = new Cell("type", "");
    this.address = new Cell("address", `10.0.0.${name}`);
  }
}

interface World {
  readonly ports: Items<Port>;
}

const Flow = relation("Flow", (f: { match: string; actions: string }) => `${f.match} ${f.actions}`);
const isVlan = derived("vlan", (on: Switch) => on.vlan.get() !== "0");
const addresses = derived("addresses", (port: Port) => port.address.get().split(","));

const rules = [
  rule("admission", (w: World) => w.ports, function* (_, port) {
    if (port.type.get() === "external") return;
    yield Flow({ match: `inport == ${port.name}`, actions: isVlan(port.on) ? "pop" : "next" });
  }),
  rule("arp", (w: World) => w.ports, function* (_, port) {
    for (const address of addresses(port)) {
      yield Flow({ match: `arp.tpa == ${address}`, actions: `reply ${port.name}` });
      yield Flow({ match: `arp.tpa == ${address} && inport == ${port.name}`, actions: "next" });
    }
  }),
  rule("lookup", (w: World) => w.ports, function* (_, port) {
    for (const address of addresses(port)) yield Flow({ match: `dst == ${address} on ${port.on.name}`, actions: port.type.get() });
  }),
];

const time = (what: string, work: () => void): void => {
  const from = performance.now();
  work();
  process.stdout.write(`${what.padEnd(44)} ${(performance.now() - from).toFixed(2)} ms\n`);
};
const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
};

const [switches, ports] = [1000, 100_000];
const before = heap();
const world: World = { ports: new Items() };
const all = Array.from({ length: switches }, (_, i) => new Switch(`s${i}`));
const items: Port[] = [];
for (let i = 0; i < ports; i++) items.push(new Port(`p${i}`, all[i % switches] as Switch));
const data = heap();
const engine = new Engine();
engine.install(world, rules);
let sunk = 0;
engine.sink(Flow, { added: () => sunk++, removed: () => sunk-- });
time(`${ports} ports in`, () => {
  for (const item of items) world.ports.add(item);
  engine.flush();
});
process.stdout.write(`${sunk} flows; data ${(data - before).toFixed(0)} MB, engine ${(heap() - data).toFixed(0)} MB\n`);
for (let i = 0; i < 200; i++) {
  items[i]?.address.set(`11.0.0.${i}`);
  engine.flush();
}
time("1000 single changes, each flushed", () => {
  for (let i = 0; i < 1000; i++) {
    items[i]?.address.set(`12.0.0.${i}`);
    engine.flush();
  }
});
time("a change of a switch with 100 ports", () => {
  all[5]?.vlan.set("7");
  engine.flush();
});
time("every port changed", () => {
  for (const item of items) item.type.set("router");
  engine.flush();
});
