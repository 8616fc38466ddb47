import assert from "node:assert/strict";
import { test } from "node:test";
import { datumFromJson, datumText, datumToJson } from "../value/datum-json.ts";
import { printDatum, printReal } from "../value/datum-text.ts";
import { type Json, parseJson, printJson } from "../json/json.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import { schemaFromJson, schemaToJson, typeFromJson } from "./schema-json.ts";

test("a schema comes back as it was", () => {
  const json = {
    name: "D", version: "1.2.3", cksum: "12 34",
    tables: {
      A: {
        columns: {
          s: { type: { key: { type: "string", enum: ["set", ["a", "b"]] }, min: 0 } },
          w: { type: { key: { type: "uuid", refTable: "B", refType: "weak" }, min: 0, max: "unlimited" } },
          m: { mutable: false, type: { key: "string", value: { type: "integer", minInteger: 1, maxInteger: 5 }, min: 0, max: 10 } },
          e: { ephemeral: true, type: "boolean" },
        },
        isRoot: true, indexes: [["s", "m"]], maxRows: 3,
      },
      B: { columns: { r: { type: { key: { type: "uuid", refTable: "A" } } } } },
    },
  };
  const schema = schemaFromJson(json as Json);
  assert.ok(!(schema instanceof OvsdbError), String(schema));
  assert.deepEqual(schemaToJson(schema), json);
});

test("what is wrong with a schema is said as C says it", () => {
  const check = (json: Json, expected: string): void => assert.equal(String(schemaFromJson(json)), expected);
  check([], 'syntax error: Parsing database schema failed: Object expected.');
  check({ name: "x", tables: { a: { columns: {} } } }, 'syntax "{"columns":{}}": syntax error: table must have at least one column');
  check({ name: "x", tables: { a: { columns: { c: { type: "foo" } } } } }, 'syntax ""foo"": syntax error: "foo" is not an atomic-type');
  check(
    { name: "x", tables: { a: { columns: { c: { type: { key: { type: "uuid", refTable: "b" } } } } } } },
    "syntax error: column c key refers to undefined table b",
  );
});

const type = (json: Json) => {
  const parsed = typeFromJson(json);
  assert.ok(!(parsed instanceof OvsdbError), String(parsed));
  return parsed;
};

test("values: accepted, and printed again", () => {
  const check = (typeJson: Json, json: string, text = json): void => {
    const t = type(typeJson);
    const datum = datumFromJson(parseJson(json) as Json, t);
    assert.ok(!(datum instanceof OvsdbError), String(datum));
    assert.equal(printJson(datumToJson(datum, t)), text);
    assert.equal(datumText(datum, t), text);
  };
  check("integer", "9223372036854775807");
  check("real", "1.5");
  check({ key: "integer", min: 0, max: "unlimited" }, '["set",[3,1,2]]', '["set",[1,2,3]]');
  check({ key: "string", min: 0, max: 5 }, '["set",["x\\n"]]', '"x\\n"');
  check({ key: "string", value: "integer", min: 0, max: 5 }, '["map",[["b",1],["a",2]]]', '["map",[["a",2],["b",1]]]');
  check("uuid", '["uuid","AAAAAAAA-0000-0000-0000-000000000000"]', '["uuid","aaaaaaaa-0000-0000-0000-000000000000"]');
});

test("values: refused", () => {
  const check = (typeJson: Json, json: string, expected: string): void =>
    assert.equal(String(datumFromJson(parseJson(json) as Json, type(typeJson))), expected);
  check("integer", "1.5", 'syntax "1.5": syntax error: expected integer');
  check({ key: { type: "integer", minInteger: 1, maxInteger: 9 } }, "0", "constraint violation: 0 is not in the valid range 1 to 9 (inclusive)");
  check({ key: { type: "string", enum: ["set", ["b", "a"]] } }, '"c"', "constraint violation: c is not one of the allowed values ([a, b])");
  check({ key: { type: "string", minLength: 2 } }, '"é"', 'constraint violation: "é" length 1 is less than minimum allowed length 2');
  check({ key: "integer", min: 0, max: 2 }, '["set",[1,2,3]]', 'syntax "["set",[1,2,3]]": syntax error: set must have 0 to 2 members but 3 are present');
  check({ key: "integer", min: 0, max: 5 }, '["set",[1,1]]', "ovsdb error: set contains duplicate");
  check("uuid", '["named-uuid","x"]', 'syntax "["named-uuid","x"]": syntax error: expected ["uuid", <string>]');
});

test("text forms", () => {
  const check = (typeJson: Json, json: Json, expected: string): void => {
    const t = type(typeJson);
    const datum = datumFromJson(json, t);
    assert.ok(!(datum instanceof OvsdbError));
    assert.equal(printDatum(datum, t), expected);
  };
  check({ key: "string", value: "string", min: 0, max: 5 }, ["map", [["a", "b c"], ["k", ""]]], '{a="b c", k=""}');
  check({ key: "string", min: 0, max: 1 }, ["set", []], "[]");
  check({ key: "string", min: 0, max: 5 }, "x-1.y", "[x-1.y]");
  check("string", "true", '"true"');
  for (const [value, text] of [[0.1, "0.1"], [1e15, "1e+15"], [123456, "123456"], [1e-5, "1e-05"], [0.0001, "0.0001"], [1 / 3, "0.333333333333333"]] as const) {
    assert.equal(printReal(value), text);
  }
});
