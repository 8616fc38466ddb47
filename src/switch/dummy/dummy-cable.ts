/**
 * The cable of a dummy device: a stream socket that carries frames, each after its size in two bytes. One end listens (`pstream`)
 * and takes any number of others, which all get what it sends; the other end connects (`stream`), and again when it is cut.
 */
import { type Host, type Listener, parseActiveTarget, parsePassiveTarget, type Stream, type Timer } from "../../host/index.ts";
import { concatenate, ethernetSize } from "../../packet/index.ts";

const minBackoffMs = 100;
const maxBackoffMs = 8000;
/** Frames that wait for a slow reader; what comes on top is lost. */
const maxWaitingSize = 1 << 18;

export class DummyCable {
  readonly #host: Host;
  readonly #receive: (frame: Uint8Array) => void;
  readonly #ends = new Set<Stream>();
  #listener: Listener | undefined;
  #timer: Timer | undefined;
  #backoffMs = minBackoffMs;
  /** `pstream=...` or `stream=...`; "" for none. */
  #wanted = "";
  /** Goes up with each `apply`: what was begun before counts no more. */
  #round = 0;

  constructor(host: Host, receive: (frame: Uint8Array) => void) {
    this.#host = host;
    this.#receive = receive;
  }

  /** Undefined where there is no end of its own to connect. */
  get isConnected(): boolean | undefined {
    return this.#wanted.startsWith("stream=") ? this.#ends.size > 0 : undefined;
  }

  apply(options: ReadonlyMap<string, string>): void {
    const [passive, active] = [options.get("pstream"), options.get("stream")];
    const log = this.#host.log.module("netdev_dummy");
    if (passive !== undefined && active !== undefined) return log.warn(`Open failed: both ${passive} and ${active} are configured`);
    const wanted = passive !== undefined ? `pstream=${passive}` : active !== undefined ? `stream=${active}` : "";
    if (wanted === this.#wanted) return;
    this.close();
    this.#wanted = wanted;
    if (passive !== undefined) this.#listen(passive);
    else if (active !== undefined) this.#connect(active);
  }

  #listen(text: string): void {
    const log = this.#host.log.module("netdev_dummy");
    const target = parsePassiveTarget(text);
    const round = this.#round;
    if (target === undefined) return log.warn(`${text}: open failed (Address family not supported by protocol)`);
    this.#host.streams.listen(target, (stream) => (round === this.#round ? this.#add(stream, () => undefined) : stream.close())).then(
      (listener) => {
        if (round === this.#round) this.#listener = listener;
        else listener.close();
      },
      (error: unknown) => log.warn(`${text}: open failed (${error instanceof Error ? error.message : String(error)})`),
    );
  }

  #connect(text: string): void {
    const target = parseActiveTarget(text);
    const round = this.#round;
    if (target === undefined) return this.#host.log.module("netdev_dummy").warn(`${text}: open failed (Address family not supported by protocol)`);
    const again = (): void => {
      if (round !== this.#round) return;
      this.#timer = this.#host.clock.after(this.#backoffMs, () => this.#connect(text));
      this.#backoffMs = Math.min(2 * this.#backoffMs, maxBackoffMs);
    };
    this.#host.streams.connect(target).then((stream) => {
      if (round !== this.#round) return stream.close();
      this.#backoffMs = minBackoffMs;
      this.#add(stream, again);
    }, again);
  }

  #add(stream: Stream, ended: () => void): void {
    let pending: Uint8Array = new Uint8Array(0);
    this.#ends.add(stream);
    stream.attach({
      data: (bytes) => {
        pending = this.#cut(stream, pending.length === 0 ? bytes : concatenate(pending, bytes));
      },
      closed: () => {
        if (this.#ends.delete(stream)) ended();
      },
    });
  }

  /** Hands on the frames that are whole; returns what is left. */
  #cut(stream: Stream, bytes: Uint8Array): Uint8Array {
    let at = 0;
    while (at + 2 <= bytes.length) {
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      if (size < ethernetSize) {
        stream.close();
        return new Uint8Array(0);
      }
      if (at + 2 + size > bytes.length) break;
      this.#receive(new Uint8Array(bytes.subarray(at + 2, at + 2 + size)));
      at += 2 + size;
    }
    return new Uint8Array(bytes.subarray(at));
  }

  send(frame: Uint8Array): void {
    if (this.#ends.size === 0) return;
    const record = concatenate(Uint8Array.of(frame.length >>> 8, frame.length & 0xff), frame);
    for (const end of this.#ends) if (end.pendingSize < maxWaitingSize) end.write(record);
  }

  close(): void {
    this.#round++;
    this.#wanted = "";
    this.#backoffMs = minBackoffMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listener?.close();
    this.#listener = undefined;
    for (const end of this.#ends) end.close();
    this.#ends.clear();
  }
}
