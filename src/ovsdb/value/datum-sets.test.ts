import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Atom, compareAtoms, type Datum } from "./datum.ts";
import { applyDiff, diffDatums, equalDatums, excludesAll, hasKey, includesAll, subtractDatums, unionDatums } from "./datum-sets.ts";
import type { ColumnType } from "../schema/schema.ts";

const setType: ColumnType = { key: { kind: "string" }, min: 0, max: Number.POSITIVE_INFINITY };
const mapType: ColumnType = { ...setType, value: { kind: "integer" } };
const key = fc.constantFrom("a", "b", "c", "d", "é", "\u{1f600}", "\uffee", "");
const aSet = fc.uniqueArray(key).map((keys): Datum => ({ keys: [...keys].sort(compareAtoms) }));
const aMap = fc.uniqueArray(fc.tuple(key, fc.nat(2)), { selector: ([k]) => k }).map((pairs): Datum => {
  const sorted = [...pairs].sort(([a], [b]) => compareAtoms(a, b));
  return { keys: sorted.map(([k]) => k), values: sorted.map(([, v]) => v) };
});
const entries = ({ keys, values }: Datum): [Atom, Atom | undefined][] => keys.map((k, i) => [k, values?.[i]]);
const isSorted = ({ keys }: Datum): boolean => keys.every((k, i) => i === 0 || compareAtoms(keys[i - 1] ?? "", k) < 0);

for (const [name, arbitrary, type] of [["sets", aSet, setType], ["maps", aMap, mapType]] as const) {
  test(`${name}: a difference leads from the old value to the new one, and back`, () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (old, now) => {
        const diff = diffDatums(old, now, type);
        assert.ok(isSorted(diff));
        assert.ok(equalDatums(applyDiff(old, diff, type), now));
        if (type.value === undefined) assert.ok(equalDatums(applyDiff(now, diff, type), old));
        assert.equal(diff.keys.length === 0, equalDatums(old, now));
      }),
    );
  });

  test(`${name}: union, subtraction, inclusion and exclusion agree with one another`, () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const union = unionDatums(a, b);
        assert.ok(isSorted(union));
        assert.ok(includesAll(union, a));
        assert.ok(b.keys.every((k) => hasKey(union, k)));
        assert.equal(union === a, b.keys.every((k) => hasKey(a, k)));
        const rest = subtractDatums(a, b);
        assert.ok(isSorted(rest));
        assert.ok(excludesAll(rest, b));
        assert.equal(rest === a, excludesAll(a, b));
        assert.deepEqual(entries(rest), entries(a).filter(([k, v]) => !entries(b).some(([l, w]) => l === k && w === v)));
        assert.equal(includesAll(a, b), entries(b).every(([k, v]) => entries(a).some(([l, w]) => l === k && w === v)));
      }),
    );
  });
}

test("an optional value is replaced, not subtracted", () => {
  const optional: ColumnType = { key: { kind: "integer" }, min: 0, max: 1 };
  assert.deepEqual(diffDatums({ keys: [1] }, { keys: [2] }, optional), { keys: [2] });
  assert.deepEqual(applyDiff({ keys: [1] }, { keys: [] }, optional), { keys: [] });
});
