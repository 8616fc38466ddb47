/**
 * A host whose program can be killed: sudden death inside a process that lives on.
 *
 * What the kernel does when a process gets SIGKILL, `die` does for a program that shares its process with others: its timers
 * never fire, its connections end without a word, its sockets stop listening, nothing that arrives is handed to it, and files
 * keep what had been written. The program itself runs no line of code at its end, as it should.
 */
import type { Clock, Timer } from "./clock.ts";
import type { DatagramSocket, Datagrams } from "./datagram.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./host.ts";
import type { KernelRouting } from "./kernel-routing.ts";
import type { Listener, Stream, StreamEvents, Streams } from "./stream.ts";

export interface MortalHost {
  readonly host: Host;
  die(): void;
}

/** What a program has open, and whether it still lives. */
class Belongings {
  readonly #open = new Set<() => void>();
  isAlive = true;

  /** `close` is called at death; the answer forgets it. */
  add(close: () => void): () => void {
    this.#open.add(close);
    return () => this.#open.delete(close);
  }

  die(): void {
    this.isAlive = false;
    for (const close of this.#open) close();
    this.#open.clear();
  }
}

export function mortalHost(host: Host): MortalHost {
  const own = new Belongings();
  return {
    host: {
      ...host,
      clock: mortalClock(host.clock, own),
      streams: mortalStreams(host.streams, own),
      datagrams: mortalDatagrams(host.datagrams, own),
      disk: mortalDisk(host.disk, own),
      routing: host.routing === undefined ? undefined : mortalRouting(host.routing, own),
    },
    die: () => own.die(),
  };
}

function mortalClock(clock: Clock, own: Belongings): Clock {
  return {
    now: () => clock.now(),
    wall: () => clock.wall(),
    after(delayMs, action): Timer {
      return clock.after(delayMs, () => {
        if (own.isAlive) action();
      });
    },
  };
}

function mortalDisk(disk: Disk, own: Belongings): Disk {
  return {
    exists: (path) => disk.exists(path),
    isFolder: (path) => disk.isFolder(path),
    read: (path) => disk.read(path),
    readText: (path) => disk.readText(path),
    replace: (path, content) => disk.replace(path, content),
    write: (path, content) => disk.write(path, content),
    remove: (path) => disk.remove(path),
    makeFolder: (path) => disk.makeFolder(path),
    list: (path) => disk.list(path),
    openAppend(path) {
      const file = disk.openAppend(path);
      const forget = own.add(() => file.close());
      return {
        get size() {
          return file.size;
        },
        append(content) {
          if (own.isAlive) file.append(content);
        },
        sync() {
          if (own.isAlive) file.sync();
        },
        truncate(size) {
          if (own.isAlive) file.truncate(size);
        },
        close() {
          forget();
          file.close();
        },
      };
    },
  };
}

/** A connect or listen that was under way at the end comes to nothing. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function mortalStreams(streams: Streams, own: Belongings): Streams {
  const owned = (stream: Stream): Stream => {
    const forget = own.add(() => stream.close());
    return {
      name: stream.name,
      get pendingSize() {
        return stream.pendingSize;
      },
      attach: (events) => stream.attach(whileAlive(events, own, forget)),
      write(bytes) {
        if (own.isAlive) stream.write(bytes);
      },
      pause: (paused) => stream.pause(paused),
      close: () => stream.close(),
    };
  };
  return {
    async connect(target): Promise<Stream> {
      const stream = await streams.connect(target);
      if (own.isAlive) return owned(stream);
      stream.close();
      return never();
    },
    async listen(target, accept): Promise<Listener> {
      const listener = await streams.listen(target, (stream) => {
        if (own.isAlive) accept(owned(stream));
        else stream.close();
      });
      if (!own.isAlive) {
        listener.close();
        return never();
      }
      const forget = own.add(() => listener.close());
      return {
        name: listener.name,
        port: listener.port,
        close() {
          forget();
          listener.close();
        },
      };
    },
  };
}

function whileAlive(events: StreamEvents, own: Belongings, forget: () => void): StreamEvents {
  return {
    data(bytes) {
      if (own.isAlive) events.data(bytes);
    },
    closed(error) {
      forget();
      if (own.isAlive) events.closed(error);
    },
    drained() {
      if (own.isAlive) events.drained?.();
    },
  };
}

/** What had been asked of the kernel is done; the answer reaches nobody. */
function mortalRouting(routing: KernelRouting, own: Belongings): KernelRouting {
  const mortal = <T>(ask: () => Promise<T>): Promise<T> => {
    if (!own.isAlive) return never();
    return ask().then((answer) => (own.isAlive ? answer : never<T>()), (error: unknown) => (own.isAlive ? Promise.reject(error) : never<T>()));
  };
  return {
    createVrf: (table) => mortal(() => routing.createVrf(table)),
    deleteVrf: (table) => mortal(() => routing.deleteVrf(table)),
    routes: (table) => mortal(() => routing.routes(table)),
    change: (table, remove, add) => mortal(() => routing.change(table, remove, add)),
    deviceName: (index) => mortal(() => routing.deviceName(index)),
    watch(table, changed) {
      const stop = routing.watch(table, () => {
        if (own.isAlive) changed();
      });
      const forget = own.add(stop);
      return () => {
        forget();
        stop();
      };
    },
  };
}

function mortalDatagrams(datagrams: Datagrams, own: Belongings): Datagrams {
  return {
    async bind(address, port): Promise<DatagramSocket> {
      const socket = await datagrams.bind(address, port);
      if (!own.isAlive) {
        socket.close();
        return never();
      }
      const forget = own.add(() => socket.close());
      return {
        address: socket.address,
        get port() {
          return socket.port;
        },
        get dropped() {
          return socket.dropped;
        },
        attach(receive) {
          socket.attach((bytes, from, fromPort) => {
            if (own.isAlive) receive(bytes, from, fromPort);
          });
        },
        send(bytes, to, toPort) {
          if (own.isAlive) socket.send(bytes, to, toPort);
        },
        close() {
          forget();
          socket.close();
        },
      };
    },
  };
}
