/** Packets between a bridge and its controllers: packet-ins, packet-outs, and packets that wait for a controller's word. */
import type { Log } from "../../host/index.ts";
import { type Match, noBuffer, noCookie, OfError, packetInReasons, type PacketOut, ports as reserved, type Resume } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { FrozenState, ToController } from "../packet/datapath-action.ts";
import type { Datapath } from "../datapath.ts";
import { W } from "../flow/flow-key.ts";
import type { OpenFlowConnection } from "./openflow-connection.ts";
import { keyAtNotice, metadataOf, putMetadata } from "../packet/packet-metadata.ts";
import { Packet } from "../packet/packet.ts";
import { compile } from "../walk/program.ts";

/** Packets that a controller has in hand; the oldest are forgotten. */
const maxContinuations = 4096;
const uuidSize = 16;
/** A property with a UUID in it, filled up to a multiple of eight. */
const continuationSize = 24;

export class ControllerPackets {
  readonly #bridge: Bridge;
  readonly #datapath: Datapath;
  readonly #next32: () => number;
  readonly #log: Log;
  readonly #continuations = new Map<string, FrozenState>();

  constructor(bridge: Bridge, datapath: Datapath, next32: () => number, log: Log) {
    this.#bridge = bridge;
    this.#datapath = datapath;
    this.#next32 = next32;
    this.#log = log;
  }

  /** Tells the controllers that want to know. */
  packetIn(action: ToController, packet: Packet, connections: Iterable<OpenFlowConnection>): void {
    const key = keyAtNotice(packet.key, action.key, action.written);
    if (action.meter !== undefined && this.#bridge.meters.get(action.meter)?.passes(packet.bytes.length, this.#datapath.nowMs()) === false) return;
    const metadata = metadataOf(key, this.#bridge.tlvs);
    const bytes = packet.share();
    const isCut = action.maxLength > 0 && action.maxLength < bytes.length && action.continuation === undefined;
    const continuation = action.continuation === undefined ? undefined : this.#remember(action.continuation);
    const reasonBit = 1 << packetInReasons.indexOf(action.reason);
    for (const connection of connections) {
      if (connection.missSendLength === 0 || connection.controllerId !== action.controllerId) continue;
      const [primary, secondary] = connection.async.packetIn;
      if (((connection.role === "secondary" ? secondary : primary) & reasonBit) === 0) continue;
      connection.sendPacketIn({
        kind: "packet_in", extended: connection.packetInFormat === "nxt_packet_in2", packet: isCut ? bytes.subarray(0, action.maxLength) : bytes,
        totalLength: bytes.length, bufferId: noBuffer, reason: action.reason, table: action.table,
        cookie: action.cookie === 0n && action.table === 255 ? noCookie : action.cookie, metadata,
        ...(action.userdata === undefined ? {} : { userdata: action.userdata }), ...(continuation === undefined ? {} : { continuation }),
      });
    }
  }

  packetOut(message: PacketOut): OfError | undefined {
    if (message.bufferId !== noBuffer) return new OfError("OFPBRC_BUFFER_UNKNOWN");
    const program = compile(message.actions);
    if (program instanceof OfError) return program;
    return this.#inject(message.packet, message.metadata, { table: undefined, stack: [], actionSet: [], rest: [{ table: 0, cookie: noCookie, steps: program.steps }] });
  }

  resume({ packetIn }: Resume): OfError | undefined {
    const id = packetIn.continuation === undefined ? "" : Buffer.from(packetIn.continuation).toString("hex");
    const state = this.#continuations.get(id);
    if (state === undefined) return new OfError("OFPBRC_BUFFER_UNKNOWN", "no packet waits for this continuation");
    return this.#inject(packetIn.packet, packetIn.metadata, state);
  }

  #inject(bytes: Uint8Array, metadata: Match, state: Pick<FrozenState, "table" | "stack" | "actionSet" | "rest">): OfError | undefined {
    const packet = new Packet(bytes);
    putMetadata(packet.key, metadata);
    const inPort = metadata.exact("in_port") ?? reserved.none;
    const pipeline = packet.key.slice(0, W.ethDst);
    pipeline[W.actsetOutput] = reserved.unset;
    packet.key[W.inPort] = this.#bridge.portsByNumber.get(inPort)?.datapathNumber ?? 0;
    packet.readHeaders();
    const failed = this.#datapath.inject(packet, { ...state, id: 0, bridge: this.#bridge, pipeline, inPort });
    if (failed !== undefined) this.#log.warn(`${this.#bridge.name}: packet from a controller dropped: ${failed}`);
    return undefined;
  }

  /**
   * What stands for the state towards the controller: nobody else can guess it, and it says nothing by itself. It has the
   * form of OVS's first continuation property (the bridge's UUID), so that programs that print continuations can.
   */
  #remember(state: FrozenState): Uint8Array {
    const id = new Uint8Array(continuationSize);
    const view = new DataView(id.buffer);
    view.setUint16(0, 0x8000);
    view.setUint16(2, 4 + uuidSize);
    for (let at = 4; at < 4 + uuidSize; at += 4) view.setUint32(at, this.#next32());
    this.#continuations.set(Buffer.from(id).toString("hex"), state);
    for (const oldest of this.#continuations.keys()) {
      if (this.#continuations.size <= maxContinuations) break;
      this.#continuations.delete(oldest);
    }
    return id;
  }
}
