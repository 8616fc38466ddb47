/** A lab brought up as a user would, for stories: commands run in a shell of one of its nodes. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();
export const isthmus = join(root, "bin/isthmus");

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Result {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...environment }, timeout: 180_000, maxBuffer: 64 << 20 });
  return { code: status, stdout, stderr: stderr + (error === undefined ? "" : String(error)) };
}

export class RunningLab {
  readonly scratch = mkdtempSync(join(tmpdir(), "isthmus-lab-"));
  readonly folder = join(this.scratch, "l");

  constructor(example: string, options: readonly string[] = []) {
    const up = run(isthmus, ["up", join(root, "examples", example), "--dir", this.folder, "--detach", ...options]);
    if (up.code !== 0) {
      this.down();
      throw new Error(`up: exit ${up.code}\n${up.stdout}${up.stderr}`);
    }
  }

  isthmus(command: string, ...args: readonly string[]): Result {
    return run(isthmus, [command, "--dir", this.folder, ...args]);
  }

  exec(host: string, ...command: readonly string[]): Result {
    return this.isthmus("exec", host, ...command);
  }

  /** What `text` does when typed into a shell on `node`. `path` false: the machine's own OVN programs come first. */
  shell(node: string, text: string, path = true): Result {
    const env = `eval "$('${isthmus}' env --dir '${this.folder}' ${path ? "" : "--no-path "}${node})"`;
    return run("bash", ["-c", `${env}\n${text}`]);
  }

  pid(node: string, daemon: string): number {
    return Number(readFileSync(join(this.folder, node, `${daemon}.pid`), "utf8"));
  }

  /** A ping that goes on while something else happens; ends by itself. */
  pingInBackground(host: string, to: string, count: number, intervalS: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(isthmus, ["exec", "--dir", this.folder, host, "ping", "-c", String(count), "-i", String(intervalS), "-W", "1", to]);
      let output = "";
      child.stdout.on("data", (bytes: Buffer) => {
        output += bytes.toString();
      });
      child.on("error", reject);
      child.on("exit", () => resolve(output));
    });
  }

  down(): void {
    run(isthmus, ["down", "--dir", this.folder]);
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** UUIDs out, blocks of a `show` sorted: what two runs of the same thing have in common. */
export function unordered(show: string): string {
  const plain = show.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID");
  return sortTree(plain.split("\n").filter((line) => line !== ""), 0).join("\n");
}

/** Sorts siblings of an indented tree, each with what hangs below it. */
function sortTree(lines: readonly string[], depth: number): string[] {
  const blocks: string[][] = [];
  for (const line of lines) {
    const indent = line.length - line.trimStart().length;
    if (indent <= depth || blocks.length === 0) blocks.push([line]);
    else blocks.at(-1)?.push(line);
  }
  const sorted = blocks.map(([head = "", ...rest]) => [head, ...(rest.length === 0 ? [] : sortTree(rest, indentOf(rest[0] ?? "")))]);
  return sorted.sort((a, b) => (a.join("\n") < b.join("\n") ? -1 : 1)).flat();
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
