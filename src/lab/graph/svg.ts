/** A graph as SVG. The same graph gives the same text. */
import { escapeXml } from "../plot/line-plot.ts";
import type { BoxKind, Graph, Line } from "./graph.ts";
import { type Frame, type Layout, layOut, lineHeight, type Placed } from "./layout.ts";

const looks: Readonly<Record<BoxKind, { readonly fill: string; readonly stroke: string; readonly radius: number }>> = {
  router: { fill: "#e3f2e8", stroke: "#0b6e4f", radius: 20 },
  switch: { fill: "#e4eefa", stroke: "#1d4e89", radius: 3 },
  transit: { fill: "#fff1dd", stroke: "#e07a00", radius: 3 },
  network: { fill: "#f0f0f0", stroke: "#777777", radius: 12 },
  host: { fill: "#ffffff", stroke: "#444444", radius: 3 },
  chassis: { fill: "#f6edfa", stroke: "#6a4c93", radius: 3 },
};

const round = (value: number): number => Math.round(value * 10) / 10;

export function graphSvg(graph: Graph): string {
  const layout = layOut(graph);
  const { width, height, frames, placed } = layout;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="24" y="34" font-size="18" font-weight="bold">${escapeXml(graph.title)}</text>`,
    ...frames.map(frameSvg),
    ...graph.lines.map((line) => lineSvg(line, graph, layout)),
    ...[...placed.values()].map(boxSvg),
    ...graph.lines.map((line) => labelSvg(line, graph, layout)),
    "</svg>",
  ];
  return `${lines.filter((l) => l !== "").join("\n")}\n`;
}

function frameSvg({ group, x, y, width, height }: Frame): string {
  return [
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="8" fill="#fafafa" stroke="#bbbbbb" stroke-dasharray="4 4"/>`,
    `<text x="${round(x + 8)}" y="${round(y + 14)}" fill="#777777">zone ${escapeXml(group)}</text>`,
  ].join("\n");
}

function boxSvg({ box, x, y, width, height }: Placed): string {
  const { fill, stroke, radius } = looks[box.kind];
  const middle = round(x + width / 2);
  const text = box.lines.map((line, i) => `<text x="${middle}" y="${round(y + 20 + i * lineHeight)}" text-anchor="middle"${i === 0 ? ' font-weight="bold"' : ' fill="#555555"'}>${escapeXml(line)}</text>`);
  return [`<rect x="${round(x)}" y="${round(y)}" width="${width}" height="${height}" rx="${Math.min(radius, height / 2)}" fill="${fill}" stroke="${stroke}"/>`, ...text].join("\n");
}

/** Several lines between the same two boxes stand beside one another. */
const parallelGap = 56;

function sidestep(line: Line, { lines }: Graph): number {
  const twins = lines.filter((l) => (l.from === line.from && l.to === line.to) || (l.from === line.to && l.to === line.from));
  return (twins.indexOf(line) - (twins.length - 1) / 2) * parallelGap;
}

interface Ends {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

function ends(line: Line, graph: Graph, layout: Layout): Ends | undefined {
  const straight = straightEnds(line, layout);
  const by = straight === undefined || straight.y1 === straight.y2 ? 0 : sidestep(line, graph);
  return straight === undefined ? undefined : { ...straight, x1: straight.x1 + by, x2: straight.x2 + by };
}

/** From the lower side of the upper box to the upper side of the lower one; between neighbours of a row, from side to side. */
function straightEnds(line: Line, { placed }: Layout): Ends | undefined {
  const [a, b] = [placed.get(line.from), placed.get(line.to)];
  if (a === undefined || b === undefined) return undefined;
  if (a.y === b.y) {
    const [left, right] = a.x < b.x ? [a, b] : [b, a];
    return { x1: left.x + left.width, y1: left.y + left.height / 2, x2: right.x, y2: right.y + right.height / 2 };
  }
  const [upper, lower] = a.y < b.y ? [a, b] : [b, a];
  return { x1: upper.x + upper.width / 2, y1: upper.y + upper.height, x2: lower.x + lower.width / 2, y2: lower.y };
}

function lineSvg(line: Line, graph: Graph, layout: Layout): string {
  const at = ends(line, graph, layout);
  return at === undefined ? "" : `<line x1="${round(at.x1)}" y1="${round(at.y1)}" x2="${round(at.x2)}" y2="${round(at.y2)}" stroke="#888888" stroke-width="1.5"/>`;
}

function labelSvg(line: Line, graph: Graph, layout: Layout): string {
  const at = ends(line, graph, layout);
  if (at === undefined || line.label === "") return "";
  // Nearer to the end that fewer lines share, so that labels of one box do not lie on one another.
  const share = layout.placed.get(line.from)?.y === layout.placed.get(line.to)?.y ? 0.5 : upperIsFrom(line, layout) ? 0.55 : 0.45;
  const [x, y] = [at.x1 + (at.x2 - at.x1) * share, at.y1 + (at.y2 - at.y1) * share];
  return `<text x="${round(x)}" y="${round(y + 4)}" text-anchor="middle" font-size="11" fill="#333333" stroke="#ffffff" stroke-width="3" paint-order="stroke">${escapeXml(line.label)}</text>`;
}

const upperIsFrom = (line: Line, { placed }: Layout): boolean => (placed.get(line.from)?.y ?? 0) < (placed.get(line.to)?.y ?? 0);
