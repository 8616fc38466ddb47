/** A graph as a Mermaid flowchart, which code hosts draw inside a Markdown page. */
import { type Box, type BoxKind, type Graph, groupsOf } from "./graph.ts";

/** How a box of each kind is written: what stands before and after its quoted text. */
const shapes: Readonly<Record<BoxKind, readonly [string, string]>> = {
  router: ["([", "])"],
  switch: ["[", "]"],
  transit: ["[[", "]]"],
  network: ["{{", "}}"],
  host: ["(", ")"],
  chassis: ["[/", "/]"],
};

export function graphMermaid(graph: Graph): string {
  const names = new Map(graph.boxes.map((box, i) => [box.id, `n${i}`]));
  const quote = (text: string): string => `"${text.replaceAll("&", "#amp;").replaceAll('"', "#quot;").replaceAll("<", "#lt;").replaceAll(">", "#gt;")}"`;
  const box = (b: Box, indent: string): string => {
    const [open, close] = shapes[b.kind];
    return `${indent}${names.get(b.id) ?? ""}${open}${quote(b.lines.join("\n")).replaceAll("\n", "<br/>")}${close}`;
  };
  return [
    "flowchart TB",
    ...graph.boxes.filter((b) => b.group === undefined).map((b) => box(b, "  ")),
    ...groupsOf(graph).flatMap((group, i) => [`  subgraph g${i} [${quote(`zone ${group}`)}]`, ...graph.boxes.filter((b) => b.group === group).map((b) => box(b, "    ")), "  end"]),
    ...graph.lines.map((l) => `  ${names.get(l.from) ?? ""} ---${l.label === "" ? "" : `|${quote(l.label)}|`} ${names.get(l.to) ?? ""}`),
    "",
  ].join("\n");
}
