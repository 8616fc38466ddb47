/**
 * Frames between a switch in a process of its own and the lab that holds its hosts: a stream socket on which the first line
 * says what the connection is for, and records follow, each with its length in two bytes.
 *
 *     port NAME\n   frames in both directions: a host's cable
 *     tap NAME\n    frames seen at that port (or "tunnel"): wall clock in ms (8 bytes), direction (1), frame; an empty
 *                   record comes first, when nothing that passes can be missed any more
 */
import type { Host, Listener, Stream, Timer } from "../../host/index.ts";
import type { CapturedFrame } from "./port-taps.ts";
import type { AttachedPort, Switch } from "../switch.ts";

export const framesSocket = "frames.sock";
const maxLineSize = 256;
/** A reader that lags further behind loses frames, as a full ring buffer would. */
const maxBacklogSize = 4 << 20;
const reconnectMs = 50;

/** Cuts a stream into the records that `writeRecord` made. Feeding costs no more than the bytes fed. */
class RecordReader {
  #pending = new Uint8Array(0);
  readonly #take: (record: Uint8Array) => void;

  constructor(take: (record: Uint8Array) => void) {
    this.#take = take;
  }

  feed(bytes: Uint8Array): void {
    let all = bytes;
    if (this.#pending.length > 0) {
      all = new Uint8Array(this.#pending.length + bytes.length);
      all.set(this.#pending);
      all.set(bytes, this.#pending.length);
    }
    let at = 0;
    while (at + 2 <= all.length) {
      const size = ((all[at] ?? 0) << 8) | (all[at + 1] ?? 0);
      if (at + 2 + size > all.length) break;
      this.#take(all.slice(at + 2, at + 2 + size));
      at += 2 + size;
    }
    this.#pending = all.slice(at);
  }
}

function writeRecord(stream: Stream, record: Uint8Array): void {
  if (record.length > 0xffff || stream.pendingSize > maxBacklogSize) return;
  const bytes = new Uint8Array(2 + record.length);
  bytes[0] = record.length >> 8;
  bytes[1] = record.length & 0xff;
  bytes.set(record, 2);
  stream.write(bytes);
}

/** In the switch's process. */
export function serveFrames(host: Host, path: string, target: Pick<Switch, "attachPort" | "tap">): Promise<Listener> {
  return host.streams.listen({ kind: "punix", path }, (stream) => serveConnection(stream, target));
}

function serveConnection(stream: Stream, target: Pick<Switch, "attachPort" | "tap">): void {
  let line = "";
  let end = (): void => {};
  let reader: RecordReader | undefined;
  const begin = (): void => {
    const [what, name = ""] = line.split(" ");
    if (what === "port") {
      const port = target.attachPort(name, (frame) => writeRecord(stream, frame));
      reader = new RecordReader((frame) => port.send(frame));
      end = () => port.close();
    } else if (what === "tap") {
      end = target.tap(name, (frame) => writeRecord(stream, printCaptured(frame)));
      writeRecord(stream, new Uint8Array(0));
    } else stream.close();
  };
  stream.attach({
    data(bytes) {
      let at = 0;
      while (reader === undefined && at < bytes.length) {
        const character = String.fromCharCode(bytes[at++] ?? 0);
        if (character === "\n") {
          begin();
          reader ??= new RecordReader(() => {});
        } else if ((line += character).length > maxLineSize) {
          stream.close();
          return;
        }
      }
      if (at < bytes.length) reader?.feed(bytes.subarray(at));
    },
    closed: () => end(),
  });
}

function printCaptured(frame: CapturedFrame): Uint8Array {
  const record = new Uint8Array(9 + frame.bytes.length);
  new DataView(record.buffer).setFloat64(0, frame.wallMs);
  record[8] = frame.direction === "in" ? 0 : 1;
  record.set(frame.bytes, 9);
  return record;
}

/** A look at a port of a switch elsewhere: `attached` resolves when it has begun. */
export interface DistantTap {
  readonly attached: Promise<void>;
  stop(): void;
}

/** In the lab's process: a cable that is plugged in again whenever the switch has been started anew. */
export function connectPort(host: Host, path: string, name: string, receive: (frame: Uint8Array) => void): AttachedPort {
  const link = keepConnected(host, path, `port ${name}\n`, receive);
  return { name, send: (frame) => link.send(frame), close: () => link.close() };
}

export function connectTap(host: Host, path: string, port: string, see: (frame: CapturedFrame) => void): DistantTap {
  let attach = (): void => {};
  const attached = new Promise<void>((resolve) => {
    attach = resolve;
  });
  const link = keepConnected(host, path, `tap ${port}\n`, (record) => {
    if (record.length === 0) attach();
    if (record.length < 9) return;
    const wallMs = new DataView(record.buffer, record.byteOffset).getFloat64(0);
    see({ bytes: record.subarray(9), direction: record[8] === 0 ? "in" : "out", port, wallMs });
  });
  return { attached, stop: () => link.close() };
}

function keepConnected(host: Host, path: string, greeting: string, take: (record: Uint8Array) => void): { send(record: Uint8Array): void; close(): void } {
  let stream: Stream | undefined;
  let timer: Timer | undefined;
  let isClosed = false;
  const again = (): void => {
    stream = undefined;
    if (!isClosed) timer = host.clock.after(reconnectMs, connect);
  };
  const connect = (): void => {
    host.streams.connect({ kind: "unix", path }).then((connected) => {
      if (isClosed) {
        connected.close();
        return;
      }
      stream = connected;
      const reader = new RecordReader(take);
      connected.attach({ data: (bytes) => reader.feed(bytes), closed: again });
      connected.write(new TextEncoder().encode(greeting));
    }, again);
  };
  connect();
  return {
    // Without a switch the cable hangs in the air: frames are lost, as they would be.
    send: (record) => {
      if (stream !== undefined) writeRecord(stream, record);
    },
    close() {
      isClosed = true;
      timer?.cancel();
      stream?.close();
    },
  };
}
