/** Stories of projections: the database becomes as wished, whatever others do to it. */
import assert from "node:assert/strict";
import { Cell, type Collection, type CollectionWatcher, Engine, rule } from "../src/engine/index.ts";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { entries, openProjector, openReplica, type Replica, wished, wishRelation } from "../src/ovsdb/index.ts";
import { SeededRandom } from "../src/std/index.ts";
import { type BenchServer, sample, until } from "./client-bench.ts";

const host = nodeHost(silentLog);

class Plan {
  readonly name: string;
  readonly ports: Cell<readonly string[]>;
  constructor(name: string, ports: readonly string[]) {
    this.name = name;
    this.ports = new Cell(`${name}.ports`, ports);
  }
  toString(): string {
    return this.name;
  }
}

class Plans implements Collection<Plan> {
  readonly name = "plans";
  readonly items = new Set<Plan>();
  readonly #watchers = new Set<CollectionWatcher<Plan>>();
  [Symbol.iterator] = () => this.items.values();
  get size() {
    return this.items.size;
  }
  watch(watcher: CollectionWatcher<Plan>) {
    for (const item of this.items) watcher.added(item);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
  add(item: Plan) {
    this.items.add(item);
    for (const w of this.#watchers) w.added(item);
  }
  remove(item: Plan) {
    this.items.delete(item);
    for (const w of this.#watchers) w.removed(item);
  }
}

const WantedSwitch = wishRelation(sample, "Switch");
const WantedPort = wishRelation(sample, "Port");
const rules = [
  rule("switch", (plans: Plans) => plans, function* (_, plan) {
    const ports = plan.ports.get();
    yield WantedSwitch({
      key: plan.name, columns: {
        name: plan.name, ports: ports.map((p) => wished("Port", `${plan.name} ${p}`)), options: entries({ count: String(ports.length), gone: undefined }),
        lead: ports[0] === undefined ? undefined : wished("Port", `${plan.name} ${ports[0]}`),
      },
      initial: { options: { first: "yes" }, mode: "a" },
    });
    for (const port of ports) yield WantedPort({ key: `${plan.name} ${port}`, columns: { name: `${plan.name} ${port}`, tag: port.length } });
  }),
];

function start(remote: string, plans: Plans, results: string[]) {
  const engine = new Engine();
  const replica: Replica<typeof sample> = openReplica(host, sample, remote, { minBackoffMs: 10, maxBackoffMs: 20, changed: () => step() });
  const projector = openProjector(host, engine, replica, { committed: (result) => results.push(result.kind) });
  projector.project("Switch", { relation: WantedSwitch, identify: (row) => row.name });
  projector.project("Port", { relation: WantedPort, identify: (row) => row.name });
  engine.install(plans, rules);
  const step = () => {
    engine.flush();
    projector.commit();
  };
  return { replica, projector, step };
}

const wantedPicture = (plans: Plans) =>
  [...plans.items].map((p) => `${p.name}: ${[...p.ports.get()].sort().map((x) => `${p.name} ${x}`).join()} lead ${p.ports.get()[0] ?? ""} count ${p.ports.get().length}`).sort();
const actualPicture = (replica: Replica<typeof sample>) =>
  [...replica.tables.Switch].map((s) => {
    const ports = [...s.ports].map((p) => replica.tables.Port.get(p)?.name ?? "?").sort();
    return `${s.name}: ${ports.join()} lead ${(replica.tables.Port.get(s.lead)?.name ?? "").split(" ")[1] ?? ""} count ${s.options.get("count") ?? ""}`;
  }).sort();

export async function databaseBecomesAsWished(server: BenchServer, seed: number): Promise<void> {
  const plans = new Plans();
  const results: string[] = [];
  await server.start();
  const { replica, projector, step } = start(server.remote, plans, results);
  const meddler = openReplica(host, sample, server.remote, { minBackoffMs: 10, maxBackoffMs: 20 });
  try {
    await Promise.all([replica.synced, meddler.synced]);
    const random = new SeededRandom(seed);
    const somePorts = () => [...new Set(Array.from({ length: random.below(4) }, () => random.pick(["a", "bb", "ccc", "d"])))];
    for (let round = 0; round < 60; round++) {
      const some = [...plans.items];
      if (some.length < 3 || random.chance(0.3)) plans.add(new Plan(random.uuid(), somePorts()));
      else if (random.chance(0.3)) plans.remove(random.pick(some));
      else random.pick(some).ports.set(somePorts());
      step();
      const theirs = [...meddler.tables.Switch];
      if (theirs.length > 0 && random.chance(0.5)) {
        const txn = meddler.transaction();
        const victim = random.pick(theirs);
        if (random.chance(0.3)) txn.delete(victim);
        else if (random.chance(0.5)) txn.update(victim, { ports: [], options: { count: "x", gone: "no", other: "kept" } });
        else txn.insert("Switch", { name: random.uuid(), ports: [txn.insert("Port", { name: "stray" })] });
        await txn.commit();
      }
      if (round === 30) {
        await server.stop();
        plans.add(new Plan("while-away", ["a", "bb"]));
        step();
        await server.start();
        await until("all are back", () => replica.status.areConditionsInForce && meddler.status.areConditionsInForce);
      }
      if (random.chance(0.3)) await until("settled", () => projector.isSettled && replica.status.areConditionsInForce);
    }
    const wanted = JSON.stringify(wantedPicture(plans));
    await until("as wished", () => projector.isSettled && JSON.stringify(actualPicture(replica)) === wanted);
    results.length = 0;
    step();
    projector.compareAll();
    assert.deepEqual(results, [], "nothing to do, no transaction");
    for (const row of replica.tables.Port) assert.ok([...replica.tables.Switch].some((s) => s.ports.has(row._uuid)));
    const [row] = replica.tables.Switch;
    assert.ok(row !== undefined && row.options.get("gone") === undefined);
  } finally {
    projector.close();
    replica.close();
    meddler.close();
    await server.remove();
  }
}
