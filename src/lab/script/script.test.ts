import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runScript } from "./run.ts";
import { parseScript, ScriptError } from "./syntax.ts";

/** The argument lists that `text` runs; `echo` prints its arguments, `false` fails. */
async function commandsOf(text: string): Promise<string[][]> {
  const seen: string[][] = [];
  await runScript(parseScript(text), {
    random: () => 7,
    execute: async (argv) => {
      if (argv[0] === "echo") return { exitCode: 0, stdout: `${argv.slice(1).join(" ")}\n`, stderr: "" };
      if (argv[0] === "false") return { exitCode: 1, stdout: "", stderr: "no" };
      seen.push([...argv]);
      return { exitCode: 0, stdout: "", stderr: "" };
    },
  });
  return seen;
}

async function check(text: string, expected: string[][]): Promise<void> {
  assert.deepEqual(await commandsOf(text), expected, text);
}

test("words are cut, quoted and expanded as a shell does it", async () => {
  await check("a b  c", [["a", "b", "c"]]);
  await check("a 'b  c' \"d e\" f\\ g", [["a", "b  c", "d e", "f g"]]);
  await check("a \\\n   b # remark\n#c\n d;e", [["a", "b"], ["d"], ["e"]]);
  await check('x="1 2"\na $x "$x" ${x}y $none "$none"', [["a", "1", "2", "1 2", "1", "2y", ""]]);
  await check('d=$(echo "u v")\na $d "$d"', [["a", "u", "v", "u v"]]);
  await check("a $((36000 + RANDOM % 5)) $((2*(3+4)))", [["a", "36002", "14"]]);
  await check('a options="\\"server_id\\"=\\"172.16.1.254\\" \\"k\\"=\\"$((1+1))\\""', [["a", 'options="server_id"="172.16.1.254" "k"="2"']]);
  await check('a cidr="2001\\:db8\\:1\\:\\:0/64"', [["a", "cidr=2001\\:db8\\:1\\:\\:0/64"]]);
  await check("false || a && b", [["a"], ["b"]]);
  await check("inport=='\"vm1\" && x'", []);
});

test("failures and what this shell lacks are named with their line", async () => {
  await assert.rejects(commandsOf("a\nfalse now\nb"), (e: ScriptError) => e.line === 2 && e.message === "false now\nno");
  for (const text of ["a | b", "a > f", "if a", "a `b`", "a 'b", 'a "b', "a $(b", "a &&", "a $((1/0))", "(a)", "a ${b:-c}", "a & b"]) {
    await assert.rejects(commandsOf(text), ScriptError, text);
  }
});

test("no text makes it throw anything else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.constantFrom(..." \n'\"$(){}\\;&|#ab=1+%`") }), async (text) => {
      try {
        await commandsOf(text);
      } catch (error) {
        assert.ok(error instanceof ScriptError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
