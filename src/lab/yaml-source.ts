/** A YAML text that can say where in it a value stands: `file:line:column`, the line, and a caret. */
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Document, parseDocument, type Pair } from "yaml";

type Path = readonly (string | number)[];

export class YamlSource {
  readonly value: unknown;
  readonly #text: string;
  readonly #fileName: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  private constructor(text: string, fileName: string, document: Document, lines: LineCounter) {
    this.#text = text;
    this.#fileName = fileName;
    this.#document = document;
    this.#lines = lines;
    this.value = document.toJS();
  }

  static parse(text: string, fileName: string): YamlSource | { readonly complaint: string } {
    const lines = new LineCounter();
    // YAML 1.1 readers take 40:44:00:00:00:01 for a number in base 60; the core schema of 1.2 does not.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, schema: "core" });
    const error = document.errors[0];
    if (error !== undefined) return { complaint: pointAt(text, fileName, lines, error.pos[0], error.message) };
    try {
      return new YamlSource(text, fileName, document, lines);
    } catch (cause) {
      // Aliases that would blow the document up are refused while it is read out.
      return { complaint: `${fileName}: ${cause instanceof Error ? cause.message : String(cause)}` };
    }
  }

  /** `message`, pointed at the value (or key) at `path`; at its nearest parent where there is no such value. */
  complain(path: Path, message: string): string {
    return pointAt(this.#text, this.#fileName, this.#lines, this.#offsetOf(path), message);
  }

  /** The line, from 1, on which the value at `path` begins; for a block scalar, its first line of text. */
  lineOf(path: Path): number {
    const line = this.#lines.linePos(this.#offsetOf(path)).line;
    const node = this.#document.getIn(path, true);
    return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED") ? line + 1 : line;
  }

  #offsetOf(path: Path): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const part of path) {
      let next: unknown;
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part));
        if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset;
        next = pair?.value;
      } else if (isSeq(node) && typeof part === "number") next = node.items[part];
      if (!isNode(next)) return offset;
      node = next;
      offset = next.range?.[0] ?? offset;
    }
    return offset;
  }
}

function pointAt(text: string, fileName: string, lines: LineCounter, offset: number, message: string): string {
  const { line, col } = lines.linePos(Math.min(offset, Math.max(0, text.length - 1)));
  const shown = text.split("\n")[line - 1] ?? "";
  const gutter = `${line} | `;
  return `${fileName}:${line}:${col}: ${message}\n${gutter}${shown}\n${" ".repeat(gutter.length + Math.max(0, col - 1))}^`;
}
