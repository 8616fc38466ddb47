import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UnixctlError } from "../../daemon/index.ts";
import { formatIpv4, ipv4Of, parseIpv4 } from "../../net/index.ts";
import type { Nat } from "../../openflow/index.ts";
import { checksum, readU16, readU32, writeU16, writeU32 } from "../../packet/index.ts";
import { ConnectionTracker } from "./connection-tracker.ts";
import { trackerCommands } from "./tracker-commands.ts";
import { connectionText } from "./connection-text.ts";
import { ctStateBit, W } from "../flow/flow-key.ts";
import { Packet } from "../packet/packet.ts";

const ip = (text: string): number => parseIpv4(text) ?? 0;

interface Segment {
  readonly from: string;
  readonly to: string;
  readonly protocol: 1 | 6 | 17;
  /** Ports; for ICMP type and identifier. */
  readonly a: number;
  readonly b: number;
  readonly flags?: number;
  readonly quoted?: Uint8Array;
}

function frame({ from, to, protocol, a, b, flags = 0, quoted }: Segment): Uint8Array {
  const l4Size = protocol === 6 ? 20 : protocol === 17 ? 12 : 8 + (quoted?.length ?? 0);
  const f = new Uint8Array(34 + l4Size);
  writeU16(f, 12, 0x0800);
  writeU32(f, 14, 0x45000000 | (20 + l4Size));
  f[22] = 64;
  f[23] = protocol;
  writeU32(f, 26, ip(from));
  writeU32(f, 30, ip(to));
  writeU16(f, 24, checksum(f.subarray(14, 34)));
  if (protocol === 1) {
    f[34] = a;
    writeU16(f, 38, b);
    if (quoted !== undefined) f.set(quoted, 42);
    writeU16(f, 36, checksum(f.subarray(34)));
    return f;
  }
  writeU16(f, 34, a);
  writeU16(f, 36, b);
  if (protocol === 6) writeU16(f, 46, 0x5000 | flags);
  else writeU16(f, 38, l4Size);
  writeU16(f, protocol === 6 ? 50 : 40, transportChecksum(f));
  return f;
}

/** Zero if the one in the packet is right. */
function transportChecksum(f: Uint8Array): number {
  const pseudo = readU16(f, 26) + readU16(f, 28) + readU16(f, 30) + readU16(f, 32) + (f[23] ?? 0) + f.length - 34;
  return checksum(f.subarray(34), f[23] === 1 ? 0 : pseudo);
}

function assertChecksums(f: Uint8Array): void {
  assert.equal(checksum(f.subarray(14, 34)), 0, "IPv4 header checksum");
  assert.equal(transportChecksum(f), 0, "transport checksum");
}

class Bench {
  nowMs = 0;
  readonly tracker = new ConnectionTracker(() => this.nowMs, () => undefined);

  /** Sends a packet through the tracker: its ct_state as words, and the packet. */
  send(segment: Segment | Packet, { commit = false, nat, zone = 5, mark }: { commit?: boolean; nat?: Nat; zone?: number; mark?: number } = {}) {
    const packet = segment instanceof Packet ? segment : new Packet(frame(segment));
    packet.readHeaders();
    const marks = mark === undefined ? undefined : { values: [mark, 0, 0, 0, 0], masks: [0xffffffff, 0, 0, 0, 0] };
    this.tracker.track({ kind: "ct", commit, force: false, zone, marks, nat }, packet);
    const state = packet.key[W.ctState] ?? 0;
    return { state: Object.entries(ctStateBit).filter(([, bit]) => (state & bit) !== 0).map(([name]) => name).join("|"), packet };
  }

  shown(): string[] {
    return [...this.tracker].map((c) => connectionText(c, false, this.nowMs));
  }
}

const addresses = ({ bytes: f }: Packet): string =>
  `${formatIpv4(ipv4Of(readU32(f, 26)))}:${readU16(f, 34)} > ${formatIpv4(ipv4Of(readU32(f, 30)))}:${readU16(f, 36)}`;

test("a TCP connection from its first segment to its last", () => {
  const bench = new Bench();
  const there = { from: "10.0.0.1", to: "10.0.0.2", protocol: 6, a: 1000, b: 80 } as const;
  const back = { from: "10.0.0.2", to: "10.0.0.1", protocol: 6, a: 80, b: 1000 } as const;
  assert.equal(bench.send({ ...there, flags: 2 }).state, "new|trk");
  assert.equal(bench.tracker.size, 0, "nothing is kept that was not committed");
  assert.equal(bench.send({ ...there, flags: 2 }, { commit: true, mark: 7 }).state, "new|trk");
  assert.deepEqual(bench.shown(), ["tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,sport=80,dport=1000),zone=5,mark=7,protoinfo=(state=SYN_SENT)"]);
  assert.equal(bench.send({ ...back, flags: 0x12 }).state, "est|rpl|trk");
  assert.equal(bench.send({ ...there, flags: 0x10 }).state, "est|trk");
  assert.equal(bench.send({ ...there, flags: 0x10 }).packet.key[W.ctMark], 7);
  assert.equal(bench.send({ ...there, flags: 0x10 }, { zone: 6 }).state, "new|trk", "another zone knows nothing of it");
  assert.equal(bench.send({ ...there, flags: 0x03 }).state, "inv|trk", "SYN and FIN at once");
  bench.send({ ...there, flags: 0x11 });
  bench.send({ ...back, flags: 0x11 });
  bench.send({ ...there, flags: 0x10 });
  assert.match(bench.shown()[0] ?? "", /state=FIN_WAIT_2/);
  assert.equal(bench.send({ ...there, flags: 2 }, { commit: true }).state, "new|trk", "the same ports may be used anew");
  bench.nowMs = 31_000;
  bench.tracker.sweep();
  assert.equal(bench.tracker.size, 0);
});

test("what cannot begin a connection is invalid", () => {
  const bench = new Bench();
  assert.equal(bench.send({ from: "10.0.0.1", to: "10.0.0.2", protocol: 6, a: 1, b: 2, flags: 0x12 }).state, "inv|trk");
  assert.equal(bench.send({ from: "10.0.0.1", to: "10.0.0.2", protocol: 1, a: 0, b: 2 }).state, "inv|trk");
  assert.equal(bench.send(new Packet(new Uint8Array(60))).state, "inv|trk");
});

test("an echo and the answer to it", () => {
  const bench = new Bench();
  assert.equal(bench.send({ from: "10.0.0.1", to: "10.0.0.2", protocol: 1, a: 8, b: 77 }, { commit: true }).state, "new|trk");
  assert.equal(bench.send({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1, a: 0, b: 77 }).state, "est|rpl|trk");
  assert.equal(bench.send({ from: "10.0.0.2", to: "10.0.0.1", protocol: 1, a: 0, b: 78 }).state, "inv|trk");
  assert.deepEqual(bench.shown(), ["icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=77,type=8,code=0),reply=(src=10.0.0.2,dst=10.0.0.1,id=77,type=0,code=0),zone=5"]);
});

const outer = ({ bytes }: Packet): readonly string[] => [26, 30].map((at) => formatIpv4(ipv4Of(readU32(bytes, at))));

test("source translation, the way back, and a port that is taken", () => {
  const bench = new Bench();
  const nat: Nat = { kind: "nat", direction: "src", ipMin: ip("172.16.0.1") };
  const first = bench.send({ from: "10.0.0.1", to: "8.8.8.8", protocol: 17, a: 5000, b: 53 }, { commit: true, nat });
  assert.equal(first.state, "new|trk|snat");
  assert.equal(addresses(first.packet), "172.16.0.1:5000 > 8.8.8.8:53");
  assertChecksums(first.packet.bytes);
  // The same packet once more in the same zone, as pipelines send it that look before they commit.
  const again = bench.send(first.packet, { commit: true, nat });
  assert.equal(again.state, "new|trk|snat");
  assert.equal(addresses(again.packet), "172.16.0.1:5000 > 8.8.8.8:53");
  assert.equal(bench.tracker.size, 1);
  const answer = bench.send({ from: "8.8.8.8", to: "172.16.0.1", protocol: 17, a: 53, b: 5000 }, { nat: { kind: "nat" } });
  assert.equal(answer.state, "est|rpl|trk|dnat");
  assert.equal(addresses(answer.packet), "8.8.8.8:53 > 10.0.0.1:5000");
  assertChecksums(answer.packet.bytes);
  const error = bench.send({ from: "9.9.9.9", to: "172.16.0.1", protocol: 1, a: 3, b: 0, quoted: first.packet.bytes.slice(14, 42) }, { nat: { kind: "nat" } });
  assert.deepEqual(outer(error.packet), ["9.9.9.9", "10.0.0.1"]);
  assertChecksums(error.packet.bytes);
  const other = bench.send({ from: "10.0.0.2", to: "8.8.8.8", protocol: 17, a: 5000, b: 53 }, { commit: true, nat });
  assert.equal(addresses(other.packet), "172.16.0.1:5001 > 8.8.8.8:53");
  assertChecksums(other.packet.bytes);
});

test("destination translation to a port of its own, and an ICMP error about it", () => {
  const bench = new Bench();
  const nat: Nat = { kind: "nat", direction: "dst", ipMin: ip("10.0.0.9"), portMin: 8080, portMax: 8080 };
  const first = bench.send({ from: "1.1.1.1", to: "30.0.0.1", protocol: 6, a: 999, b: 80, flags: 2 }, { commit: true, nat });
  assert.equal(first.state, "new|trk|dnat");
  assert.equal(addresses(first.packet), "1.1.1.1:999 > 10.0.0.9:8080");
  assertChecksums(first.packet.bytes);
  const error = bench.send({ from: "10.0.0.254", to: "1.1.1.1", protocol: 1, a: 3, b: 0, quoted: first.packet.bytes.slice(14, 42) }, { nat: { kind: "nat" } });
  assert.match(error.state, /^rel\|rpl\|trk/);
  const quoted = error.packet.bytes.subarray(42);
  assert.equal(`${formatIpv4(ipv4Of(readU32(quoted, 16)))}:${readU16(quoted, 22)}`, "30.0.0.1:80");
  // Who complains about a hidden address is not to tell it.
  assert.deepEqual(outer(error.packet), ["30.0.0.1", "1.1.1.1"]);
  assertChecksums(error.packet.bytes);
});

test("connections are flushed by zone and by what is given of them", () => {
  const bench = new Bench();
  for (const a of [1, 2, 3]) bench.send({ from: "10.0.0.1", to: "10.0.0.2", protocol: 17, a, b: 53 }, { commit: true, zone: a });
  bench.tracker.flushMatching({ kind: "ct_flush", family: 4, protocol: 17, original: { sourcePort: 2 }, reply: {} });
  assert.equal(bench.tracker.size, 2);
  bench.tracker.flushMatching({ kind: "ct_flush", family: 0, protocol: 0, original: {}, reply: {}, labels: { value: 1n, mask: 1n } });
  assert.equal(bench.tracker.size, 2);
  bench.tracker.flush(3);
  assert.equal(bench.tracker.size, 1);
});

test("no words to the tracker's commands make them throw anything but a complaint", () => {
  const bench = new Bench();
  const words = fc.oneof(fc.string(), fc.constantFrom("zone=5", "zone=1,limit=2", "default=3", "default", "ct_nw_src=10.0.0.1", "ct_nw_proto=17,ct_tp_src=x", "zone=99999", "-s", "ct_ipv6_dst=fd00::1"));
  fc.assert(fc.property(fc.constantFrom(...trackerCommands(bench.tracker, () => 0)), fc.array(words, { maxLength: 4 }), (command, args) => {
    try {
      command.run(args);
    } catch (error) {
      assert.ok(error instanceof UnixctlError, String(error));
    }
  }));
});

test("a zone's limit keeps what is there and lets no more in", () => {
  const bench = new Bench();
  const from = (a: number): Segment => ({ from: "10.0.0.1", to: "10.0.0.2", protocol: 17, a, b: 53 });
  const command = (name: string, ...args: string[]): string => {
    const found = trackerCommands(bench.tracker, () => bench.nowMs).find((c) => c.name === `dpctl/${name}`);
    return String(found?.run(args));
  };
  command("ct-set-limits", "default=3", "zone=6,limit=1");
  for (let port = 1; port <= 5; port++) {
    bench.send(from(port), { commit: true });
    bench.send(from(port), { commit: true, zone: 6 });
  }
  assert.equal(command("ct-get-limits", "zone=5,6,7"), "default limit=3\nzone=5,limit=3,count=3\nzone=6,limit=1,count=1\nzone=7,limit=3,count=0\n");
  assert.equal(bench.send(from(1)).state, "new|trk");
  command("flush-conntrack", "zone=5", "ct_nw_src=10.0.0.1,ct_nw_proto=17,ct_tp_src=2");
  assert.equal(command("ct-get-limits", "zone=5"), "default limit=3\nzone=5,limit=3,count=2\n");
  command("ct-del-limits", "default", "zone=6");
  assert.equal(command("ct-get-limits"), "default limit=0\n");
  assert.equal(command("ct-stats-show"), "Connections Stats:\n    Total: 3\n\tUDP: 3\n");
  assert.throws(() => command("ct-set-limits", "zone=1,limit=-1"), /failed to parse field limit/);
});
