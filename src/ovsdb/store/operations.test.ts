/**
 * Transactions and what the ovsdb-tool of Open vSwitch's main branch answered to them, one after the other on one database
 * (recorded-transactions.json): every operation, function, mutator and constraint, and the words of every refusal.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonArray, type Json, JsonSyntaxError, parseJson, printJson, printJsonSorted } from "../json/json.ts";
import { execute } from "./operations.ts";
import { OvsdbError } from "../ovsdb-error.ts";
import recorded from "./recorded-transactions.json" with { type: "json" };
import { schemaFromJson } from "../schema/schema-json.ts";
import { Store } from "./store.ts";

const parse = (text: string): Json => {
  const json = parseJson(text);
  return json instanceof JsonSyntaxError ? assert.fail(json.message) : json;
};

test("every transaction is answered as recorded", () => {
  const schema = schemaFromJson(recorded.schema);
  assert.ok(!(schema instanceof OvsdbError), String(schema));
  let uuids = 0;
  const store = new Store(schema, () => `aaaaaaaa-0000-4000-8000-${String(uuids++).padStart(12, "0")}`);
  const known = new Map<string, string>();
  for (const [text = "", expected] of recorded.transactions) {
    const params = parse(text);
    assert.ok(isJsonArray(params));
    const done = execute(store, params, { readOnly: false, elapsedMs: 0, mayWait: false, ownsLock: () => false });
    assert.ok(done.kind === "done" || done.kind === "failed", text);
    const results = [...done.results];
    if (done.kind === "done") {
      const bad = done.transaction.check();
      if (bad === undefined) done.transaction.commit();
      else {
        done.transaction.undo();
        results.push(printJson(bad.toJson()));
      }
    }
    const answer = printJsonSorted(parse(`[${results.join(",")}]`)).replace(/aaaaaaaa-[-0-9a-f]{27}/g, (uuid) => {
      const name = known.get(uuid) ?? `<${known.size}>`;
      known.set(uuid, name);
      return name;
    });
    assert.equal(answer, expected, text);
  }
});
