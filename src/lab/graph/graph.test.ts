import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseTopology } from "../topology/topology.ts";
import type { BoxKind, Graph } from "./graph.ts";
import { layOut } from "./layout.ts";
import { graphMermaid } from "./mermaid.ts";
import { graphSvg } from "./svg.ts";
import { underlayGraph } from "./underlay-graph.ts";

const root = process.env["ISTHMUS_ROOT"] ?? ".";

const kinds: readonly BoxKind[] = ["router", "switch", "transit", "network", "host", "chassis"];
const graphs = fc.integer({ min: 1, max: 20 }).chain((count) =>
  fc.record({
    boxes: fc.array(fc.record({ kind: fc.constantFrom(...kinds), group: fc.constantFrom("east", "west", undefined), lines: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }), { minLength: count, maxLength: count }),
    lines: fc.array(fc.record({ from: fc.nat(count), to: fc.nat(count), label: fc.string() }), { maxLength: 30 }),
  })).map(({ boxes, lines }): Graph => ({
    title: "t<>&",
    boxes: boxes.map((box, i) => ({ ...box, id: String(i) })),
    lines: lines.map((line) => ({ ...line, from: String(line.from), to: String(line.to) })),
  }));

test("boxes do not lie on one another, and every one is inside the picture", () => {
  fc.assert(fc.property(graphs, (graph) => {
    const { placed, width, height } = layOut(graph);
    assert.equal(placed.size, graph.boxes.length);
    const all = [...placed.values()];
    for (const [i, a] of all.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height, JSON.stringify(a));
      for (const b of all.slice(i + 1)) {
        assert.ok(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
      }
    }
  }));
});

test("any text can stand in a drawing", () => {
  fc.assert(fc.property(graphs, (graph) => {
    const svg = graphSvg(graph);
    assert.ok(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
    assert.doesNotMatch(svg.replace(/<[^<>]*>/g, ""), /[<>]/);
    assert.equal(graphSvg(graph), svg);
    assert.ok(graphMermaid(graph).startsWith("flowchart TB\n"));
  }));
});

test("the underlay of a routed fabric: links beside one another, hosts on their nodes", () => {
  const topology = parseTopology(readFileSync(join(root, "examples/spine-leaf.lab.yml"), "utf8"), "spine-leaf.lab.yml");
  assert.ok(!("complaint" in topology));
  const mermaid = graphMermaid(underlayGraph(topology));
  assert.match(mermaid, /worker1<br\/>chassis<br\/>.*eth2 100\.65\.1\.3\/24/);
  assert.equal(mermaid.match(/eth\d \u2013 eth\d/g)?.length, 4, mermaid);
});
