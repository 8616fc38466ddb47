/** docs/seeds.md: every claim has an id of its own, a status, and, where it is said to hold, a check that exists. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseTopology } from "../src/lab/topology/topology.ts";
import { root } from "./lab-fixture.ts";
import { parseStory } from "./story-text.ts";

interface Claim {
  readonly id: string;
  readonly claim: string;
  readonly check: string;
  readonly status: string;
}

const claims: readonly Claim[] = readFileSync(join(root, "docs/seeds.md"), "utf8").split("\n").flatMap((line) => {
  const cells = line.startsWith("| 0") ? line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()) : [];
  const [id, claim, check, status] = cells;
  return id === undefined || claim === undefined || check === undefined || status === undefined ? [] : [{ id, claim, check: check.replace(/^`|`$/g, ""), status }];
});

/** Why there is no such check; undefined if there is. */
function missing(check: string): string | undefined {
  const [place = "", name] = check.split(" › ");
  if (name === undefined) return "expected FILE › NAME";
  const file = place.includes("/") ? place : `examples/${place}.lab.yml`;
  if (!existsSync(join(root, file))) return `there is no ${file}`;
  const text = readFileSync(join(root, file), "utf8");
  if (file.endsWith(".lab.yml")) {
    const topology = parseTopology(text, file);
    return "complaint" in topology ? topology.complaint : topology.validate.some((step) => step.claim === name) ? undefined : `${file} has no claim of that name`;
  }
  if (file.endsWith(".md")) return parseStory(text).commands.some((command) => command.text.includes(name)) ? undefined : `${file} has no such command`;
  return text.includes(`test(${JSON.stringify(name)}`) || text.includes(`test('${name}'`) || text.includes(`test(\`${name}\``) ? undefined : `${file} has no test of that name`;
}

test("every claim of the seeds has an id, a status and a check that exists", () => {
  assert.ok(claims.length > 80, `${claims.length} claims`);
  const seen = new Set<string>();
  const wrong = claims.flatMap(({ id, check, status }) => {
    const complaints: string[] = [];
    if (seen.has(id)) complaints.push("the id is another claim's already");
    seen.add(id);
    if (!/^(holds|differs: .+|stands for: .+|not yet(: .+)?)$/.test(status)) complaints.push(`no status: "${status}"`);
    if (check === "" && !status.startsWith("not yet")) complaints.push("says that it holds, and names no check");
    const reason = check === "" ? undefined : missing(check);
    if (reason !== undefined) complaints.push(`${check}: ${reason}`);
    return complaints.map((complaint) => `${id}: ${complaint}`);
  });
  assert.deepEqual(wrong, []);
});
