/**
 * One TCP connection (RFC 9293), as much as programs in a lab need: handshake, data both ways in order, retransmission with
 * back-off, orderly end and reset. No congestion control (a window of ten segments), no options but the segment size.
 */
import type { Clock, Timer } from "../../host/index.ts";
import { concatenate, type Tcp, tcpFlag } from "../../packet/index.ts";

export type TcpState = "syn-sent" | "syn-received" | "established" | "closing" | "closed";

export interface TcpEvents {
  connected?(): void;
  data?(bytes: Uint8Array): void;
  /** The other side will send no more. */
  ended?(): void;
  /** Over: in order (undefined), refused, reset or timed out. */
  closed?(reason: "refused" | "reset" | "timeout" | undefined): void;
}

export interface TcpWire {
  readonly clock: Clock;
  readonly segmentSize: number;
  send(flags: number, sequence: number, acknowledgment: number, payload: Uint8Array, isSyn: boolean): void;
  forget(): void;
}

const initialTimeoutMs = 1_000;
const maxRetries = 6;
const windowSegments = 10;
const maxBuffered = 1 << 20;

/** Sequence numbers go round: whether `a` comes before `b`. */
const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;
const plus = (a: number, b: number): number => (a + b) >>> 0;

export class TcpConnection {
  readonly #wire: TcpWire;
  #events: TcpEvents;
  #state: TcpState;
  /** The oldest byte not acknowledged, and the next to send. */
  #unacknowledged: number;
  #next: number;
  #expected = 0;
  #peerWindow = 65535;
  /** Bytes from #unacknowledged on (after the SYN), sent or not. */
  #outgoing: Uint8Array = new Uint8Array(0);
  #wantsEnd = false;
  #endSent = false;
  #peerEnded = false;
  #timer: Timer | undefined;
  #timeoutMs = initialTimeoutMs;
  #retries = 0;

  private constructor(wire: TcpWire, events: TcpEvents, state: TcpState, initial: number) {
    this.#wire = wire;
    this.#events = events;
    this.#state = state;
    this.#unacknowledged = initial;
    this.#next = plus(initial, 1);
  }

  static connect(wire: TcpWire, events: TcpEvents, initial: number): TcpConnection {
    const c = new TcpConnection(wire, events, "syn-sent", initial);
    c.#sendSyn();
    return c;
  }

  /** Answers `syn`. */
  static accept(wire: TcpWire, events: TcpEvents, initial: number, syn: Tcp): TcpConnection {
    const c = new TcpConnection(wire, events, "syn-received", initial);
    c.#expected = plus(syn.sequence, 1);
    c.#peerWindow = syn.window;
    c.#sendSyn();
    return c;
  }

  get state(): TcpState {
    return this.#state;
  }

  setEvents(events: TcpEvents): void {
    this.#events = events;
  }

  /** Queues bytes; false if too much waits already. */
  write(bytes: Uint8Array): boolean {
    if (this.#wantsEnd || this.#state === "closed" || this.#outgoing.length + bytes.length > maxBuffered) return false;
    this.#outgoing = concatenate(this.#outgoing, bytes);
    this.#flush();
    return true;
  }

  /** Nothing more will be written. */
  end(): void {
    if (this.#wantsEnd) return;
    this.#wantsEnd = true;
    this.#flush();
  }

  abort(): void {
    if (this.#state === "closed") return;
    this.#wire.send(tcpFlag.rst | tcpFlag.ack, this.#next, this.#expected, new Uint8Array(0), false);
    this.#close(undefined);
  }

  receive(segment: Tcp, payload: Uint8Array): void {
    if (this.#state === "closed") return;
    if ((segment.flags & tcpFlag.rst) !== 0) {
      this.#close(this.#state === "syn-sent" ? "refused" : "reset");
      return;
    }
    if (this.#state === "syn-sent") {
      if ((segment.flags & (tcpFlag.syn | tcpFlag.ack)) !== (tcpFlag.syn | tcpFlag.ack) || segment.acknowledgment !== this.#next) return;
      this.#expected = plus(segment.sequence, 1);
      this.#establish(segment);
      this.#acknowledge();
      return;
    }
    if ((segment.flags & tcpFlag.ack) !== 0) this.#receiveAck(segment);
    this.#receiveData(segment, payload);
  }

  #establish(segment: Tcp): void {
    this.#unacknowledged = segment.acknowledgment;
    this.#peerWindow = segment.window;
    this.#state = "established";
    this.#settle();
    this.#events.connected?.();
    this.#flush();
  }

  #receiveAck(segment: Tcp): void {
    this.#peerWindow = segment.window;
    if (this.#state === "syn-received" && segment.acknowledgment === this.#next) {
      this.#establish(segment);
      return;
    }
    const acknowledged = (segment.acknowledgment - this.#unacknowledged) >>> 0;
    if (!before(this.#unacknowledged, segment.acknowledgment) || before(this.#next, segment.acknowledgment)) return;
    this.#outgoing = this.#outgoing.subarray(Math.min(acknowledged, this.#outgoing.length));
    this.#unacknowledged = segment.acknowledgment;
    this.#settle();
    if (this.#endSent && this.#unacknowledged === this.#next && this.#peerEnded) this.#close(undefined);
    else this.#flush();
  }

  #receiveData(segment: Tcp, payload: Uint8Array): void {
    const isEnd = (segment.flags & tcpFlag.fin) !== 0;
    if (payload.length === 0 && !isEnd) return;
    // Only what comes next is taken; the sender repeats the rest.
    const skipped = (this.#expected - segment.sequence) | 0;
    if (skipped < 0 || skipped > payload.length || this.#peerEnded) return this.#acknowledge();
    const fresh = payload.slice(skipped);
    this.#expected = plus(this.#expected, fresh.length + (isEnd ? 1 : 0));
    this.#acknowledge();
    if (fresh.length > 0) this.#events.data?.(fresh);
    if (isEnd) {
      this.#peerEnded = true;
      this.#events.ended?.();
      if (this.#endSent && this.#unacknowledged === this.#next) this.#close(undefined);
    }
  }

  #acknowledge(): void {
    this.#wire.send(tcpFlag.ack, this.#next, this.#expected, new Uint8Array(0), false);
  }

  #sendSyn(): void {
    const flags = this.#state === "syn-sent" ? tcpFlag.syn : tcpFlag.syn | tcpFlag.ack;
    this.#wire.send(flags, this.#unacknowledged, this.#expected, new Uint8Array(0), true);
    this.#arm();
  }

  /** Sends what the window has room for. */
  #flush(): void {
    if (this.#state !== "established" && this.#state !== "closing") return;
    const room = Math.min(this.#peerWindow, windowSegments * this.#wire.segmentSize);
    for (;;) {
      const sent = (this.#next - this.#unacknowledged) >>> 0;
      const size = Math.min(this.#wire.segmentSize, this.#outgoing.length - sent, room - sent);
      if (size <= 0) break;
      this.#wire.send(tcpFlag.ack | tcpFlag.psh, this.#next, this.#expected, this.#outgoing.subarray(sent, sent + size), false);
      this.#next = plus(this.#next, size);
    }
    const isAllSent = ((this.#next - this.#unacknowledged) >>> 0) >= this.#outgoing.length;
    if (this.#wantsEnd && !this.#endSent && isAllSent) {
      this.#wire.send(tcpFlag.fin | tcpFlag.ack, this.#next, this.#expected, new Uint8Array(0), false);
      this.#next = plus(this.#next, 1);
      this.#endSent = true;
      this.#state = "closing";
    }
    if (this.#next !== this.#unacknowledged && this.#timer === undefined) this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#wire.clock.after(this.#timeoutMs, () => this.#timedOut());
  }

  /** Something was acknowledged: patience is full again. */
  #settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timeoutMs = initialTimeoutMs;
    this.#retries = 0;
    if (this.#next !== this.#unacknowledged) this.#arm();
  }

  #timedOut(): void {
    this.#timer = undefined;
    if (this.#retries >= maxRetries) return this.#close("timeout");
    this.#retries++;
    this.#timeoutMs *= 2;
    if (this.#state === "syn-sent" || this.#state === "syn-received") return this.#sendSyn();
    const end = this.#endSent ? plus(this.#next, -1) : this.#next;
    const size = Math.min(this.#wire.segmentSize, (end - this.#unacknowledged) >>> 0);
    if (size > 0) this.#wire.send(tcpFlag.ack | tcpFlag.psh, this.#unacknowledged, this.#expected, this.#outgoing.subarray(0, size), false);
    else if (this.#endSent) this.#wire.send(tcpFlag.fin | tcpFlag.ack, this.#unacknowledged, this.#expected, new Uint8Array(0), false);
    this.#arm();
  }

  #close(reason: "refused" | "reset" | "timeout" | undefined): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wire.forget();
    this.#events.closed?.(reason);
  }
}
