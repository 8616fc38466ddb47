/** Asks a running daemon to do something: the client's side of unixctl. */
import type { Host } from "../host/index.ts";
import { type Json, JsonRpcSession, printJson } from "../ovsdb/index.ts";

export type UnixctlReply = { readonly kind: "result"; readonly text: string } | { readonly kind: "error"; readonly text: string };

export interface UnixctlClient {
  /** Rejects with an Error with a code when the daemon goes away before it answers. */
  call(command: string, args: readonly string[]): Promise<UnixctlReply>;
  close(): void;
}

/** Rejects with the system's error (ENOENT, ECONNREFUSED). */
export async function connectUnixctl(host: Host, path: string): Promise<UnixctlClient> {
  const session = new JsonRpcSession(await host.streams.connect({ kind: "unix", path }), host.log);
  const waiting = new Map<number, { resolve(reply: UnixctlReply): void; reject(error: Error): void }>();
  let nextId = 0;
  session.attach({
    message(message) {
      if (message.kind !== "reply" && message.kind !== "error") return;
      const asker = waiting.get(Number(message.id));
      waiting.delete(Number(message.id));
      if (message.kind === "reply") asker?.resolve({ kind: "result", text: textOf(message.result) });
      else asker?.resolve({ kind: "error", text: textOf(message.error) });
    },
    closed(error) {
      const reason = error ?? Object.assign(new Error("End of file"), { code: "EOF" });
      for (const { reject } of waiting.values()) reject(reason);
      waiting.clear();
    },
  });
  return {
    call: (command, args) =>
      new Promise((resolve, reject) => {
        if (session.isClosed) {
          reject(Object.assign(new Error("Socket is not connected"), { code: "ENOTCONN" }));
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        session.send({ kind: "request", method: command, params: args, id });
      }),
    close: () => session.close(),
  };
}

const textOf = (json: Json): string => (typeof json === "string" ? json : printJson(json));
