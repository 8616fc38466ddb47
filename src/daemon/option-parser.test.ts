import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type OptionSpec, parseOptions } from "./option-parser.ts";

const specs: readonly OptionSpec[] = [
  { name: "db", argument: "required" },
  { name: "data", short: "d", argument: "required" },
  { name: "verbose", short: "v", argument: "optional" },
  { name: "version", short: "V", argument: "none" },
  { name: "detach", argument: "none" },
];

function check(args: string, expected: string, permute = true): void {
  test(`options: ${args}`, () => {
    const parsed = parseOptions(args.split(" ").filter((a) => a !== ""), specs, permute);
    const text = parsed.kind === "error"
      ? `error: ${parsed.text}`
      : [...parsed.options.map((o) => (o.value === undefined ? o.name : `${o.name}=${o.value}`)), "|", ...parsed.rest].join(" ");
    assert.equal(text, expected);
  });
}

check("--db unix:x", "db=unix:x |");
check("--db=unix:x a b", "db=unix:x | a b");
check("a --detach b", "detach | a b");
check("a --detach b", "| a --detach b", false);
check("--detach -- --db x", "detach | --db x");
check("--det", "detach |");
check("--versio", "version |");
check("-Vd json", "version data=json |");
check("-djson x", "data=json | x");
check("-v -vvconn:dbg", "verbose verbose=vconn:dbg |");
check("-", "| -");
check("--d x", "error: option '--d' is ambiguous; possibilities: '--db' '--data' '--detach'");
check("--nosuch=1", "error: unrecognized option '--nosuch=1'");
check("--detach=1", "error: option '--detach' doesn't allow an argument");
check("--db", "error: option '--db' requires an argument");
check("-d", "error: option requires an argument -- 'd'");
check("-x", "error: invalid option -- 'x'");

test("options: whatever is typed, the answer is options or a complaint", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 8 }), { maxLength: 6 }), fc.boolean(), (args, permute) => {
      const parsed = parseOptions(args, specs, permute);
      assert(parsed.kind === "error" ? parsed.text !== "" : parsed.rest.length <= args.length);
    }),
  );
});
