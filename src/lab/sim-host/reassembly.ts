/** Fragments on their way to being a datagram again: bounded in number and time (RFC 791, RFC 8200). */
import type { Clock, Timer } from "../../host/index.ts";

interface Datagram {
  readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly timer: Timer;
  /** Known once the last piece has come. */
  size: number | undefined;
}

const maxDatagrams = 64;
const maxPieces = 64;
const timeoutMs = 30_000;

export class Reassembly {
  readonly #clock: Clock;
  readonly #datagrams = new Map<string, Datagram>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The whole payload, if this piece completes it. */
  add(key: string, offset: number, more: boolean, bytes: Uint8Array): Uint8Array | undefined {
    let datagram = this.#datagrams.get(key);
    if (datagram === undefined) {
      if (this.#datagrams.size >= maxDatagrams) return undefined;
      datagram = { pieces: [], size: undefined, timer: this.#clock.after(timeoutMs, () => this.#datagrams.delete(key)) };
      this.#datagrams.set(key, datagram);
    }
    if (datagram.pieces.length >= maxPieces || offset + bytes.length > 65535) return undefined;
    datagram.pieces.push({ offset, bytes: bytes.slice() });
    if (!more) datagram.size = offset + bytes.length;
    const whole = assemble(datagram);
    if (whole !== undefined) {
      datagram.timer.cancel();
      this.#datagrams.delete(key);
    }
    return whole;
  }
}

function assemble({ pieces, size }: Datagram): Uint8Array | undefined {
  if (size === undefined) return undefined;
  const whole = new Uint8Array(size);
  let reached = 0;
  for (const piece of [...pieces].sort((a, b) => a.offset - b.offset)) {
    if (piece.offset > reached || piece.offset + piece.bytes.length > size) return undefined;
    whole.set(piece.bytes, piece.offset);
    reached = Math.max(reached, piece.offset + piece.bytes.length);
  }
  return reached === size ? whole : undefined;
}
