/** Node's sockets as Streams. */
import { existsSync, unlinkSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import type { ActiveTarget, Listener, PassiveTarget, Stream, StreamEvents, Streams } from "../stream.ts";
import { formatTarget } from "../stream.ts";

class SocketStream implements Stream {
  readonly name: string;
  readonly #socket: Socket;
  #events: StreamEvents | undefined;
  #error: NodeJS.ErrnoException | undefined;
  #closed = false;

  constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.name = name;
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#events?.closed(this.#error);
    });
    socket.on("drain", () => this.#events?.drained?.());
    socket.pause();
  }

  get pendingSize(): number {
    return this.#socket.writableLength;
  }

  attach(events: StreamEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (!first) return;
    this.#socket.on("data", (bytes: Uint8Array) => this.#events?.data(bytes));
    this.#socket.on("end", () => this.#socket.destroy());
    if (this.#closed) queueMicrotask(() => this.#events?.closed(this.#error));
    else this.#socket.resume();
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  pause(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  close(): void {
    // What was written is still sent: a daemon that answers `exit` closes right after its reply.
    this.#socket.end();
    this.#socket.destroySoon();
  }
}

function notSupported(target: ActiveTarget | PassiveTarget): NodeJS.ErrnoException {
  return Object.assign(new Error(`${formatTarget(target)}: SSL is not supported yet: use tcp: or unix:`), { code: "EPROTONOSUPPORT" });
}

export const nodeStreams: Streams = {
  connect(target: ActiveTarget): Promise<Stream> {
    if (target.kind === "ssl") return Promise.reject(notSupported(target));
    return new Promise((resolve, reject) => {
      const socket = target.kind === "unix" ? connect({ path: target.path }) : connect({ host: target.host, port: target.port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SocketStream(socket, formatTarget(target)));
      });
    });
  },

  listen(target: PassiveTarget, accept: (stream: Stream) => void): Promise<Listener> {
    if (target.kind === "pssl") return Promise.reject(notSupported(target));
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
        const peer = target.kind === "punix" ? `unix:${target.path}` : `tcp:${socket.remoteAddress}:${socket.remotePort}`;
        accept(new SocketStream(socket, peer));
      });
      server.once("error", (error: NodeJS.ErrnoException) => {
        // libuv says EACCES where the system says ENOENT.
        const noFolder = target.kind === "punix" && error.code === "EACCES" && !existsSync(dirname(target.path));
        reject(noFolder ? Object.assign(error, { code: "ENOENT" }) : error);
      });
      // A socket file left by a process that died must not keep its successor from listening.
      if (target.kind === "punix") removeIfThere(target.path);
      server.listen(target.kind === "punix" ? { path: target.path } : { port: target.port, host: target.host ?? "0.0.0.0" }, () => {
        server.removeAllListeners("error");
        const address = server.address();
        const port = address !== null && typeof address === "object" ? address.port : undefined;
        resolve({
          name: formatTarget(target.kind === "punix" ? target : { ...target, port: port ?? target.port }),
          port,
          close: () => server.close(),
        });
      });
    });
  },
};

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
