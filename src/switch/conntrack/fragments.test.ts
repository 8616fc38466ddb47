import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, ipv4Of } from "../../net/index.ts";
import { checksum, readU16, readU32, writeU16, writeU32 } from "../../packet/index.ts";
import { ctStateBit, W } from "../flow/flow-key.ts";
import { Packet } from "../packet/packet.ts";
import { ConnectionTracker } from "./connection-tracker.ts";
import { Fragments } from "./fragments.ts";

/** A UDP datagram over IPv4 from 10.0.0.1 to 10.0.0.2, cut into pieces of `mtu` bytes. */
function pieces(payload: number, mtu: number, id = 7): Uint8Array[] {
  const udp = new Uint8Array(8 + payload).map((_, i) => i);
  writeU16(udp, 0, 1000);
  writeU16(udp, 2, 53);
  writeU16(udp, 4, udp.length);
  writeU16(udp, 6, 0);
  writeU16(udp, 6, checksum(udp, 0x0a00 + 1 + 0x0a00 + 2 + 17 + udp.length));
  const step = Math.floor((mtu - 20) / 8) * 8;
  const found: Uint8Array[] = [];
  for (let at = 0; at < udp.length; at += step) {
    const part = udp.subarray(at, at + step);
    const frame = new Uint8Array(34 + part.length);
    writeU16(frame, 12, 0x0800);
    writeU32(frame, 14, 0x45000000 | (20 + part.length));
    writeU32(frame, 18, (id << 16) | (at + step < udp.length ? 0x2000 : 0) | (at / 8));
    writeU32(frame, 22, 0x40110000);
    writeU32(frame, 26, 0x0a000001);
    writeU32(frame, 30, 0x0a000002);
    writeU16(frame, 24, checksum(frame.subarray(14, 34)));
    frame.set(part, 34);
    found.push(frame);
  }
  return found;
}

class Bench {
  nowMs = 0;
  readonly fragments = new Fragments(() => this.nowMs);
  readonly tracker = new ConnectionTracker(() => this.nowMs, () => undefined);
  readonly out: Packet[] = [];

  send(frame: Uint8Array, nat = false): void {
    const packet = new Packet(frame);
    packet.readHeaders();
    const source = { kind: "nat", direction: "src", ipMin: 0x0a000063 } as const;
    const action = { kind: "ct", commit: true, force: false, zone: 3, marks: undefined, nat: nat ? source : undefined } as const;
    this.fragments.take(packet, action.zone, (datagram) => this.tracker.track(action, datagram), (fragment) => this.out.push(fragment));
  }

  states(): number[] {
    return this.out.map(({ key }) => key[W.ctState] ?? 0);
  }
}

test("a datagram in pieces, in any order, is tracked once and goes on in pieces", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(pieces(5000, 1400), { minLength: 4, maxLength: 4 }), (shuffled) => {
      const bench = new Bench();
      for (const frame of shuffled) bench.send(frame.slice());
      assert.deepEqual(bench.out.map((p) => [...p.bytes]), pieces(5000, 1400).map((f) => [...f]));
      assert.deepEqual(bench.states(), Array(4).fill(ctStateBit.new | ctStateBit.trk));
      assert.deepEqual([...bench.tracker].map((c) => [c.original.sourcePort, c.original.destinationPort]), [[1000, 53]]);
      assert.equal(bench.fragments.held, 0);
    }),
  );
});

test("all pieces go the way of the one that made it whole", () => {
  const { fragments } = new Bench();
  const ways: number[] = [];
  pieces(3000, 1400).forEach((frame, i) => {
    const packet = new Packet(frame);
    packet.readHeaders();
    fragments.take(packet, 3, () => true, () => ways.push(i));
  });
  assert.deepEqual(ways, [2, 2, 2]);
});

test("translation reaches every piece, and the whole checksum stays right", () => {
  const bench = new Bench();
  for (const frame of pieces(3000, 1400)) bench.send(frame, true);
  assert.equal(bench.out.length, 3);
  for (const { bytes } of bench.out) {
    assert.equal(formatIpv4(ipv4Of(readU32(bytes, 26))), "10.0.0.99");
    assert.equal(checksum(bytes.subarray(14, 34)), 0);
  }
  const whole = Buffer.concat(bench.out.map(({ bytes }) => bytes.subarray(34)));
  assert.equal(checksum(whole, 0x0a00 + 99 + 0x0a00 + 2 + 17 + readU16(whole, 4)), 0);
});

test("what never becomes whole goes on as invalid, and so does what is too small to be honest", () => {
  const bench = new Bench();
  bench.send(pieces(3000, 1400)[0] ?? new Uint8Array(0));
  assert.equal(bench.fragments.held, 1);
  bench.nowMs = 15_001;
  bench.fragments.sweep();
  bench.send(pieces(3000, 600)[0] ?? new Uint8Array(0));
  assert.deepEqual(bench.states(), [ctStateBit.inv | ctStateBit.trk, ctStateBit.inv | ctStateBit.trk]);
  assert.equal(bench.fragments.held, 0);
});

test("overlapping pieces are the end of the datagram; there is room for so many and no more", () => {
  const bench = new Bench();
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = pieces(5000, 1400);
  bench.send(first);
  bench.send(first.slice());
  bench.send(second);
  assert.deepEqual([bench.fragments.held, bench.out.length], [1, 0]);
  for (let id = 100; id < 3000; id++) bench.send(pieces(3000, 1400, id)[0] ?? first);
  assert.equal(bench.fragments.held, 1000);
});

test("no fragment makes it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 120 }), fc.boolean(), (noise, isV6) => {
      const bench = new Bench();
      bench.fragments.minSize[4] = bench.fragments.minSize[6] = 0;
      const frame = new Uint8Array(14 + noise.length);
      frame.set(noise, 14);
      writeU16(frame, 12, isV6 ? 0x86dd : 0x0800);
      frame[14] = isV6 ? 0x60 : 0x45;
      if (isV6) frame[20] = 44;
      writeU16(frame, isV6 ? 18 : 16, isV6 ? noise.length - 40 : noise.length);
      bench.send(frame);
      bench.send(frame.slice());
    }),
    { numRuns: 3000 },
  );
});
