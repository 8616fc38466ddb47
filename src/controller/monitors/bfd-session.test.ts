/** Two ends of a BFD session come up together, notice when the other falls silent, and take a word for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Bfd } from "../../packet/index.ts";
import { BfdSession } from "./bfd-session.ts";

const timing = { minTxMs: 100, minRxMs: 100, multiplier: 3 };

/** Both ends and a wire between them, in steps of ten milliseconds. */
class Pair {
  now = 0;
  isCut = false;
  readonly ends = [new BfdSession(timing, 11, () => 0.5, 0), new BfdSession(timing, 22, () => 0.5, 0)] as const;

  run(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      this.#deliver(this.ends[0].run(this.now), this.ends[1]);
      this.#deliver(this.ends[1].run(this.now), this.ends[0]);
    }
    return this;
  }

  #deliver(packet: Bfd | undefined, to: BfdSession): void {
    if (packet !== undefined && !this.isCut) to.receive(packet, this.now);
  }

  get states(): readonly string[] {
    return this.ends.map(({ state }) => state);
  }
}

test("two that hear each other are up; a cut is noticed within the detection time, and its end", () => {
  const pair = new Pair().run(500);
  assert.deepEqual(pair.states, ["up", "up"]);
  pair.isCut = true;
  assert.deepEqual(pair.run(150).states, ["up", "up"]);
  assert.deepEqual(pair.run(200).states, ["down", "down"]);
  pair.isCut = false;
  assert.deepEqual(pair.run(500).states, ["up", "up"]);
});

test("who is not to speak says nothing, and the other hears nothing", () => {
  const pair = new Pair().run(500);
  pair.ends[0].allow(false);
  assert.equal(pair.ends[0].run(pair.now + 1000), undefined);
  assert.deepEqual(pair.run(500).states, ["admin_down", "down"]);
  pair.ends[0].allow(true);
  assert.deepEqual(pair.run(500).states, ["up", "up"]);
});

test("a poll is answered at once, with the final bit", () => {
  const { ends: [a, b], now } = new Pair().run(500);
  const packet = b.run(now + 100);
  assert.ok(packet !== undefined);
  const answer = a.receive({ ...packet, poll: true }, now + 100);
  assert.deepEqual([answer?.final, answer?.poll, answer?.yourDiscriminator], [true, false, 22]);
});

test("whatever comes, the session asks to be called again while it has something to do", () => {
  const packet = fc.record({
    diagnostic: fc.nat(31), state: fc.constantFrom("admin_down", "down", "init", "up"), poll: fc.boolean(), final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(), demand: fc.boolean(), multiplier: fc.integer({ min: 1, max: 255 }), myDiscriminator: fc.integer({ min: 1, max: 9 }),
    yourDiscriminator: fc.nat(9), desiredMinTx: fc.nat(0xffffffff), requiredMinRx: fc.nat(0xffffffff), requiredMinEchoRx: fc.nat(9),
  }) as fc.Arbitrary<Bfd>;
  fc.assert(fc.property(fc.array(fc.tuple(packet, fc.nat(5000)), { maxLength: 20 }), (arrivals) => {
    const session = new BfdSession(timing, 1, () => 0, 0);
    let now = 0;
    for (const [received, pause] of arrivals) {
      session.receive(received, now);
      now += pause;
      session.run(now);
      const { wakesMs } = session;
      assert.ok(wakesMs === undefined || Number.isFinite(wakesMs));
      if (session.state === "init" || session.state === "up") assert.ok(wakesMs !== undefined);
    }
  }));
});
