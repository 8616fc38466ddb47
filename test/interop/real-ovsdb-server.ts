/** A real ovsdb-server with a database of its own, for stories with two sides. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DatabaseSchema, printJson, schemaToJson } from "../../src/ovsdb/index.ts";
import { type BenchServer, sample } from "../client-bench.ts";

const server = [process.env["OVSDB_SERVER"] ?? "/usr/sbin/ovsdb-server"].find((path) => existsSync(path));
const tool = ["/usr/bin/ovsdb-tool"].find((path) => existsSync(path));
export const skip = server === undefined || tool === undefined ? "no ovsdb-server here" : false;

export class RealServer implements BenchServer {
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
