/**
 * Fragments before the connection tracker: held until the datagram is whole, tracked as the datagram that they are, and then
 * sent on one by one, each with the datagram's state and, where addresses were translated, its share of the new bytes. So a
 * fragment goes through the tables as it came, and the tracker sees ports that only the first of them has. (RFC 791, RFC 8200;
 * OVS's user-space tracker does the same.)
 */
import { checksum, readU16, writeU16 } from "../../packet/index.ts";
import { ctStateBit, W } from "../flow/flow-key.ts";
import { ethType, Packet } from "../packet/packet.ts";

/** Who goes on with a fragment when its datagram has been tracked. */
export type GoOn = (fragment: Packet) => void;

/** Tracks the whole datagram: writes to its key and bytes; false: it is dropped. */
export type TrackWhole = (datagram: Packet) => boolean;

/** Where a fragment's payload begins in its frame and belongs in the datagram. */
interface Piece {
  readonly packet: Packet;
  readonly goOn: GoOn;
  readonly at: number;
  readonly offset: number;
  readonly size: number;
  readonly isLast: boolean;
}

interface Datagram {
  readonly pieces: Piece[];
  readonly expiresMs: number;
}

/** How many fragments came to which end. */
export interface FragmentCounters {
  accepted: number;
  completed: number;
  expired: number;
  tooSmall: number;
  overlapping: number;
}

const newCounters = (): FragmentCounters => ({ accepted: 0, completed: 0, expired: 0, tooSmall: 0, overlapping: 0 });

const lifetimeMs = 15_000;
/** A datagram's payload ends within 16 bits. */
const maxDatagramSize = 0xffff;

export class Fragments {
  readonly #nowMs: () => number;
  readonly #datagrams = new Map<string, Datagram>();
  #held = 0;
  /** As `ovs-appctl dpctl/ipf-*` sets them: smaller fragments, unless the last, are invalid; beyond the number none is held. */
  readonly minSize = { 4: 1200, 6: 1280 };
  maxHeld = 1000;
  readonly counters: Readonly<Record<4 | 6, FragmentCounters>> = { 4: newCounters(), 6: newCounters() };

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes a fragment that is on its way into zone `zone`. Those that can never be part of anything go on at once, as invalid. */
  take(packet: Packet, zone: number, track: TrackWhole, goOn: GoOn): void {
    const family = packet.key[W.ethType] === ethType.ipv6 ? 6 : 4;
    const piece = family === 4 ? pieceOfIpv4(packet, goOn) : pieceOfIpv6(packet, goOn);
    if (piece === undefined || piece.offset + piece.size > maxDatagramSize || (!piece.isLast && piece.size % 8 !== 0)) return goInvalid(packet, zone, goOn);
    if (!piece.isLast && packet.bytes.length - packet.l3 < this.minSize[family]) {
      this.counters[family].tooSmall++;
      return goInvalid(packet, zone, goOn);
    }
    const name = nameOf(packet, family, zone);
    const datagram = this.#datagrams.get(name) ?? { pieces: [], expiresMs: this.#nowMs() + lifetimeMs };
    if (datagram.pieces.some((other) => overlaps(other, piece))) {
      // RFC 5722: nothing of a datagram with overlapping fragments is used.
      this.counters[family].overlapping++;
      this.#forget(name);
      return;
    }
    if (this.#held >= this.maxHeld) return;
    this.counters[family].accepted++;
    this.#held++;
    datagram.pieces.push(piece);
    this.#datagrams.set(name, datagram);
    const pieces = inOrder(datagram.pieces);
    if (pieces === undefined) return;
    this.#forget(name);
    this.counters[family].completed += pieces.length;
    // All go the way of the one that made the datagram whole: from here on they are one datagram's, whatever tables said before.
    trackTogether(pieces, family, zone, track, goOn);
  }

  /** Lets those go, as invalid, whose datagram will not be whole any more. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const [name, { pieces, expiresMs }] of this.#datagrams) {
      if (expiresMs > nowMs) continue;
      this.#forget(name);
      this.counters[pieces[0]?.packet.key[W.ethType] === ethType.ipv6 ? 6 : 4].expired += pieces.length;
      const zone = Number(name.slice(0, name.indexOf(" ")));
      for (const { packet, goOn } of pieces) goInvalid(packet, zone, goOn);
    }
  }

  #forget(name: string): void {
    this.#held -= this.#datagrams.get(name)?.pieces.length ?? 0;
    this.#datagrams.delete(name);
  }
}

function goInvalid(packet: Packet, zone: number, goOn: GoOn): void {
  packet.key.fill(0, W.ctState, W.tunId);
  packet.key[W.ctState] = ctStateBit.inv | ctStateBit.trk;
  packet.key[W.ctZone] = zone;
  goOn(packet);
}

/** Zone first, then what fragments of a datagram have in common; the recirculation, since a packet may come this way twice. */
function nameOf({ key, bytes, l3 }: Packet, family: 4 | 6, zone: number): string {
  const words = family === 4 ? [key[W.nwSrc], key[W.nwDst], readU16(bytes, l3 + 4)] : [...key.subarray(W.ipv6Src, W.ipv6Src + 8), fragmentHeaderOf(bytes, l3)?.id];
  return `${zone} ${family} ${key[W.recircId]} ${key[W.inPort]} ${(key[W.nwMisc] ?? 0) >>> 24} ${words.join(" ")}`;
}

function pieceOfIpv4(packet: Packet, goOn: GoOn): Piece | undefined {
  const { bytes: b, l3 } = packet;
  const headerSize = ((b[l3] ?? 0) & 15) * 4;
  const size = readU16(b, l3 + 2) - headerSize;
  const field = readU16(b, l3 + 6);
  return size <= 0 ? undefined : { packet, goOn, at: l3 + headerSize, offset: (field & 0x1fff) * 8, size, isLast: (field & 0x2000) === 0 };
}

function pieceOfIpv6(packet: Packet, goOn: GoOn): Piece | undefined {
  const { bytes: b, l3 } = packet;
  const header = fragmentHeaderOf(b, l3);
  if (header === undefined) return undefined;
  const size = l3 + 40 + readU16(b, l3 + 4) - header.at - 8;
  const field = readU16(b, header.at + 2);
  return size <= 0 ? undefined : { packet, goOn, at: header.at + 8, offset: field & 0xfff8, size, isLast: (field & 1) === 0 };
}

/** The fragment header, where its next-header number stands that leads to it, and its identification. */
function fragmentHeaderOf(b: Uint8Array, l3: number): { readonly at: number; readonly linkAt: number; readonly id: number } | undefined {
  const end = l3 + 40 + readU16(b, l3 + 4);
  let linkAt = l3 + 6;
  for (let at = l3 + 40; at + 8 <= end; ) {
    const kind = b[linkAt] ?? 0;
    if (kind === 44) return { at, linkAt, id: readU16(b, at + 4) * 0x10000 + readU16(b, at + 6) };
    if (kind !== 0 && kind !== 43 && kind !== 60) return undefined;
    linkAt = at;
    at += 8 + (b[at + 1] ?? 0) * 8;
  }
  return undefined;
}

const overlaps = (a: Piece, b: Piece): boolean => a.offset < b.offset + b.size && b.offset < a.offset + a.size;

/** The pieces from first to last, if none is missing. */
function inOrder(pieces: readonly Piece[]): readonly Piece[] | undefined {
  if (!pieces.some((p) => p.isLast)) return undefined;
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset);
  let next = 0;
  for (const { offset, size } of sorted) {
    if (offset !== next) return undefined;
    next = offset + size;
  }
  return sorted.at(-1)?.isLast === true ? sorted : undefined;
}

function trackTogether(pieces: readonly Piece[], family: 4 | 6, zone: number, track: TrackWhole, goOn: GoOn): void {
  const [first] = pieces;
  if (first === undefined) return;
  const datagram = family === 4 ? wholeIpv4(first, pieces) : wholeIpv6(first, pieces);
  datagram.key.set(first.packet.key);
  datagram.readHeaders();
  if (!track(datagram)) return;
  const payloadAt = datagram.bytes.length - pieces.reduce((sum, p) => sum + p.size, 0);
  for (const piece of pieces) {
    share(datagram, payloadAt, piece, family);
    const { key } = piece.packet;
    key.set(datagram.key.subarray(W.ctState, W.tunId), W.ctState);
    key[W.ctZone] = zone;
    goOn(piece.packet);
  }
}

function gather(whole: Uint8Array, headerSize: number, pieces: readonly Piece[]): void {
  for (const { packet, at, offset, size } of pieces) whole.set(packet.bytes.subarray(at, at + size), headerSize + offset);
}

function wholeIpv4(first: Piece, pieces: readonly Piece[]): Packet {
  const { bytes, l3 } = first.packet;
  const size = pieces.reduce((sum, p) => sum + p.size, 0);
  const whole = new Uint8Array(first.at + size);
  whole.set(bytes.subarray(0, first.at));
  gather(whole, first.at, pieces);
  writeU16(whole, l3 + 2, first.at - l3 + size);
  writeU16(whole, l3 + 6, 0);
  writeU16(whole, l3 + 10, 0);
  writeU16(whole, l3 + 10, checksum(whole.subarray(l3, first.at)));
  return ownedPacket(whole);
}

/** Without the fragment header, which the others then do without as well: their own bytes keep it. */
function wholeIpv6(first: Piece, pieces: readonly Piece[]): Packet {
  const { bytes, l3 } = first.packet;
  const size = pieces.reduce((sum, p) => sum + p.size, 0);
  const header = fragmentHeaderOf(bytes, l3);
  const headersEnd = first.at - 8;
  const whole = new Uint8Array(headersEnd + size);
  whole.set(bytes.subarray(0, headersEnd));
  if (header !== undefined) whole[header.linkAt] = bytes[header.at] ?? 0;
  gather(whole, headersEnd, pieces);
  writeU16(whole, l3 + 4, whole.length - l3 - 40);
  return ownedPacket(whole);
}

function ownedPacket(bytes: Uint8Array): Packet {
  const packet = new Packet(bytes);
  packet.replace(bytes);
  return packet;
}

/** Gives a fragment its share of what tracking has made of the datagram: payload bytes and addresses. */
function share(datagram: Packet, payloadAt: number, { packet, at, offset, size }: Piece, family: 4 | 6): void {
  const from = datagram.bytes;
  const { l3 } = packet;
  const [addressAt, addressEnd] = family === 4 ? [12, 20] : [8, 40];
  const addresses = from.subarray(datagram.l3 + addressAt, datagram.l3 + addressEnd);
  const payload = from.subarray(payloadAt + offset, payloadAt + offset + size);
  const old = packet.bytes;
  if (isSame(old.subarray(l3 + addressAt, l3 + addressEnd), addresses) && isSame(old.subarray(at, at + size), payload)) return;
  const bytes = packet.own();
  bytes.set(addresses, l3 + addressAt);
  bytes.set(payload, at);
  if (family === 4) {
    writeU16(bytes, l3 + 10, 0);
    writeU16(bytes, l3 + 10, checksum(bytes.subarray(l3, l3 + ((bytes[l3] ?? 0) & 15) * 4)));
  }
  packet.readHeaders();
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
