import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Json, JsonSyntaxError, parseJson, printJson, printJsonSorted } from "./json.ts";
import { JsonFramer } from "./json-framing.ts";

test("integers of 64 bits stay exact", () => {
  for (const text of ["9223372036854775807", "-9223372036854775808", "[1,9007199254740993]", '{"a":123456789012345678}']) {
    const value = parseJson(text);
    assert.ok(!(value instanceof JsonSyntaxError));
    assert.equal(printJson(value), text);
  }
  assert.equal(parseJson("9223372036854775808"), 2 ** 63);
});

test("errors say where", () => {
  const check = (text: string, expected: string): void => {
    const value = parseJson(text);
    assert.ok(value instanceof JsonSyntaxError, text);
    assert.equal(value.message, expected);
  };
  check("[1,\n2 3]", "line 1, column 2, byte 6: syntax error expecting ']' or ','");
  check('{"a" 1}', "line 0, column 5, byte 5: syntax error parsing object expecting ':'");
  check("", "line 0, column 0, byte 0: empty input stream");
  check("{} x", "line 0, column 3, byte 3: trailing garbage at end of input");
});

test("members named as what every object has are only members", () => {
  assert.equal(printJson(parseJson('{"__proto__":12345678901234567,"constructor":1}') as Json), '{"__proto__":12345678901234567,"constructor":1}');
});

test("sorted text", () => {
  assert.equal(printJsonSorted({ b: [1, { d: null, c: "é" }], a: 10n ** 17n }), '{"a":100000000000000000,"b":[1,{"c":"é","d":null}]}');
});

const messages = fc.array(fc.oneof(fc.object({ maxDepth: 3 }), fc.array(fc.string())), { maxLength: 6 });

test("messages arrive whole however the stream is cut", () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat(40), { minLength: 1 }), (values, cuts) => {
      const texts = values.map((v) => JSON.stringify(v));
      const bytes = Buffer.from(texts.join("\n "));
      const framer = new JsonFramer();
      const got: Json[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = 1 + (cuts[i % cuts.length] ?? 0);
        assert.equal(framer.feed(bytes.subarray(at, at + size), (m) => got.push(m)), undefined);
        at += size;
      }
      assert.deepEqual(got.map((m) => printJson(m)), texts);
    }),
  );
});

test("garbage is an error or a message, never a crash", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
      const framer = new JsonFramer(100);
      for (const chunk of chunks) if (framer.feed(chunk, () => {}) !== undefined) return;
    }),
  );
});

test("nesting and size are bounded", () => {
  assert.match(new JsonFramer().feed(Buffer.from("[".repeat(2000)), () => {})?.message ?? "", /nesting depth/);
  const framer = new JsonFramer(100);
  assert.equal(framer.feed(Buffer.from('["'), () => {}), undefined);
  assert.match(framer.feed(Buffer.alloc(100, "x"), () => {})?.message ?? "", /maximum size/);
});
