/**
 * Whether a program printed what is written down: in a topology file's `validate:` steps, in the stories, in a seed's listing.
 *
 * Two runs of the same thing differ in what nobody means: UUIDs, clock times, round trips, packet identifiers. Both sides lose
 * those first (`plainLines`). What is written down may leave out more: `...` within a line stands for any text, and alone on a
 * line for any lines.
 */

/** What stands in a line by chance, and what takes its place. */
const chance: readonly (readonly [RegExp, string])[] = [
  // A blog's typography is not the program's.
  [/[\u201c\u201d]/g, '"'],
  [/^\u2014 (.*) \u2014$/, "--- $1 ---"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\|\d+\|/g, "TIME|N|"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?/g, "TIME"],
  // A capture: its clock, the direction that isthmus adds, identifiers, a kernel's offloaded checksum, a tunnel's source port.
  [/^\d\d:\d\d:\d\d\.\d+ +(in |out|In|Out)? */, ""],
  [/\bid \d+, /g, "id N, "],
  [/\bseq \d+, length/g, "seq N, length"],
  [/\[bad udp cksum 0x[0-9a-f]+ -> 0x[0-9a-f]+!\] /g, ""],
  [/(\d+\.\d+\.\d+\.\d+)\.\d+ > (\d+\.\d+\.\d+\.\d+)\.6081/g, "$1.N > $2.6081"],
  // ping
  [/\btime=[\d.]+ ms/g, "time=N ms"],
  [/, time \d+ms\b/g, ", time Nms"],
  [/= [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms\b/g, "= N ms"],
  // dhclient
  [/\bxid=0x[0-9a-f]+/g, "xid=N"],
  [/renewal in \d+ seconds/g, "renewal in N seconds"],
  [/\(\d+\.\d+ s\)|\b\d+\.\d+ s\b/g, "N s"],
];

function plainLine(line: string): string {
  let plain = line;
  for (const [pattern, substitute] of chance) plain = plain.replace(pattern, substitute);
  return plain.trimEnd();
}

/** Lines without what differs from run to run; none at the end that are empty. */
export function plainLines(text: string): string[] {
  const lines = text.split("\n").map(plainLine);
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/** A line that may leave text out. */
class LinePattern {
  readonly text: string;
  readonly #regex: RegExp | undefined;

  constructor(text: string) {
    this.text = text;
    const parts = text.split("...");
    this.#regex = parts.length === 1 ? undefined : new RegExp(`^${parts.map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);
  }

  fits(line: string): boolean {
    return this.#regex === undefined ? this.text === line : this.#regex.test(line);
  }
}

const gap = "...";

/** Undefined if `actual` is what `expected` says, from its first to its last line; else what is wrong, for a reader. */
export function printsComplaint(expected: string, actual: string): string | undefined {
  const wanted = plainLines(expected).filter((line, i, all) => !(line.trim() === gap && all[i - 1]?.trim() === gap));
  const got = plainLines(actual);
  return fitsFrom(wanted.map((l) => (l.trim() === gap ? undefined : new LinePattern(l))), got) ? undefined : difference("expected", wanted, got);
}

/** Whether `got` is `wanted`, where undefined stands for any number of lines; the usual two fingers of glob matching. */
function fitsFrom(wanted: readonly (LinePattern | undefined)[], got: readonly string[]): boolean {
  let w = 0;
  let g = 0;
  let restart: { w: number; g: number } | undefined;
  while (g < got.length) {
    const pattern = wanted[w];
    if (w < wanted.length && pattern === undefined) {
      restart = { w: w + 1, g };
      w++;
    } else if (pattern?.fits(got[g] ?? "") === true) {
      w++;
      g++;
    } else if (restart !== undefined) {
      restart = { w: restart.w, g: restart.g + 1 };
      ({ w, g } = restart);
    } else return false;
  }
  while (w < wanted.length && wanted[w] === undefined) w++;
  return w === wanted.length;
}

/** Undefined if every line of `expected` stands in `actual`, in this order, whatever is between; blanks at a line's ends do not count. */
export function showsComplaint(expected: string, actual: string): string | undefined {
  const wanted = plainLines(expected).map((l) => l.trim()).filter((l) => l !== "" && l !== gap);
  const got = plainLines(actual);
  let at = 0;
  for (const line of wanted) {
    const pattern = new LinePattern(`${gap}${line}${gap}`);
    const found = got.findIndex((l, i) => i >= at && pattern.fits(l));
    if (found < 0) return difference(at === 0 ? `no line with "${line}"` : `no line with "${line}" after the lines before it`, wanted, got);
    at = found + 1;
  }
  return undefined;
}

/** Undefined if none of the lines of `unwanted` stands anywhere in `actual`. */
export function lacksComplaint(unwanted: string, actual: string): string | undefined {
  const got = plainLines(actual);
  for (const line of plainLines(unwanted).map((l) => l.trim()).filter((l) => l !== "")) {
    const pattern = new LinePattern(`${gap}${line}${gap}`);
    const found = got.find((l) => pattern.fits(l));
    if (found !== undefined) return `"${line}" should not be there, and is:\n${indent([found])}`;
  }
  return undefined;
}

/** Undefined if `actual` is the tree `expected`, siblings in any order: what a `show` prints, whose order UUIDs decide. */
export function treeComplaint(expected: string, actual: string): string | undefined {
  const wanted = sortedTree(plainLines(expected).filter((l) => l.trim() !== ""));
  const got = sortedTree(plainLines(actual).filter((l) => l.trim() !== ""));
  const patterns = wanted.map((l) => new LinePattern(l));
  return wanted.length === got.length && patterns.every((p, i) => p.fits(got[i] ?? "")) ? undefined : difference("expected, in any order of siblings", wanted, got);
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

function sortedTree(lines: readonly string[]): string[] {
  const depth = indentOf(lines[0] ?? "");
  const blocks: string[][] = [];
  for (const line of lines) {
    if (indentOf(line) <= depth || blocks.length === 0) blocks.push([line]);
    else blocks.at(-1)?.push(line);
  }
  const sorted = blocks.map(([head = "", ...rest]) => (rest.length === 0 ? [head] : [head, ...sortedTree(rest)]));
  return sorted.sort((a, b) => (a.join("\n") < b.join("\n") ? -1 : 1)).flat();
}

/** Of a long output, enough to see what it is. */
const shownLines = 40;

function indent(lines: readonly string[]): string {
  const shown = lines.slice(0, shownLines).map((l) => `    ${l}`);
  if (lines.length > shownLines) shown.push(`    (and ${lines.length - shownLines} lines more)`);
  return shown.join("\n");
}

function difference(what: string, wanted: readonly string[], got: readonly string[]): string {
  return `${what}:\n${indent(wanted)}\n  got:\n${got.length === 0 ? "    (nothing)" : indent(got)}`;
}
