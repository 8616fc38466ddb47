import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../host/index.ts";
import { type Action, decodeMessage, encodeIfItFits, Match, type Message, of15 } from "../openflow/index.ts";
import { DesiredFlows } from "./desired-flows.ts";
import { ExtensionTable, type GroupUse, type WantedMeter } from "./extension-tables.ts";
import { type Flow, resubmit } from "./flow.ts";
import { FlowInstaller } from "./flow-installer.ts";
import { ConnectionFlushes } from "./tracked-connections.ts";

/** What an installer says to a switch that confirms everything at once. */
class Conversation {
  readonly flows = new DesiredFlows();
  readonly groups = new ExtensionTable<GroupUse>();
  readonly #installer = new FlowInstaller(silentLog, {
    flows: this.flows, groups: this.groups, meters: new ExtensionTable<WantedMeter>(), takeFlushes: () => [], connections: new ConnectionFlushes(silentLog),
  });
  #said: Message[] = [];
  #xid = 0;

  constructor() {
    this.#installer.start((message) => {
      const bytes = encodeIfItFits(of15, ++this.#xid, message);
      if (bytes === undefined) return undefined;
      assert.ok("message" in decodeMessage(bytes));
      this.#said.push(message);
      return this.#xid;
    });
  }

  /** What the next bundle holds, without the removal of what was there before. */
  next(): readonly Message[] {
    this.#said = [];
    this.#installer.run();
    this.#installer.barrierReplied(this.#xid);
    return this.#said.flatMap((m) => (m.kind === "bundle_add" && !("command" in m.message && m.message.command === "delete") ? [m.message] : []));
  }
}

const flow = (actions: readonly Action[]): Flow => ({ table: 8, priority: 100, cookie: 1, match: Match.of(["reg14", 1]), actions });

test("a group with more buckets than a message can hold is sent in parts, in order", () => {
  const talk = new Conversation();
  const buckets = Array.from({ length: 5000 }, (_, id) => ({ id, weight: 100, watchPort: 0xffffffff, watchGroup: 0xffffffff, actions: [resubmit(9)] }));
  talk.groups.added({
    name: "big", number: 1,
    group: { type: "select", buckets, selectionMethod: "dp_hash", selectionParameter: 0n, selectionFields: Match.any },
  });
  const parts = talk.next().filter((m) => m.kind === "group_mod");
  assert.ok(parts.length > 1);
  assert.deepEqual(parts.map((m) => m.command), ["add", ...parts.slice(1).map(() => "insert_bucket")]);
  assert.deepEqual(parts.flatMap((m) => m.buckets.map((b) => b.id)), buckets.map((b) => b.id));
});

test("a flow too large to be sent is left out, the others are sent", () => {
  const talk = new Conversation();
  talk.flows.added({ ...flow(Array.from({ length: 5000 }, () => resubmit(9))), table: 7 });
  talk.flows.added(flow([resubmit(9)]));
  assert.deepEqual(talk.next().map((m) => m.kind === "flow_mod" && m.table), [8]);
});

test("a flow that is to teach something else is replaced: what it taught ends with it", () => {
  const talk = new Conversation();
  const teaching = (priority: number): Action => ({
    kind: "learn", idleTimeout: 0, hardTimeout: 0, finIdleTimeout: 0, finHardTimeout: 0, priority, cookie: 1n, table: 9, sendFlowRemoved: false,
    deleteLearned: true, limit: 0, specs: [],
  });
  const commands = (): readonly unknown[] => talk.next().map((m) => "command" in m && m.command);
  const [first, second, third] = [flow([teaching(1)]), flow([teaching(2)]), flow([resubmit(9)])];
  talk.flows.added(first);
  assert.deepEqual(commands(), ["add"]);
  talk.flows.removed(first);
  talk.flows.added(second);
  assert.deepEqual(commands(), ["delete_strict", "add"]);
  talk.flows.removed(second);
  talk.flows.added(third);
  assert.deepEqual(commands(), ["delete_strict", "add"]);
  talk.flows.removed(third);
  talk.flows.added(flow([resubmit(10)]));
  assert.deepEqual(commands(), ["modify_strict"]);
});
