import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../std/index.ts";
import { RouteCensus } from "./route-order.ts";

/** A hash map as OVS's hmap is: buckets of lists, the latest first, twice as many buckets once there are two items for each. */
class HashMap {
  #buckets: string[][] = [[]];
  #size = 0;

  insert(uuid: string): void {
    this.#put(this.#buckets, uuid);
    this.#size++;
    if (this.#size >> 1 <= this.#buckets.length - 1) return;
    let mask = this.#size >> 1;
    for (const shift of [1, 2, 4, 8, 16]) mask |= mask >> shift;
    mask |= (mask & 1) << 1;
    const grown: string[][] = Array.from({ length: mask + 1 }, () => []);
    for (const uuidThere of this.#buckets.flat()) this.#put(grown, uuidThere);
    this.#buckets = grown;
  }

  #put(buckets: string[][], uuid: string): void {
    buckets[(Number.parseInt(uuid.slice(0, 8), 16) & (buckets.length - 1)) >>> 0]?.unshift(uuid);
  }

  inOrder(): readonly string[] {
    return this.#buckets.flat();
  }
}

test("routes come in the order in which a hash map has them that was filled router by router", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const census = new RouteCensus();
    const routers = Array.from({ length: 1 + random.below(9) }, () => ({ uuid: random.uuid(), routes: Array.from({ length: random.below(12) }, () => random.uuid()).sort(), ports: random.below(5) }));
    for (const { uuid, routes, ports } of routers) {
      census.added({ kind: "router", router: uuid });
      for (const route of routes) census.added({ kind: "static", router: uuid, route });
      census.added({ kind: "connected", router: uuid, port: "port", count: ports });
    }
    census.settle();
    const map = new HashMap();
    for (const { uuid, routes, ports } of [...routers].sort((a, b) => census.compareRouters(a.uuid, b.uuid))) {
      for (const route of routes) map.insert(route);
      // Any other bits: what matters is that they are there.
      for (let i = 0; i < ports; i++) map.insert(`port${i} of ${uuid}`.replace(/^port./, `0000000${i}`));
    }
    for (const { uuid, routes } of routers) {
      const own = new Set(routes);
      assert.deepEqual([...routes].sort((a, b) => census.compareRoutes(uuid, a, b)), map.inOrder().filter((route) => own.has(route)), `seed ${seed}`);
    }
  }
});

test("the order does not depend on what was there before", () => {
  const random = new SeededRandom(5);
  const [one, another] = [new RouteCensus(), new RouteCensus()];
  const router = random.uuid();
  const routes = Array.from({ length: 40 }, () => random.uuid());
  const kept = routes.slice(0, 13);
  one.added({ kind: "router", router });
  for (const route of routes) one.added({ kind: "static", router, route });
  one.settle();
  for (const route of routes.slice(13)) {
    one.removed({ kind: "static", router, route });
    one.settle();
  }
  for (const route of [...kept].reverse()) another.added({ kind: "static", router, route });
  another.added({ kind: "router", router });
  another.settle();
  assert.deepEqual([...kept].sort((a, b) => one.compareRoutes(router, a, b)), [...kept].sort((a, b) => another.compareRoutes(router, a, b)));
});
