/** One connection to a server, for as long as one command of ovsdb-client lasts: what is asked in order is answered in order. */
import { errorCode, describeError } from "../daemon/index.ts";
import { type Host, parseActiveTarget } from "../host/index.ts";
import { type Json, JsonRpcSession, isJsonArray, printJsonSorted } from "../ovsdb/index.ts";
import { fatal, Fatal } from "./fatal.ts";

export interface Notification {
  readonly method: string;
  readonly params: readonly Json[];
}

export class ClientConnection {
  readonly name: string;
  readonly #session: JsonRpcSession;
  #nextId = 0;
  readonly #asked = new Map<number, { resolve(result: Json): void; reject(error: Error): void }>();
  #notified: (notification: Notification) => void = () => {};
  /** Rejects when the connection ends, which no command of a client wants. */
  readonly ended: Promise<never>;
  /** Ends the command with this reason. */
  fail: (reason: Fatal) => void = () => {};

  private constructor(name: string, session: JsonRpcSession) {
    this.name = name;
    this.#session = session;
    this.ended = new Promise((_, reject) => {
      this.fail = reject;
      session.attach({
        message: (message) => {
          if (message.kind === "request" && message.method === "echo") session.send({ kind: "reply", id: message.id, result: message.params });
          else if (message.kind === "notification") this.#notified(message);
          else if (message.kind !== "request") this.#answered(message);
        },
        closed: (error) => {
          const reason = error === undefined ? "End of file" : describeError(error);
          for (const { reject: refuse } of this.#asked.values()) refuse(new Fatal(`transaction failed (${reason})`));
          reject(new Fatal(`${name}: receive failed (${reason})`));
        },
      });
    });
    // Whoever does not wait for the end learns of it by its question.
    this.ended.catch(() => {});
  }

  static async open(host: Host, remote: string): Promise<ClientConnection> {
    const target = parseActiveTarget(remote);
    if (target === undefined) return fatal(`"${remote}": only active remotes (unix:, tcp:) are supported`);
    try {
      return new ClientConnection(remote, new JsonRpcSession(await host.streams.connect(target), host.log));
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return fatal(`failed to connect to "${remote}" (${describeError(error)})`);
    }
  }

  onNotification(notified: (notification: Notification) => void): void {
    this.#notified = notified;
  }

  #answered(message: { readonly kind: string; readonly id: Json; readonly result?: Json; readonly error?: Json }): void {
    const question = this.#asked.get(Number(message.id));
    this.#asked.delete(Number(message.id));
    if (message.error !== undefined && message.kind === "error") {
      question?.reject(new Fatal(`transaction returned error: ${printJsonSorted(message.error)}`));
    } else question?.resolve(message.result ?? null);
  }

  call(method: string, params: readonly Json[]): Promise<Json> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#asked.set(id, { resolve, reject });
      this.#session.send({ kind: "request", method, params, id });
    });
  }

  async listDatabases(): Promise<readonly string[]> {
    const names = await this.call("list_dbs", []);
    return isJsonArray(names) ? names.filter((n) => typeof n === "string") : fatal("list_dbs response is not array");
  }

  /** Leaves what the server sends where it is. */
  pause(isPaused: boolean): void {
    this.#session.pause(isPaused);
  }

  close(): void {
    this.#session.close();
  }
}
