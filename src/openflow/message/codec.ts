/**
 * Messages to bytes and back.
 *
 *      0                   1                   2                   3
 *     |   version     |     type      |            length             |
 *     |                              xid                              |
 */
import { assert } from "../../std/index.ts";
import { OfError } from "./error.ts";
import { flowCodecs } from "./flow-messages.ts";
import { groupMeterCodecs } from "./group-meter-messages.ts";
import type { Message, MessageKind, MessageOf } from "./message.ts";
import { bundleControls } from "./message.ts";
import { type Codec, type Codecs, nicira, type Place, request, type } from "./message-codec.ts";
import { multipartReplyCodecs, multipartRequestCodecs } from "./multipart-messages.ts";
import { niciraCodecs } from "./nicira-messages.ts";
import { decodeOf10FlowMod, pullOf10FlowRequest } from "./of10-flow-messages.ts";
import { niciraStats, of10Codecs } from "./of10-messages.ts";
import { packetCodecs, packetIn2 } from "./packet-messages.ts";
import { portCodecs } from "./port-messages.ts";
import { pullAsyncMasks, pullAsyncProperties, symmetricCodecs } from "./symmetric-messages.ts";
import { isKnownVersion, of10, of13, of14, of15, type OfVersion } from "./version.ts";
import { type DecodeOptions, WireReader } from "./wire-reader.ts";
import { type TlvSizes, WireWriter } from "./wire-writer.ts";

/** A message as it came; or what is wrong with it, for an error in answer. */
export type Decoded =
  | { readonly version: OfVersion; readonly xid: number; readonly message: Message }
  | { readonly version: OfVersion; readonly xid: number; readonly error: OfError };

const onf = 0x4f4e4600;

/** Bundles are an extension in OpenFlow 1.3. */
const bundlePlace = (number: number, subtype: number) => (version: OfVersion): Place =>
  version >= of14 ? { in: "type", type: number } : { in: "vendor", vendor: onf, subtype };

const bundleControl: Codec<"bundle_control"> = {
  place: bundlePlace(33, 2300),
  encode: (w, m) => (w.u32(m.bundle), w.u16(bundleControls.indexOf(m.control)), w.u16(m.flags)),
  decode: (r) => {
    const [bundle, control, flags] = [r.u32(), bundleControls[r.u16()], r.u16()];
    r.rest();
    if (control === undefined) r.fail("OFPBFC_BAD_TYPE");
    return control && { kind: "bundle_control", bundle, control, flags };
  },
};

const bundleAdd: Codec<"bundle_add"> = {
  place: bundlePlace(34, 2301),
  encode: (w, m) => (w.u32(m.bundle), w.zeros(2), w.u16(m.flags), w.raw(encodeMessage(w.version, 0, m.message, w.tlvSizes))),
  decode: (r) => {
    const bundle = r.u32();
    r.skip(2);
    const flags = r.u16();
    const bytes = r.rest();
    const inner = decodeMessage(bytes.slice(0, bytes.length >= 4 ? Math.max(8, ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)) : 0), r.tlvSizes);
    if ("error" in inner) r.fail(inner.error.name, inner.error.detail);
    else if (inner.version !== r.version) r.fail("OFPBRC_BAD_VERSION");
    else if (!bundleable.has(inner.message.kind)) r.fail("OFPBFC_MSG_UNSUP");
    else return { kind: "bundle_add", bundle, flags, message: inner.message };
    return undefined;
  },
};
const bundleable: ReadonlySet<MessageKind> = new Set(["flow_mod", "group_mod", "port_mod", "packet_out"]);

const codecs: Codecs<MessageKind> = {
  ...of10Codecs, ...symmetricCodecs, ...flowCodecs, ...packetCodecs, ...groupMeterCodecs, ...portCodecs, ...multipartRequestCodecs, ...multipartReplyCodecs,
  ...niciraCodecs, bundle_control: bundleControl, bundle_add: bundleAdd,
};

const codecsOf10: Codecs<MessageKind> = { ...codecs, ...of10Codecs };
const codecsOf = (version: OfVersion): Codecs<MessageKind> => (version === of10 ? codecsOf10 : codecs);

/** What OpenFlow 1.0 has no message for, and no extension says. */
const sinceOf13: ReadonlySet<MessageKind> = new Set<MessageKind>([
  "meter_mod", "meter_stats_request", "meter_stats_reply", "meter_config_request", "meter_config_reply", "meter_features_request", "meter_features_reply",
  "table_features_request", "table_features_reply", "table_desc_request", "table_desc_reply", "bundle_control", "bundle_add", "get_async_request", "get_async_reply",
]);

const placeKey = (p: Place): string =>
  p.in === "type" ? `t${p.type}` : p.in === "vendor" ? `v${p.vendor}.${p.subtype}` : p.in === "request" ? `q${p.multipart}` : `r${p.multipart}`;

type AnyDecode = (r: WireReader) => Message | undefined;

/** For each version, what stands where. */
const decoders = new Map<OfVersion, Map<string, AnyDecode>>(
  ([of10, of13, of14, of15] as const).map((version) => {
    const map = new Map<string, AnyDecode>();
    for (const [kind, codec] of Object.entries(codecsOf(version))) {
      const place = version === of10 && sinceOf13.has(kind as MessageKind) ? undefined : codec.place(version);
      if (place !== undefined) map.set(placeKey(place), codec.decode);
    }
    if (version === of10) {
      addOf10Forms(map);
      return [version, map] as const;
    }
    map.set(placeKey(nicira(30)()), packetIn2.decode);
    // Nicira's older ways to say what later versions have messages for.
    map.set(placeKey(nicira(19)()), (r) => ({ kind: "set_async", ...pullAsyncMasks(r) }));
    map.set(placeKey(nicira(27)()), (r) => ({ kind: "set_async", ...pullAsyncProperties(r) }));
    map.set(placeKey(nicira(10)()), (r) => codecs.role_request.decode(r));
    return [version, map] as const;
  }),
);

/** OpenFlow 1.0's own forms of what is said in Nicira's. */
function addOf10Forms(map: Map<string, AnyDecode>): void {
  map.set(placeKey(nicira(30)()), packetIn2.decode);
  map.set(placeKey(type(14)()), decodeOf10FlowMod);
  map.set(placeKey(request(1)()), (r) => ({ kind: "flow_stats_request", ...pullOf10FlowRequest(r) }));
  map.set(placeKey(request(2)()), (r) => ({ kind: "aggregate_request", ...pullOf10FlowRequest(r) }));
  map.set(placeKey(nicira(27)()), (r) => ({ kind: "set_async", ...pullAsyncProperties(r) }));
}

/** Types of a multipart request, its reply, and a vendor's message. OpenFlow 1.0 calls multiparts statistics. */
const multipartTypes = (version: OfVersion): readonly [number, number] => (version === of10 ? [16, 17] : [18, 19]);
const vendorType = 4;

export function encodeMessage(version: OfVersion, xid: number, message: Message, tlvSizes?: TlvSizes): Uint8Array {
  const bytes = encodeIfItFits(version, xid, message, tlvSizes);
  assert(bytes !== undefined, `${message.kind} of more bytes than a message can have`);
  return bytes;
}

/** Undefined if the message is larger than OpenFlow allows: lists of actions and of buckets have no bound of their own. */
export function encodeIfItFits(version: OfVersion, xid: number, message: Message, tlvSizes?: TlvSizes): Uint8Array | undefined {
  const w = new WireWriter(version, tlvSizes);
  const place = message.kind === "packet_in" && message.extended ? nicira(30)() : codecsOf(version)[message.kind].place(version);
  assert(place !== undefined, `${message.kind} does not exist in OpenFlow version ${version}`);
  const [requestType, replyType] = multipartTypes(version);
  w.u8(version);
  w.u8(place.in === "type" ? place.type : place.in === "vendor" ? vendorType : place.in === "request" ? requestType : replyType);
  w.u16(0);
  w.u32(xid);
  if (place.in === "vendor") {
    w.u32(place.vendor);
    w.u32(place.subtype);
  } else if (place.in !== "type") {
    putMultipartHeader(w, place.multipart, "more" in message && message.more === true);
  }
  if (message.kind === "packet_in" && message.extended) packetIn2.encode(w, message);
  else if (message.kind === "bundle_add") {
    // The message inside has the xid of the one around it.
    w.u32(message.bundle);
    w.zeros(2);
    w.u16(message.flags);
    const inner = encodeIfItFits(version, xid, message.message, tlvSizes);
    if (inner === undefined) return undefined;
    w.raw(inner);
  } else encodeBody(w, message.kind, message);
  if (w.size > 0xffff) return undefined;
  w.setU16(2, w.size);
  return w.finish();
}

function encodeBody<K extends MessageKind>(w: WireWriter, kind: K, message: MessageOf<K>): void {
  const codec: Codec<K> = codecsOf(w.version)[kind];
  codec.encode(w, message);
}

function putMultipartHeader(w: WireWriter, number: number, more: boolean): void {
  w.u16(number >= niciraStats ? 0xffff : number);
  w.u16(more ? 1 : 0);
  if (w.version !== of10) w.zeros(4);
  else if (number >= niciraStats) {
    w.u32(0x2320);
    w.u32(number - niciraStats);
    w.zeros(4);
  }
}

/** The number of a multipart, and whether more of it follows. */
function pullMultipartHeader(r: WireReader): { readonly number: number; readonly more: boolean } {
  const [number, flags] = [r.u16(), r.u16()];
  const more = (flags & 1) !== 0;
  if (r.version !== of10) r.skip(4);
  if (number !== 0xffff) return { number, more };
  const [vendor, subtype] = r.version === of10 ? [r.u32(), r.u32()] : [0, 0];
  r.skip(r.version === of10 ? 4 : 0);
  if (vendor !== 0x2320) r.fail("OFPBRC_BAD_VENDOR");
  return { number: niciraStats + subtype, more };
}

/** Of one whole message, as framing gives it. Never throws. */
export function decodeMessage(bytes: Uint8Array, tlvSizes?: TlvSizes, options: DecodeOptions = {}): Decoded {
  const [version = 0, type = 0] = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const xid = bytes.length >= 8 ? view.getUint32(4) : 0;
  // A hello, or an error in answer to one, may speak of a version that nobody here does.
  const isGreeting = type === 0 || type === 1;
  if (!isKnownVersion(version) && !isGreeting) return { version: of15, xid, error: new OfError("OFPBRC_BAD_VERSION", `version ${version}`) };
  const spoken: OfVersion = isKnownVersion(version) ? version : version > of15 ? of15 : 0x01;
  if (bytes.length < 8 || view.getUint16(2) !== bytes.length) return { version: spoken, xid, error: new OfError("OFPBRC_BAD_LEN") };
  const r = new WireReader(bytes, spoken, tlvSizes, "OFPBRC_BAD_LEN", options);
  r.skip(8);
  if (type === 0) return { version: spoken, xid, message: { kind: "hello", versions: helloVersions(r, version) } };
  const message = decodeBody(r, type);
  return r.error !== undefined || message === undefined ? { version: spoken, xid, error: r.error ?? new OfError("OFPBRC_BAD_TYPE") } : { version: spoken, xid, message };
}

function helloVersions(r: WireReader, version: number): number {
  const hasBitmap = r.remaining > 0;
  const versions = codecs.hello.decode(r)?.versions ?? 0;
  return hasBitmap ? versions : (2 ** (Math.min(version, 30) + 1) - 2) >>> 0;
}

function decodeBody(r: WireReader, type: number): Message | undefined {
  const known = decoders.get(r.version);
  const decode = (key: string, otherwise: "OFPBRC_BAD_TYPE" | "OFPBRC_BAD_STAT" | "OFPBRC_BAD_SUBTYPE"): Message | undefined => {
    const decoder = known?.get(key);
    if (decoder === undefined) r.fail(otherwise);
    return decoder?.(r);
  };
  if (type === vendorType) {
    const [vendor, subtype] = [r.u32(), r.u32()];
    if (vendor !== 0x2320 && vendor !== onf) r.fail("OFPBRC_BAD_VENDOR");
    return r.ok ? decode(`v${vendor}.${subtype}`, "OFPBRC_BAD_SUBTYPE") : undefined;
  }
  const [requestType, replyType] = multipartTypes(r.version);
  if (type === requestType || type === replyType) {
    const { number, more } = pullMultipartHeader(r);
    if (!r.ok) return undefined;
    const message = decode(`${type === requestType ? "q" : "r"}${number}`, number >= niciraStats ? "OFPBRC_BAD_SUBTYPE" : "OFPBRC_BAD_STAT");
    return message !== undefined && type === replyType && more ? ({ ...message, more: true } as Message) : message;
  }
  return decode(`t${type}`, "OFPBRC_BAD_TYPE");
}
