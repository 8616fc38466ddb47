/** Groups (OpenFlow 1.5, section 7.3.4.3, with the selection method extension) and meters (section 7.3.4.4). */
import { decodeActions, encodeActions } from "../action/action-list.ts";
import { Match, MatchBuilder } from "../match/match.ts";
import { type Bucket, type GroupDescription, type GroupMod, groupModCommands, groups, groupTypes } from "./group.ts";
import type { MeterBand, MeterConfig } from "./meter.ts";
import { type Codec, type Codecs, type } from "./message-codec.ts";
import { pullProperties, putProperty } from "./property.ts";
import { pullEntry, putEntry } from "../match/oxm.ts";
import { portFromWire, ports, portToWire } from "./port.ts";
import { of10, of15, type OfVersion } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const maxBuckets = 8192;

/** OpenFlow 1.5 gave buckets names and properties; Nicira's groups for OpenFlow 1.0 look the same. */
const hasBucketIds = (version: OfVersion): boolean => version >= of15 || version === of10;

function putBucket(w: WireWriter, bucket: Bucket, isSelect: boolean): void {
  const start = w.size;
  w.u16(0);
  if (hasBucketIds(w.version)) {
    w.u16(0);
    w.u32(bucket.id);
    encodeActions(w, bucket.actions);
    w.setU16(start + 2, w.size - start - 8);
    if (isSelect || bucket.weight !== 0) putProperty(w, 0, () => (w.u16(bucket.weight), w.zeros(2)));
    if (bucket.watchPort !== ports.none) putProperty(w, 1, () => w.u32(portToWire(bucket.watchPort)));
    if (bucket.watchGroup !== groups.any) putProperty(w, 2, () => w.u32(bucket.watchGroup));
  } else {
    w.u16(bucket.weight);
    w.u32(portToWire(bucket.watchPort));
    w.u32(bucket.watchGroup);
    w.zeros(4);
    encodeActions(w, bucket.actions);
  }
  w.setU16(start, w.size - start);
}

function pullBucket15(r: WireReader): Bucket {
  const size = r.u16();
  const id = r.u32();
  if (id >= groups.max) r.fail("OFPGMFC_BAD_BUCKET");
  if (size > r.remaining) r.fail("OFPGMFC_BAD_BUCKET");
  const actions = decodeActions(r.part(size, "OFPGMFC_BAD_BUCKET"));
  let [weight, watchPort, watchGroup] = [0, ports.none as number, groups.any as number];
  pullProperties(r, (propertyType, payload) => {
    if (propertyType === 0) weight = payload.u16();
    else if (propertyType === 1) watchPort = portFromWire(payload.u32()) ?? ports.none;
    else if (propertyType === 2) watchGroup = payload.u32();
    else return false;
    return true;
  });
  return { id, weight, watchPort, watchGroup, actions };
}

function pullBuckets(r: WireReader): Bucket[] {
  const buckets: Bucket[] = [];
  while (r.remaining > 0 && buckets.length <= maxBuckets) {
    const size = r.peekU16();
    if (size < (hasBucketIds(r.version) ? 8 : 16) || size % 8 !== 0 || size > r.remaining) {
      r.fail("OFPGMFC_BAD_BUCKET");
      break;
    }
    const part = r.part(size, "OFPGMFC_BAD_BUCKET");
    part.skip(2);
    if (hasBucketIds(r.version)) buckets.push(pullBucket15(part));
    else {
      const [weight, port, watchGroup] = [part.u16(), portFromWire(part.u32()), part.u32()];
      part.skip(4);
      buckets.push({ id: buckets.length, weight, watchPort: port ?? ports.none, watchGroup, actions: decodeActions(part) });
    }
  }
  if (buckets.length > maxBuckets) r.fail("OFPGMFC_OUT_OF_BUCKETS");
  if (new Set(buckets.map((b) => b.id)).size !== buckets.length) r.fail("OFPGMFC_BUCKET_EXISTS");
  return r.ok ? buckets : [];
}

const ntrVendor = 0x0000154d;

function putSelection(w: WireWriter, group: GroupDescription): void {
  if (group.selectionMethod === "") return;
  putProperty(w, 0xffff, () => {
    w.u32(ntrVendor);
    w.u32(1); // NTRT_SELECTION_METHOD
    w.zeros(4);
    w.text(group.selectionMethod, 16);
    w.u64(group.selectionParameter);
    for (const { field: f, mask } of group.selectionFields.terms) putEntry(w, f, w.version, mask, f.full);
  });
}

type Selection = Pick<GroupDescription, "selectionMethod" | "selectionParameter" | "selectionFields">;

function pullSelection(r: WireReader): Selection {
  let selection: Selection = { selectionMethod: "", selectionParameter: 0n, selectionFields: Match.any };
  pullProperties(r, (propertyType, payload) => {
    if (propertyType !== 0xffff) return false;
    if (payload.u32() !== ntrVendor || payload.u32() !== 1) {
      r.fail("OFPBPC_BAD_EXP_TYPE");
      return true;
    }
    payload.skip(4);
    const [selectionMethod, selectionParameter] = [payload.text(16), payload.u64()];
    const fields = new MatchBuilder();
    while (payload.remaining > 0) {
      // The value says which bits count.
      const entry = pullEntry(payload, "match");
      if (entry?.field !== undefined) fields.add(entry.field, 0, entry.value);
      else if (entry !== undefined) r.fail("OFPBMC_BAD_FIELD");
    }
    if (selectionMethod !== "hash" && selectionMethod !== "dp_hash") r.fail("OFPBPC_BAD_VALUE", `selection method ${selectionMethod}`);
    selection = { selectionMethod, selectionParameter, selectionFields: fields.build() };
    return true;
  });
  return selection;
}

const commandNumbers = [0, 1, 2, 3, 5, 0x8000];

const groupMod: Codec<"group_mod"> = {
  place: type(15),
  encode: (w, m) => {
    w.u16(commandNumbers[groupModCommands.indexOf(m.command)] ?? 0);
    w.u8(groupTypes.indexOf(m.type));
    w.u8(0);
    w.u32(m.group);
    const at = w.size;
    if (hasBucketIds(w.version)) {
      w.u16(0);
      w.zeros(2);
      w.u32(m.commandBucket);
    }
    const start = w.size;
    for (const bucket of m.buckets) putBucket(w, bucket, m.type === "select");
    if (hasBucketIds(w.version)) {
      w.setU16(at, w.size - start);
      putSelection(w, m);
    }
  },
  decode: (r) => {
    const command = groupModCommands[commandNumbers.indexOf(r.u16())];
    const groupType = groupTypes[r.u8()];
    r.skip(1);
    const group = r.u32();
    let commandBucket: number = groups.bucketAll;
    let size = r.remaining;
    if (hasBucketIds(r.version)) {
      size = r.u16();
      r.skip(2);
      commandBucket = r.u32();
    }
    if (size > r.remaining) r.fail("OFPGMFC_BAD_BUCKET");
    const buckets = pullBuckets(r.part(size, "OFPGMFC_BAD_BUCKET"));
    const selection = pullSelection(r);
    if (command === undefined) r.fail("OFPGMFC_BAD_COMMAND");
    if (groupType === undefined) r.fail("OFPGMFC_BAD_TYPE");
    if (command === undefined || groupType === undefined) return undefined;
    const m: GroupMod = { kind: "group_mod", command, group, type: groupType, buckets, commandBucket, ...selection };
    checkGroup(r, m);
    return m;
  },
};

function checkGroup(r: WireReader, m: GroupMod): void {
  if (m.group > groups.max && !(m.command === "delete" && m.group === groups.all)) r.fail("OFPGMFC_INVALID_GROUP");
  if (m.type === "indirect" && (m.command === "add" || m.command === "modify") && m.buckets.length !== 1) r.fail("OFPGMFC_INVALID_GROUP");
  if (m.type !== "select" && m.selectionMethod !== "") r.fail("OFPBPC_BAD_TYPE");
}

export function putGroupDescription(w: WireWriter, group: GroupDescription): void {
  const start = w.size;
  w.u16(0);
  w.u8(groupTypes.indexOf(group.type));
  w.u8(0);
  w.u32(group.group);
  const at = w.size;
  if (hasBucketIds(w.version)) w.zeros(8);
  const bucketStart = w.size;
  for (const bucket of group.buckets) putBucket(w, bucket, group.type === "select");
  if (hasBucketIds(w.version)) {
    w.setU16(at, w.size - bucketStart);
    putSelection(w, group);
  }
  w.setU16(start, w.size - start);
}

export function pullGroupDescription(r: WireReader): GroupDescription | undefined {
  const size = r.u16();
  if (size < 8) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  const groupType = groupTypes[part.u8()];
  part.skip(1);
  const group = part.u32();
  let bucketSize = part.remaining;
  if (hasBucketIds(r.version)) {
    bucketSize = part.u16();
    part.skip(6);
  }
  const buckets = pullBuckets(part.part(bucketSize));
  const selection = pullSelection(part);
  return groupType && { group, type: groupType, buckets, ...selection };
}

export function putBand(w: WireWriter, band: MeterBand): void {
  w.u16(band.type === "drop" ? 1 : 2);
  w.u16(16);
  w.u32(band.rate);
  w.u32(band.burst);
  w.u8(band.type === "drop" ? 0 : (band.precedence ?? 0));
  w.zeros(3);
}

export function pullBands(r: WireReader): MeterBand[] {
  const bands: MeterBand[] = [];
  while (r.remaining > 0) {
    const [bandType, size, rate, burst] = [r.u16(), r.u16(), r.u32(), r.u32()];
    const precedence = r.u8();
    r.skip(3);
    if (size !== 16) r.fail("OFPBRC_BAD_LEN");
    else if (bandType === 1) bands.push({ type: "drop", rate, burst });
    else if (bandType === 2) bands.push({ type: "dscp_remark", rate, burst, precedence });
    else r.fail("OFPMMFC_BAD_BAND");
  }
  return bands;
}

export function putMeterConfig(w: WireWriter, config: MeterConfig): void {
  w.u16(8 + 16 * config.bands.length);
  w.u16(config.flags);
  w.u32(config.meter);
  for (const band of config.bands) putBand(w, band);
}

export function pullMeterConfig(r: WireReader): MeterConfig {
  const size = r.u16();
  if (size < 8) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(Math.max(0, size - 2));
  const [flags, meter] = [part.u16(), part.u32()];
  return { meter, flags, bands: pullBands(part) };
}

const meterCommands = ["add", "modify", "delete"] as const;

const meterMod: Codec<"meter_mod"> = {
  place: type(29),
  encode: (w, m) => {
    w.u16(meterCommands.indexOf(m.command));
    w.u16(m.flags);
    w.u32(m.meter);
    for (const band of m.bands) putBand(w, band);
  },
  decode: (r) => {
    const command = meterCommands[r.u16()];
    const [flags, meter] = [r.u16(), r.u32()];
    if (command === undefined) r.fail("OFPMMFC_BAD_COMMAND");
    if (command !== "delete" && (flags & ~15) !== 0) r.fail("OFPMMFC_BAD_FLAGS");
    if (command !== "delete" && (flags & 3) === 3) r.fail("OFPMMFC_BAD_FLAGS");
    const bands = command === "delete" ? (r.rest(), []) : pullBands(r);
    return command && { kind: "meter_mod", command, flags, meter, bands };
  },
};

export const groupMeterCodecs: Codecs<"group_mod" | "meter_mod"> = { group_mod: groupMod, meter_mod: meterMod };
