/** Packets between switch and controller: packet_in (OpenFlow's and NXT_PACKET_IN2), NXT_RESUME, packet_out. */
import { decodeActions, encodeActions } from "../action/action-list.ts";
import { type PacketInReason, packetInReasons } from "../action/action.ts";
import { field } from "../match/field.ts";
import { Match } from "../match/match.ts";
import { noBuffer, type PacketIn } from "./packet.ts";
import { type Codec, type Codecs, nicira, type } from "./message-codec.ts";
import { pullProperties, putProperty } from "./property.ts";
import { pullMatch, pullTerms, putMatch, putTerms } from "../match/oxm-match.ts";
import { portFromWire, ports, portToWire } from "./port.ts";
import { of15 } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** All ones: the packet met no flow, or its flow had no cookie to tell. */
export const noCookie = 0xffffffffffffffffn;

type Body = Omit<PacketIn, "kind" | "extended">;

const reasonOf = (number: number): PacketInReason => packetInReasons[number] ?? "action";

/** In the order of NXPINT_*. */
function putPacketIn2(w: WireWriter, m: Body): void {
  putProperty(w, 0, () => w.raw(m.packet));
  if (m.totalLength !== m.packet.length) putProperty(w, 1, () => w.u32(m.totalLength));
  if (m.bufferId !== noBuffer) putProperty(w, 2, () => w.u32(m.bufferId));
  putProperty(w, 3, () => w.u8(m.table));
  if (m.cookie !== noCookie) putProperty(w, 4, () => (w.zeros(4), w.u64(m.cookie)));
  putProperty(w, 5, () => w.u8(packetInReasons.indexOf(m.reason)));
  putProperty(w, 6, () => putTerms(w, m.metadata, w.version));
  const { continuation, userdata } = m;
  if (continuation !== undefined && continuation.length > 0) putProperty(w, 8, () => (w.zeros(4), w.raw(continuation)));
  if (userdata !== undefined && userdata.length > 0) putProperty(w, 7, () => w.raw(userdata));
}

function pullPacketIn2(r: WireReader): Body {
  let m: Body = {
    packet: new Uint8Array(0), totalLength: 0, bufferId: noBuffer, reason: "no_match", table: 0, cookie: noCookie, metadata: Match.any,
  };
  pullProperties(r, (propertyType, payload) => {
    if (propertyType === 0) m = { ...m, packet: payload.rest().slice() };
    else if (propertyType === 1) m = { ...m, totalLength: payload.u32() };
    else if (propertyType === 2) m = { ...m, bufferId: payload.u32() };
    else if (propertyType === 3) m = { ...m, table: payload.u8() };
    else if (propertyType === 4) m = { ...m, cookie: (payload.skip(4), payload.u64()) };
    else if (propertyType === 5) m = { ...m, reason: reasonOf(payload.u8()) };
    else if (propertyType === 6) m = { ...m, metadata: pullTerms(payload, "loose").match };
    else if (propertyType === 7) m = { ...m, userdata: payload.rest().slice() };
    else if (propertyType === 8) m = { ...m, continuation: (payload.skip(4), payload.rest().slice()) };
    else return false;
    return true;
  });
  if (m.totalLength === 0) m = { ...m, totalLength: m.packet.length };
  if (m.packet.length === 0 || m.totalLength < m.packet.length) r.fail("OFPBRC_BAD_LEN", "packet-in without its packet");
  return m;
}

export const packetIn2: Codec<"packet_in"> = {
  place: nicira(30),
  encode: putPacketIn2,
  decode: (r) => ({ kind: "packet_in", extended: true, ...pullPacketIn2(r) }),
};

const packetIn: Codec<"packet_in"> = {
  place: type(10),
  encode: (w, m) => {
    w.u32(m.bufferId);
    w.u16(m.totalLength);
    w.u8(packetInReasons.indexOf(m.reason));
    w.u8(m.table);
    w.u64(m.cookie);
    putMatch(w, m.metadata);
    w.zeros(2);
    w.raw(m.packet);
  },
  decode: (r) => {
    const [bufferId, totalLength, reason, table, cookie] = [r.u32(), r.u16(), reasonOf(r.u8()), r.u8(), r.u64()];
    const metadata = pullMatch(r, "loose");
    r.skip(2);
    return { kind: "packet_in", extended: false, packet: r.rest().slice(), totalLength, bufferId, reason, table, cookie, metadata };
  },
};

const packetOut: Codec<"packet_out"> = {
  place: type(13),
  encode: (w, m) => {
    w.u32(m.bufferId);
    const isNew = w.version >= of15;
    if (!isNew) w.u32(portToWire(m.metadata.exact("in_port") ?? ports.controller));
    const at = w.size;
    w.u16(0);
    w.zeros(isNew ? 2 : 6);
    if (isNew) putMatch(w, m.metadata);
    const start = w.size;
    encodeActions(w, m.actions);
    w.setU16(at, w.size - start);
    if (m.bufferId === noBuffer) w.raw(m.packet);
  },
  decode: (r) => {
    const bufferId = r.u32();
    const isNew = r.version >= of15;
    const port = isNew ? undefined : portFromWire(r.u32());
    const size = r.u16();
    r.skip(isNew ? 2 : 6);
    const metadata = isNew ? pullMatch(r, "strict") : Match.any.with(field("in_port"), port ?? 0);
    // Only what is about the packet's way, not in the packet.
    if (metadata.terms.some((t) => t.field.prerequisite !== "none" && t.field.prerequisite !== "ct")) r.fail("OFPBRC_PIPELINE_FIELDS_ONLY");
    const inPort = metadata.exact("in_port");
    const isPort = inPort !== undefined && (inPort < ports.max || inPort === ports.local || inPort === ports.none || inPort === ports.controller);
    if (!isPort) r.fail("OFPBRC_BAD_PORT", "packet-out with an odd input port");
    if (size > r.remaining) r.fail("OFPBAC_BAD_LEN");
    const actions = decodeActions(r.part(size, "OFPBAC_BAD_LEN"));
    return { kind: "packet_out", bufferId, metadata, actions, packet: r.rest().slice() };
  },
};

export const packetCodecs: Codecs<"packet_in" | "resume" | "packet_out"> = {
  packet_in: packetIn,
  resume: { place: nicira(28), encode: (w, m) => putPacketIn2(w, m.packetIn), decode: (r) => ({ kind: "resume", packetIn: pullPacketIn2(r) }) },
  packet_out: packetOut,
};
