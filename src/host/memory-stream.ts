/** Two ends of a byte stream inside one process. Bytes arrive in a later turn, as they would from a socket. */
import type { Stream, StreamEvents } from "./stream.ts";

class MemoryEnd implements Stream {
  readonly name: string;
  #events: StreamEvents | undefined;
  #arrived: Uint8Array[] = [];
  #pendingSize = 0;
  #scheduled = false;
  #paused = false;
  #ended = false;
  #closed = false;
  peer: MemoryEnd | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get pendingSize(): number {
    return this.peer?.arrivedSize ?? 0;
  }

  get arrivedSize(): number {
    return this.#pendingSize;
  }

  attach(events: StreamEvents): void {
    this.#events = events;
    this.#schedule();
  }

  write(bytes: Uint8Array): void {
    if (!this.#closed) this.peer?.arrive(bytes);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#schedule();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.peer?.end();
    queueMicrotask(() => this.#events?.closed(undefined));
  }

  arrive(bytes: Uint8Array): void {
    if (this.#closed || this.#ended) return;
    // The writer may use its buffer again.
    this.#arrived.push(bytes.slice());
    this.#pendingSize += bytes.length;
    this.#schedule();
  }

  end(): void {
    this.#ended = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const events = this.#events;
    if (events === undefined || this.#paused || this.#closed) return;
    const hadPending = this.#pendingSize > 0;
    this.#deliverTo(events);
    if (hadPending && this.#pendingSize === 0) this.peer?.drained();
    if (this.#ended && !this.#closed && !this.#paused && this.#arrived.length === 0) {
      this.#closed = true;
      events.closed(undefined);
    }
  }

  /** What is here by now, until the reader has had enough. */
  #deliverTo(events: StreamEvents): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const [i, bytes] of arrived.entries()) {
      if (this.#closed) return;
      if (this.#paused) {
        this.#arrived = [...arrived.slice(i), ...this.#arrived];
        return;
      }
      this.#pendingSize -= bytes.length;
      events.data(bytes);
    }
  }

  drained(): void {
    this.#events?.drained?.();
  }
}

/** A connected pair. `name` is what logs show for both. */
export function memoryStreamPair(name: string): [Stream, Stream] {
  const [a, b] = [new MemoryEnd(name), new MemoryEnd(name)];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
