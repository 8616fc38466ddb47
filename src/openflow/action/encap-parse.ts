/** The text of encap and decap (ovs-actions(7)). */
import type { Action, EncapProperty } from "./action.ts";
import { type Complaint, parseInteger, splitKeyValues } from "../text-input.ts";

const packetTypes: ReadonlyMap<string, readonly [packetType: number, propertyClass: number]> = new Map([
  ["ethernet", [0, 0]], ["nsh", [0x1894f, 4]], ["mpls", [0x18847, 5]], ["mpls_mc", [0x18848, 5]],
]);

export function parseEncap(key: "encap" | "decap", text: string, complaint: Complaint): Action | undefined {
  const [first] = splitKeyValues(text);
  if (key === "decap") {
    if (first === undefined) return { kind: "decap", packetType: 0xfffe };
    const pairs = new Map(splitKeyValues(first.value).map((p) => [p.key, parseInteger(p.value)]));
    const [ns, type] = [pairs.get("ns"), pairs.get("type")];
    if (first.key !== "packet_type" || ns === undefined || type === undefined) return complaint.say(`Invalid decap argument: ${text}`);
    return { kind: "decap", packetType: Number((ns << 16n) | type) };
  }
  if (first === undefined) return complaint.say(`Missing encap hdr: ${text}`);
  const known = packetTypes.get(first.key);
  if (known === undefined) return complaint.say(`Encap hdr not supported: ${first.key}`);
  const properties: EncapProperty[] = [];
  for (const pair of splitKeyValues(first.value)) {
    const property = parseProperty(known[1], pair.key, pair.value, complaint);
    if (property === undefined) return undefined;
    properties.push(property);
  }
  return { kind: "encap", packetType: known[0], headerSize: 0, properties };
}

function parseProperty(propertyClass: number, key: string, value: string, complaint: Complaint): EncapProperty | undefined {
  const number = Number(parseInteger(value) ?? -1n);
  if (propertyClass === 4 && key === "md_type" && (number === 1 || number === 2)) return { propertyClass, type: 1, data: Uint8Array.of(number) };
  if (propertyClass === 5 && key === "ether_type" && number >= 0 && number <= 0xffff) {
    return { propertyClass, type: 1, data: Uint8Array.of(number >> 8, number & 0xff) };
  }
  if (propertyClass === 4 && key === "tlv") {
    const match = /^(\w+),(\w+),0x([0-9a-fA-F]+)$/.exec(value);
    const [tlvClass, type] = [parseInteger(match?.[1] ?? ""), parseInteger(match?.[2] ?? "")];
    const digits = match?.[3] ?? "";
    if (tlvClass !== undefined && type !== undefined) {
      const bytes = Array.from({ length: Math.ceil(digits.length / 2) }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
      return { propertyClass, type: 2, data: Uint8Array.of(Number(tlvClass >> 8n), Number(tlvClass & 0xffn), Number(type), bytes.length, ...bytes) };
    }
  }
  return complaint.say(`Invalid property: ${key}=${value}`);
}
