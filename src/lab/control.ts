/**
 * How `isthmus exec`, `inspect`, `capture`, `restart` and `down` talk to the process that runs the lab: JSON-RPC on
 * `isthmus.ctl` in the lab's folder. Requests are answered when they are done; until then `output` notifications carry
 * what they print: [request id, "stdout" | "stderr", text in base64].
 */
import type { Host, Listener, Stream } from "../host/index.ts";
import { type Json, type JsonRpcMessage, JsonRpcSession } from "../ovsdb/index.ts";

/** What a request can do while it runs. */
export interface Exchange {
  write(to: "stdout" | "stderr", bytes: Uint8Array): void;
  /** Bytes written that the client has not taken yet: a producer that can, drops rather than piles up. */
  readonly backlogSize: number;
  /** Called when the client interrupts the request or goes away. */
  onInterrupt(action: () => void): void;
}

export type ControlHandler = (params: readonly Json[], exchange: Exchange) => Promise<Json> | Json;

/** An answer that is an error for the user, not for us. */
export class ControlError extends Error {}

export function serveControl(host: Host, path: string, handlers: ReadonlyMap<string, ControlHandler>): Promise<Listener> {
  return host.streams.listen({ kind: "punix", path }, (stream) => serveClient(stream, host, handlers));
}

function serveClient(stream: Stream, host: Host, handlers: ReadonlyMap<string, ControlHandler>): void {
  const session = new JsonRpcSession(stream, host.log);
  const interrupts = new Map<string, () => void>();
  const answer = async (message: Extract<JsonRpcMessage, { kind: "request" }>): Promise<void> => {
    const handler = handlers.get(message.method);
    const key = JSON.stringify(message.id);
    try {
      if (handler === undefined) throw new ControlError(`"${message.method}" is no request of a lab; there are ${[...handlers.keys()].join(", ")}`);
      const result = await handler(message.params, {
        write: (to, bytes) => session.send({ kind: "notification", method: "output", params: [message.id, to, Buffer.from(bytes).toString("base64")] }),
        get backlogSize() {
          return session.backlogSize;
        },
        onInterrupt: (action) => interrupts.set(key, action),
      });
      session.send({ kind: "reply", id: message.id, result });
    } catch (error) {
      if (!(error instanceof ControlError)) host.log.module("lab").err(`${message.method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      session.send({ kind: "error", id: message.id, error: error instanceof Error ? error.message : String(error) });
    } finally {
      interrupts.delete(key);
    }
  };
  session.attach({
    message(message) {
      if (message.kind === "request") void answer(message);
      else if (message.kind === "notification" && message.method === "interrupt") interrupts.get(JSON.stringify(message.params[0] ?? null))?.();
    },
    closed() {
      for (const interrupt of interrupts.values()) interrupt();
    },
  });
}

export interface ControlClient {
  /** Rejects with ControlError when the lab refuses; with a system error when it is gone. */
  request(method: string, params: readonly Json[], output?: (to: "stdout" | "stderr", bytes: Uint8Array) => void): Promise<Json>;
  /** Interrupts every request under way, as Ctrl-C does. */
  interrupt(): void;
  close(): void;
}

export async function connectControl(host: Host, path: string): Promise<ControlClient> {
  const session = new JsonRpcSession(await host.streams.connect({ kind: "unix", path }), host.log);
  interface Pending {
    resolve(result: Json): void;
    reject(error: Error): void;
    output: ((to: "stdout" | "stderr", bytes: Uint8Array) => void) | undefined;
  }
  const pending = new Map<number, Pending>();
  let lastId = 0;
  session.attach({
    message(message) {
      if (message.kind === "reply" || message.kind === "error") {
        const entry = pending.get(Number(message.id));
        pending.delete(Number(message.id));
        if (message.kind === "reply") entry?.resolve(message.result);
        else entry?.reject(new ControlError(typeof message.error === "string" ? message.error : JSON.stringify(message.error)));
      } else if (message.kind === "notification" && message.method === "output") {
        const [id, to, text] = message.params;
        if (typeof text === "string") pending.get(Number(id))?.output?.(to === "stderr" ? "stderr" : "stdout", Buffer.from(text, "base64"));
      }
    },
    closed(error) {
      for (const entry of pending.values()) entry.reject(error ?? Object.assign(new Error("the lab has gone"), { code: "ECONNRESET" }));
      pending.clear();
    },
  });
  return {
    request: (method, params, output) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        pending.set(id, { resolve, reject, output });
        session.send({ kind: "request", method, params, id });
      }),
    interrupt() {
      for (const id of pending.keys()) session.send({ kind: "notification", method: "interrupt", params: [id] });
    },
    close: () => session.close(),
  };
}
