/** Of what packets tell of one address, the last word is what waits for the database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Host, VirtualClock } from "../host/index.ts";
import { type Ip, macOf, parseIp } from "../net/index.ts";
import { present } from "../std/index.ts";
import { Learning } from "./learning-queue.ts";

test("a neighbor or an address that moves takes the place of what was learned before, whichever pause comes to an end first", () => {
  const timers: { at: number; callback: () => void }[] = [];
  let pause = 0;
  const host = {
    clock: {
      after: (ms: number, callback: () => void) => {
        timers.push({ at: ms, callback });
        return { cancel: () => {} };
      },
    },
    random: { next32: () => pause },
  } as unknown as Host;
  const learning = new Learning(host, () => {});
  const ip: Ip = present(parseIp("10.0.0.5"));
  const neighbor = (mac: number, portKey = 1) => ({ datapathKey: 3, portKey, ip, mac: macOf(mac) });

  pause = 40;
  learning.learnNeighbor(neighbor(1), true);
  pause = 3;
  learning.learnNeighbor(neighbor(2), true);
  learning.learnNeighbor(neighbor(9, 7), true);
  for (const { at, callback } of timers.splice(0).sort((a, b) => a.at - b.at)) if (at < 1000) callback();
  assert.deepEqual([...learning.neighbors], [neighbor(2), neighbor(9, 7)]);
  learning.learnNeighbor(neighbor(3), false);
  assert.deepEqual([...learning.neighbors], [neighbor(9, 7), neighbor(3)]);

  for (const portKey of [8, 1, 8]) learning.learnAddress({ datapathKey: 3, portKey, mac: macOf(1) });
  assert.deepEqual([...learning.addresses].map((a) => a.portKey), [8]);
});

test("what is learned while the database is slow waits for it, and is given up in the end", () => {
  const clock = new VirtualClock();
  const learning = new Learning({ clock, random: { next32: () => 0 } } as unknown as Host, () => {});
  learning.learnAddress({ datapathKey: 3, portKey: 1, mac: macOf(1) });
  learning.learnNeighbor({ datapathKey: 3, portKey: 1, ip: present(parseIp("10.0.0.5")), mac: macOf(1) }, false);
  const sizes = (): readonly number[] => [learning.addresses.size, learning.neighbors.size];
  clock.advance(5000);
  assert.deepEqual(sizes(), [1, 1]);
  clock.advance(5000);
  assert.deepEqual(sizes(), [0, 0]);
});
