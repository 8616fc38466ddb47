/** Starts a database server, as a daemon. */
import type { Host } from "../../host/index.ts";
import { OvsdbServer, type OvsdbServerOptions } from "./ovsdb-server.ts";
import { type ServerCommand, serverCommands } from "./server-commands.ts";

export interface RunningOvsdbServer {
  readonly commands: readonly ServerCommand[];
  /** Every remote has been tried once: those that can listen do. */
  readonly ready: Promise<void>;
  readonly server: OvsdbServer;
  stop(): Promise<void>;
}

/** Why a server cannot start; the text is what the operator is told. */
export class OvsdbStartError extends Error {
  override name = "OvsdbStartError";
  readonly code = "EOVSDB";
}

export function startOvsdbServer(host: Host, options: OvsdbServerOptions): RunningOvsdbServer {
  const server = new OvsdbServer(host, { readOnly: options.readOnly ?? false });
  for (const file of options.files) {
    const bad = server.addFile(file);
    if (bad !== undefined) throw new OvsdbStartError(String(bad));
  }
  for (const remote of options.remotes) {
    const wrong = server.addRemote(remote);
    if (wrong !== undefined) throw new OvsdbStartError(wrong);
  }
  return { commands: serverCommands(server), ready: server.started(), server, stop: () => server.stop() };
}
