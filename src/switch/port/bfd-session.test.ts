import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bfd } from "../../packet/index.ts";
import { SeededRandom } from "../../std/index.ts";
import { type BfdSettings, BfdSession, readBfdSettings } from "./bfd-session.ts";

const settings: BfdSettings = { minRxMs: 300, minTxMs: 100, decayMinRxMs: 0, multiplier: 3, isPathDown: false, checksTunnelKey: false };

/** Two sessions and a wire with a delay, in time of their own. */
class Pair {
  nowMs = 1;
  isCut = false;
  sent = [0, 0];
  readonly sessions: readonly [BfdSession, BfdSession];
  #wire: { readonly atMs: number; readonly to: 0 | 1; readonly packet: Bfd }[] = [];

  constructor(a: Partial<BfdSettings> = {}, b: Partial<BfdSettings> = {}) {
    const r = new SeededRandom(7);
    const random = (): number => r.below(1000) / 1000;
    this.sessions = [new BfdSession({ ...settings, ...a }, 11, random), new BfdSession({ ...settings, ...b }, 22, random)];
  }

  run(untilMs: number): void {
    for (; this.nowMs < untilMs; this.nowMs++) {
      for (const { to, packet } of this.#wire.filter((w) => w.atMs === this.nowMs)) this.sessions[to].receive(packet, this.nowMs);
      this.#wire = this.#wire.filter((w) => w.atMs > this.nowMs);
      for (const from of [0, 1] as const) {
        const packet = this.sessions[from].run(this.nowMs, 1_000_000);
        if (packet === undefined) continue;
        this.sent[from] = (this.sent[from] ?? 0) + 1;
        if (!this.isCut) this.#wire.push({ atMs: this.nowMs + 2, to: from === 0 ? 1 : 0, packet });
      }
    }
  }

  get states(): string {
    return this.sessions.map((s) => `${s.state}${s.isForwarding ? "!" : ""}`).join(" ");
  }
}

test("two sessions come up, notice that the wire is cut, and come up again", () => {
  const pair = new Pair();
  pair.run(1500);
  assert.equal(pair.states, "up! up!");
  const before = pair.sent[0] ?? 0;
  pair.run(4500);
  // Every 300 ms, less a quarter at most: as often as the other side will have it.
  const sent = (pair.sent[0] ?? 0) - before;
  assert.ok(sent >= 10 && sent <= 14, `${sent}`);
  pair.isCut = true;
  pair.run(5600);
  assert.equal(pair.states, "down down");
  assert.equal(pair.sessions[0].status().get("diagnostic"), "Control Detection Time Expired");
  assert.equal(pair.sessions[0].status().get("flap_count"), "2");
  pair.isCut = false;
  pair.run(8000);
  assert.equal(pair.states, "up! up!");
  assert.deepEqual(Object.fromEntries(pair.sessions[1].status()), {
    diagnostic: "Control Detection Time Expired", flap_count: "3", forwarding: "true", remote_diagnostic: "Control Detection Time Expired",
    remote_state: "up", state: "up",
  });
});

test("a path that is down behind a session is no path", () => {
  const pair = new Pair({ isPathDown: true });
  pair.run(2000);
  assert.equal(pair.states, "up! up");
});

test("settings as the database has them", () => {
  assert.equal(readBfdSettings(new Map()), undefined);
  assert.equal(readBfdSettings(new Map([["enable", "false"]])), undefined);
  assert.deepEqual(readBfdSettings(new Map([["enable", "true"], ["mult", "300"], ["min_rx", "50"], ["min_tx", "x"], ["check_tnl_key", "true"]])), {
    minRxMs: 50, minTxMs: 100, decayMinRxMs: 0, multiplier: 3, isPathDown: false, checksTunnelKey: true,
  });
});
