/** Values as typed: what is read, what is complained of, and that everything printed can be typed again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Atom, type AtomKind, type ColumnType, compareAtoms, type Datum, printDatum } from "../ovsdb/index.ts";
import { SeededRandom } from "../std/index.ts";
import { CommandError } from "./command-error.ts";
import { Symbols } from "./symbols.ts";
import { datumFromText } from "./value-text.ts";

const of = (kind: AtomKind, min = 1, max = 1): ColumnType => ({ key: { kind }, min, max });
const strings: ColumnType = of("string", 0, Infinity);
const map: ColumnType = { key: { kind: "string" }, value: { kind: "string" }, min: 0, max: Infinity };
const read = (text: string, type: ColumnType): Datum => datumFromText(text, type, new Symbols(new SeededRandom(1)));

function check(text: string, type: ColumnType, expected: string): void {
  test(`value: ${text}`, () => {
    let actual: string;
    try {
      actual = printDatum(read(text, type), type);
    } catch (error) {
      assert(error instanceof CommandError);
      actual = `error: ${error.message}`;
    }
    assert.equal(actual, expected);
  });
}

check("abc", of("string"), "abc");
check('"a b"', of("string"), '"a b"');
check('"\\u0041\\n"', of("string"), '"A\\n"');
check("2001\\:db8\\:1\\:\\:0/64", of("string"), '"2001:db8:1::0/64"');
check("a,b c", strings, "[a, b, c]");
check("[b, a]", strings, "[a, b]");
check("[]", strings, "[]");
check("{k=v, k2 = \"v 2\"}", map, '{k=v, k2="v 2"}');
check("k=v k2=v2", map, "{k=v, k2=v2}");
check("3-5,9", of("integer", 0, 5), "[3, 4, 5, 9]");
check("-9223372036854775808", of("integer"), "-9223372036854775808");
check("on", of("boolean"), "true");
check("1e3", of("real"), "1000");
check("", strings, 'error: use "[]" to specify the empty set');
check("", map, 'error: use "{}" to specify the empty map');
check("9223372036854775808", of("integer"), 'error: "9223372036854775808" is not a valid integer or range');
check("5-3", of("integer", 0, 5), 'error: "5-3" is not a valid range. Range end cannot be before start.');
check("maybe", of("boolean"), 'error: "maybe" is not a valid boolean (use "true" or "false")');
check("[a", strings, 'error: [a: missing "]" at end of data');
check("[a]b", strings, 'error: [a]b: trailing garbage after "]"');
check("a,a", strings, "error: a,a: set contains duplicate value");
check("k=1,k=2", map, "error: k=1,k=2: map contains duplicate key");
check("k", map, 'error: k: syntax error at "" expecting "="');
check('"x', of("string"), 'error: "x: quoted string extends past end of argument');
check("x\\", of("string"), "error: x\\: backslash at end of argument");
check("a b", of("string"), "error: a b: 2 value(s) specified but the maximum number is 1");
check("=x", strings, 'error: =x: unexpected "=" parsing set of strings');

const atoms: { readonly [kind in AtomKind]: fc.Arbitrary<Atom> } = {
  string: fc.string(), integer: fc.maxSafeInteger(), boolean: fc.boolean(), uuid: fc.uuid(),
  real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => Number(x.toPrecision(15)) + 0).filter(Number.isFinite),
};

test("values: what is printed reads back as what it was", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<AtomKind>("string", "integer", "boolean", "uuid", "real").chain((kind) => fc.tuple(fc.constant(kind), fc.array(atoms[kind], { maxLength: 5 }))),
      ([kind, values]) => {
        const type = of(kind, 0, Infinity);
        const keys = [...new Set(values)].sort(compareAtoms);
        assert.deepEqual(read(printDatum({ keys }, type), type).keys, keys);
      },
    ),
  );
});

test("values: whatever is typed is a value or a complaint", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.constantFrom(strings, map, of("integer", 0, 9), of("uuid"), of("real")), (text, type) => {
      try {
        read(text, type);
      } catch (error) {
        assert(error instanceof CommandError);
      }
    }),
  );
});
