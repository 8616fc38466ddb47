import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counter, counterLead, minCounter } from "./counter.ts";

test("how far one counter is before another", () => {
  const check = (ahead: Counter, behind: Counter, lead: number, least: Counter): void =>
    assert.deepEqual([counterLead(ahead, behind), minCounter(ahead, behind)], [lead, least], `${ahead} before ${behind}`);
  const last = 2n ** 63n - 1n;
  check(3, 1, 2, 1);
  check(1, 3, -2, 1);
  check(last, last - 1n, 1, last - 1n);
  check(last, last, 0, last);
  check(2n ** 53n, 2 ** 53 - 1, 1, 2 ** 53 - 1);
  check(1, last, -(2 ** 63), 1);
  check(last, 1, 2 ** 63, 1);
});
