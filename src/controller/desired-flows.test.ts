import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Action, Match } from "../openflow/index.ts";
import { DesiredFlows } from "./desired-flows.ts";
import { type Flow, resubmit, slotOf } from "./flow.ts";

const match = Match.of(["reg14", 1]);
const flow = (cookie: number, actions: readonly Action[]): Flow => ({ table: 8, priority: 100, cookie, match, actions });
const states = (id: number): Action => ({ kind: "conjunction", id, clause: 0, clauses: 2 });
const slot = slotOf(flow(0, []));

test("one that lets pass counts before one that drops, that before statements of conjunctions", () => {
  const flows = new DesiredFlows();
  const [allow, drop, stated] = [flow(1, [resubmit(9)]), flow(2, []), flow(0, [states(7)])];
  for (const f of [stated, drop, allow]) flows.added(f);
  assert.equal(flows.contentOf(slot)?.cookie, 1);
  flows.removed(allow);
  assert.equal(flows.contentOf(slot)?.cookie, 2);
  flows.removed(drop);
  assert.deepEqual(flows.contentOf(slot)?.actions, [states(7)]);
  flows.removed(stated);
  assert.equal(flows.contentOf(slot), undefined);
  assert.equal(flows.size, 0);
});

test("statements of several flows stand together, in one order whoever came first", () => {
  const content = (ids: readonly number[]) => {
    const flows = new DesiredFlows();
    for (const id of ids) flows.added(flow(0, [states(id)]));
    return flows.contentOf(slot)?.fingerprint;
  };
  fc.assert(fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 }), (ids) => assert.equal(content(ids), content([1, 2, 3, 4, 5]))));
});

test("only what was touched is told", () => {
  const flows = new DesiredFlows();
  flows.added(flow(1, []));
  assert.deepEqual(flows.takeChanges(), [slot]);
  assert.deepEqual(flows.takeChanges(), []);
  flows.markAll();
  assert.deepEqual(flows.takeChanges(), [slot]);
});
