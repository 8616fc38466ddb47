/** Multipart requests and replies: what a switch tells about itself (OpenFlow 1.5, section 7.3.5). */
import { pullOxs, putOxs } from "./flow-messages.ts";
import { pullFlow, pullFlowRequest, putFlow, putFlowRequest } from "./flow-stats-messages.ts";
import { pullGroupDescription, pullMeterConfig, putGroupDescription, putMeterConfig } from "./group-meter-messages.ts";
import type { GroupStats } from "./group.ts";
import { type Codecs, pullDuration, putDuration, reply, request } from "./message-codec.ts";
import type { MultipartReply, MultipartRequest } from "./message.ts";
import type { MeterStats } from "./meter.ts";
import type { PortStats } from "./port-description.ts";
import { pullPort, putPort } from "./port-messages.ts";
import { portFromWire, ports, portToWire } from "./port.ts";
import { pullProperties, putProperty } from "./property.ts";
import type { TableFeatures } from "./table.ts";
import { of14, of15 } from "./version.ts";
import { pullAll, type WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const putPortNumber = (w: WireWriter, m: { readonly port: number }): void => {
  w.u32(portToWire(m.port));
  w.zeros(4);
};

function pullPortNumber(r: WireReader): { port: number } {
  const port = portFromWire(r.u32());
  r.skip(4);
  if (port === undefined) r.fail("OFPBRC_BAD_PORT");
  return { port: port ?? ports.none };
}

const putId = (w: WireWriter, id: number): void => {
  w.u32(id);
  w.zeros(4);
};

function pullId(r: WireReader): number {
  const id = r.u32();
  r.skip(4);
  return id;
}

const nothing = <K extends MultipartRequest["kind"]>(kind: K, number: number) => ({
  place: request(number), encode: (): void => {}, decode: (r: WireReader): { kind: K } => (r.rest(), { kind }),
});

export const multipartRequestCodecs: Codecs<MultipartRequest["kind"]> = {
  desc_request: nothing("desc_request", 0),
  flow_stats_request: { place: request(1), encode: putFlowRequest, decode: (r) => ({ kind: "flow_stats_request", ...pullFlowRequest(r) }) },
  aggregate_request: { place: request(2), encode: putFlowRequest, decode: (r) => ({ kind: "aggregate_request", ...pullFlowRequest(r) }) },
  table_stats_request: nothing("table_stats_request", 3),
  port_stats_request: { place: request(4), encode: putPortNumber, decode: (r) => ({ kind: "port_stats_request", ...pullPortNumber(r) }) },
  group_stats_request: { place: request(6), encode: (w, m) => putId(w, m.group), decode: (r) => ({ kind: "group_stats_request", group: pullId(r) }) },
  group_desc_request: {
    place: request(7),
    encode: (w, m) => (w.version >= of15 ? putId(w, m.group) : undefined),
    decode: (r) => ({ kind: "group_desc_request", group: r.version >= of15 ? pullId(r) : 0xfffffffc }),
  },
  group_features_request: nothing("group_features_request", 8),
  meter_stats_request: { place: request(9), encode: (w, m) => putId(w, m.meter), decode: (r) => ({ kind: "meter_stats_request", meter: pullId(r) }) },
  meter_config_request: { place: request(10), encode: (w, m) => putId(w, m.meter), decode: (r) => ({ kind: "meter_config_request", meter: pullId(r) }) },
  meter_features_request: nothing("meter_features_request", 11),
  table_features_request: nothing("table_features_request", 12),
  port_desc_request: {
    place: request(13),
    encode: (w, m) => (w.version >= of15 ? putPortNumber(w, m) : undefined),
    decode: (r) => ({ kind: "port_desc_request", port: r.version >= of15 ? pullPortNumber(r).port : ports.none }),
  },
  table_desc_request: nothing("table_desc_request", 14),
};

/** As OpenFlow says that a switch does not count something. */
const unknownCount = 0xffffffffffffffffn;

function putPortStats(w: WireWriter, s: PortStats): void {
  const isNew = w.version >= of14;
  if (isNew) (w.u16(120), w.zeros(2), w.u32(portToWire(s.port)), putDuration(w, s.durationNs));
  else (w.u32(portToWire(s.port)), w.zeros(4));
  for (const n of [s.rxPackets, s.txPackets, s.rxBytes, s.txBytes, s.rxDropped, s.txDropped, s.rxErrors, s.txErrors]) w.u64(n);
  const putDetails = (): void => [s.rxFrameErrors, s.rxOverErrors, s.rxCrcErrors, s.collisions].forEach((n) => w.u64(n));
  if (isNew) putProperty(w, 0, () => (w.zeros(4), putDetails()));
  else (putDetails(), putDuration(w, s.durationNs));
}

function pullPortStats(r: WireReader): PortStats {
  const isNew = r.version >= of14;
  const size = isNew ? r.u16() - 2 : 112;
  if (size < 78) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size));
  if (isNew) part.skip(2);
  const port = portFromWire(part.u32()) ?? ports.none;
  if (!isNew) part.skip(4);
  let durationNs = isNew ? pullDuration(part) : 0n;
  const [rxPackets, txPackets, rxBytes, txBytes] = [part.u64(), part.u64(), part.u64(), part.u64()];
  const [rxDropped, txDropped, rxErrors, txErrors] = [part.u64(), part.u64(), part.u64(), part.u64()];
  let [rxFrameErrors, rxOverErrors, rxCrcErrors, collisions] = [unknownCount, unknownCount, unknownCount, unknownCount];
  const pullDetails = (r: WireReader): void => {
    [rxFrameErrors, rxOverErrors, rxCrcErrors, collisions] = [r.u64(), r.u64(), r.u64(), r.u64()];
  };
  if (isNew) {
    // What other properties tell nobody here asks for.
    pullProperties(part, (propertyType, payload) => {
      if (propertyType === 0) (payload.skip(4), pullDetails(payload));
      return propertyType === 0;
    }, "skip");
  } else {
    pullDetails(part);
    durationNs = pullDuration(part);
  }
  return { port, rxPackets, txPackets, rxBytes, txBytes, rxDropped, txDropped, rxErrors, txErrors, rxFrameErrors, rxOverErrors, rxCrcErrors, collisions, durationNs };
}

function putGroupStats(w: WireWriter, s: GroupStats): void {
  w.u16(40 + 16 * s.buckets.length);
  w.zeros(2);
  w.u32(s.group);
  w.u32(s.references);
  w.zeros(4);
  w.u64(s.packets);
  w.u64(s.bytes);
  putDuration(w, s.durationNs);
  for (const bucket of s.buckets) (w.u64(bucket.packets), w.u64(bucket.bytes));
}

function pullGroupStats(r: WireReader): GroupStats {
  const size = r.u16();
  if (size < 40) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  part.skip(2);
  const [group, references] = [part.u32(), part.u32()];
  part.skip(4);
  const [packets, bytes, durationNs] = [part.u64(), part.u64(), pullDuration(part)];
  return { group, references, packets, bytes, durationNs, buckets: pullAll(part, (b) => ({ packets: b.u64(), bytes: b.u64() })) };
}

function putMeterStats(w: WireWriter, s: MeterStats): void {
  w.u32(s.meter);
  w.u16(40 + 16 * s.bands.length);
  w.zeros(6);
  w.u32(s.flows);
  w.u64(s.packets);
  w.u64(s.bytes);
  putDuration(w, s.durationNs);
  for (const band of s.bands) (w.u64(band.packets), w.u64(band.bytes));
}

function pullMeterStats(r: WireReader): MeterStats {
  const meter = r.u32();
  const size = r.u16();
  if (size < 40) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 6));
  part.skip(6);
  const [flows, packets, bytes, durationNs] = [part.u32(), part.u64(), part.u64(), pullDuration(part)];
  return { meter, flows, packets, bytes, durationNs, bands: pullAll(part, (b) => ({ packets: b.u64(), bytes: b.u64() })) };
}

/** Instructions, next tables, actions written and applied, match, wildcards, fields written and applied: before 1.5 each must be there. */
const requiredTableProperties: readonly number[] = [0, 2, 4, 6, 8, 10, 12, 14];

function putTableFeatures(w: WireWriter, t: TableFeatures): void {
  const properties = w.version < of15 ? requiredTableProperties : [];
  w.u16(64 + 8 * properties.length);
  w.u8(t.table);
  w.zeros(5);
  w.text(t.name, 32);
  w.u64(t.metadataMatch);
  w.u64(t.metadataWrite);
  w.u32(0);
  w.u32(t.maxEntries);
  for (const property of properties) (w.u16(property), w.u16(4), w.zeros(4));
}

function pullTableFeatures(r: WireReader): TableFeatures {
  const size = r.u16();
  if (size < 64) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  const table = part.u8();
  part.skip(5);
  const [name, metadataMatch, metadataWrite] = [part.text(32), part.u64(), part.u64()];
  part.skip(4);
  return { table, name, metadataMatch, metadataWrite, maxEntries: part.u32() };
}

const four = (items: readonly number[]): readonly number[] => [0, 1, 2, 3].map((i) => items[i] ?? 0);

export const multipartReplyCodecs: Codecs<MultipartReply["kind"]> = {
  desc_reply: {
    place: reply(0),
    encode: (w, { description: d }) => {
      for (const [text, size] of [[d.manufacturer, 256], [d.hardware, 256], [d.software, 256], [d.serial, 32], [d.datapath, 256]] as const) w.text(text, size);
    },
    decode: (r) => {
      const [manufacturer, hardware, software, serial, datapath] = [r.text(256), r.text(256), r.text(256), r.text(32), r.text(256)];
      return { kind: "desc_reply", description: { manufacturer, hardware, software, serial, datapath } };
    },
  },
  flow_stats_reply: {
    place: reply(1),
    encode: (w, m) => m.flows.forEach((flow) => putFlow(w, flow)),
    decode: (r) => ({ kind: "flow_stats_reply", flows: pullAll(r, pullFlow) }),
  },
  aggregate_reply: {
    place: reply(2),
    encode: (w, m) => {
      if (w.version >= of15) putOxs(w, { flows: m.flows, packets: m.packets, bytes: m.bytes });
      else (w.u64(m.packets), w.u64(m.bytes), w.u32(m.flows), w.zeros(4));
    },
    decode: (r) => {
      if (r.version >= of15) {
        const { packets = 0n, bytes = 0n, flows = 0 } = pullOxs(r);
        return { kind: "aggregate_reply", packets, bytes, flows };
      }
      const [packets, bytes, flows] = [r.u64(), r.u64(), r.u32()];
      r.skip(4);
      return { kind: "aggregate_reply", packets, bytes, flows };
    },
  },
  table_stats_reply: {
    place: reply(3),
    encode: (w, m) => {
      for (const t of m.tables) (w.u8(t.table), w.zeros(3), w.u32(t.active), w.u64(t.lookups), w.u64(t.matched));
    },
    decode: (r) => ({
      kind: "table_stats_reply",
      tables: pullAll(r, (t) => ({ table: (t.u32() >>> 24), active: t.u32(), lookups: t.u64(), matched: t.u64() })),
    }),
  },
  port_stats_reply: {
    place: reply(4),
    encode: (w, m) => m.ports.forEach((s) => putPortStats(w, s)),
    decode: (r) => ({ kind: "port_stats_reply", ports: pullAll(r, pullPortStats) }),
  },
  group_stats_reply: {
    place: reply(6),
    encode: (w, m) => m.groups.forEach((s) => putGroupStats(w, s)),
    decode: (r) => ({ kind: "group_stats_reply", groups: pullAll(r, pullGroupStats) }),
  },
  group_desc_reply: {
    place: reply(7),
    encode: (w, m) => m.groups.forEach((g) => putGroupDescription(w, g)),
    decode: (r) => ({ kind: "group_desc_reply", groups: pullAll(r, pullGroupDescription) }),
  },
  group_features_reply: {
    place: reply(8),
    encode: (w, m) => [m.types, m.capabilities, ...four(m.maxGroups), ...four(m.actions)].forEach((n) => w.u32(n)),
    decode: (r) => ({
      kind: "group_features_reply", types: r.u32(), capabilities: r.u32(),
      maxGroups: [r.u32(), r.u32(), r.u32(), r.u32()], actions: [r.u32(), r.u32(), r.u32(), r.u32()],
    }),
  },
  meter_stats_reply: {
    place: reply(9),
    encode: (w, m) => m.meters.forEach((s) => putMeterStats(w, s)),
    decode: (r) => ({ kind: "meter_stats_reply", meters: pullAll(r, pullMeterStats) }),
  },
  meter_config_reply: {
    place: reply(10),
    encode: (w, m) => m.meters.forEach((c) => putMeterConfig(w, c)),
    decode: (r) => ({ kind: "meter_config_reply", meters: pullAll(r, pullMeterConfig) }),
  },
  meter_features_reply: {
    place: reply(11),
    encode: (w, m) => (w.u32(m.maxMeters), w.u32(m.bandTypes), w.u32(m.capabilities), w.u8(m.maxBands), w.u8(m.maxColor), w.zeros(2)),
    decode: (r) => {
      const features = { maxMeters: r.u32(), bandTypes: r.u32(), capabilities: r.u32(), maxBands: r.u8(), maxColor: r.u8() };
      r.skip(2);
      return { kind: "meter_features_reply", ...features };
    },
  },
  table_features_reply: {
    place: reply(12),
    encode: (w, m) => m.tables.forEach((t) => putTableFeatures(w, t)),
    decode: (r) => ({ kind: "table_features_reply", tables: pullAll(r, pullTableFeatures) }),
  },
  port_desc_reply: {
    place: reply(13),
    encode: (w, m) => m.ports.forEach((p) => putPort(w, p)),
    decode: (r) => ({ kind: "port_desc_reply", ports: pullAll(r, pullPort) }),
  },
  table_desc_reply: {
    place: reply(14),
    encode: (w, m) => {
      for (const t of m.tables) (w.u16(8), w.u8(t.table), w.u8(0), w.u32(t.config));
    },
    decode: (r) => ({
      kind: "table_desc_reply",
      tables: pullAll(r, (t) => {
        const size = t.u16();
        if (size < 8) t.fail("OFPBRC_BAD_LEN");
        const part = t.part(Math.max(0, size - 2));
        const table = part.u8();
        part.skip(1);
        return { table, config: part.u32() };
      }),
    }),
  },
};
