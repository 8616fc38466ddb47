/** Nicira's messages: packet-in format, controller id, Geneve option table, connection-tracking flush (OVS's nicira-ext). */
import type { TlvMapping } from "./message.ts";
import type { CtTuple } from "./tracked-connection.ts";
import { type Codec, type Codecs, nicira } from "./message-codec.ts";
import { pullProperties, putProperty } from "./property.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const formats = ["standard", "nxt_packet_in", "nxt_packet_in2"] as const;
const tlvCommands = ["add", "delete", "clear"] as const;

/** A 16-bit number after six zero bytes. */
const lateU16 = {
  put: (w: WireWriter, value: number): void => {
    w.zeros(6);
    w.u16(value);
  },
  pull: (r: WireReader): number => {
    r.zeros(6, "NXBRC_MUST_BE_ZERO");
    return r.u16();
  },
};

function putMappings(w: WireWriter, mappings: readonly TlvMapping[]): void {
  for (const m of mappings) {
    w.u16(m.optionClass);
    w.u8(m.optionType);
    w.u8(m.optionSize);
    w.u16(m.index);
    w.zeros(2);
  }
}

function pullMappings(r: WireReader): TlvMapping[] {
  const mappings: TlvMapping[] = [];
  while (r.remaining > 0) {
    mappings.push({ optionClass: r.u16(), optionType: r.u8(), optionSize: r.u8(), index: r.u16() });
    r.skip(2);
  }
  for (const m of mappings) {
    if (m.optionSize === 0 || m.optionSize % 4 !== 0 || m.optionSize > 124) r.fail("NXTTMFC_BAD_OPT_LEN");
    if (m.index >= 64) r.fail("NXTTMFC_BAD_FIELD_IDX");
  }
  return r.ok ? mappings : [];
}

const ipv4Mapped = 0xffff_0000_0000n;

function putTuple(w: WireWriter, tuple: CtTuple, family: 0 | 4 | 6): void {
  const ip = (value: bigint): bigint => (family === 4 ? ipv4Mapped | value : value);
  const { source, destination, sourcePort, destinationPort, icmpId, icmpType, icmpCode } = tuple;
  if (source !== undefined) putProperty(w, 0, () => w.integer(ip(source), 16));
  if (destination !== undefined) putProperty(w, 1, () => w.integer(ip(destination), 16));
  if (sourcePort !== undefined) putProperty(w, 2, () => (w.u16(sourcePort), w.zeros(2)));
  if (destinationPort !== undefined) putProperty(w, 3, () => (w.u16(destinationPort), w.zeros(2)));
  if (icmpId !== undefined) putProperty(w, 4, () => (w.u16(icmpId), w.zeros(2)));
  if (icmpType !== undefined) putProperty(w, 5, () => w.u8(icmpType));
  if (icmpCode !== undefined) putProperty(w, 6, () => w.u8(icmpCode));
}

function pullTuple(r: WireReader, sawFamily: (family: 4 | 6) => void): CtTuple {
  let tuple: CtTuple = {};
  const ip = (payload: WireReader): bigint => {
    const value = payload.integer(16);
    sawFamily(value >> 32n === 0xffffn ? 4 : 6);
    return value >> 32n === 0xffffn ? value & 0xffffffffn : value;
  };
  pullProperties(r, (propertyType, payload) => {
    if (propertyType === 0) tuple = { ...tuple, source: ip(payload) };
    else if (propertyType === 1) tuple = { ...tuple, destination: ip(payload) };
    else if (propertyType === 2) tuple = { ...tuple, sourcePort: payload.u16() };
    else if (propertyType === 3) tuple = { ...tuple, destinationPort: payload.u16() };
    else if (propertyType === 4) tuple = { ...tuple, icmpId: payload.u16() };
    else if (propertyType === 5) tuple = { ...tuple, icmpType: payload.u8() };
    else if (propertyType === 6) tuple = { ...tuple, icmpCode: payload.u8() };
    else return false;
    return true;
  });
  return tuple;
}

const ctFlush: Codec<"ct_flush"> = {
  place: nicira(32),
  encode: (w, m) => {
    w.u8(m.protocol);
    w.zeros(7);
    const { zone, mark, labels } = m;
    if (Object.keys(m.original).length > 0) putProperty(w, 0, () => (w.zeros(4), putTuple(w, m.original, m.family)));
    if (Object.keys(m.reply).length > 0) putProperty(w, 1, () => (w.zeros(4), putTuple(w, m.reply, m.family)));
    if (zone !== undefined) putProperty(w, 2, () => (w.u16(zone), w.zeros(2)));
    if (mark !== undefined) {
      putProperty(w, 3, () => w.u32(mark.value));
      putProperty(w, 4, () => w.u32(mark.mask));
    }
    if (labels !== undefined) {
      putProperty(w, 5, () => w.integer(labels.value, 16));
      putProperty(w, 6, () => w.integer(labels.mask, 16));
    }
  },
  decode: (r) => {
    const protocol = r.u8();
    r.zeros(7, "NXBRC_MUST_BE_ZERO");
    let family: 0 | 4 | 6 = 0;
    let [original, reply]: [CtTuple, CtTuple] = [{}, {}];
    let zone: number | undefined;
    const mark: { value?: number; mask?: number } = {};
    const labels: { value?: bigint; mask?: bigint } = {};
    const saw = (f: 4 | 6): void => {
      if (family !== 0 && family !== f) r.fail("OFPBPC_BAD_VALUE", "addresses of two families");
      family = f;
    };
    pullProperties(r, (propertyType, payload) => {
      if (propertyType === 0) original = (payload.skip(4), pullTuple(payload, saw));
      else if (propertyType === 1) reply = (payload.skip(4), pullTuple(payload, saw));
      else if (propertyType === 2) zone = payload.u16();
      else if (propertyType === 3) mark.value = payload.u32();
      else if (propertyType === 4) mark.mask = payload.u32();
      else if (propertyType === 5) labels.value = payload.integer(16);
      else if (propertyType === 6) labels.mask = payload.integer(16);
      else return false;
      return true;
    });
    return {
      kind: "ct_flush", protocol, family, original, reply, ...(zone !== undefined && { zone }),
      ...(mark.value !== undefined && { mark: { value: mark.value, mask: mark.mask ?? 0xffffffff } }),
      ...(labels.value !== undefined && { labels: { value: labels.value, mask: labels.mask ?? (1n << 128n) - 1n } }),
    };
  },
};

export const niciraCodecs: Codecs<
  | "set_packet_in_format" | "set_controller_id" | "flow_mod_table_id" | "tlv_table_mod" | "tlv_table_request" | "tlv_table_reply" | "ct_flush_zone"
  | "ct_flush"
> = {
  set_packet_in_format: {
    place: nicira(16),
    encode: (w, m) => w.u32(formats.indexOf(m.format)),
    decode: (r) => {
      const format = formats[r.u32()];
      if (format === undefined) r.fail("OFPBRC_EPERM", "unknown packet-in format");
      return format && { kind: "set_packet_in_format", format };
    },
  },
  set_controller_id: {
    place: nicira(20),
    encode: (w, m) => lateU16.put(w, m.id),
    decode: (r) => ({ kind: "set_controller_id", id: lateU16.pull(r) }),
  },
  flow_mod_table_id: {
    place: nicira(15),
    encode: (w, m) => (w.u8(m.enabled ? 1 : 0), w.zeros(7)),
    decode: (r) => {
      const set = r.u8();
      if (set > 1) r.fail("OFPBRC_EPERM");
      r.skip(7);
      return { kind: "flow_mod_table_id", enabled: set === 1 };
    },
  },
  tlv_table_mod: {
    place: nicira(24),
    encode: (w, m) => {
      w.u16(tlvCommands.indexOf(m.command));
      w.zeros(6);
      putMappings(w, m.mappings);
    },
    decode: (r) => {
      const command = tlvCommands[r.u16()];
      r.skip(6);
      if (command === undefined) r.fail("NXTTMFC_BAD_COMMAND");
      const mappings = pullMappings(r);
      return command && { kind: "tlv_table_mod", command, mappings };
    },
  },
  tlv_table_request: { place: nicira(25), encode: () => {}, decode: () => ({ kind: "tlv_table_request" }) },
  tlv_table_reply: {
    place: nicira(26),
    encode: (w, m) => {
      w.u32(m.maxSpace);
      w.u16(m.maxFields);
      w.zeros(10);
      putMappings(w, m.mappings);
    },
    decode: (r) => {
      const [maxSpace, maxFields] = [r.u32(), r.u16()];
      r.skip(10);
      return { kind: "tlv_table_reply", maxSpace, maxFields, mappings: pullMappings(r) };
    },
  },
  ct_flush_zone: {
    place: nicira(29),
    encode: (w, m) => lateU16.put(w, m.zone),
    decode: (r) => ({ kind: "ct_flush_zone", zone: lateU16.pull(r) }),
  },
  ct_flush: ctFlush,
};
