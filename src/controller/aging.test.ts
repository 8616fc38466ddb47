/** Which bindings are found to be in use, and how often the switch is asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../host/index.ts";
import { openflowTables } from "../logical/index.ts";
import { type FlowStats, Match } from "../openflow/index.ts";
import { addressIn, AgingWatch } from "./aging.ts";
import type { Node } from "./node.ts";
import type { DatapathBinding } from "./rows.ts";

const now = 1_000_000;
const datapath = { _uuid: "d", external_ids: new Map([["mac_binding_age_threshold", "16"]]) } as unknown as DatapathBinding;

function watchOn(timestamp: number): { watch: AgingWatch; pauses: number[]; seen: number[]; probed: string[] } {
  const [pauses, seen, probed]: [number[], number[], string[]] = [[], [], []];
  const after = (ms: number) => (pauses.push(ms), { cancel: () => pauses.push(0) });
  const host = { clock: { wall: () => now + 0.5, after } } as unknown as Host;
  const binding = { _uuid: "00000005-0", datapath: "d", mac: "0A:00:00:00:00:01", ip: "10.0.0.1", logical_port: "lrp", timestamp };
  const node = {
    neighborsByCookie: { get: (cookie: number) => (cookie === 5 ? [binding] : []) }, fdbByCookie: { get: () => [] },
    portsByName: { first: (name: string) => void probed.push(name) },
    sb: { tables: { Datapath_Binding: { get: () => datapath } } }, learning: { saw: ({ at }: { at: number }) => seen.push(at) },
  } as unknown as Node;
  return { watch: new AgingWatch(host, node, () => {}, () => {}), pauses, seen, probed };
}

const used = (idleAge: number, durationSeconds: number, change: Partial<FlowStats> = {}): FlowStats => ({
  table: openflowTables.macCacheUse, priority: 100, cookie: 5n, match: Match.of(["eth_src", 0x0a0000000001]), actions: [], durationNs: BigInt(durationSeconds) * 1_000_000_000n,
  idleTimeout: 0, hardTimeout: 0, idleAge, packets: 1n, bytes: 60n, importance: 0, flags: {} as FlowStats["flags"], ...change,
});

test("a binding in use is renewed, but not too often, and only while it is in use", () => {
  const isRenewed = (timestamp: number, flow: FlowStats): boolean => {
    const { watch, seen } = watchOn(timestamp);
    watch.counted([flow]);
    return seen.length > 0;
  };
  const old = now - 5000;
  assert.ok(isRenewed(old, used(2, 60)));
  assert.ok(!isRenewed(now - 2000, used(2, 60)), "written 2 s ago");
  assert.ok(!isRenewed(old, used(16, 60)), "idle for as long as it may live");
  assert.ok(!isRenewed(old, used(3, 3)), "never used");
  assert.ok(!isRenewed(old, used(2, 60, { cookie: 6n })), "another row's flow");
  assert.ok(!isRenewed(old, used(2, 60, { match: Match.of(["eth_src", 1]) })), "what the row said before");
});

test("a neighbor that packets go to is asked for, unless it has just been heard", () => {
  const sentTo: Partial<FlowStats> = { table: openflowTables.macBinding, match: Match.of(["reg0", 0x0a000001]) };
  const { watch, probed } = watchOn(now - 5000);
  watch.counted([used(0, 60, sentTo)]);
  assert.deepEqual(probed, ["lrp"]);
  watch.counted([used(0, 60)]);
  watch.counted([used(0, 60, sentTo)]);
  assert.deepEqual(probed, ["lrp"]);
});

test("the switch is asked as often as the shortest threshold demands, and not at all without one", () => {
  const { watch, pauses } = watchOn(0);
  const [slow, fast] = [{ datapath, ms: 16_000 }, { datapath, ms: 1600 }];
  watch.added(slow);
  watch.added(fast);
  watch.removed(fast);
  watch.removed(slow);
  assert.deepEqual(pauses, [3000, 0, 300, 0, 3000, 0]);
});

test("the address that packets went to is read back as it was asked for", () => {
  const [v4, v6] = [Match.of(["reg0", 0x0a000001]), Match.of(["xxreg1", 0xfd120000000000000000000000000002n])];
  assert.deepEqual([v4, v6].map((match) => addressIn({ match })), ["10.0.0.1", "fd12::2"]);
});
