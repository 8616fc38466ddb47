/**
 * The thread that waits for frames on all of a process's devices, and hands them over in batches.
 *
 * `pumpFrames` is all that runs there. It is passed as text, so it may use nothing of this file but its arguments.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Koffi, Native } from "./libc.ts";

/** What precedes each frame in a batch: id (4), length (4), virtio_net_hdr (10), VLAN TPID (2) and TCI (2), little-endian; padding. */
export const recordHeaderSize = 24;

export type DeviceKind = "tap" | "packet" | "notice";

type Request = { readonly add: number; readonly file: number; readonly kind: DeviceKind } | { readonly remove: number } | { readonly stop: true };

interface PumpParts {
  readonly koffi: Koffi;
  readonly library: string;
  readonly wake: number;
  /** Bytes posted and not yet taken: beyond `limit` the kernel's buffers fill, and drop. */
  readonly waiting: Int32Array;
  readonly limit: number;
  readonly headerSize: number;
  next(): Request | undefined;
  post(batch: ArrayBuffer): void;
}

/** Runs until told to stop. */
function pumpFrames({ koffi, library, wake, waiting, limit, headerSize, next, post }: PumpParts): void {
  const libc = koffi.load(library);
  const poll = libc.func("int poll(void *files, unsigned long count, int timeout)");
  const read = libc.func("ssize_t read(int file, void *buffer, size_t size)");
  const recvmmsg = libc.func("int recvmmsg(int file, void *messages, unsigned int count, int flags, void *timeout)");
  const close = libc.func("int close(int file)");
  const memcpy = libc.func("uintptr_t memcpy(void *to, const void *from, size_t size)");
  // Slots of one recvmmsg: each with room for the largest offloaded segment, its virtio header and auxiliary data.
  const [slots, slotSize, controlSize] = [32, 66_000, 48];
  const frames = new Uint8Array(slots * slotSize);
  const controls = new Uint8Array(slots * controlSize);
  const vectors = new BigUint64Array(slots * 2);
  const messages = new BigUint64Array(slots * 8);
  const messageWords = new Uint32Array(messages.buffer);
  const bytesOf = (words: BigUint64Array): Uint8Array => new Uint8Array(words.buffer);
  // Copying nothing to a place returns the place.
  const addressOf = (memory: Uint8Array): bigint => BigInt(memcpy(memory, memory, 0));
  const [framesAt, controlsAt, vectorsAt] = [addressOf(frames), addressOf(controls), addressOf(bytesOf(vectors))];
  for (let i = 0; i < slots; i++) {
    vectors[i * 2] = framesAt + BigInt(i * slotSize);
    vectors[i * 2 + 1] = BigInt(slotSize);
    messages[i * 8 + 2] = vectorsAt + BigInt(i * 16);
    messages[i * 8 + 3] = 1n;
    messages[i * 8 + 4] = controlsAt + BigInt(i * controlSize);
  }
  const devices: { id: number; file: number; kind: string }[] = [];
  let polled = new Uint8Array(8);
  const listFiles = (): void => {
    polled = new Uint8Array((devices.length + 1) * 8);
    const view = new DataView(polled.buffer);
    [wake, ...devices.map((d) => d.file)].forEach((file, i) => {
      view.setInt32(i * 8, file, true);
      view.setInt16(i * 8 + 4, 1, true);
    });
  };
  const parts: Uint8Array[] = [];
  let size = 0;
  const keep = (id: number, from: number, length: number, vnet: number | undefined, tpid: number, tci: number): void => {
    const record = new Uint8Array(headerSize + length);
    const view = new DataView(record.buffer);
    view.setUint32(0, id, true);
    view.setUint32(4, length, true);
    if (vnet !== undefined) record.set(frames.subarray(vnet, vnet + 10), 8);
    view.setUint16(18, tpid, true);
    view.setUint16(20, tci, true);
    record.set(frames.subarray(from, from + length), headerSize);
    parts.push(record);
    size += record.length;
  };
  /** Whether there was anything. */
  const readEach = (id: number, file: number): boolean => {
    for (let i = 0; i < 64; i++) {
      const got = read(file, frames, slotSize);
      if (got <= 0) return i > 0;
      keep(id, 0, got, undefined, 0, 0);
    }
    return true;
  };
  const readMany = (id: number, file: number): void => {
    for (let i = 0; i < slots; i++) {
      messages[i * 8 + 5] = BigInt(controlSize);
      messages[i * 8] = 0n;
      messages[i * 8 + 1] = 0n;
      messages[i * 8 + 6] = 0n;
    }
    const count = recvmmsg(file, bytesOf(messages), slots, 0x40, null);
    for (let i = 0; i < count; i++) {
      const length = messageWords[i * 16 + 14] ?? 0;
      if (length < 10) continue;
      let [tpid, tci] = [0, 0];
      // One message of control data can be there: tpacket_auxdata of 20 bytes, after a header of 16.
      const control = new DataView(controls.buffer, i * controlSize, controlSize);
      if ((messages[i * 8 + 5] ?? 0n) >= 36n && control.getInt32(8, true) === 263 && control.getInt32(12, true) === 8) {
        const status = control.getUint32(16, true);
        if ((status & 0x10) !== 0) [tpid, tci] = [(status & 0x40) !== 0 ? control.getUint16(34, true) : 0x8100, control.getUint16(32, true)];
      }
      keep(id, i * slotSize + 10, length - 10, i * slotSize, tpid, tci);
    }
  };
  const hurry = new Uint8Array(8);
  for (listFiles(); ; ) {
    poll(polled, devices.length + 1, 100);
    const ready = new DataView(polled.buffer);
    if (ready.getInt16(6, true) !== 0) read(wake, hurry, 8);
    for (let i = 0; i < devices.length; i++) {
      const device = devices[i];
      const events = ready.getInt16((i + 1) * 8 + 6, true);
      if (device === undefined || events === 0) continue;
      if (device.kind === "packet") readMany(device.id, device.file);
      else if (device.kind === "tap") {
        // A device that somebody has deleted would wake poll for ever: a negative file is passed over.
        if (!readEach(device.id, device.file) && (events & 0x38) !== 0) ready.setInt32((i + 1) * 8, -1, true);
      } else {
        while (read(device.file, frames, slotSize) > 0) continue;
        keep(device.id, 0, 0, undefined, 0, 0);
      }
    }
    if (size > 0) {
      const batch = new Uint8Array(size);
      let at = 0;
      for (const part of parts.splice(0)) {
        batch.set(part, at);
        at += part.length;
      }
      Atomics.add(waiting, 0, size);
      size = 0;
      post(batch.buffer);
      for (let left = Atomics.load(waiting, 0); left > limit; left = Atomics.load(waiting, 0)) Atomics.wait(waiting, 0, left, 20);
    }
    let isOther = false;
    for (let request = next(); request !== undefined; request = next()) {
      isOther = true;
      if ("stop" in request) {
        for (const device of devices) close(device.file);
        return;
      }
      if ("remove" in request) {
        const { remove } = request;
        const at = devices.findIndex((d) => d.id === remove);
        for (const device of at < 0 ? [] : devices.splice(at, 1)) close(device.file);
      } else devices.push({ id: request.add, file: request.file, kind: request.kind });
    }
    if (isOther) listFiles();
  }
}

const source = `
const { parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const { koffiPath, ...given } = workerData;
const pump = ${pumpFrames.toString()};
pump({
  ...given,
  koffi: require(koffiPath),
  next: () => receiveMessageOnPort(given.requests)?.message,
  post: (batch) => parentPort.postMessage(batch, [batch]),
});
`;

/** Frames that wait for this thread to take them. */
const waitingLimit = 8 << 20;
const nonBlocking = 0x800;
const closeOnExec = 0x80000;

export type TakeRecord = (header: Uint8Array, frame: Uint8Array, tpid: number, tci: number) => void;

interface PumpThread {
  readonly worker: Worker;
  readonly requests: MessagePort;
  readonly wake: number;
  readonly waiting: Int32Array;
}

/** Starts with the first device and ends with the last. */
export class FramePump {
  readonly #native: Native;
  readonly #takers = new Map<number, TakeRecord>();
  #thread: PumpThread | undefined;
  #lastId = 0;

  constructor(native: Native) {
    this.#native = native;
  }

  /** From now on `file` is the pump's to read and to close. Returns how to end that. */
  add(file: number, kind: DeviceKind, take: TakeRecord): () => void {
    const id = ++this.#lastId;
    this.#takers.set(id, take);
    this.#tell({ add: id, file, kind });
    return () => {
      if (!this.#takers.delete(id)) return;
      this.#tell({ remove: id });
      if (this.#takers.size === 0) this.#stop();
    };
  }

  #tell(request: Request): void {
    this.#thread ??= this.#start();
    this.#thread.requests.postMessage(request);
    this.#wake(this.#thread.wake);
  }

  #wake(file: number): void {
    this.#native.libc.write(file, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]), 8);
  }

  #start(): PumpThread {
    const { port1: requests, port2 } = new MessageChannel();
    const waiting = new Int32Array(new SharedArrayBuffer(4));
    const wake = this.#native.libc.eventfd(0, nonBlocking | closeOnExec);
    const worker = new Worker(source, {
      eval: true,
      workerData: { koffiPath: this.#native.koffiPath, library: "libc.so.6", wake, waiting, limit: waitingLimit, headerSize: recordHeaderSize, requests: port2 },
      transferList: [port2],
    });
    requests.unref();
    worker.unref();
    worker.on("message", (batch: ArrayBuffer) => {
      try {
        this.#take(new Uint8Array(batch));
      } finally {
        Atomics.sub(waiting, 0, batch.byteLength);
        Atomics.notify(waiting, 0);
      }
    });
    return { worker, requests, wake, waiting };
  }

  #stop(): void {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#thread = undefined;
    thread.requests.postMessage({ stop: true } satisfies Request);
    this.#wake(thread.wake);
    thread.worker.once("exit", () => {
      this.#native.libc.close(thread.wake);
      thread.requests.close();
    });
  }

  #take(batch: Uint8Array): void {
    const view = new DataView(batch.buffer);
    for (let at = 0; at + recordHeaderSize <= batch.length; ) {
      const size = view.getUint32(at + 4, true);
      const from = at + recordHeaderSize;
      this.#takers.get(view.getUint32(at, true))?.(batch.subarray(at + 8, at + 18), batch.subarray(from, from + size), view.getUint16(at + 18, true), view.getUint16(at + 20, true));
      at = from + size;
    }
  }
}
