/** Databases of our own with a northd of our own, for tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogEntry, makeLog } from "../../src/host/index.ts";
import { nodeHost } from "../../src/host/node/index.ts";
import { type Northd, startNorthd } from "../../src/northd/index.ts";
import { DatabaseFile, startOvsdbServer } from "../../src/ovsdb/index.ts";
import { northbound, southbound } from "../../src/schemas/index.ts";
import { DatabaseClient } from "./database-client.ts";
import type { Network } from "./network.ts";

export interface OwnDatabases {
  /** Another one after `restartServer`. */
  readonly client: DatabaseClient;
  readonly log: readonly LogEntry[];
  startNorthd(isPaused?: boolean): Northd;
  /** With an empty southbound database, if `without` says so. */
  restartServer(without?: "southbound"): Promise<void>;
  close(): Promise<void>;
}

export async function openOwnDatabases(network?: Network): Promise<OwnDatabases> {
  const folder = mkdtempSync(join(tmpdir(), "northd-"));
  const log: LogEntry[] = [];
  const host = nodeHost(makeLog((entry) => void log.push(entry), (module, level) => level !== "DBG" || module === "reconnect"));
  const files = [["nb.db", northbound], ["sb.db", southbound]] as const;
  for (const [file, schema] of files) DatabaseFile.create(host.disk, join(folder, file), schema);
  const remote = `unix:${folder}/db.sock`;
  const start = () => startOvsdbServer(host, { files: files.map(([file]) => join(folder, file)), remotes: [`p${remote}`] });
  let server = start();
  await server.ready;
  let client = await DatabaseClient.open(`${folder}/db.sock`);
  if (network !== undefined) {
    await client.insert("OVN_Southbound", network.sb);
    await client.insert("OVN_Northbound", network.nb);
  }
  const started: Northd[] = [];
  return {
    get client() {
      return client;
    },
    log,
    async restartServer(without) {
      client.close();
      await server.stop();
      if (without === "southbound") {
        rmSync(join(folder, "sb.db"));
        DatabaseFile.create(host.disk, join(folder, "sb.db"), southbound);
      }
      server = start();
      await server.ready;
      client = await DatabaseClient.open(`${folder}/db.sock`);
    },
    startNorthd(isPaused = false) {
      const northd = startNorthd(host, { northbound: remote, southbound: remote, isPaused });
      started.push(northd);
      return northd;
    },
    async close() {
      for (const northd of started) await northd.stop();
      client.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
