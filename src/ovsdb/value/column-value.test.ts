import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sameValue } from "../../engine/index.ts";
import { applyDifference, datumOfValue, defaultValue, sameSlot, slotFromJson, valueFromJson, valueOfDatum, valueOfSlot, valueToJson } from "./column-value.ts";
import { type Atom, compareAtoms, type Datum } from "./datum.ts";
import { atomToJson, datumToJson } from "./datum-json.ts";
import { diffDatums } from "./datum-sets.ts";
import type { AtomKind, ColumnType } from "../schema/schema.ts";

const kinds: readonly AtomKind[] = ["integer", "string", "boolean", "uuid", "real"];
const atom = (kind: AtomKind): fc.Arbitrary<Atom> => {
  switch (kind) {
    case "integer":
      return fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(2n ** 60n));
    case "real":
      return fc.constantFrom(0, 1.5, -2.25);
    case "boolean":
      return fc.boolean();
    case "string":
      return fc.constantFrom("", "a", "b", "\u{1f600}", "\ufffd", "set");
    case "uuid":
      return fc.constantFrom("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
  }
};

const type: fc.Arbitrary<ColumnType> = fc.record({ key: fc.constantFrom(...kinds), value: fc.option(fc.constantFrom(...kinds)), shape: fc.constantFrom("scalar", "optional", "many") })
  .map(({ key, value, shape }) => ({
    key: { kind: key }, ...(value === null || shape !== "many" ? {} : { value: { kind: value } }), min: shape === "scalar" ? 1 : 0, max: shape === "many" ? Infinity : 1,
  }));

const datumOf = (t: ColumnType): fc.Arbitrary<Datum> =>
  fc.uniqueArray(atom(t.key.kind), { minLength: t.min, maxLength: Math.min(t.max, 4), comparator: (a, b) => compareAtoms(a, b) === 0 }).chain((keys) => {
    const sorted = [...keys].sort(compareAtoms);
    if (t.value === undefined) return fc.constant({ keys: sorted });
    return fc.array(atom(t.value.kind), { minLength: keys.length, maxLength: keys.length }).map((values) => ({ keys: sorted, values }));
  });

const typeAndData = type.chain((t) => fc.record({ type: fc.constant(t), old: datumOf(t), now: datumOf(t) }));

test("values come from JSON and go back to it", () => {
  fc.assert(fc.property(typeAndData, ({ type: t, old, now }) => {
    const json = datumToJson(now, t);
    const value = valueFromJson(json, t);
    assert.deepEqual(valueToJson(value, t, atomToJson), json);
    assert.deepEqual(datumOfValue(value), now);
    assert.ok(sameValue(valueOfDatum(now, t), value));
    assert.ok(sameValue(valueOfSlot(slotFromJson(json, t), t), value));
    const isSame = sameValue(valueOfDatum(old, t), value);
    assert.equal(sameSlot(slotFromJson(datumToJson(old, t), t), slotFromJson(json, t), t), isSame);
  }));
});

test("a difference applied to the old value is the new value", () => {
  fc.assert(fc.property(typeAndData, ({ type: t, old, now }) => {
    const difference = datumToJson(diffDatums(old, now, t), t);
    assert.deepEqual(datumOfValue(applyDifference(valueOfDatum(old, t), difference, t)), now);
  }));
});

test("malformed JSON is refused when it comes, not when it is looked at", () => {
  fc.assert(fc.property(type, fc.jsonValue({ maxDepth: 3 }), (t, json) => {
    let slot;
    try {
      slot = slotFromJson(json as never, t);
    } catch (error) {
      assert.ok(error instanceof Error && error.constructor.name === "MalformedValue", String(error));
      return;
    }
    valueOfSlot(slot, t);
  }));
});

test("defaults are those of the server", () => {
  assert.deepEqual(defaultValue({ key: { kind: "string" }, min: 1, max: 1 }), "");
  assert.deepEqual(defaultValue({ key: { kind: "integer" }, min: 0, max: 1 }), undefined);
  assert.deepEqual(defaultValue({ key: { kind: "integer" }, min: 1, max: 3 }), new Set([0]));
  assert.deepEqual(defaultValue({ key: { kind: "string" }, value: { kind: "string" }, min: 0, max: Infinity }), new Map());
});
