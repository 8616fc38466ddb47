/**
 * Where the boxes go. Machines stand at the bottom; everything else as many rows above as it is steps away from the nearest
 * of them. Within a row, boxes stand near what they are joined to (the barycentre rule of Sugiyama, Tagawa and Toda, 1981).
 * Each group has columns of its own; what belongs to none spans the groups that it joins.
 */
import { type Box, type Graph, groupsOf } from "./graph.ts";

export interface Placed {
  readonly box: Box;
  /** Of the upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Frame {
  readonly group: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly placed: ReadonlyMap<string, Placed>;
  readonly frames: readonly Frame[];
}

export const lineHeight = 16;
const characterWidth = 7.2;
const padding = 10;
const gapX = 36;
const gapY = 74;
const margin = 24;
const titleHeight = 34;
const sweeps = 8;

const widthOf = (box: Box): number => Math.max(80, Math.ceil(Math.max(...box.lines.map((l) => l.length)) * characterWidth) + 2 * padding);
const heightOf = (box: Box): number => box.lines.length * lineHeight + 2 * padding - 4;

export function layOut(graph: Graph): Layout {
  const neighbours = neighboursOf(graph);
  const heights = heightsAboveMachines(graph, neighbours);
  const top = Math.max(0, ...heights.values());
  const rows: Box[][] = Array.from({ length: top + 1 }, (_, row) => graph.boxes.filter((b) => heights.get(b.id) === top - row));
  orderRows(graph, rows, neighbours);
  const rowY: number[] = [];
  let y = margin + titleHeight + 20;
  for (const row of rows) {
    rowY.push(y);
    y += Math.max(0, ...row.map(heightOf)) + gapY;
  }
  const columns = columnsOf(graph, rows);
  const placed = new Map<string, Placed>();
  for (const [i, row] of rows.entries()) {
    for (const group of groupsOf(graph)) placeRow(row.filter((b) => b.group === group), columns.get(group) ?? { x: margin, width: 0 }, rowY[i] ?? 0, placed);
  }
  const all = { x: margin, width: Math.max(0, ...[...columns.values()].map((c) => c.x + c.width)) - margin };
  for (const [i, row] of rows.entries()) placeBetween(row.filter((b) => b.group === undefined), all, rowY[i] ?? 0, placed, neighbours);
  const right = Math.max(0, ...[...placed.values()].map((p) => p.x + p.width));
  return { width: Math.ceil(right + margin), height: Math.ceil(y - gapY + margin), placed, frames: framesOf(graph, placed) };
}

function neighboursOf(graph: Graph): Map<string, string[]> {
  const map = new Map<string, string[]>(graph.boxes.map((b) => [b.id, []]));
  for (const { from, to } of graph.lines) {
    map.get(from)?.push(to);
    map.get(to)?.push(from);
  }
  return map;
}

/** Steps to the nearest machine; what no machine is joined to stands where the longest way would end. */
function heightsAboveMachines(graph: Graph, neighbours: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const heights = new Map<string, number>();
  const bottoms = graph.boxes.filter((b) => b.kind === "host");
  let wave = (bottoms.length > 0 ? bottoms : graph.boxes.slice(-1)).map((b) => b.id);
  for (let height = 0; wave.length > 0; height++) {
    for (const id of wave) heights.set(id, height);
    wave = [...new Set(wave.flatMap((id) => neighbours.get(id) ?? []))].filter((id) => !heights.has(id));
  }
  const top = Math.max(0, ...heights.values());
  for (const box of graph.boxes) if (!heights.has(box.id)) heights.set(box.id, top);
  return heights;
}

function orderRows(graph: Graph, rows: Box[][], neighbours: ReadonlyMap<string, readonly string[]>): void {
  const groups = groupsOf(graph);
  const rank = (box: Box): number => (box.group === undefined ? 0 : groups.indexOf(box.group));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const order = sweep % 2 === 0 ? [...rows.keys()] : [...rows.keys()].reverse();
    for (const i of order) {
      const positions = new Map<string, number>();
      for (const other of [rows[i - 1], rows[i + 1]]) for (const [at, box] of (other ?? []).entries()) positions.set(box.id, (at + 1) / ((other?.length ?? 0) + 1));
      const centre = (box: Box): number => {
        const known = (neighbours.get(box.id) ?? []).flatMap((id) => positions.get(id) ?? []);
        return known.length === 0 ? 0.5 : known.reduce((a, b) => a + b, 0) / known.length;
      };
      const row = rows[i] ?? [];
      const centres = new Map(row.map((box) => [box.id, centre(box)]));
      rows[i] = [...row].sort((a, b) => rank(a) - rank(b) || (centres.get(a.id) ?? 0) - (centres.get(b.id) ?? 0) || (a.id < b.id ? -1 : 1));
    }
  }
}

interface Column {
  readonly x: number;
  readonly width: number;
}

const rowWidth = (boxes: readonly Box[]): number => boxes.reduce((sum, box) => sum + widthOf(box) + gapX, -gapX);

function columnsOf(graph: Graph, rows: readonly (readonly Box[])[]): Map<string, Column> {
  const columns = new Map<string, Column>();
  let x = margin + padding;
  for (const group of groupsOf(graph)) {
    const width = Math.max(120, ...rows.map((row) => rowWidth(row.filter((b) => b.group === group))));
    columns.set(group, { x, width });
    x += width + 2 * padding + 2 * gapX;
  }
  const loose = Math.max(0, ...rows.map((row) => rowWidth(row.filter((b) => b.group === undefined))));
  if (columns.size === 0) columns.set("", { x: margin, width: loose });
  return columns;
}

/** Spread over the column, in order. */
function placeRow(boxes: readonly Box[], column: Column, y: number, placed: Map<string, Placed>): void {
  const free = column.width - boxes.reduce((sum, box) => sum + widthOf(box), 0);
  const gap = free / (boxes.length + 1);
  let x = column.x + gap;
  for (const box of boxes) {
    placed.set(box.id, { box, x, y, width: widthOf(box), height: heightOf(box) });
    x += widthOf(box) + gap;
  }
}

/** Each above or below the middle of what it joins, as far as the others leave room. */
function placeBetween(boxes: readonly Box[], column: Column, y: number, placed: Map<string, Placed>, neighbours: ReadonlyMap<string, readonly string[]>): void {
  const wanted = boxes.map((box) => {
    const centres = (neighbours.get(box.id) ?? []).flatMap((id) => placed.get(id) ?? []).map((p) => p.x + p.width / 2);
    const middle = centres.length === 0 ? column.x + column.width / 2 : centres.reduce((a, b) => a + b, 0) / centres.length;
    return { box, x: Math.max(margin, middle - widthOf(box) / 2) };
  });
  const taken = [...placed.values()].filter((p) => p.y === y).map((p) => ({ from: p.x - gapX, to: p.x + p.width + gapX }));
  for (const { box, x } of wanted.sort((a, b) => a.x - b.x || (a.box.id < b.box.id ? -1 : 1))) {
    let at = x;
    for (const span of taken.sort((a, b) => a.from - b.from)) if (at < span.to && at + widthOf(box) > span.from) at = span.to;
    placed.set(box.id, { box, x: at, y, width: widthOf(box), height: heightOf(box) });
    taken.push({ from: at - gapX, to: at + widthOf(box) + gapX });
  }
}

function framesOf(graph: Graph, placed: ReadonlyMap<string, Placed>): Frame[] {
  return groupsOf(graph).map((group) => {
    const inside = [...placed.values()].filter((p) => p.box.group === group);
    const [left, top] = [Math.min(...inside.map((p) => p.x)), Math.min(...inside.map((p) => p.y))];
    const right = Math.max(...inside.map((p) => p.x + p.width));
    const bottom = Math.max(...inside.map((p) => p.y + p.height));
    return { group, x: left - padding * 1.5, y: top - padding - 18, width: right - left + padding * 3, height: bottom - top + 2 * padding + 18 };
  });
}
