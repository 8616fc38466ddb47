/** Answers to OFPT_MULTIPART requests: what a bridge has, in parts of at most 64 kB. */
import {
  type FlowStats, groups as groupNumbers, type Message, meterFlags, meters as meterNumbers, type MultipartRequest, of10, OfError, type PortDescription,
  ports as reserved, portState, type PortStats,
} from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import { select } from "./flow-mod.ts";
import type { FlowRule } from "../flow/flow-rule.ts";
import { tableCount } from "../flow/flow-table.ts";
import type { SwitchPort } from "../port/switch-port.ts";

export interface SwitchIdentity {
  readonly version: string;
}

const ns = (ms: number): bigint => BigInt(Math.max(0, Math.floor(ms))) * 1_000_000n;

/** One message for each item: `packParts` joins what fits together. An empty list still gets one reply. */
export function multipartReply(bridge: Bridge, request: MultipartRequest, identity: SwitchIdentity, nowMs: number): readonly Message[] | OfError {
  switch (request.kind) {
    case "desc_request":
      return [{
        kind: "desc_reply",
        description: { manufacturer: "Nicira, Inc.", hardware: "Open vSwitch", software: identity.version, serial: "None", datapath: "None" },
      }];
    case "flow_stats_request": {
      const rules = matching(bridge, request);
      return rules instanceof OfError ? rules : each(rules, (rule) => ({ kind: "flow_stats_reply", flows: rule === undefined ? [] : [flowStats(rule, nowMs)] }));
    }
    case "aggregate_request": {
      const rules = matching(bridge, request);
      if (rules instanceof OfError) return rules;
      const sum = (of: (rule: FlowRule) => number): bigint => BigInt(rules.reduce((total, rule) => total + of(rule), 0));
      return [{ kind: "aggregate_reply", packets: sum((r) => r.packets), bytes: sum((r) => r.bytes), flows: rules.length }];
    }
    case "table_stats_request":
      return each(bridge.tables, (t) => ({
        kind: "table_stats_reply",
        tables: t === undefined ? [] : [{ table: t.number, active: t.rules.size, lookups: BigInt(t.lookups), matched: BigInt(t.matched) }],
      }));
    case "table_features_request":
      return each(bridge.tables, (t) => ({
        kind: "table_features_reply",
        tables: t === undefined ? [] : [{ table: t.number, name: t.number === 0 ? "classifier" : `table${t.number}`, maxEntries: 1_000_000, metadataMatch: 0xffff_ffff_ffff_ffffn, metadataWrite: 0xffff_ffff_ffff_ffffn }],
      }));
    case "table_desc_request":
      return each(bridge.tables, (t) => ({ kind: "table_desc_reply", tables: t === undefined ? [] : [{ table: t.number, config: 0 }] }));
    case "port_desc_request": {
      const wanted = request.port ?? reserved.none;
      return each(portsOf(bridge, wanted), (p) => ({ kind: "port_desc_reply", ports: p === undefined ? [] : [portDescription(p)] }));
    }
    case "port_stats_request":
      return each(portsOf(bridge, request.port), (p) => ({ kind: "port_stats_reply", ports: p === undefined ? [] : [portStats(p, nowMs)] }));
    default:
      return groupOrMeterReply(bridge, request, nowMs);
  }
}

type GroupOrMeterRequest = Extract<MultipartRequest, { kind: "group_features_request" | "meter_features_request" | "group_stats_request" | "group_desc_request" | "meter_stats_request" | "meter_config_request" }>;

function groupOrMeterReply(bridge: Bridge, request: GroupOrMeterRequest, nowMs: number): readonly Message[] | OfError {
  switch (request.kind) {
    case "group_features_request": {
      const max = groupNumbers.max;
      // Selection by weight and by liveness, and groups that lead to groups.
      return [{ kind: "group_features_reply", types: 0xf, capabilities: 0x7, maxGroups: [max, max, max, max], actions: [allActions, allActions, allActions, allActions] }];
    }
    case "meter_features_request":
      return [{ kind: "meter_features_reply", maxMeters: 100_000, bandTypes: 1 << 1, capabilities: meterFlags.kbps | meterFlags.pktps | meterFlags.burst | meterFlags.stats, maxBands: 8, maxColor: 0 }];
    case "group_stats_request":
      return each(groupsOf(bridge, request.group), (g) => ({
        kind: "group_stats_reply",
        groups: g === undefined ? [] : [{
          group: g.of.group, references: bridge.rulesOfGroup.get(g.of.group)?.size ?? 0, packets: BigInt(g.packets), bytes: BigInt(g.bytes),
          durationNs: ns(nowMs - g.createdMs), buckets: g.buckets.map((b) => ({ packets: BigInt(b.packets), bytes: BigInt(b.bytes) })),
        }],
      }));
    case "group_desc_request":
      return each(groupsOf(bridge, request.group), (g) => ({ kind: "group_desc_reply", groups: g === undefined ? [] : [g.of] }));
    case "meter_stats_request":
    case "meter_config_request": {
      const isAll = request.meter === meterNumbers.all;
      if (!isAll && !bridge.meters.has(request.meter)) return new OfError("OFPMMFC_UNKNOWN_METER");
      const meters = [...bridge.meters.values()].filter((m) => isAll || m.of.meter === request.meter).sort((a, b) => a.of.meter - b.of.meter);
      if (request.kind === "meter_config_request") return each(meters, (m) => ({ kind: "meter_config_reply", meters: m === undefined ? [] : [m.of] }));
      return each(meters, (m) => ({
        kind: "meter_stats_reply",
        meters: m === undefined ? [] : [{
          meter: m.of.meter, flows: 0, packets: BigInt(m.packets), bytes: BigInt(m.bytes), durationNs: ns(nowMs - m.createdMs),
          bands: m.bands.map((b) => ({ packets: BigInt(b.packets), bytes: BigInt(b.bytes) })),
        }],
      }));
    }
  }
}

/** The actions of OpenFlow that buckets may have: output, VLAN and MPLS tags, TTLs, group, set_field, push and pop. */
const allActions = (1 << 0) | (1 << 17) | (1 << 18) | (1 << 22) | (1 << 23) | (1 << 24) | (1 << 25);

function each<T>(items: Iterable<T>, reply: (item: T | undefined) => Message): readonly Message[] {
  const replies: Message[] = [];
  for (const item of items) replies.push(reply(item));
  return replies.length > 0 ? replies : [reply(undefined)];
}

function matching(bridge: Bridge, request: Extract<MultipartRequest, { kind: "flow_stats_request" | "aggregate_request" }>): readonly FlowRule[] | OfError {
  const match = bridge.shapes.minimatch(request.match);
  if (typeof match === "string") return new OfError("OFPBMC_BAD_FIELD", match);
  if (request.table > tableCount) return new OfError("OFPBRC_BAD_TABLE_ID");
  return select(bridge, request, match, false);
}

function portsOf(bridge: Bridge, wanted: number): SwitchPort[] {
  if (wanted !== reserved.none) {
    const port = bridge.portsByNumber.get(wanted);
    return port === undefined ? [] : [port];
  }
  return [...bridge.portsByNumber.values()].sort((a, b) => a.number - b.number);
}

function groupsOf(bridge: Bridge, wanted: number) {
  if (wanted === groupNumbers.all) return [...bridge.groups.values()].sort((a, b) => a.of.group - b.of.group);
  const group = bridge.groups.get(wanted);
  return group === undefined ? [] : [group];
}

function flowStats(rule: FlowRule, nowMs: number): FlowStats {
  return {
    table: rule.table, priority: rule.priority, cookie: rule.cookie, match: rule.of, actions: rule.program.actions,
    durationNs: ns(nowMs - rule.createdMs), idleTimeout: rule.idleTimeout, hardTimeout: rule.hardTimeout,
    idleAge: Math.floor((nowMs - rule.usedMs) / 1000), hardAge: Math.floor((nowMs - rule.modifiedMs) / 1000), packets: BigInt(rule.packets),
    bytes: BigInt(rule.bytes), importance: rule.importance, flags: rule.flags,
  };
}

export function portDescription(port: SwitchPort): PortDescription {
  return {
    port: port.number, mac: port.mac, name: port.name, config: port.config, state: port.isUp ? portState.live : portState.linkDown, current: 0,
    advertised: 0, supported: 0, peer: 0, currentSpeed: 0, maxSpeed: 0,
  };
}

function portStats({ number, counters, createdMs }: SwitchPort, nowMs: number): PortStats {
  return {
    port: number, rxPackets: BigInt(counters.rxPackets), txPackets: BigInt(counters.txPackets), rxBytes: BigInt(counters.rxBytes),
    txBytes: BigInt(counters.txBytes), rxDropped: BigInt(counters.rxDropped), txDropped: BigInt(counters.txDropped),
    rxErrors: BigInt(counters.rxErrors), txErrors: 0n, rxFrameErrors: 0n, rxOverErrors: 0n, rxCrcErrors: 0n, collisions: 0n, durationNs: ns(nowMs - createdMs),
  };
}

/** Header of a message and of a multipart; in OpenFlow 1.0 one without padding, or a vendor's. */
function headerSizeOf(message: Uint8Array): number {
  if (message[0] !== of10) return 16;
  return message[8] === 0xff && message[9] === 0xff ? 24 : 12;
}
const maxPartSize = 60_000;

/** Joins encoded replies of one kind into as few messages as the length field allows; all but the last say that more follows. */
export function packParts(parts: readonly Uint8Array[]): Uint8Array[] {
  const groups: Uint8Array[][] = [];
  const headerSize = headerSizeOf(parts[0] ?? new Uint8Array(0));
  let size = maxPartSize;
  for (const part of parts) {
    if (size + part.length > maxPartSize) {
      groups.push([]);
      size = headerSize;
    }
    groups.at(-1)?.push(part);
    size += part.length - headerSize;
  }
  return groups.map((group, i) => {
    const total = headerSize + group.reduce((sum, part) => sum + part.length - headerSize, 0);
    const message = new Uint8Array(total);
    let at = headerSize;
    for (const part of group) {
      if (at === headerSize) message.set(part.subarray(0, headerSize));
      message.set(part.subarray(headerSize), at);
      at += part.length - headerSize;
    }
    new DataView(message.buffer).setUint16(2, total);
    // OFPMPF_REPLY_MORE.
    message[11] = i < groups.length - 1 ? 1 : 0;
    return message;
  });
}
