/** A real ovsdb-server with a database of its own, for stories with two sides. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boolean, database, type DatabaseSchema, integer, map, optional, printJson, schemaToJson, set, string, strong, table, weak } from "../../src/ovsdb/index.ts";

export const sample = database("Sample", "1.0.0", {
  Switch: table({
    isRoot: true, indexes: [["name"]],
    columns: {
      name: string(), ports: set(strong("Port")), options: map(string(), string()), lead: optional(weak("Port")),
      numbers: set(integer()), mode: optional(string({ enum: ["a", "b"] })), up: boolean(), by_name: map(string(), strong("Port")),
    },
  }),
  Port: table({ columns: { name: string(), tag: integer() } }),
});

const server = [process.env["OVSDB_SERVER"] ?? "/usr/sbin/ovsdb-server"].find((path) => existsSync(path));
const tool = ["/usr/bin/ovsdb-tool"].find((path) => existsSync(path));
export const skip = server === undefined || tool === undefined ? "no ovsdb-server here" : false;

export class RealServer {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-replica-"));
  readonly remote = `unix:${this.folder}/db.sock`;
  #child: ReturnType<typeof spawn> | undefined;

  constructor(schema: DatabaseSchema = sample) {
    writeFileSync(join(this.folder, "schema"), printJson(schemaToJson(schema)));
    execFileSync(tool ?? "", ["create", join(this.folder, "db"), join(this.folder, "schema")]);
  }

  async start(): Promise<void> {
    this.#child = spawn(server ?? "", [`--remote=p${this.remote}`, `--unixctl=${this.folder}/ctl`, join(this.folder, "db")], { stdio: "ignore" });
    while (!existsSync(join(this.folder, "db.sock"))) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await exited;
    rmSync(join(this.folder, "db.sock"), { force: true });
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`never: ${what}`);
}
