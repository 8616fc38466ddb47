/**
 * What the kernel leaves to the network card, done here: frames that come through a packet socket on a veth may lack their
 * checksum (CHECKSUM_PARTIAL), be larger than any wire carries (TCP segmentation offload), and have their VLAN tag beside them.
 *
 * The kernel says which in a virtio_net_hdr (VIRTIO 1.2, 5.1.6) and in auxiliary data (packet(7), PACKET_AUXDATA).
 */

const needsChecksum = 1;
const gsoNone = 0;
const gsoTcp4 = 1;
const gsoTcp6 = 4;
const gsoEcn = 0x80;

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
/** virtio_net_hdr is in the machine's byte order, which is little-endian wherever prebuilt packages exist. */
const little16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

const u32 = (bytes: Uint8Array, at: number): number => ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value & 0xffff);
}

function sumOf(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let sum = start;
  for (let at = from; at + 1 < to; at += 2) sum += u16(bytes, at);
  if ((to - from) % 2 === 1) sum += (bytes[to - 1] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The frames that `frame` stands for; none if its header makes no sense. `frame` is written to. */
export function finishFrame(header: Uint8Array, frame: Uint8Array): readonly Uint8Array[] {
  const gso = (header[1] ?? 0) & ~gsoEcn;
  if (gso === gsoNone) return (header[0] ?? 0) & needsChecksum ? finishChecksum(header, frame) : [frame];
  if (gso !== gsoTcp4 && gso !== gsoTcp6) return [];
  return segments(frame, little16(header, 4), little16(header, 6));
}

function finishChecksum(header: Uint8Array, frame: Uint8Array): readonly Uint8Array[] {
  const start = little16(header, 6);
  const at = start + little16(header, 8);
  if (at + 2 > frame.length) return [];
  // The field holds the sum over the pseudo header by now.
  const sum = ~sumOf(frame, start, frame.length) & 0xffff;
  put16(frame, at, sum === 0 ? 0xffff : sum);
  return [frame];
}

/** Cuts a TCP segment of many into those that go over the wire (RFC 9293 says nothing of it: this is the card's work). */
function segments(frame: Uint8Array, size: number, tcpAt: number): readonly Uint8Array[] {
  const ipAt = ipHeaderAt(frame);
  const headersSize = tcpAt + ((frame[tcpAt + 12] ?? 0) >>> 4) * 4;
  if (ipAt === undefined || size === 0 || tcpAt < ipAt + 20 || headersSize < tcpAt + 20 || headersSize > frame.length) return [];
  const isIpv4 = (frame[ipAt] ?? 0) >>> 4 === 4;
  const found: Uint8Array[] = [];
  for (let from = headersSize; from < frame.length; from += size) {
    const payload = frame.subarray(from, Math.min(from + size, frame.length));
    const segment = new Uint8Array(headersSize + payload.length);
    segment.set(frame.subarray(0, headersSize));
    segment.set(payload, headersSize);
    const isFirst = from === headersSize;
    const isLast = from + size >= frame.length;
    put32(segment, tcpAt + 4, (u32(frame, tcpAt + 4) + (from - headersSize)) >>> 0);
    // FIN and PSH belong to the last, CWR to the first.
    const flags = frame[tcpAt + 13] ?? 0;
    segment[tcpAt + 13] = flags & ~(isLast ? 0 : 0x09) & ~(isFirst ? 0 : 0x80);
    if (isIpv4) finishIpv4(segment, ipAt, found.length);
    else put16(segment, ipAt + 4, segment.length - ipAt - 40);
    finishTcp(segment, ipAt, tcpAt, isIpv4);
    found.push(segment);
  }
  return found;
}

/** Where the IP header begins, past VLAN tags. */
function ipHeaderAt(frame: Uint8Array): number | undefined {
  for (let at = 12; at < 24; at += 4) {
    const type = u16(frame, at);
    if (type === 0x0800 || type === 0x86dd) return at + 2;
    if (type !== 0x8100 && type !== 0x88a8) return undefined;
  }
  return undefined;
}

function finishIpv4(segment: Uint8Array, at: number, number: number): void {
  put16(segment, at + 2, segment.length - at);
  put16(segment, at + 4, (u16(segment, at + 4) + number) & 0xffff);
  put16(segment, at + 10, 0);
  put16(segment, at + 10, ~sumOf(segment, at, at + ((segment[at] ?? 0) & 0xf) * 4) & 0xffff);
}

function finishTcp(segment: Uint8Array, ipAt: number, tcpAt: number, isIpv4: boolean): void {
  const [from, to] = isIpv4 ? [ipAt + 12, ipAt + 20] : [ipAt + 8, ipAt + 40];
  const length = segment.length - tcpAt;
  put16(segment, tcpAt + 16, 0);
  put16(segment, tcpAt + 16, ~sumOf(segment, tcpAt, segment.length, sumOf(segment, from, to, 6 + length)) & 0xffff);
}

/** Puts a VLAN tag back where it was on the wire. */
export function tagFrame(frame: Uint8Array, tpid: number, tci: number): Uint8Array {
  const tagged = new Uint8Array(frame.length + 4);
  tagged.set(frame.subarray(0, 12));
  put16(tagged, 12, tpid);
  put16(tagged, 14, tci);
  tagged.set(frame.subarray(12), 16);
  return tagged;
}
