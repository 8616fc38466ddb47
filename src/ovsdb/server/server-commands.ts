/** What ovsdb-server answers on its control socket (ovsdb-server(1), "Runtime Management Commands"). */
import type { OvsdbServer } from "./ovsdb-server.ts";

/** The shape of a unixctl command; the room `daemon`, which carries them, lies above this one. */
export interface ServerCommand {
  readonly name: string;
  readonly usage: string | undefined;
  readonly minArgs: number;
  readonly maxArgs: number;
  run(args: readonly string[]): string;
}

/** What a command refuses, under the name that the control socket knows such errors by. */
class CommandRefused extends Error {
  override name = "UnixctlError";
}

const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join("");

export function serverCommands(server: OvsdbServer): readonly ServerCommand[] {
  const command = (name: string, usage: string, counts: readonly [number, number], run: (args: readonly string[]) => string): ServerCommand => ({
    name: `ovsdb-server/${name}`, usage, minArgs: counts[0], maxArgs: counts[1], run,
  });
  const refuse = (text: string): never => {
    throw new CommandRefused(text);
  };
  const noReplication = (): never => refuse("replication between servers is not supported");
  return [
    command("list-remotes", "", [0, 0], () => lines(server.remoteNames)),
    command("add-remote", "REMOTE", [1, 1], ([remote = ""]) => {
      if (remote.startsWith("pfd:")) refuse("pfd: remotes can only be specified on the command line");
      const wrong = server.addRemote(remote);
      return wrong === undefined ? "" : refuse(wrong);
    }),
    command("remove-remote", "REMOTE", [1, 1], ([remote = ""]) => (server.removeRemote(remote) ? "" : refuse("no such remote"))),
    command("list-dbs", "", [0, 0], () => lines(server.databaseNames)),
    command("add-db", "DB", [1, 1], ([path = ""]) => {
      const bad = server.addFile(path);
      return bad === undefined ? "" : refuse(String(bad));
    }),
    command("remove-db", "DB", [1, 1], ([name = ""]) => {
      if (!server.databases.has(name)) refuse("Failed to find the database.");
      if (name.startsWith("_")) refuse("Cannot remove reserved database.");
      server.removeDatabase(name);
      return "";
    }),
    command("compact", "", [0, 1], ([name]) => compact(server, name, refuse)),
    command("reconnect", "", [0, 0], () => {
      server.disconnectAll();
      return "";
    }),
    command("memory-trim-on-compaction", "on|off", [1, 1], ([value]) => (value === "on" || value === "off" ? "" : refuse("invalid argument"))),
    command("get-db-storage-status", "DB", [1, 1], ([name = ""]) => (server.databases.has(name) ? "status: ok" : refuse("Failed to find the database."))),
    command("sync-status", "", [0, 0], () => "state: active\n"),
    command("disable-monitor-cond", "", [0, 0], () => {
      server.allowsConditions = false;
      server.disconnectAll();
      return "";
    }),
    command("set-active-ovsdb-server", "", [1, 1], noReplication),
    command("get-active-ovsdb-server", "", [0, 0], () => ""),
    command("connect-active-ovsdb-server", "", [0, 0], noReplication),
    command("disconnect-active-ovsdb-server", "", [0, 0], () => ""),
    command("perf-counters-show", "", [0, 0], () => ""),
    command("perf-counters-clear", "", [0, 0], () => ""),
    command("reload", "", [0, 0], () => ""),
  ];
}

function compact(server: OvsdbServer, name: string | undefined, refuse: (text: string) => never): string {
  if (name?.startsWith("_") === true) refuse("cannot compact built-in databases");
  const chosen = [...server.databases.values()].filter((d) => (name === undefined ? !d.name.startsWith("_") : d.name === name));
  if (chosen.length === 0) refuse("no database by that name");
  const errors = chosen.flatMap((database) => {
    server.log.info(`compacting ${database.name} database by user request`);
    return database.compact() ?? [];
  });
  return errors.length === 0 ? "" : refuse(lines(errors.map(String)));
}
