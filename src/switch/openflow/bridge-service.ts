/**
 * A bridge's OpenFlow side: carries out what controllers ask, and tells them what happens.
 */
import type { Log, Stream } from "../../host/index.ts";
import { type FeaturesReply, type FlowMod, flowRemovedReasons, type FlowRemoved, type MultipartRequest, noBuffer, of10, OfError, portStatusReasons } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { ToController } from "../packet/datapath-action.ts";
import type { Datapath } from "../datapath.ts";
import { bundleAdd, bundleControl } from "./bundles.ts";
import { ControllerPackets } from "./controller-packets.ts";
import { tunMetadataFields } from "../flow/flow-key.ts";
import { applyFlowMod, type FlowModContext, removeFlow, removeUntaught } from "./flow-mod.ts";
import type { FlowRule } from "../flow/flow-rule.ts";
import { applyGroupMod, applyMeterMod } from "./group-mod.ts";
import { Journal } from "./journal.ts";
import { allVersions, type HeldMessage, OpenFlowConnection } from "./openflow-connection.ts";
import type { Packet } from "../packet/packet.ts";
import { multipartReply, packParts, portDescription, type SwitchIdentity } from "./stats-replies.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import { changeTlvs } from "./tlv-table.ts";

export interface BridgeServiceEvents {
  nowMs(): number;
  /** Random bits for continuations. */
  next32(): number;
  flushConnections(request: Extract<HeldMessage["message"], { kind: "ct_flush" | "ct_flush_zone" }>): void;
}

const maxConnections = 64;

export class BridgeService {
  readonly bridge: Bridge;
  readonly connections = new Set<OpenFlowConnection>();
  allowedVersions = allVersions;
  readonly #datapath: Datapath;
  readonly #events: BridgeServiceEvents;
  readonly #identity: SwitchIdentity;
  readonly #log: Log;
  readonly #packets: ControllerPackets;
  #generation: bigint | undefined;

  constructor(bridge: Bridge, datapath: Datapath, identity: SwitchIdentity, events: BridgeServiceEvents, log: Log) {
    this.bridge = bridge;
    this.#datapath = datapath;
    this.#identity = identity;
    this.#events = events;
    this.#log = log;
    this.#packets = new ControllerPackets(bridge, datapath, () => events.next32(), log);
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
    if (error === undefined) this.#finish(journal);
    else this.#revert(journal);
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
    this.#finish(journal);
  }

  packetIn(action: ToController, packet: Packet): void {
    this.#packets.packetIn(action, packet, this.connections);
  }

  portChanged(port: SwitchPort, reason: (typeof portStatusReasons)[number]): void {
    const bit = 1 << portStatusReasons.indexOf(reason);
    for (const connection of this.connections) {
      const [primary, secondary] = connection.async.portStatus;
      if (connection.missSendLength === 0 || ((connection.role === "secondary" ? secondary : primary) & bit) === 0) continue;
      connection.send(0, { kind: "port_status", reason, port: portDescription(port) });
    }
  }

  #finish(journal: Journal): void {
    removeUntaught(this.#context(journal));
    journal.finish();
  }

  #revert(journal: Journal): void {
    journal.revert();
    this.bridge.learned.takeForgotten();
  }

  #context(journal: Journal): FlowModContext {
    return {
      bridge: this.bridge, nowMs: this.#events.nowMs(), journal, credit: () => this.#datapath.cache.credit(),
      removed: (rule, reason) => this.#flowRemoved(rule, reason),
    };
  }

  #flowRemoved(rule: FlowRule, reason: FlowRemoved["reason"]): void {
    const bit = 1 << flowRemovedReasons.indexOf(reason);
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
        return from.role === "secondary" ? new OfError("OFPBRC_IS_SECONDARY") : bundleControl(from, held, (messages) => this.#commit(from, messages));
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
    if (error === undefined) this.#finish(journal);
    else this.#revert(journal);
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
        return this.#packets.packetOut(message);
      case "resume":
        return this.#packets.resume(message);
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

  /** All or nothing: the first message that cannot be obeyed takes back those before it. Packets go out when all stands. */
  #commit(from: OpenFlowConnection, messages: readonly HeldMessage[]): OfError | undefined {
    const journal = new Journal();
    for (const held of messages) {
      if (held.message.kind === "packet_out") continue;
      const error = this.#changeIn(held, journal);
      if (error === undefined) {
        // What one message's flows taught goes with them, also where a later one teaches anew.
        removeUntaught(this.#context(journal));
        continue;
      }
      this.#revert(journal);
      from.sendError(held, error);
      return new OfError("OFPBFC_MSG_FAILED");
    }
    this.#finish(journal);
    for (const held of messages) if (held.message.kind === "packet_out") this.#packets.packetOut(held.message);
    return undefined;
  }

  #multipart(from: OpenFlowConnection, xid: number, request: MultipartRequest): OfError | undefined {
    this.#datapath.cache.credit();
    const replies = multipartReply(this.bridge, request, this.#identity, this.#events.nowMs());
    if (replies instanceof OfError) return replies;
    for (const part of packParts(replies.map((reply) => from.encode(xid, reply)))) from.write(part);
    return undefined;
  }
}

const isMultipartRequest = (message: HeldMessage["message"]): message is MultipartRequest =>
  message.kind.endsWith("_request") && message.kind !== "get_async_request";
