/**
 * The shell lines of a topology file: the part of the POSIX shell (XCU chapter 2) that set-up commands are written in, read
 * into a tree. Words with quotes, escapes, `$name`, `${name}`, `$(command)` and `$((arithmetic))`; assignments; comments;
 * lists with newline, `;`, `&&` and `||`. What is not here (pipes, redirections, `if`, globs) is refused by name.
 */
export type Part =
  | { readonly kind: "text"; readonly text: string; readonly isQuoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly isQuoted: boolean }
  | { readonly kind: "command"; readonly script: Script; readonly isQuoted: boolean }
  | { readonly kind: "arithmetic"; readonly expression: string; readonly isQuoted: boolean };

export type Word = readonly Part[];

export interface Command {
  /** From 1, within the text. */
  readonly line: number;
  readonly assignments: readonly { readonly name: string; readonly value: Word }[];
  readonly words: readonly Word[];
  /** How it hangs on the one before: always, after success, after failure. */
  readonly after: "always" | "success" | "failure";
}

export type Script = readonly Command[];

export class ScriptError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** The commands of `text`; throws ScriptError for what this shell does not know. */
export function parseScript(text: string): Script {
  const reader = new Reader(text);
  const script = reader.script();
  if (!reader.atEnd) throw new ScriptError(reader.line, `unexpected "${reader.peek()}"`);
  return script;
}

const reserved = new Set(["if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "{", "}", "!"]);

class Reader {
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  peek(offset = 0): string {
    return this.#text[this.#at + offset] ?? "";
  }

  /** Up to the end, or to the ")" that closes a command substitution, which is left in place. */
  script(): Script {
    const commands: Command[] = [];
    let after: Command["after"] = "always";
    for (;;) {
      this.#skipBlanks();
      if (this.atEnd || this.peek() === ")") break;
      if (this.peek() === "\n" || this.peek() === ";") {
        this.#next();
        continue;
      }
      const command = this.#command(after);
      commands.push(command);
      after = this.#connective();
    }
    if (after !== "always") throw new ScriptError(this.line, "a command is missing after && or ||");
    return commands;
  }

  #connective(): Command["after"] {
    this.#skipBlanks();
    const two = this.peek() + this.peek(1);
    if (two !== "&&" && two !== "||") {
      if (/[|&<>(]/.test(this.peek())) throw new ScriptError(this.line, `"${this.peek()}" is not supported here: one plain command a line, joined with ; && or ||`);
      return "always";
    }
    this.#next();
    this.#next();
    while (this.#skipBlanks(), this.peek() === "\n") this.#next();
    return two === "&&" ? "success" : "failure";
  }

  #command(after: Command["after"]): Command {
    const line = this.line;
    const assignments: Command["assignments"][number][] = [];
    const words: Word[] = [];
    for (;;) {
      this.#skipBlanks();
      if (this.atEnd || /[\n;|&<>()]/.test(this.peek())) break;
      const match = words.length === 0 ? /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(this.#text.slice(this.#at, this.#at + 256)) : null;
      if (match?.[1] !== undefined) {
        this.#at += match[0].length;
        assignments.push({ name: match[1], value: this.#word() });
      } else words.push(this.#word());
    }
    const first = words[0]?.[0];
    if (first?.kind === "text" && !first.isQuoted && words[0]?.length === 1 && reserved.has(first.text)) {
      throw new ScriptError(line, `"${first.text}" is not supported here: plain commands only`);
    }
    if (words.length === 0 && assignments.length === 0) throw new ScriptError(line, `"${this.peek()}" is not supported here: plain commands only`);
    return { line, assignments, words, after };
  }

  #word(): Word {
    const parts: Part[] = [];
    let plain = "";
    const flush = (): void => {
      if (plain !== "") parts.push({ kind: "text", text: plain, isQuoted: false });
      plain = "";
    };
    while (!this.atEnd && !/[\s;|&<>()]/.test(this.peek())) {
      const c = this.peek();
      if (c === "\\") {
        this.#next();
        const escaped = this.#next();
        if (escaped === "\n" || escaped === "") continue;
        flush();
        parts.push({ kind: "text", text: escaped, isQuoted: true });
      } else if (c === "'") {
        flush();
        parts.push({ kind: "text", text: this.#singleQuoted(), isQuoted: true });
      } else if (c === '"') {
        flush();
        this.#doubleQuoted(parts);
      } else if (c === "$") {
        flush();
        parts.push(this.#expansion(false));
      } else if (c === "`") throw new ScriptError(this.line, "` is not supported here: write $(command)");
      else plain += this.#next();
    }
    flush();
    return parts;
  }

  #singleQuoted(): string {
    const line = this.line;
    this.#next();
    let text = "";
    while (this.peek() !== "'") {
      if (this.atEnd) throw new ScriptError(line, "a ' is never closed");
      text += this.#next();
    }
    this.#next();
    return text;
  }

  #doubleQuoted(parts: Part[]): void {
    const line = this.line;
    this.#next();
    let text = "";
    const flush = (): void => {
      parts.push({ kind: "text", text, isQuoted: true });
      text = "";
    };
    while (this.peek() !== '"') {
      if (this.atEnd) throw new ScriptError(line, 'a " is never closed');
      if (this.peek() === "\\") {
        this.#next();
        const escaped = this.#next();
        if (escaped === "\n") continue;
        text += /[$`"\\]/.test(escaped) ? escaped : `\\${escaped}`;
      } else if (this.peek() === "$") {
        flush();
        parts.push(this.#expansion(true));
      } else text += this.#next();
    }
    this.#next();
    flush();
  }

  #expansion(isQuoted: boolean): Part {
    const line = this.line;
    this.#next();
    if (this.peek() === "(" && this.peek(1) === "(") {
      return { kind: "arithmetic", expression: this.#arithmetic(line), isQuoted };
    }
    if (this.peek() === "(") {
      this.#next();
      const script = this.script();
      if (this.peek() !== ")") throw new ScriptError(line, "a $( is never closed");
      this.#next();
      return { kind: "command", script, isQuoted };
    }
    const match = /^(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*|[?#@*$!0-9]))/.exec(this.#text.slice(this.#at, this.#at + 256));
    if (match === null) {
      if (this.peek() === "{") throw new ScriptError(line, "only ${name} is supported, without operators");
      return { kind: "text", text: "$", isQuoted: true };
    }
    this.#at += match[0].length;
    return { kind: "variable", name: match[1] ?? match[2] ?? "", isQuoted };
  }

  /** From "((" to the "))" that closes it, parentheses within paired off. */
  #arithmetic(line: number): string {
    const start = this.#at + 2;
    let depth = 0;
    for (let at = start; at < this.#text.length; at++) {
      if (this.#text[at] === "(") depth++;
      else if (this.#text[at] === ")" && depth-- === 0 && this.#text[at + 1] === ")") {
        this.#at = at + 2;
        return this.#text.slice(start, at);
      }
    }
    throw new ScriptError(line, "a $(( is never closed");
  }

  #skipBlanks(): void {
    for (;;) {
      const c = this.peek();
      if (c === " " || c === "\t" || c === "\r") this.#next();
      else if (c === "\\" && this.peek(1) === "\n") {
        this.#next();
        this.#next();
      } else if (c === "#") while (!this.atEnd && this.peek() !== "\n") this.#next();
      else return;
    }
  }

  #next(): string {
    const c = this.peek();
    this.#at++;
    if (c === "\n") this.line++;
    return c;
  }
}
