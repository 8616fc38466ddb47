import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { finishFrame, tagFrame } from "./offloads.ts";

/** Sum of 16-bit words, folded: 0xffff over a packet whose checksum is right. */
function fold(bytes: Uint8Array, start = 0): number {
  let sum = start;
  bytes.forEach((byte, i) => {
    sum += i % 2 === 0 ? byte << 8 : byte;
  });
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** A TCP segment over IPv4 or IPv6 as the kernel hands it to a card that cuts segments itself. */
function large(isIpv4: boolean, payload: number): Uint8Array {
  const ipSize = isIpv4 ? 20 : 40;
  const frame = new Uint8Array(14 + ipSize + 32 + payload);
  frame.set(isIpv4 ? [0x08, 0x00, 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] : [0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 6, 64], 12);
  frame.set([0x30, 0x39, 0, 80, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0x80, 0x99, 1, 0], 14 + ipSize);
  for (let i = 0; i < payload; i++) frame[14 + ipSize + 32 + i] = i;
  return frame;
}

const header = (flags: number, gso: number, size: number, start: number, offset: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(10));
  view.setUint8(0, flags);
  view.setUint8(1, gso);
  view.setUint16(4, size, true);
  view.setUint16(6, start, true);
  view.setUint16(8, offset, true);
  return new Uint8Array(view.buffer);
};

test("segments of a large one are those that a card would have sent", () => {
  for (const isIpv4 of [true, false]) {
    const tcpAt = isIpv4 ? 34 : 54;
    const found = finishFrame(header(1, isIpv4 ? 1 : 4, 1000, tcpAt, 16), large(isIpv4, 2500));
    assert.deepEqual(found.map((f) => f.length - tcpAt - 32), [1000, 1000, 500]);
    assert.deepEqual(found.map((f) => (u16(f, tcpAt + 4) * 0x10000 + u16(f, tcpAt + 6)) >>> 0), [0xfffffff0, 984, 1984]);
    // CWR in the first only, FIN and PSH in the last only.
    assert.deepEqual(found.map((f) => f[tcpAt + 13]), [0x90, 0x10, 0x19]);
    for (const frame of found) {
      const addresses = isIpv4 ? frame.subarray(26, 34) : frame.subarray(22, 54);
      assert.equal(fold(frame.subarray(tcpAt), fold(addresses, 6 + frame.length - tcpAt)), 0xffff);
      if (isIpv4) assert.equal(fold(frame.subarray(14, 34)), 0xffff);
      assert.equal(isIpv4 ? u16(frame, 16) : u16(frame, 18) + 40, frame.length - 14);
    }
    assert.deepEqual(Buffer.concat(found.map((f) => f.subarray(tcpAt + 32))), Buffer.from(large(isIpv4, 2500).subarray(tcpAt + 32)));
  }
});

test("a checksum that was left to the card is finished", () => {
  const frame = new Uint8Array(14 + 20 + 8);
  frame.set([0x11, 0x22, 0x33, 0x44, 0, 8, 0x0a, 0x15], 34);
  const [done] = finishFrame(header(1, 0, 0, 34, 6), frame);
  assert.equal(fold(new Uint8Array([0x0a, 0x15]), fold(done?.subarray(34) ?? frame)), 0xffff);
});

test("a VLAN tag goes back behind the addresses", () => {
  assert.deepEqual([...tagFrame(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0, 99]), 0x8100, 50)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 50, 8, 0, 99]);
});

test("no header and no frame make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.uint8Array({ maxLength: 200 }), (h, frame) => {
      assert.ok(finishFrame(h, frame).every((f) => f.length <= frame.length));
    }),
    { numRuns: 3000 },
  );
});
