// Held against OVN's own test program: its answers to our questions, recorded from `ovstest` of OVN 26.03.90 (main, built
// with Open vSwitch 3.7.90). To record anew: `ovstest test-ovn COMMAND < fixtures/INPUT`, flows sorted bytewise.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { testOvn } from "./ovstest.ts";

const read = (name: string): string => readFileSync(`src/logical/fixtures/${name}`, "utf8");

function check(command: string, input: string, expected: string, arrange: (text: string) => string = (text) => text): void {
  const actual = arrange(testOvn(command, [], input) ?? "").split("\n");
  const wanted = arrange(expected).split("\n");
  for (const [i, line] of wanted.entries()) assert.equal(actual[i], line, `${command}, line ${i + 1}`);
  assert.equal(actual.length, wanted.length);
}

const sorted = (text: string): string => text.split("\n").sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join("\n");

for (const command of ["lex", "parse-expr", "annotate-expr", "simplify-expr", "normalize-expr"]) {
  test(`${command}, as ovstest does it`, () => check(command, read("expressions.txt"), read(`expressions.${command}.txt`)));
}

test("expr-to-flows, as ovstest does it", () => {
  // ip.dscp is left out: C's flow for `ip.dscp == 5` matches every IP packet, ours those with that DSCP.
  const input = read("expressions.txt").replace(/^ip\.dscp.*\n/m, "");
  const expected = read("expressions.expr-to-flows.txt");
  const ours = sorted(testOvn("expr-to-flows", [], input) ?? "").split("\n");
  const theirs = expected.split("\n").filter((line) => line !== "");
  const counts = new Map<string, number>();
  for (const line of theirs) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of ours.filter((l) => l !== "")) {
    const left = counts.get(line) ?? 0;
    assert.ok(left > 0, `C has no flow ${line}`);
    counts.set(line, left - 1);
  }
  const missing = [...counts].filter(([, count]) => count > 0).map(([line]) => line);
  assert.deepEqual(missing, ["ip", "ipv6"]);
});

test("evaluate-expr, as ovstest does it", () => {
  const microflow = 'inport == "5" && eth.src == 00:00:00:00:00:01 && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && tcp.dst == 80 && ct.new && reg0 == 0x208';
  assert.equal(testOvn("evaluate-expr", [microflow], read("expressions.txt")), read("expressions.evaluate-expr.txt"));
});

test("parse-actions, as ovstest does it", () => check("parse-actions", read("actions.txt"), read("actions.parse-actions.txt")));

test("dump-symtab, as ovstest does it", () => check("dump-symtab", "", read("dump-symtab.txt")));

test("exhaustive, at its smallest", () => {
  assert.equal(testOvn("exhaustive", ["--operation=convert", "1"], ""), "Tested converting all 1-terminal expressions with 2 numeric vars (each 3 bits) in terms of operators == != < <= > >= and 2 string vars.\n");
  assert.equal(testOvn("exhaustive", ["--operation=flow", "--nvars=1", "--svars=1", "--bits=1", "3"], ""),
    "Tested converting to flows 1938 expressions of 3 terminals with 1 numeric vars (each 1 bits) in terms of operators == != < <= > >= and 1 string vars.\n");
});
