/**
 * The control socket of a daemon: JSON-RPC requests whose method is a command and whose params are its arguments, all
 * strings. The reply is a text; what was wrong comes as an error, in the words of OVS's lib/unixctl.c, which scripts match.
 */
import type { Host, Listener, Log, Stream } from "../host/index.ts";
import { type Json, isJsonArray, type JsonRpcMessage, JsonRpcSession, printJson } from "../ovsdb/index.ts";
import { type UnixctlCommand, UnixctlError } from "./unixctl-command.ts";

/** A peer that asks faster than it is answered waits; one that sends more than this unasked is cut off. */
const maxWaiting = 1000;
const maxMessageSize = 64 << 20;

export interface UnixctlServer {
  readonly path: string;
  close(): void;
}

/** Listens at `path`. `commands` is looked at anew for each request, so that commands may come and go. */
export async function serveUnixctl(host: Host, path: string, commands: () => ReadonlyMap<string, UnixctlCommand>): Promise<UnixctlServer> {
  const open = new Set<Connection>();
  const log = host.log.module("unixctl");
  const listener: Listener = await host.streams.listen({ kind: "punix", path }, (stream) => {
    const connection = new Connection(stream, log, commands, () => open.delete(connection));
    open.add(connection);
  });
  return {
    path,
    close(): void {
      listener.close();
      for (const connection of open) connection.close();
    },
  };
}

/** One reply at a time and in order, as each command may take a while. */
class Connection {
  readonly #session: JsonRpcSession;
  readonly #log: Log;
  readonly #commands: () => ReadonlyMap<string, UnixctlCommand>;
  readonly #waiting: JsonRpcMessage[] = [];
  #busy = false;
  #format: "text" | "json" = "text";

  constructor(stream: Stream, log: Log, commands: () => ReadonlyMap<string, UnixctlCommand>, closed: () => void) {
    this.#log = log;
    this.#commands = commands;
    this.#session = new JsonRpcSession(stream, log, { maxMessageSize });
    this.#session.attach({ message: (message) => this.#take(message), closed });
  }

  close(): void {
    this.#session.close();
  }

  #take(message: JsonRpcMessage): void {
    if (message.kind !== "request" || this.#waiting.length >= maxWaiting) {
      this.#log.warn(`${this.#session.name}: received unexpected ${message.kind} message`);
      this.close();
      return;
    }
    this.#waiting.push(message);
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.kind !== "request") continue;
      const { id, method } = next;
      this.#log.dbg(() => `received request ${method}, id=${printJson(id)}`);
      try {
        const text = await this.#run(method, next.params);
        this.#session.send({ kind: "reply", id, result: this.#dress(method, text) });
      } catch (error) {
        // By name: rooms below this one, such as the database server, have commands too.
        if (!(error instanceof Error) || error.name !== "UnixctlError") throw error;
        this.#session.send({ kind: "error", id, error: error.message });
      }
    }
    this.#busy = false;
  }

  #dress(method: string, text: string): Json {
    return this.#format === "json" && method !== "set-options" ? { "reply-format": "plain", reply: text } : text;
  }

  #run(method: string, params: readonly Json[]): string | Promise<string> {
    const command = method === "set-options" ? this.#setOptions : this.#commands().get(method);
    if (command === undefined) {
      throw new UnixctlError(`"${method}" is not a valid command (use "list-commands" to see a list of valid commands)`);
    }
    if (params.length < command.minArgs) {
      throw new UnixctlError(`"${method}" command requires at least ${command.minArgs} arguments`);
    }
    if (params.length > command.maxArgs) throw new UnixctlError(`"${method}" command takes at most ${command.maxArgs} arguments`);
    if (!isStrings(params)) throw new UnixctlError(`"${method}" command has non-string argument`);
    return command.run(params);
  }

  readonly #setOptions: Pick<UnixctlCommand, "minArgs" | "maxArgs" | "run"> = {
    minArgs: 1,
    maxArgs: 2,
    run: (args) => {
      const value = args[0] === "--format" || args[0] === "-f" ? args[1] : args[0]?.replace(/^--format=|^-f/, "");
      if (value === undefined || (value === args[0] && args.length === 1)) throw new UnixctlError(`unknown option: ${args[0]}`);
      const format = value.toLowerCase();
      if (format !== "text" && format !== "json") throw new UnixctlError(`option format has invalid value ${value}`);
      this.#format = format;
      return "";
    },
  };
}

const isStrings = (params: readonly Json[]): params is readonly string[] => isJsonArray(params) && params.every((p) => typeof p === "string");
