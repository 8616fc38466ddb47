/**
 * An OpenFlow 1.5 connection to the integration bridge (`unix:RUNDIR/BRIDGE.mgmt`): hello, echo, framing, and trying again when
 * it ends. Several of them stand side by side, for flows and for packets (OVS's rconn).
 */
import { describeError } from "../daemon/index.ts";
import type { ActiveTarget, Host, Log, Stream, Timer } from "../host/index.ts";
import { formatTarget } from "../host/index.ts";
import { decodeMessage, encodeIfItFits, encodeMessage, type Message, MessageFramer, of15, type TlvSizes } from "../openflow/index.ts";
import { assert } from "../std/index.ts";

export interface LinkEvents {
  /** Both sides have said hello. */
  connected(): void;
  message(message: Message, xid: number): void;
  disconnected(): void;
}

/** While the switch is being set up its socket appears any moment; later there is no hurry. */
const firstPauseMs = 2;
const lastPauseMs = 1000;

export class OpenFlowLink {
  readonly #host: Host;
  readonly #log: Log;
  readonly #purpose: string;
  readonly #target: ActiveTarget;
  readonly #events: LinkEvents;
  readonly #tlvSizes: TlvSizes | undefined;
  #stream: Stream | undefined;
  #framer = new MessageFramer();
  #isReady = false;
  #isClosed = false;
  #attempt = 0;
  #pauseMs = firstPauseMs;
  #timer: Timer | undefined;
  #outgoing: Uint8Array[] = [];
  #nextXid = 1;
  /** 0: a switch that says nothing is not asked. */
  #probeMs = 0;
  #probeTimer: Timer | undefined;
  #silence: "none" | "silent" | "asked" = "none";

  /** `purpose` is for the log: ofctrl, pinctrl. */
  constructor(host: Host, purpose: string, target: ActiveTarget, events: LinkEvents, tlvSizes?: TlvSizes) {
    this.#host = host;
    this.#log = host.log.module("rconn");
    this.#purpose = purpose;
    this.#target = target;
    this.#events = events;
    this.#tlvSizes = tlvSizes;
    host.log.module("ovn_util").info(`${purpose}: connecting to switch: "${this.name}"`);
    void this.#connect();
  }

  get name(): string {
    return formatTarget(this.#target);
  }

  get isConnected(): boolean {
    return this.#isReady;
  }

  /** Something suggests that the switch is there now: does not wait any longer. */
  poke(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    void this.#connect();
  }

  /** After so long a silence the switch is asked whether it is there; after another, the connection is given up. */
  setProbeInterval(ms: number): void {
    if (ms === this.#probeMs) return;
    this.#probeMs = ms;
    this.#listen();
  }

  #listen(): void {
    this.#probeTimer?.cancel();
    this.#probeTimer = undefined;
    if (this.#probeMs === 0 || !this.#isReady) return;
    this.#probeTimer = this.#host.clock.after(this.#probeMs, () => {
      if (this.#silence === "asked") {
        this.#log.err(`${this.name}: no response to inactivity probe after ${this.#probeMs / 1000} seconds, disconnecting`);
        this.reconnect();
        return;
      }
      if (this.#silence === "silent") this.send({ kind: "echo_request", data: new Uint8Array(0) });
      this.#silence = this.#silence === "none" ? "silent" : "asked";
      this.#listen();
    });
  }

  /** Returns the message's xid. What is sent within one turn leaves together. */
  send(message: Message): number {
    const xid = this.sendIfItFits(message);
    assert(xid !== undefined, `${message.kind} of more bytes than a message can have`);
    return xid;
  }

  /** Undefined if the message is too large to be sent. */
  sendIfItFits(message: Message): number | undefined {
    const xid = this.#nextXid;
    const bytes = encodeIfItFits(of15, xid, message, this.#tlvSizes);
    if (bytes === undefined) return undefined;
    this.#nextXid = (this.#nextXid % 0xffffffff) + 1;
    this.#write(bytes);
    return xid;
  }

  /** Ends the connection; another is made at once. */
  reconnect(): void {
    this.#stream?.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#probeTimer?.cancel();
    this.#stream?.close();
  }

  #write(bytes: Uint8Array): void {
    if (this.#stream === undefined) return;
    this.#outgoing.push(bytes);
    if (this.#outgoing.length > 1) return;
    queueMicrotask(() => {
      const parts = this.#outgoing;
      this.#outgoing = [];
      this.#stream?.write(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
    });
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    if (this.#pauseMs === firstPauseMs) this.#log.info(`${this.name}: connecting...`);
    let stream: Stream;
    try {
      stream = await this.#host.streams.connect(this.#target);
    } catch (error) {
      if (!this.#isClosed && attempt === this.#attempt) this.#failed(error);
      return;
    }
    if (this.#isClosed || attempt !== this.#attempt) {
      stream.close();
      return;
    }
    this.#stream = stream;
    this.#framer = new MessageFramer();
    this.#outgoing = [];
    stream.attach({ data: (bytes) => this.#received(stream, bytes), closed: (error) => this.#ended(stream, error) });
    this.send({ kind: "hello", versions: 1 << of15 });
  }

  #failed(error: unknown): void {
    if (this.#pauseMs >= lastPauseMs) this.#log.warn(`${this.name}: connection failed (${describeError(error)})`);
    this.#again();
  }

  #again(): void {
    this.#timer = this.#host.clock.after(this.#pauseMs, () => {
      this.#timer = undefined;
      void this.#connect();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, lastPauseMs);
  }

  #ended(stream: Stream, error: Error | undefined): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#listen();
    if (wasReady) {
      this.#log.info(`${this.name}: connection closed by peer${error === undefined ? "" : ` (${describeError(error)})`}`);
      this.#events.disconnected();
    }
    if (!this.#isClosed) this.#again();
  }

  #received(stream: Stream, bytes: Uint8Array): void {
    this.#silence = "none";
    for (const frame of this.#framer.push(bytes)) {
      if (stream !== this.#stream) return;
      this.#handle(frame);
    }
    if (this.#framer.error !== undefined) {
      this.#log.warn(`${this.name}: ${String(this.#framer.error)}`);
      stream.close();
    }
  }

  #handle(frame: Uint8Array): void {
    const decoded = decodeMessage(frame, this.#tlvSizes);
    if ("error" in decoded) {
      this.#log.warn(`could not decode OpenFlow message (${decoded.error.name})`);
      return;
    }
    const { message, xid } = decoded;
    if (message.kind === "hello") this.#greeted(message.versions);
    else if (message.kind === "echo_request") this.#write(encodeMessage(of15, xid, { kind: "echo_reply", data: message.data }));
    else if (message.kind !== "echo_reply") this.#events.message(message, xid);
  }

  #greeted(versions: number): void {
    if ((versions & (1 << of15)) === 0) {
      this.#log.warn(`${this.name}: version negotiation failed (we support version 0x06, peer supports versions 0x${versions.toString(16)})`);
      this.#stream?.close();
      return;
    }
    if (this.#isReady) return;
    this.#isReady = true;
    this.#pauseMs = firstPauseMs;
    this.#silence = "none";
    this.#listen();
    this.#log.info(`${this.name}: connected`);
    this.#host.log.module(this.#purpose).info("connected to the switch");
    this.#events.connected();
  }
}
