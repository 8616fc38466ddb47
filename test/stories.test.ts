/** Every story of docs/stories: its commands do what it says, its drawings are what `isthmus graph` draws. `ISTHMUS_REDRAW=1` writes the drawings anew. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../src/host/index.ts";
import { nodeMachines } from "../src/host/node/index.ts";
import { printsComplaint, treeComplaint } from "../src/lab/validate/expected-text.ts";
import { root, run } from "./lab-fixture.ts";
import { outputsOf, parseStory, type Story, storyScript } from "./story-text.ts";

const folder = join(root, "docs/stories");
const marker = "=====STORY=====";
const isRedrawing = process.env["ISTHMUS_REDRAW"] === "1";
/** What blocks may need, and whether it is there. */
const there: Readonly<Record<string, boolean>> = { machines: (await nodeMachines(silentLog).obstacle()) === undefined, frr: existsSync("/usr/lib/frr/bgpd") };

test("a story is read as it is written", () => {
  const story = parseStory("# T\n\n```console\n$ one \\\n> two\nout\n\nmore\n[n0]# three\n```\n![x](x.svg)\n```mermaid\nflowchart TB\n```\n```console frr\n$ four\n```\n");
  assert.deepEqual(story.commands.map((c) => [c.text, c.node, c.expected, c.line, c.needs]), [
    ["one \\\ntwo", undefined, "out\n\nmore", 4, []], ["three", "n0", "", 9, []], ["four", undefined, "", 16, ["frr"]],
  ]);
  assert.deepEqual([story.mermaid, story.pictures], ["flowchart TB\n", ["x.svg"]]);
  assert.throws(() => parseStory("```console\nout\n```\n"), /line 2: output before any command/);
});

for (const file of existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".md")) : []) {
  const path = join(folder, file);
  const story = parseStory(readFileSync(path, "utf8"));
  const commands = story.commands.filter((c) => c.needs.every((need) => there[need] === true));
  const missing = [...new Set(story.commands.flatMap((c) => c.needs))].filter((need) => there[need] !== true);
  test(`${file}: its commands do what it says`, { skip: commands.length === 0 ? `needs ${missing.join(" and ")}` : false }, () => {
    const scratch = mkdtempSync(join(tmpdir(), "isthmus-story-"));
    for (const name of ["bin", "examples"]) symlinkSync(join(root, name), join(scratch, name));
    try {
      const script = storyScript(commands, marker);
      // Drawings are made when the lab has come up, before the story changes it.
      if (story.mermaid !== undefined) writeFileSync(join(scratch, "expected.mmd"), story.mermaid);
      for (const picture of story.pictures) symlinkSync(join(folder, picture), join(scratch, `expected.${basename(picture)}`));
      const second = `printf '\\n%s\\n' '${marker} 1'`;
      writeFileSync(join(scratch, "story.sh"), script.replace(second, () => `${drawingsScript(story)}${second}`));
      const { stdout, stderr } = run("bash", ["-c", `cd '${scratch}' && bash story.sh 2>&1 < /dev/null`]);
      const outputs = outputsOf(stdout, marker);
      assert.equal(outputs.length, commands.length, `${stdout}${stderr}`);
      const wrong = commands.flatMap((command, i) => {
        const complaint = complaintAbout(command.expected, outputs[i] ?? "");
        return complaint === undefined ? [] : [`${file}:${command.line}: ${command.text}\n  ${complaint}`];
      });
      assert.ok(wrong.length === 0, wrong.join("\n\n"));
      compareDrawings(story, path, scratch);
    } finally {
      run("bash", ["-c", `cd '${scratch}' && for d in */; do [ -e "$d/lab.json" ] && bin/isthmus down --dir "$d"; done`]);
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** What a `show` prints is ordered by UUIDs: a tree will do as well. */
function complaintAbout(expected: string, output: string): string | undefined {
  const complaint = printsComplaint(expected, output);
  return complaint !== undefined && /^(switch|router|Chassis|availability-zone) /m.test(expected) && treeComplaint(expected, output) === undefined ? undefined : complaint;
}

/** Tries again while a drawing is not what it should be: the last ports may still be on their way to their chassis. */
function drawingsScript(story: Story): string {
  const draw = (file: string, options: string): string =>
    isRedrawing ? `sleep 3; bin/isthmus graph ${options} --output '${file}'` : `for i in $(seq 30); do bin/isthmus graph ${options} --output '${file}'; cmp -s '${file}' 'expected.${file}' && break; sleep 0.3; done`;
  return [
    ...(story.mermaid === undefined ? [] : [draw("drawing.mmd", "--format mermaid").replaceAll("expected.drawing.mmd", "expected.mmd")]),
    ...story.pictures.map((p) => basename(p)).filter((p) => !p.endsWith(".plot.svg")).map((p) => draw(p, p.endsWith(".underlay.svg") ? "--view underlay" : "")),
    "",
  ].join("\n");
}

function compareDrawings(story: Story, path: string, scratch: string): void {
  if (story.mermaid !== undefined) {
    const drawn = readFileSync(join(scratch, "drawing.mmd"), "utf8");
    const text = readFileSync(path, "utf8");
    if (isRedrawing) writeFileSync(path, text.replace(/```mermaid\n[\s\S]*?```/, () => `\`\`\`mermaid\n${drawn}\`\`\``));
    else assert.equal(story.mermaid, drawn);
  }
  for (const picture of story.pictures) {
    const drawn = join(scratch, basename(picture));
    if (!existsSync(drawn)) continue;
    const kept = join(folder, picture);
    if (isRedrawing) writeFileSync(kept, readFileSync(drawn));
    else assert.equal(readFileSync(kept, "utf8"), readFileSync(drawn, "utf8"), `${picture} is not what isthmus draws`);
  }
}
