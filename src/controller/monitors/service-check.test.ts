/** When a service counts as online and when as offline. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceCheck } from "./service-check.ts";

const timing = { intervalMs: 5000, timeoutMs: 3000, successCount: 1, failureCount: 2 };

test("asked at once, then at intervals; silence is a failure", () => {
  const check = new ServiceCheck(timing, false, 0);
  assert.equal(check.run(0), true);
  check.answered(true, 100);
  assert.deepEqual([check.status, check.wakesMs], ["online", 5100]);
  assert.equal(check.run(5099), false);
  assert.equal(check.run(5100), true);
  assert.equal(check.run(8100), false);
  assert.equal(check.status, "online", "one failure is not enough");
  assert.equal(check.run(13_100), true);
  check.run(16_100);
  assert.equal(check.status, "offline");
});

test("of UDP silence is a good sign, a complaint a bad one", () => {
  const check = new ServiceCheck({ ...timing, failureCount: 1 }, true, 0);
  check.run(0);
  check.run(3000);
  assert.equal(check.status, "online");
  check.run(8000);
  check.answered(false, 8001);
  assert.equal(check.status, "offline");
});
