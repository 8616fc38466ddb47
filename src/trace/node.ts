/**
 * What a trace found, as a tree, and its three printed forms (ovn-trace(8), "Output").
 *
 * `pipeline`, `table` and `transformation` nodes hold what happened inside them; the others are leaves: an action as it
 * stands in the flow, what it changed (`modify`), an output, an error.
 */
export type NodeKind = "output" | "modify" | "action" | "error" | "pipeline" | "table" | "transformation";

export interface TraceNode {
  readonly kind: NodeKind;
  readonly text: string;
  readonly children: TraceNode[];
  /** Indented even as the last of its parent: one of several copies of a packet. */
  alwaysIndent: boolean;
}

/** Adds a node at the end of `parent` and returns it. */
export function append(parent: TraceNode[], kind: NodeKind, text: string): TraceNode {
  const node: TraceNode = { kind, text, children: [], alwaysIndent: false };
  parent.push(node);
  return node;
}

const isLeaf = (kind: NodeKind): boolean => kind === "output" || kind === "modify" || kind === "action" || kind === "error";

/** Table by table. A table that is the last of its parent does not go further in, so that a pipeline reads downwards. */
export function printDetailed(nodes: readonly TraceNode[], level = 0): string {
  let output = "";
  for (const [i, node] of nodes.entries()) {
    if (node.kind === "modify") continue;
    const further = i < nodes.length - 1 || node.alwaysIndent || isLeaf(node.kind) ? 1 : 0;
    const indent = " ".repeat((level + further) * 4);
    const isTitle = node.kind === "pipeline" || node.kind === "transformation";
    output += `${isTitle ? "\n" : ""}${indent}${node.text}\n`;
    if (isTitle) output += `${indent}${"-".repeat(new TextEncoder().encode(node.text).length)}\n`;
    output += printDetailed(node.children, level + 2 * further);
  }
  return output;
}

/** The nodes without those of `kinds`, whose children take their place. */
function without(nodes: readonly TraceNode[], kinds: ReadonlySet<NodeKind>): TraceNode[] {
  return nodes.flatMap((node) => {
    const children = without(node.children, kinds);
    return kinds.has(node.kind) ? children : [{ ...node, children }];
  });
}

const summaryOmits: ReadonlySet<NodeKind> = new Set(["modify", "table"]);
const minimalOmits: ReadonlySet<NodeKind> = new Set(["action", "pipeline", "table", "output"]);

/** What was done, without the tables in which it stood. */
export const printSummary = (nodes: readonly TraceNode[]): string => printNested(without(nodes, summaryOmits), 0);

/** Only what can be seen from outside. */
export const printMinimal = (nodes: readonly TraceNode[]): string => printNested(without(nodes, minimalOmits), 0);

function printNested(nodes: readonly TraceNode[], level: number): string {
  let output = "";
  const indent = " ".repeat(level * 4);
  for (const { kind, text, children } of nodes) {
    if (kind === "action" && text.startsWith("next(")) continue;
    const inside = children.length === 0 ? "" : ` {\n${printNested(children, level + 1)}${indent}}`;
    output += `${indent}${text}${inside}${kind === "action" ? "" : ";"}\n`;
  }
  return output;
}
