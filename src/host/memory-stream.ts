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
    this.#arrived.push(bytes);
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
    const arrived = this.#arrived;
    this.#arrived = [];
    const hadPending = this.#pendingSize > 0;
    this.#pendingSize = 0;
    for (const bytes of arrived) events.data(bytes);
    if (hadPending) this.peer?.drained();
    if (this.#ended && !this.#closed && this.#arrived.length === 0) {
      this.#closed = true;
      events.closed(undefined);
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
