/**
 * A bridge's OpenFlow side: carries out what controllers ask, and tells them what happens.
 */
import type { Log, Stream } from "../host/index.ts";
import {
  type FeaturesReply, type FlowMod, type Match, type MultipartRequest, noBuffer, noCookie, of10, of13, of14, of15, OfError, type PacketOut, ports as reserved, portStatusReasons,
  type Resume, type TlvMapping,
} from "../openflow/index.ts";
import type { Bridge } from "./bridge.ts";
import type { FrozenState, ToController } from "./datapath-action.ts";
import type { Datapath } from "./datapath.ts";
import { tunMetadataFields, W } from "./flow-key.ts";
import { applyFlowMod, type FlowModContext, removeFlow } from "./flow-mod.ts";
import type { FlowRule } from "./flow-rule.ts";
import { applyGroupMod, applyMeterMod } from "./group-mod.ts";
import { Journal } from "./journal.ts";
import { type HeldMessage, OpenFlowConnection } from "./openflow-connection.ts";
import { keyAtNotice, metadataOf, putMetadata } from "./packet-metadata.ts";
import { Packet } from "./packet.ts";
import { compile } from "./program.ts";
import { multipartReply, packParts, portDescription, type SwitchIdentity } from "./stats-replies.ts";
import type { SwitchPort } from "./switch-port.ts";

export interface BridgeServiceEvents {
  nowMs(): number;
  /** Random bits for continuations. */
  next32(): number;
  flushConnections(request: Extract<HeldMessage["message"], { kind: "ct_flush" | "ct_flush_zone" }>): void;
}

export const allVersions = (1 << of10) | (1 << of13) | (1 << of14) | (1 << of15);
const maxConnections = 64;
const maxBundles = 64;
const maxBundleMessages = 1_000_000;
/** Packets that a controller has in hand; the oldest are forgotten. */
const maxContinuations = 4096;
const continuationSize = 24;

export class BridgeService {
  readonly bridge: Bridge;
  readonly connections = new Set<OpenFlowConnection>();
  allowedVersions = allVersions;
  readonly #datapath: Datapath;
  readonly #events: BridgeServiceEvents;
  readonly #identity: SwitchIdentity;
  readonly #log: Log;
  readonly #continuations = new Map<string, FrozenState>();
  #generation: bigint | undefined;

  constructor(bridge: Bridge, datapath: Datapath, identity: SwitchIdentity, events: BridgeServiceEvents, log: Log) {
    this.bridge = bridge;
    this.#datapath = datapath;
    this.#identity = identity;
    this.#events = events;
    this.#log = log;
  }

  /** A connection to the management socket (no asynchronous messages until it asks), or to a configured controller, or an onlooker's. */
  accept(stream: Stream, kind: "service" | "controller" | "onlooker" = "service", closed: () => void = () => undefined): OpenFlowConnection | undefined {
    if (this.connections.size >= maxConnections) {
      stream.close();
      return undefined;
    }
    const connection = new OpenFlowConnection(
      stream,
      {
        allowedVersions: this.allowedVersions,
        tlvSizes: (index) => this.bridge.tlvs.get(index)?.optionSize,
        message: (from, held) => this.#message(from, held),
        closed: (from) => {
          this.connections.delete(from);
          closed();
        },
      },
      this.#log, kind === "controller" ? 128 : 0, kind === "onlooker",
    );
    this.connections.add(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.connections) connection.close();
    this.connections.clear();
  }

  /** A flow of the switch's own making, or one that a packet has taught it. */
  install(mod: FlowMod): OfError | undefined {
    const journal = new Journal();
    const error = applyFlowMod(this.#context(journal), mod);
    if (error === undefined) journal.finish();
    else journal.revert();
    return error;
  }

  /** Takes out flows whose time is over. */
  expire(): void {
    if (this.bridge.timedRules.size === 0) return;
    const nowMs = this.#events.nowMs();
    const journal = new Journal();
    const context = this.#context(journal);
    for (const rule of [...this.bridge.timedRules]) {
      if (rule.hardTimeout > 0 && nowMs - rule.modifiedMs >= rule.hardTimeout * 1000) removeFlow(context, rule, "hard");
      else if (rule.idleTimeout > 0 && nowMs - Math.max(rule.usedMs, rule.modifiedMs) >= rule.idleTimeout * 1000) removeFlow(context, rule, "idle");
    }
    journal.finish();
  }

  portChanged(port: SwitchPort, reason: (typeof portStatusReasons)[number]): void {
    const bit = 1 << portStatusReasons.indexOf(reason);
    for (const connection of this.connections) {
      const [primary, secondary] = connection.async.portStatus;
      if (connection.missSendLength === 0 || ((connection.role === "secondary" ? secondary : primary) & bit) === 0) continue;
      connection.send(0, { kind: "port_status", reason, port: portDescription(port) });
    }
  }

  packetIn(action: ToController, packet: Packet): void {
    const key = keyAtNotice(packet.key, action.key, action.written);
    if (action.meter !== undefined && this.bridge.meters.get(action.meter)?.passes(packet.bytes.length, this.#events.nowMs()) === false) return;
    const metadata = metadataOf(key, this.bridge.tlvs);
    const bytes = packet.share();
    const isCut = action.maxLength > 0 && action.maxLength < bytes.length && action.continuation === undefined;
    const continuation = action.continuation === undefined ? undefined : this.#remember(action.continuation);
    const reasonBit = 1 << ["no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"].indexOf(action.reason);
    for (const connection of this.connections) {
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

  #context(journal: Journal): FlowModContext {
    return {
      bridge: this.bridge, nowMs: this.#events.nowMs(), journal, credit: () => this.#datapath.cache.credit(),
      removed: (rule, reason) => this.#flowRemoved(rule, reason),
    };
  }

  #flowRemoved(rule: FlowRule, reason: "idle" | "hard" | "delete" | "group_delete" | "meter_delete" | "eviction"): void {
    const bit = 1 << ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"].indexOf(reason);
    for (const connection of this.connections) {
      const [primary, secondary] = connection.async.flowRemoved;
      if (connection.missSendLength === 0 || ((connection.role === "secondary" ? secondary : primary) & bit) === 0) continue;
      connection.send(0, {
        kind: "flow_removed", match: rule.of, cookie: rule.cookie, priority: rule.priority, reason, table: rule.table,
        durationNs: BigInt(Math.floor(this.#events.nowMs() - rule.createdMs)) * 1_000_000n, idleTimeout: rule.idleTimeout,
        hardTimeout: rule.hardTimeout, packets: BigInt(rule.packets), bytes: BigInt(rule.bytes),
      });
    }
  }

  #message(from: OpenFlowConnection, held: HeldMessage): void {
    const error = this.#obey(from, held);
    if (error !== undefined) from.sendError(held, error);
  }

  #obey(from: OpenFlowConnection, held: HeldMessage): OfError | undefined {
    const { message, xid } = held;
    if (from.isOnlooker && message.kind !== "echo_request") return new OfError("OFPBRC_EPERM", "this socket is for looking on");
    switch (message.kind) {
      case "echo_request":
        from.send(xid, { kind: "echo_reply", data: message.data });
        return undefined;
      case "hello":
      case "echo_reply":
      case "error":
        return undefined;
      case "features_request":
        from.send(xid, this.#features(from));
        return undefined;
      case "get_config_request":
        from.send(xid, { kind: "get_config_reply", fragments: "normal", missSendLength: from.missSendLength });
        return undefined;
      case "set_config":
        from.missSendLength = message.missSendLength;
        return undefined;
      case "barrier_request":
        from.send(xid, { kind: "barrier_reply" });
        return undefined;
      case "role_request":
        return this.#role(from, held);
      case "get_async_request":
        from.send(xid, { kind: "get_async_reply", ...from.async });
        return undefined;
      case "set_async":
        from.async = { packetIn: message.packetIn, portStatus: message.portStatus, flowRemoved: message.flowRemoved };
        return undefined;
      case "set_packet_in_format":
        from.packetInFormat = message.format;
        return undefined;
      case "set_controller_id":
        from.controllerId = message.id;
        return undefined;
      case "flow_mod_table_id":
        from.hasTableInCommand = message.enabled;
        return undefined;
      case "set_flow_format":
      case "flow_age":
        return undefined;
      case "tlv_table_request":
        from.send(xid, { kind: "tlv_table_reply", maxSpace: 4 * tunMetadataFields, maxFields: tunMetadataFields, mappings: [...this.bridge.tlvs.values()] });
        return undefined;
      case "bundle_control":
        return from.role === "secondary" ? new OfError("OFPBRC_IS_SECONDARY") : this.#bundle(from, held);
      case "bundle_add":
        return from.role === "secondary" ? new OfError("OFPBRC_IS_SECONDARY") : bundleAdd(from, held);
      case "flow_mod":
      case "group_mod":
      case "meter_mod":
      case "port_mod":
      case "packet_out":
      case "resume":
      case "tlv_table_mod":
      case "ct_flush":
      case "ct_flush_zone":
        return from.role === "secondary" ? new OfError("OFPBRC_IS_SECONDARY") : this.#change(held);
      default:
        return isMultipartRequest(message) ? this.#multipart(from, xid, message) : new OfError("OFPBRC_BAD_TYPE");
    }
  }

  #features({ version }: OpenFlowConnection): FeaturesReply {
    const ports = [...this.bridge.portsByNumber.values()].sort((a, b) => a.number - b.number);
    // Flow, table, port and queue statistics; in 1.0 that addresses in ARP can be matched, later groups and bundles.
    const capabilities = version === of10 ? 0xc7 : 0x4f | (1 << 9);
    const told = version === of10 ? { ports: ports.map(portDescription) } : {};
    return { kind: "features_reply", datapathId: this.bridge.datapathId, buffers: 0, tables: 254, auxiliaryId: 0, capabilities, ...told };
  }

  #change(held: HeldMessage): OfError | undefined {
    const journal = new Journal();
    const error = this.#changeIn(held, journal);
    if (error === undefined) journal.finish();
    else journal.revert();
    return error;
  }

  #changeIn({ message }: HeldMessage, journal: Journal): OfError | undefined {
    switch (message.kind) {
      case "flow_mod":
        if (message.bufferId !== noBuffer) return new OfError("OFPBRC_BUFFER_UNKNOWN");
        return applyFlowMod(this.#context(journal), message);
      case "group_mod":
        return applyGroupMod(this.#context(journal), message);
      case "meter_mod":
        return applyMeterMod(this.#context(journal), message);
      case "packet_out":
        return this.#packetOut(message);
      case "resume":
        return this.#resume(message);
      case "port_mod": {
        const port = this.bridge.portsByNumber.get(message.port);
        if (port === undefined) return new OfError("OFPPMFC_BAD_PORT");
        if (port.mac !== message.mac) return new OfError("OFPPMFC_BAD_HW_ADDR");
        port.config = (port.config & ~message.mask) | (message.config & message.mask);
        this.bridge.generation++;
        this.portChanged(port, "modify");
        return undefined;
      }
      case "tlv_table_mod":
        return changeTlvs(this.bridge, message.command, message.mappings);
      case "ct_flush":
      case "ct_flush_zone":
        this.#events.flushConnections(message);
        return undefined;
      default:
        return new OfError("OFPBFC_MSG_UNSUP");
    }
  }

  #packetOut(message: PacketOut): OfError | undefined {
    if (message.bufferId !== noBuffer) return new OfError("OFPBRC_BUFFER_UNKNOWN");
    const program = compile(message.actions);
    if (program instanceof OfError) return program;
    return this.#inject(message.packet, message.metadata, { table: undefined, stack: [], actionSet: [], rest: [{ table: 0, cookie: noCookie, steps: program.steps }] });
  }

  #resume({ packetIn }: Resume): OfError | undefined {
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
    packet.key[W.inPort] = this.bridge.portsByNumber.get(inPort)?.datapathNumber ?? 0;
    packet.readHeaders();
    const failed = this.#datapath.inject(packet, { ...state, id: 0, bridge: this.bridge, pipeline, inPort });
    if (failed !== undefined) this.#log.warn(`${this.bridge.name}: packet from a controller dropped: ${failed}`);
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
    view.setUint16(2, continuationSize);
    for (let at = 8; at < continuationSize; at += 4) view.setUint32(at, this.#events.next32());
    this.#continuations.set(Buffer.from(id).toString("hex"), state);
    for (const oldest of this.#continuations.keys()) {
      if (this.#continuations.size <= maxContinuations) break;
      this.#continuations.delete(oldest);
    }
    return id;
  }

  #role(from: OpenFlowConnection, { message, xid }: HeldMessage): OfError | undefined {
    if (message.kind !== "role_request") return new OfError("OFPBRC_BAD_TYPE");
    const { role, generation } = message;
    if (role !== "nochange") {
      if (role !== "equal" && generation !== undefined) {
        if (this.#generation !== undefined && BigInt.asIntN(64, generation - this.#generation) < 0n) return new OfError("OFPRRFC_STALE");
        this.#generation = generation;
      }
      if (role === "primary") for (const other of this.connections) if (other.role === "primary") other.role = "secondary";
      from.role = role;
    }
    from.send(xid, { kind: "role_reply", role: from.role, generation: this.#generation });
    return undefined;
  }

  #multipart(from: OpenFlowConnection, xid: number, request: MultipartRequest): OfError | undefined {
    this.#datapath.cache.credit();
    const replies = multipartReply(this.bridge, request, this.#identity, this.#events.nowMs());
    if (replies instanceof OfError) return replies;
    for (const part of packParts(replies.map((reply) => from.encode(xid, reply)))) from.write(part);
    return undefined;
  }

  #bundle(from: OpenFlowConnection, held: HeldMessage): OfError | undefined {
    const { message, xid } = held;
    if (message.kind !== "bundle_control") return new OfError("OFPBRC_BAD_TYPE");
    const { bundle: id, flags } = message;
    const bundle = from.bundles.get(id);
    const reply = (control: "open_reply" | "close_reply" | "commit_reply" | "discard_reply"): undefined => {
      from.send(xid, { kind: "bundle_control", bundle: id, control, flags: 0 });
    };
    switch (message.control) {
      case "open_request":
        if (bundle !== undefined) {
          from.bundles.delete(id);
          return new OfError("OFPBFC_BAD_ID");
        }
        if (from.bundles.size >= maxBundles) return new OfError("OFPBFC_OUT_OF_BUNDLES");
        from.bundles.set(id, { flags, isClosed: false, messages: [] });
        return reply("open_reply");
      case "close_request":
        if (bundle === undefined) return new OfError("OFPBFC_BAD_ID");
        if (bundle.isClosed || bundle.flags !== flags) {
          from.bundles.delete(id);
          return new OfError(bundle.isClosed ? "OFPBFC_BUNDLE_CLOSED" : "OFPBFC_BAD_FLAGS");
        }
        bundle.isClosed = true;
        return reply("close_reply");
      case "discard_request":
        if (!from.bundles.delete(id)) return new OfError("OFPBFC_BAD_ID");
        return reply("discard_reply");
      case "commit_request": {
        if (bundle === undefined) return new OfError("OFPBFC_BAD_ID");
        from.bundles.delete(id);
        const error = bundle.flags === flags ? this.#commit(from, bundle.messages) : new OfError("OFPBFC_BAD_FLAGS");
        return error ?? reply("commit_reply");
      }
      default:
        return new OfError("OFPBFC_BAD_TYPE");
    }
  }

  /** All or nothing: the first message that cannot be obeyed takes back those before it. Packets go out when all stands. */
  #commit(from: OpenFlowConnection, messages: readonly HeldMessage[]): OfError | undefined {
    const journal = new Journal();
    for (const held of messages) {
      if (held.message.kind === "packet_out") continue;
      const error = this.#changeIn(held, journal);
      if (error === undefined) continue;
      journal.revert();
      from.sendError(held, error);
      return new OfError("OFPBFC_MSG_FAILED");
    }
    journal.finish();
    for (const held of messages) if (held.message.kind === "packet_out") this.#packetOut(held.message);
    return undefined;
  }
}

function bundleAdd(from: OpenFlowConnection, { message, xid, bytes }: HeldMessage): OfError | undefined {
  if (message.kind !== "bundle_add") return new OfError("OFPBRC_BAD_TYPE");
  let bundle = from.bundles.get(message.bundle);
  if (bundle === undefined) {
    if (from.bundles.size >= maxBundles) return new OfError("OFPBFC_OUT_OF_BUNDLES");
    bundle = { flags: message.flags, isClosed: false, messages: [] };
    from.bundles.set(message.bundle, bundle);
  } else if (bundle.isClosed || bundle.flags !== message.flags) {
    from.bundles.delete(message.bundle);
    return new OfError(bundle.isClosed ? "OFPBFC_BUNDLE_CLOSED" : "OFPBFC_BAD_FLAGS");
  }
  if (bundle.messages.length >= maxBundleMessages) return new OfError("OFPBFC_OUT_OF_BUNDLES");
  bundle.messages.push({ xid, message: message.message, bytes: bytes.slice(16) });
  return undefined;
}

const isMultipartRequest = (message: HeldMessage["message"]): message is MultipartRequest =>
  message.kind.endsWith("_request") && message.kind !== "get_async_request";

/** NXT_TLV_TABLE_MOD: which Geneve options the tun_metadata fields stand for. */
function changeTlvs(bridge: Bridge, command: "add" | "delete" | "clear", mappings: readonly TlvMapping[]): OfError | undefined {
  const after = new Map(command === "clear" ? [] : bridge.tlvs);
  for (const mapping of command === "clear" ? [] : mappings) {
    if (command === "delete") after.delete(mapping.index);
    else {
      if (mapping.index >= tunMetadataFields) return new OfError("NXTTMFC_BAD_FIELD_IDX", `this switch maps ${tunMetadataFields} fields`);
      if (mapping.optionSize !== 4) return new OfError("NXTTMFC_BAD_OPT_LEN", "this switch maps options of four bytes");
      if (after.has(mapping.index)) return new OfError("NXTTMFC_ALREADY_MAPPED");
      for (const other of after.values()) {
        if (other.optionClass === mapping.optionClass && other.optionType === mapping.optionType) return new OfError("NXTTMFC_DUP_ENTRY");
      }
      after.set(mapping.index, mapping);
    }
  }
  bridge.tlvs.clear();
  for (const [index, mapping] of after) bridge.tlvs.set(index, mapping);
  bridge.generation++;
  return undefined;
}

