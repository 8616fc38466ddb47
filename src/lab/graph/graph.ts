/** A drawing before it has a form: boxes in groups, lines between them. */
export type BoxKind = "router" | "switch" | "transit" | "network" | "host" | "chassis";

export interface Box {
  readonly id: string;
  readonly kind: BoxKind;
  /** The first line is its name. */
  readonly lines: readonly string[];
  /** A zone; undefined: between the zones. */
  readonly group: string | undefined;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  /** What stands at the middle of it: an address, a VLAN. */
  readonly label: string;
}

export interface Graph {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

/** The groups in the order of their first box. */
export const groupsOf = (graph: Graph): string[] => [...new Set(graph.boxes.flatMap((b) => b.group ?? []))];
