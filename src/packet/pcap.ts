/**
 * Capture files: pcap (microseconds, Ethernet) written and read, pcapng written with one interface and read as far as its
 * packets (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). tcpdump and tshark read both.
 */
import { concatenate } from "./bytes.ts";

export interface CapturedPacket {
  /** Microseconds since 1970. */
  readonly timeUs: number;
  readonly bytes: Uint8Array;
  /** The packet's whole size, where `bytes` was cut. */
  readonly originalSize: number;
}

const linkTypeEthernet = 1;
const magicUs = 0xa1b2c3d4;
const magicNs = 0xa1b23c4d;

/** What a pcap file begins with. */
export function pcapHeader(snapLength = 262144): Uint8Array {
  const b = new Uint8Array(24);
  const view = new DataView(b.buffer);
  view.setUint32(0, magicUs, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, snapLength, true);
  view.setUint32(20, linkTypeEthernet, true);
  return b;
}

export function pcapRecord(packet: CapturedPacket): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint32(0, Math.floor(packet.timeUs / 1_000_000), true);
  view.setUint32(4, Math.floor(packet.timeUs % 1_000_000), true);
  view.setUint32(8, packet.bytes.length, true);
  view.setUint32(12, packet.originalSize, true);
  return concatenate(header, packet.bytes);
}

/** The packets of a pcap or pcapng file; those before where it is cut short. undefined if it is neither. */
export function readCapture(file: Uint8Array): CapturedPacket[] | undefined {
  if (file.length < 12) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) === 0x0a0d0d0a) return readPcapng(file, view);
  const isLittle = [magicUs, magicNs].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, isLittle);
  if (magic !== magicUs && magic !== magicNs) return undefined;
  const packets: CapturedPacket[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const size = view.getUint32(at + 8, isLittle);
    if (at + 16 + size > file.length) break;
    const fraction = view.getUint32(at + 4, isLittle) / (magic === magicNs ? 1000 : 1);
    packets.push({
      timeUs: view.getUint32(at, isLittle) * 1_000_000 + Math.floor(fraction), bytes: file.slice(at + 16, at + 16 + size),
      originalSize: view.getUint32(at + 12, isLittle),
    });
    at += 16 + size;
  }
  return packets;
}

/** A pcapng file's beginning: section header, and an Ethernet interface of that name. */
export function pcapngHeader(interfaceName: string): Uint8Array {
  const section = new Uint8Array(16);
  const view = new DataView(section.buffer);
  view.setUint32(0, 0x1a2b3c4d, true);
  view.setUint16(4, 1, true);
  view.setBigInt64(8, -1n, true);
  const name = new TextEncoder().encode(interfaceName);
  const description = new Uint8Array(8 + 4 + padded(name.length) + 4);
  const fields = new DataView(description.buffer);
  fields.setUint16(0, linkTypeEthernet, true);
  fields.setUint32(4, 262144, true);
  fields.setUint16(8, 2, true); // if_name
  fields.setUint16(10, name.length, true);
  description.set(name, 12);
  return concatenate(block(0x0a0d0d0a, section), block(1, description));
}

/** An enhanced packet block. */
export function pcapngRecord(packet: CapturedPacket): Uint8Array {
  const body = new Uint8Array(20 + padded(packet.bytes.length));
  const view = new DataView(body.buffer);
  view.setUint32(4, Math.floor(packet.timeUs / 0x100000000), true);
  view.setUint32(8, packet.timeUs % 0x100000000, true);
  view.setUint32(12, packet.bytes.length, true);
  view.setUint32(16, packet.originalSize, true);
  body.set(packet.bytes, 20);
  return block(6, body);
}

const padded = (size: number): number => Math.ceil(size / 4) * 4;

function block(type: number, body: Uint8Array): Uint8Array {
  const b = new Uint8Array(12 + body.length);
  const view = new DataView(b.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, b.length, true);
  b.set(body, 8);
  view.setUint32(8 + body.length, b.length, true);
  return b;
}

function readPcapng(file: Uint8Array, view: DataView): CapturedPacket[] {
  const packets: CapturedPacket[] = [];
  let isLittle = true;
  for (let at = 0; at + 12 <= file.length; ) {
    if (view.getUint32(at) === 0x0a0d0d0a) isLittle = view.getUint32(at + 8, true) === 0x1a2b3c4d;
    const type = view.getUint32(at, isLittle);
    const size = view.getUint32(at + 4, isLittle);
    if (size < 12 || size % 4 !== 0 || at + size > file.length) break;
    const captured = type === 6 && size >= 32 ? view.getUint32(at + 20, isLittle) : undefined;
    if (captured !== undefined && 28 + captured <= size - 4) {
      packets.push({
        timeUs: view.getUint32(at + 12, isLittle) * 0x100000000 + view.getUint32(at + 16, isLittle),
        bytes: file.slice(at + 28, at + 28 + captured), originalSize: view.getUint32(at + 24, isLittle),
      });
    }
    at += size;
  }
  return packets;
}
