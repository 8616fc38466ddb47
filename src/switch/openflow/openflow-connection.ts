/**
 * One OpenFlow connection: framing, the version both speak, and what this controller has asked for.
 * What its messages mean for the bridge: bridge-service.ts.
 */
import type { Log, Stream } from "../../host/index.ts";
import {
  type AsyncConfig, decodeMessage, encodeMessage, type Message, MessageFramer, messageName, of10, of13, of14, of15, OfError, type OfVersion, type roles, type TlvSizes,
  versionNames,
} from "../../openflow/index.ts";

export interface HeldMessage {
  readonly xid: number;
  readonly message: Message;
  /** As it came: the beginning goes back in an error. */
  readonly bytes: Uint8Array;
}

export interface HeldBundle {
  readonly flags: number;
  isClosed: boolean;
  readonly messages: HeldMessage[];
}

export interface ConnectionEvents {
  /** The versions that the bridge allows, as bits. */
  readonly allowedVersions: number;
  readonly tlvSizes: TlvSizes;
  message(connection: OpenFlowConnection, held: HeldMessage): void;
  closed(connection: OpenFlowConnection): void;
}

/**
 * A controller that does not read what it is sent loses packet-ins beyond this, as with OVS's bounded queues; and what it
 * sends is not read, either, so that answers cannot pile up.
 */
const maxPending = 4 << 20;
const maxErrorData = 64;

/** As bits. */
export const allVersions = (1 << of10) | (1 << of13) | (1 << of14) | (1 << of15);
/** The newest first. */
const spoken: readonly OfVersion[] = [of15, of14, of13, of10];

/** Reasons of a packet-in but an invalid TTL; all of a flow's removal; all of a port's changes. */
export const defaultAsync: AsyncConfig = { packetIn: [0x7b, 0], portStatus: [7, 7], flowRemoved: [0x3f, 0] };

export class OpenFlowConnection {
  readonly name: string;
  /** Undefined until both have said hello. */
  version: OfVersion | undefined;
  role: (typeof roles)[number] = "equal";
  generation: bigint | undefined;
  async: AsyncConfig = defaultAsync;
  packetInFormat: "standard" | "nxt_packet_in" | "nxt_packet_in2" = "standard";
  controllerId = 0;
  /** OpenFlow 1.0 with NXT_FLOW_MOD_TABLE_ID. */
  hasTableInCommand = false;
  /** 0: no asynchronous messages, the rule for connections to the management socket until they ask for some. */
  missSendLength: number;
  /** It may look on (the `.snoop` socket), and nothing else. */
  readonly isOnlooker: boolean;
  readonly bundles = new Map<number, HeldBundle>();
  droppedPacketIns = 0;
  readonly #stream: Stream;
  readonly #events: ConnectionEvents;
  readonly #log: Log;
  readonly #vconn: Log;
  readonly #framer = new MessageFramer();
  #isClosed = false;
  #isPaused = false;
  #hasPeerHello = false;

  constructor(stream: Stream, events: ConnectionEvents, log: Log, missSendLength: number, isOnlooker = false) {
    this.name = stream.name;
    this.#stream = stream;
    this.#events = events;
    this.#log = log;
    this.#vconn = log.module("vconn");
    this.missSendLength = missSendLength;
    this.isOnlooker = isOnlooker;
    const newest = spoken.find((v) => (events.allowedVersions & (1 << v)) !== 0) ?? of15;
    this.#write(encodeMessage(newest, 0, { kind: "hello", versions: events.allowedVersions }));
    stream.attach({
      data: (bytes) => this.#data(bytes),
      drained: () => this.#read(true),
      closed: () => {
        this.#isClosed = true;
        events.closed(this);
      },
    });
  }

  send(xid: number, message: Message): void {
    this.#vconn.dbg(() => `${this.name}: sent: ${messageName(message.kind)} (xid=0x${xid.toString(16)})`);
    if (this.version !== undefined) this.#write(encodeMessage(this.version, xid, message, this.#events.tlvSizes));
  }

  encode(xid: number, message: Message): Uint8Array {
    return encodeMessage(this.version ?? of15, xid, message, this.#events.tlvSizes);
  }

  write(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  /** Asynchronous and many: dropped when the controller does not keep up. */
  sendPacketIn(message: Message): void {
    if (this.#stream.pendingSize > maxPending) this.droppedPacketIns++;
    else this.send(0, message);
  }

  sendError(held: HeldMessage, error: OfError): void {
    this.#log.info(`${this.name}: sending ${error.name} error reply to ${held.message.kind} message${error.detail === "" ? "" : ` (${error.detail})`}`);
    this.#sendError(held.xid, error, held.bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
  }

  #sendError(xid: number, error: OfError, bytes: Uint8Array): void {
    this.send(xid, { kind: "error", error: error.name, data: bytes.slice(0, maxErrorData) });
  }

  #write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#stream.write(bytes);
    if (this.#stream.pendingSize > maxPending) this.#read(false);
  }

  #read(isReading: boolean): void {
    if (isReading === !this.#isPaused || this.#isClosed) return;
    this.#isPaused = !isReading;
    this.#stream.pause(this.#isPaused);
  }

  #data(bytes: Uint8Array): void {
    for (const whole of this.#framer.push(bytes)) {
      if (this.#isClosed) return;
      this.#message(whole);
    }
    if (this.#framer.error === undefined || this.#isClosed) return;
    this.#log.warn(`${this.name}: received OpenFlow message with bad length, disconnecting`);
    this.close();
  }

  #message(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes, this.#events.tlvSizes, { flowModTableId: this.hasTableInCommand });
    if (!this.#hasPeerHello) return this.#hello(decoded);
    if ("error" in decoded) {
      this.#log.info(`${this.name}: ${decoded.error} in message of type ${bytes[1]}`);
      this.#sendError(decoded.xid, decoded.error, bytes);
      return;
    }
    this.#vconn.dbg(() => `${this.name}: received: ${messageName(decoded.message.kind)} (xid=0x${decoded.xid.toString(16)})`);
    if (decoded.version !== this.version) return this.#sendError(decoded.xid, new OfError("OFPBRC_BAD_VERSION"), bytes);
    this.#events.message(this, { xid: decoded.xid, message: decoded.message, bytes });
  }

  #hello(decoded: ReturnType<typeof decodeMessage>): void {
    if ("error" in decoded || decoded.message.kind !== "hello") {
      this.#log.warn(`${this.name}: received no hello, disconnecting`);
      return this.close();
    }
    const common = decoded.message.versions & this.#events.allowedVersions;
    this.version = spoken.find((v) => (common & (1 << v)) !== 0);
    this.#hasPeerHello = true;
    if (this.version !== undefined) return;
    const theirs = versionNames.get(decoded.version) ?? "unknown versions";
    this.#log.warn(`${this.name}: version negotiation failed (we support ${namesOf(this.#events.allowedVersions)}, peer supports ${theirs} at most)`);
    const text = new TextEncoder().encode("no OpenFlow version in common");
    this.#write(encodeMessage(decoded.version, decoded.xid, { kind: "error", error: "OFPHFC_INCOMPATIBLE", data: text }));
    this.close();
  }
}

const namesOf = (bits: number): string => [...versionNames].filter(([v]) => (bits & (1 << v)) !== 0).map(([, name]) => name).join(", ");
