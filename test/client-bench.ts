/** What the stories of the database's client side share: a schema, and a server that can be stopped and started again. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { boolean, database, DatabaseFile, integer, map, optional, type RunningOvsdbServer, set, startOvsdbServer, string, strong, table, weak } from "../src/ovsdb/index.ts";

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

export interface BenchServer {
  readonly remote: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** Ours, in this process. */
export class OwnServer implements BenchServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "isthmus-client-"));
  readonly #host = nodeHost(silentLog);
  readonly remote = `unix:${this.#folder}/db.sock`;
  #running: RunningOvsdbServer | undefined;

  constructor() {
    DatabaseFile.create(this.#host.disk, `${this.#folder}/db`, sample);
  }

  async start(): Promise<void> {
    this.#running = startOvsdbServer(this.#host, { files: [`${this.#folder}/db`], remotes: [`p${this.remote}`] });
    await this.#running.ready;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`never: ${what}`);
}
