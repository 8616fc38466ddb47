/**
 * The messages of OpenFlow 1.0 that are laid out otherwise than later ones. Flows go in Nicira's form (NXT_FLOW_MOD,
 * NXST_FLOW), which holds every match; OpenFlow's own form is understood. This is what ovs-ofctl speaks if not told better.
 */
import { decodeActions, encodeActions } from "../action/action-list.ts";
import { type PacketInReason, packetInReasons } from "../action/action.ts";
import { field } from "../match/field.ts";
import { groupMeterCodecs, pullGroupDescription, putGroupDescription } from "./group-meter-messages.ts";
import { Match } from "../match/match.ts";
import { type Codecs, nicira, reply, request, type } from "./message-codec.ts";
import { multipartReplyCodecs, multipartRequestCodecs } from "./multipart-messages.ts";
import { nxFlowMod, nxFlowRemoved, pullNxFlow, pullNxFlowRequest, putNxFlow, putNxFlowRequest } from "./of10-flow-messages.ts";
import { noBuffer } from "./packet.ts";
import { type PortDescription, portStatusReasons } from "./port-description.ts";
import { ports } from "./port.ts";
import { roles } from "./session.ts";
import { pullAll, type WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Nicira's statistics have numbers of their own: told from OpenFlow's by this. */
export const niciraStats = 0x10000;

export function putOf10Port(w: WireWriter, port: PortDescription): void {
  w.u16(port.port);
  w.u48(port.mac);
  w.text(port.name, 16);
  w.u32(port.config);
  // Only whether the link is down is a state here.
  w.u32(port.state & 1);
  for (const n of [port.current, port.advertised, port.supported, port.peer]) w.u32(n);
}

export function pullOf10Port(r: WireReader): PortDescription {
  const [port, mac, name, config, state, current, advertised, supported, peer] = [r.u16(), r.u48(), r.text(16), r.u32(), r.u32(), r.u32(), r.u32(), r.u32(), r.u32()];
  return { port, mac, name, config, state: state & 1, current, advertised, supported, peer, currentSpeed: 0, maxSpeed: 0 };
}

const reasonOf = (number: number): PacketInReason => packetInReasons[number] ?? "action";

export const of10Codecs: Codecs<
  | "features_reply" | "packet_in" | "packet_out" | "flow_mod" | "flow_removed" | "port_status" | "port_mod" | "barrier_request" | "barrier_reply" | "role_request"
  | "role_reply" | "set_async" | "flow_stats_request" | "flow_stats_reply" | "aggregate_request" | "aggregate_reply" | "table_stats_reply" | "port_stats_request"
  | "port_stats_reply" | "port_desc_reply" | "set_flow_format" | "flow_age" | "group_mod" | "group_stats_request" | "group_stats_reply" | "group_desc_request"
  | "group_desc_reply" | "group_features_request" | "group_features_reply"
> = {
  features_reply: {
    place: type(6),
    encode: (w, m) => {
      w.u64(m.datapathId);
      w.u32(m.buffers);
      w.u8(m.tables);
      w.zeros(3);
      // Group statistics have no bit here; matching ARP addresses has one, and needs to be said.
      w.u32((m.capabilities & 0x47) | (1 << 7));
      w.u32(m.actions ?? 0xfff);
      for (const port of m.ports ?? []) putOf10Port(w, port);
    },
    decode: (r) => {
      const [datapathId, buffers, tables] = [r.u64(), r.u32(), r.u8()];
      r.skip(3);
      const [capabilities, actions] = [r.u32(), r.u32()];
      return { kind: "features_reply", datapathId, buffers, tables, auxiliaryId: 0, capabilities, actions, ports: pullAll(r, pullOf10Port) };
    },
  },
  packet_in: {
    place: type(10),
    encode: (w, m) => {
      w.u32(m.bufferId);
      w.u16(m.totalLength);
      w.u16(m.metadata.exact("in_port") ?? ports.none);
      w.u8(packetInReasons.indexOf(m.reason));
      w.u8(0);
      w.raw(m.packet);
    },
    decode: (r) => {
      const [bufferId, totalLength, port, reason] = [r.u32(), r.u16(), r.u16(), reasonOf(r.u8())];
      r.skip(1);
      const metadata = Match.any.with(field("in_port"), port);
      return { kind: "packet_in", extended: false, packet: r.rest().slice(), totalLength, bufferId, reason, table: 0, cookie: 0xffffffffffffffffn, metadata };
    },
  },
  packet_out: {
    place: type(13),
    encode: (w, m) => {
      w.u32(m.bufferId);
      w.u16(m.metadata.exact("in_port") ?? ports.none);
      const at = w.size;
      w.u16(0);
      encodeActions(w, m.actions);
      w.setU16(at, w.size - at - 2);
      if (m.bufferId === noBuffer) w.raw(m.packet);
    },
    decode: (r) => {
      const [bufferId, port, size] = [r.u32(), r.u16(), r.u16()];
      if (size > r.remaining) r.fail("OFPBAC_BAD_LEN");
      const actions = decodeActions(r.part(size, "OFPBAC_BAD_LEN"));
      return { kind: "packet_out", bufferId, metadata: Match.any.with(field("in_port"), port), actions, packet: r.rest().slice() };
    },
  },
  flow_mod: nxFlowMod,
  flow_removed: nxFlowRemoved,
  port_status: {
    place: type(12),
    encode: (w, m) => (w.u8(portStatusReasons.indexOf(m.reason)), w.zeros(7), putOf10Port(w, m.port)),
    decode: (r) => {
      const reason = portStatusReasons[r.u8()];
      r.skip(7);
      const port = pullOf10Port(r);
      if (reason === undefined) r.fail("NXBRC_BAD_REASON");
      return reason && { kind: "port_status", reason, port };
    },
  },
  port_mod: {
    place: type(15),
    encode: (w, m) => (w.u16(m.port), w.u48(m.mac), w.u32(m.config), w.u32(m.mask), w.u32(m.advertise), w.zeros(4)),
    decode: (r) => {
      const [port, mac, config, mask, advertise] = [r.u16(), r.u48(), r.u32(), r.u32(), r.u32()];
      r.skip(4);
      // Of the bits that only this version has, none means anything here.
      const known = (mask & 0x65) >>> 0;
      return { kind: "port_mod", port, mac, config: (config & known) >>> 0, mask: known, advertise };
    },
  },
  barrier_request: { place: type(18), encode: () => {}, decode: () => ({ kind: "barrier_request" }) },
  barrier_reply: { place: type(19), encode: () => {}, decode: () => ({ kind: "barrier_reply" }) },
  role_request: { place: nicira(10), encode: (w, m) => w.u32(roleNumber(m.role)), decode: (r) => ({ kind: "role_request", role: pullRole(r), generation: undefined }) },
  role_reply: { place: nicira(11), encode: (w, m) => w.u32(roleNumber(m.role)), decode: (r) => ({ kind: "role_reply", role: pullRole(r), generation: undefined }) },
  set_async: {
    place: nicira(19),
    encode: (w, m) => [m.packetIn, m.portStatus, m.flowRemoved].forEach((pair) => pair.forEach((mask) => w.u32(mask))),
    decode: (r) => ({ kind: "set_async", packetIn: [r.u32(), r.u32()], portStatus: [r.u32(), r.u32()], flowRemoved: [r.u32(), r.u32()] }),
  },
  flow_stats_request: { place: request(niciraStats), encode: putNxFlowRequest, decode: (r) => ({ kind: "flow_stats_request", ...pullNxFlowRequest(r) }) },
  flow_stats_reply: {
    place: reply(niciraStats),
    encode: (w, m) => m.flows.forEach((flow) => putNxFlow(w, flow)),
    decode: (r) => ({ kind: "flow_stats_reply", flows: pullAll(r, pullNxFlow) }),
  },
  aggregate_request: { place: request(niciraStats + 1), encode: putNxFlowRequest, decode: (r) => ({ kind: "aggregate_request", ...pullNxFlowRequest(r) }) },
  aggregate_reply: {
    place: reply(niciraStats + 1),
    encode: (w, m) => (w.u64(m.packets), w.u64(m.bytes), w.u32(m.flows), w.zeros(4)),
    decode: (r) => {
      const [packets, bytes, flows] = [r.u64(), r.u64(), r.u32()];
      r.skip(4);
      return { kind: "aggregate_reply", packets, bytes, flows };
    },
  },
  table_stats_reply: {
    place: reply(3),
    encode: (w, m) => {
      for (const t of m.tables) {
        w.u8(t.table);
        w.zeros(3);
        w.text(t.table === 0 ? "classifier" : `table${t.table}`, 32);
        w.u32(0x3fffff);
        w.u32(1_000_000);
        w.u32(t.active);
        w.u64(t.lookups);
        w.u64(t.matched);
      }
    },
    decode: (r) => ({
      kind: "table_stats_reply",
      tables: pullAll(r, (t) => {
        const table = t.u8();
        t.skip(3 + 32 + 8);
        return { table, active: t.u32(), lookups: t.u64(), matched: t.u64() };
      }),
    }),
  },
  port_stats_request: {
    place: request(4),
    encode: (w, m) => (w.u16(m.port), w.zeros(6)),
    decode: (r) => {
      const port = r.u16();
      r.skip(6);
      return { kind: "port_stats_request", port };
    },
  },
  port_stats_reply: {
    place: reply(4),
    encode: (w, m) => {
      for (const s of m.ports) {
        w.u16(s.port);
        w.zeros(6);
        for (const n of [s.rxPackets, s.txPackets, s.rxBytes, s.txBytes, s.rxDropped, s.txDropped, s.rxErrors, s.txErrors, s.rxFrameErrors, s.rxOverErrors, s.rxCrcErrors, s.collisions]) w.u64(n);
      }
    },
    decode: (r) => ({
      kind: "port_stats_reply",
      ports: pullAll(r, (p) => {
        const port = p.u16();
        p.skip(6);
        const [rxPackets, txPackets, rxBytes, txBytes, rxDropped, txDropped, rxErrors, txErrors] = [p.u64(), p.u64(), p.u64(), p.u64(), p.u64(), p.u64(), p.u64(), p.u64()];
        const [rxFrameErrors, rxOverErrors, rxCrcErrors, collisions] = [p.u64(), p.u64(), p.u64(), p.u64()];
        return { port, rxPackets, txPackets, rxBytes, txBytes, rxDropped, txDropped, rxErrors, txErrors, rxFrameErrors, rxOverErrors, rxCrcErrors, collisions, durationNs: 0n };
      }),
    }),
  },
  port_desc_reply: {
    place: reply(13),
    encode: (w, m) => m.ports.forEach((port) => putOf10Port(w, port)),
    decode: (r) => ({ kind: "port_desc_reply", ports: pullAll(r, pullOf10Port) }),
  },
  group_mod: { ...groupMeterCodecs.group_mod, place: nicira(31) },
  group_stats_request: { place: request(niciraStats + 7), encode: (w, m) => (w.u32(m.group), w.zeros(4)), decode: (r) => ({ kind: "group_stats_request", group: pullGroupNumber(r) }) },
  // Nicira took this over from OpenFlow 1.3, with how long the group has been there.
  group_stats_reply: { ...multipartReplyCodecs.group_stats_reply, place: reply(niciraStats + 7) },
  group_desc_request: { place: request(niciraStats + 8), encode: (w, m) => (w.u32(m.group), w.zeros(4)), decode: (r) => ({ kind: "group_desc_request", group: pullGroupNumber(r) }) },
  group_desc_reply: {
    place: reply(niciraStats + 8),
    encode: (w, m) => m.groups.forEach((g) => putGroupDescription(w, g)),
    decode: (r) => ({ kind: "group_desc_reply", groups: pullAll(r, pullGroupDescription) }),
  },
  group_features_request: { ...multipartRequestCodecs.group_features_request, place: request(niciraStats + 9) },
  group_features_reply: { ...multipartReplyCodecs.group_features_reply, place: reply(niciraStats + 9) },
  set_flow_format: { place: nicira(12), encode: (w, m) => w.u32(m.format), decode: (r) => ({ kind: "set_flow_format", format: r.u32() }) },
  flow_age: { place: nicira(18), encode: () => {}, decode: () => ({ kind: "flow_age" }) },
};

function pullGroupNumber(r: WireReader): number {
  const group = r.u32();
  r.skip(4);
  return group;
}

/** Nicira's roles: other (equal), primary, secondary. */
const roleNumber = (role: (typeof roles)[number]): number => (role === "primary" ? 1 : role === "secondary" ? 2 : 0);

function pullRole(r: WireReader): (typeof roles)[number] {
  const number = r.u32();
  if (number > 2) r.fail("OFPRRFC_BAD_ROLE");
  return number === 1 ? "primary" : number === 2 ? "secondary" : "equal";
}

