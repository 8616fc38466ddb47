/** Whole headers put around the packet and taken off (ovs-actions(7), "The encap action"), and what only NSH has. */
import type { Action, ActionOf, EncapProperty } from "./action.ts";
import type { Forms } from "./form.ts";
import { bytesOfDigits, dotted } from "./hex-bytes.ts";
import { nicira, niciraWord } from "./layout.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { type Complaint, hex, parseInteger, splitKeyValues } from "../text-input.ts";

interface Header {
  readonly name: string;
  readonly packetType: number;
  /** The class of its properties; 0: it has none. */
  readonly propertyClass: number;
}

const nsh = 4;
const mpls = 5;
const encapHeaders: readonly Header[] = [
  { name: "ethernet", packetType: 0, propertyClass: 0 },
  { name: "nsh", packetType: 0x1894f, propertyClass: nsh },
  { name: "mpls", packetType: 0x18847, propertyClass: mpls },
  { name: "mpls_mc", packetType: 0x18848, propertyClass: mpls },
];
/** `decap()`: whatever the outermost header is. */
const anyHeader = 0xfffe;

function parseEncap(text: string, complaint: Complaint): Action | undefined {
  const [first] = splitKeyValues(text);
  if (first === undefined) return complaint.say(`Missing encap hdr: ${text}`);
  const header = encapHeaders.find(({ name }) => name === first.key);
  if (header === undefined) return complaint.say(`Encap hdr not supported: ${first.key}`);
  const properties: EncapProperty[] = [];
  for (const pair of splitKeyValues(first.value)) {
    const property = parseProperty(header.propertyClass, pair.key, pair.value, complaint);
    if (property === undefined) return undefined;
    properties.push(property);
  }
  return { kind: "encap", packetType: header.packetType, headerSize: 0, properties };
}

function parseProperty(propertyClass: number, key: string, value: string, complaint: Complaint): EncapProperty | undefined {
  const number = Number(parseInteger(value) ?? -1n);
  if (propertyClass === nsh && key === "md_type" && (number === 1 || number === 2)) return { propertyClass, type: 1, data: Uint8Array.of(number) };
  if (propertyClass === mpls && key === "ether_type" && number >= 0 && number <= 0xffff) {
    return { propertyClass, type: 1, data: Uint8Array.of(number >> 8, number & 0xff) };
  }
  if (propertyClass === nsh && key === "tlv") {
    const match = /^(\w+),(\w+),0x([0-9a-fA-F]+)$/.exec(value);
    const [tlvClass, type] = [parseInteger(match?.[1] ?? ""), parseInteger(match?.[2] ?? "")];
    const bytes = bytesOfDigits(match?.[3] ?? "");
    if (tlvClass !== undefined && type !== undefined) {
      return { propertyClass, type: 2, data: Uint8Array.of(Number(tlvClass >> 8n), Number(tlvClass & 0xffn), Number(type), bytes.length, ...bytes) };
    }
  }
  return complaint.say(`Invalid property: ${key}=${value}`);
}

function parseDecap(text: string, complaint: Complaint): Action | undefined {
  const [first] = splitKeyValues(text);
  if (first === undefined) return { kind: "decap", packetType: anyHeader };
  const pairs = new Map(splitKeyValues(first.value).map((p) => [p.key, parseInteger(p.value)]));
  const [ns, type] = [pairs.get("ns"), pairs.get("type")];
  if (first.key !== "packet_type" || ns === undefined || type === undefined) return complaint.say(`Invalid decap argument: ${text}`);
  return { kind: "decap", packetType: Number((ns << 16n) | type) };
}

function formatEncap(a: ActionOf<"encap">): string {
  const name = encapHeaders.find(({ packetType }) => packetType === a.packetType)?.name ?? "UNKNOWN";
  return `encap(${name}${a.properties.length === 0 ? "" : `(${a.properties.map(formatProperty).join(",")})`})`;
}

function formatProperty({ propertyClass, type, data }: EncapProperty): string {
  if (propertyClass === nsh && type === 1) return `md_type=${data[0] ?? 0}`;
  if (propertyClass === nsh && type === 2) {
    const tlvClass = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
    return `tlv(0x${tlvClass.toString(16).padStart(4, "0")},${data[2] ?? 0},0x${dotted(data.subarray(4, 4 + (data[3] ?? 0))).replaceAll(".", "")})`;
  }
  if (propertyClass === mpls && type === 1) return `ether_type=${hex(((data[0] ?? 0) << 8) | (data[1] ?? 0))}`;
  return `prop(class=${propertyClass},type=${type})`;
}

function encodeEncap(w: WireWriter, action: ActionOf<"encap">): void {
  nicira(w, 46, () => {
    w.u16(action.headerSize);
    w.u32(action.packetType);
    for (const { propertyClass, type, data } of action.properties) {
      const start = w.size;
      w.u16(propertyClass);
      w.u8(type);
      w.u8(4 + data.length);
      w.raw(data);
      w.pad(start);
    }
  });
}

function decodeEncap(r: WireReader): Action {
  const [headerSize, packetType] = [r.u16(), r.u32()];
  if (!encapHeaders.some((header) => header.packetType === packetType)) r.fail("NXBAC_BAD_HEADER_TYPE");
  const properties: EncapProperty[] = [];
  while (r.remaining > 0) {
    const [propertyClass, type, size] = [r.u16(), r.u8(), r.u8()];
    if (size < 4 || size - 4 > r.remaining) r.fail("NXBAC_BAD_ED_PROP");
    else {
      properties.push({ propertyClass, type, data: r.bytes(size - 4).slice() });
      r.skip(Math.min(r.remaining, (8 - (size % 8)) % 8));
    }
  }
  return { kind: "encap", packetType, headerSize, properties };
}

const formatDecap = ({ packetType }: ActionOf<"decap">): string =>
  packetType === anyHeader ? "decap()" : `decap(packet_type(ns=${packetType >>> 16},type=${hex(packetType & 0xffff)}))`;

export const encaps: Forms<"encap" | "decap" | "dec_nsh_ttl"> = {
  encap: { parse: { encap: parseEncap }, format: formatEncap, encode: encodeEncap, nicira: { 46: decodeEncap }, inActionSet: true },
  decap: {
    parse: { decap: parseDecap },
    format: formatDecap,
    encode: (w, { packetType }) => nicira(w, 47, () => (w.zeros(2), w.u32(packetType))),
    nicira: { 47: (r) => (r.skip(2), { kind: "decap", packetType: r.u32() }) },
    inActionSet: true,
  },
  dec_nsh_ttl: { ...niciraWord({ kind: "dec_nsh_ttl" }, 48), inActionSet: true },
};
