// Laws of the language, on random expressions over a domain small enough to try every packet.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Field } from "../openflow/index.ts";
import { addField, addString } from "./define-symbol.ts";
import { evaluate } from "./evaluate.ts";
import { flowsMatch } from "./exhaustive.ts";
import { always, type Expression, formatExpression, never, type Relation } from "./expression.ts";
import { parseExpression } from "./expressions.ts";
import { toMatches } from "./matches.ts";
import { parseMicroflow } from "./microflow.ts";
import { normalize } from "./normalize.ts";
import { ovnSymbols } from "./ovn-symbols.ts";
import { parseActions } from "./actions/parse-actions.ts";
import { formatActions } from "./actions/format-actions.ts";
import { dhcpv4Options, dhcpv6Options } from "./actions/options.ts";
import { simplify } from "./simplify.ts";
import type { LogicalSymbol } from "./symbol.ts";
import { SymbolTable } from "./symbol-table.ts";

const bits = 3;
const symbols = new SymbolTable();
for (const i of [0, 1] as const) addField(symbols, `n${i}`, `reg${i}`);
for (const i of [2, 3] as const) addString(symbols, `s${i}`, `reg${i}`);
const symbol = (name: string): LogicalSymbol => {
  const found = symbols.get(name);
  assert.ok(found);
  return found;
};
const lookupPort = (name: string): number => Number(name);

const relations: readonly Relation[] = ["==", "!=", "<", "<=", ">", ">="];
const contiguous = [1n, 2n, 3n, 4n, 6n, 7n];

const numeric = fc.record({ name: fc.constantFrom("n0", "n1"), relation: fc.constantFrom(...relations), value: fc.bigInt({ min: 0n, max: 7n }), mask: fc.bigInt({ min: 0n, max: 7n }) })
  .map(({ name, relation, value, mask }): Expression => {
    // Only runs of bits can be compared by size.
    const fit = relation === "==" || relation === "!=" || contiguous.includes(mask) ? mask : 7n;
    return { kind: "comparison", symbol: symbol(name), relation, value: value & fit, mask: fit, text: "", addressSet: undefined };
  });
const textual = fc.record({ name: fc.constantFrom("s2", "s3"), text: fc.constantFrom("0", "1") })
  .map(({ name, text }): Expression => ({ kind: "comparison", symbol: symbol(name), relation: "==", value: 0n, mask: 0n, text, addressSet: undefined }));
const leaf = fc.oneof({ weight: 6, arbitrary: numeric }, { weight: 3, arbitrary: textual }, { weight: 1, arbitrary: fc.constantFrom(always, never) });

/** An expression that keeps the invariants: kinds alternate, and every junction has at least two terms. */
function tree(kind: "and" | "or", depth: number): fc.Arbitrary<Expression> {
  if (depth === 0) return leaf;
  const inner = fc.oneof(leaf, tree(kind === "and" ? "or" : "and", depth - 1));
  return fc.array(inner, { minLength: 2, maxLength: 4 }).map((terms): Expression => ({ kind, terms }));
}
const expressions = fc.oneof(tree("and", 3), tree("or", 3));

/** Every packet there is: two numbers of three bits, two ports of one. */
function* packets(): Generator<(field: Field) => bigint> {
  for (let all = 0; all < 1 << (2 * bits + 2); all++) {
    const values: readonly number[] = [all & 7, (all >> bits) & 7, (all >> (2 * bits)) & 1, (all >> (2 * bits + 1)) & 1];
    yield (field) => BigInt(values[Number(field.name.slice(3))] ?? 0);
  }
}

const holds = (expression: Expression, read: (field: Field) => bigint): boolean => evaluate(expression, { read, lookupPort });

test("simplified and normalized, an expression says what it said; and so do its flows", () => {
  fc.assert(fc.property(expressions, (expression) => {
    const simple = simplify(expression);
    const normal = normalize(simple);
    const flows = toMatches(normal, lookupPort).matches;
    for (const read of packets()) {
      const expected = holds(expression, read);
      assert.equal(holds(simple, read), expected, `simplified: ${formatExpression(simple)}`);
      assert.equal(holds(normal, read), expected, `normalized: ${formatExpression(normal)}`);
      assert.equal(flowsMatch(flows, read), expected, `flows of ${formatExpression(normal)}`);
    }
  }), { numRuns: 400 });
});

test("a printed expression reads back as itself", () => {
  fc.assert(fc.property(expressions, (expression) => {
    const text = formatExpression(expression);
    const again = parseExpression(text, { symbols });
    // A mask without bits can be printed and not read: "n0 == 0/0" is a comparison with a decimal mask.
    if (again.kind === "error") {
      assert.match(text, /\/0/);
      return;
    }
    assert.equal(formatExpression(again.value), text);
    for (const read of packets()) assert.equal(holds(again.value, read), holds(expression, read));
  }));
});

const ovn = ovnSymbols();
const parameters = { symbols: ovn, dhcpOptions: dhcpv4Options, dhcpv6Options, pipeline: "ingress", table: 10, tables: 35 } as const;
const words = [
  "ip4", "tcp.dst", "reg0", "inport", "ct.new", "nd", "0", "1", "80", "0x", "0x1f", "1.2.3.4", "::1", "00:00:00:00:00:01", "/", "8", "[", "]", "(", ")",
  "{", "}", "==", "!=", "<", "<=", "&&", "||", "!", "..", ",", ";", "=", "<->", "--", "$", "$set", "@pg", "^t", '"', '"x"', "\\", "next", "output", "arp",
  "clone", "ct_lb_mark", "backends", "put_dhcp_opts", "offerip", "select", "log", "verdict", "is_chassis_resident", "\u00e9", "\u0000", "\u{1f600}", "/*", "*/", "//",
];
const scrap = fc.oneof(fc.array(fc.constantFrom(...words)).map((parts) => parts.join(" ")), fc.array(fc.constantFrom(...words)).map((parts) => parts.join("")), fc.string());

test("no text breaks the readers, and what they read prints and reads back the same", () => {
  fc.assert(fc.property(scrap, (text) => {
    const context = { symbols: ovn, addressSet: () => [], portGroup: () => ["a"] };
    const expression = parseExpression(text, context);
    if (expression.kind === "error") assert.notEqual(expression.message, "");
    parseMicroflow(text, context, () => 1);
    const actions = parseActions(text, parameters);
    if (actions.kind === "error") return assert.notEqual(actions.message, "");
    const printed = formatActions(actions.value.actions);
    const again = parseActions(printed, parameters);
    assert.ok(again.kind === "parsed", printed);
    assert.equal(formatActions(again.value.actions), printed);
  }), { numRuns: 3000 });
});
