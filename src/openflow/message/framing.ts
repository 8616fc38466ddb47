/** Cuts a byte stream into messages by the length in each header. */
import { OfError } from "./error.ts";

const headerSize = 8;
const maxMessageSize = 0xffff;

export class MessageFramer {
  #held = new Uint8Array(0);
  #error: OfError | undefined;

  /** Bytes of a message that is not whole yet; less than 64 kB. */
  get heldSize(): number {
    return this.#held.length;
  }

  /** The stream cannot go on: a header gave a length that cannot be, and where the next message begins is not known. */
  get error(): OfError | undefined {
    return this.#error;
  }

  /** The messages that are whole now, in order. Views of what was pushed or of what was held. */
  push(bytes: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    if (this.#error !== undefined) return messages;
    const all = this.#held.length === 0 ? bytes : concatenate(this.#held, bytes);
    let at = 0;
    while (all.length - at >= headerSize) {
      const size = ((all[at + 2] ?? 0) << 8) | (all[at + 3] ?? 0);
      if (size < headerSize) {
        this.#error = new OfError("OFPBRC_BAD_LEN", `a message of ${size} bytes`);
        break;
      }
      if (all.length - at < size) break;
      messages.push(all.subarray(at, at + size));
      at += size;
    }
    this.#held = this.#error === undefined ? all.slice(at, at + maxMessageSize) : new Uint8Array(0);
    return messages;
  }
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
