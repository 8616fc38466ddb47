import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "../host/index.ts";
import { type Mac, macBroadcast, macOf } from "../net/index.ts";
import { ethernetFrame } from "../packet/index.ts";
import { SeededRandom } from "../std/index.ts";
import { Cable, changeImpairment, Courier, formatImpairment, type Impairment, LearningBridge, showMacs, unimpaired, withTag } from "./index.ts";

const [a, b, c] = [macOf(0x52540000000a), macOf(0x52540000000b), macOf(0x52540000000c)];
const frame = (src: Mac, dst: Mac, vlan?: number): Uint8Array => ethernetFrame({ src, dst, ...(vlan !== undefined && { vlan }) }, 0x88b5, new Uint8Array(50));

/** A bridge with ports 1 to 3; `sent` takes what leaves, as "port:size". */
function threePorts(isVlanAware = false): { clock: VirtualClock; bridge: LearningBridge; sent: () => string; from: (n: 1 | 2 | 3, f: Uint8Array) => string } {
  const clock = new VirtualClock();
  const bridge = new LearningBridge(clock, { name: "data", mac: macOf(0x5254007bc90a), ageingMs: 300_000, isVlanAware });
  let out: string[] = [];
  for (const n of [1, 2, 3]) {
    const vlans = n === 1 ? { untagged: 10, tagged: new Set<number>() } : n === 2 ? { untagged: undefined, tagged: new Set([10, 20]) } : { untagged: 20, tagged: new Set<number>() };
    bridge.addPort(`p${n}`, macOf(0xfe5400000000 + n), vlans).transmit = (f) => out.push(`${n}:${f.length}`);
  }
  const sent = (): string => {
    const text = out.join(" ");
    out = [];
    return text;
  };
  return {
    clock, bridge, sent,
    from: (n, f) => {
      const port = bridge.port(`p${n}`);
      assert.ok(port);
      bridge.receive(port, f);
      return sent();
    },
  };
}

test("a bridge floods what it does not know, and learns", () => {
  const { bridge, clock, from } = threePorts();
  assert.equal(from(1, frame(a, b)), "2:64 3:64");
  assert.equal(from(2, frame(b, a)), "1:64");
  assert.equal(from(1, frame(a, b)), "2:64");
  assert.equal(from(3, frame(c, macBroadcast)), "1:64 2:64");
  assert.equal(from(1, frame(c, a)), "", "back where it came from");
  assert.equal(from(2, frame(b, c)), "1:64", "the station has moved");
  assert.equal(from(1, frame(a, macOf(0x0180c2000000))), "", "bridges' own talk stays on the link");
  clock.advance(300_001);
  assert.equal(from(1, frame(a, b)), "2:64 3:64", "after five minutes of silence it has forgotten");
  assert.equal(
    showMacs(bridge),
    [
      "port no\tmac addr\t\tis local?\tageing timer", "  1\t52:54:00:00:00:0a\tno\t\t   0.00", ...Array(2).fill("  1\tfe:54:00:00:00:01\tyes\t\t   0.00"),
      ...Array(2).fill("  2\tfe:54:00:00:00:02\tyes\t\t   0.00"), ...Array(2).fill("  3\tfe:54:00:00:00:03\tyes\t\t   0.00"), "",
    ].join("\n"),
  );
});

test("tags are freight, unless the bridge filters VLANs", () => {
  assert.equal(threePorts().from(1, frame(a, b, 20)), "2:68 3:68");
  const { from } = threePorts(true);
  assert.equal(from(1, frame(a, b)), "2:68", "untagged in VLAN 10, tagged where it is carried so, nowhere else");
  assert.equal(from(2, frame(b, a, 10)), "1:64");
  assert.equal(from(2, frame(b, a, 20)), "3:64", "VLAN 20 has not heard of a");
  assert.equal(from(2, frame(b, a)), "", "no VLAN for untagged frames");
  assert.equal(from(3, frame(a, b, 10)), "");
  assert.deepEqual(withTag(frame(a, b), 10), frame(a, b, 10));
});

test("no frame makes a bridge throw, and its memory is bounded", () => {
  const { bridge } = threePorts();
  const port = bridge.port("p1");
  assert.ok(port);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => bridge.receive(port, bytes)));
  for (let i = 0; i < 20_000; i++) bridge.receive(port, frame(macOf(0x020000000000 + i), b));
  assert.ok(bridge.list().length < 17_000);
});

function cable(impairment: Impairment): { clock: VirtualClock; arrivals: number[]; send: (n?: number) => void; set: (i: Impairment) => void; lost: () => number } {
  const clock = new VirtualClock();
  const wire = new Cable(clock, new Courier(clock), new SeededRandom(7));
  const arrivals: number[] = [];
  wire.ends[1].attach(() => arrivals.push(clock.now()));
  wire.ends[0].impairment = impairment;
  return {
    clock, arrivals, lost: () => wire.ends[0].counters.lost, set: (i) => void (wire.ends[0].impairment = i),
    send: (n = 1) => {
      for (let i = 0; i < n; i++) wire.ends[0].send(new Uint8Array(101));
    },
  };
}

test("a cable delays, loses, throttles and breaks", () => {
  const plain = cable(unimpaired);
  plain.send(2);
  assert.deepEqual(plain.arrivals, [0, 0], "at once");

  const slow = cable({ ...unimpaired, delayMs: 10 });
  slow.send();
  slow.clock.advance(9);
  assert.deepEqual(slow.arrivals, []);
  slow.clock.advance(1);
  assert.deepEqual(slow.arrivals, [10]);

  const narrow = cable({ ...unimpaired, rate: 1e6, limit: 3 });
  narrow.send(5);
  narrow.clock.advance(100);
  assert.deepEqual(narrow.arrivals, [1, 2, 3], "125 bytes on the wire are a millisecond at 1 Mbit/s");
  assert.equal(narrow.lost(), 2);

  const lossy = cable({ ...unimpaired, loss: 0.25 });
  lossy.send(1000);
  assert.ok(lossy.lost() > 200 && lossy.lost() < 300, String(lossy.lost()));

  const broken = cable({ ...unimpaired, delayMs: 10 });
  broken.send();
  broken.set({ ...unimpaired, delayMs: 10, isCut: true });
  broken.send();
  broken.clock.advance(100);
  broken.set(unimpaired);
  broken.send();
  assert.deepEqual(broken.arrivals, [100], "neither what was under way nor what came later");
});

test("frames keep their order, however the delay varies", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 50 }), fc.nat(20), (gaps, jitterMs) => {
      const wire = cable({ ...unimpaired, delayMs: 10, jitterMs });
      for (const gap of gaps) {
        wire.send();
        wire.clock.advance(gap);
      }
      wire.clock.advance(1000);
      assert.equal(wire.arrivals.length, gaps.length);
      assert.deepEqual(wire.arrivals, [...wire.arrivals].sort((x, y) => x - y));
    }),
  );
});

test("a storm neither grows without end nor keeps others from their turn", () => {
  const clock = new VirtualClock();
  const courier = new Courier(clock);
  let carried = 0;
  const again = (): void => {
    carried++;
    courier.carry(again);
    courier.carry(again);
  };
  courier.carry(again);
  assert.ok(carried <= 512);
  for (let turn = 0; turn < 20; turn++) clock.step();
  assert.ok(courier.lost > 0);
  assert.ok(carried <= 512 * 21);
});

test("impairments are read as they are printed", () => {
  const read = (text: string): string => {
    const result = changeImpairment(unimpaired, text.split(" ").filter((w) => w !== ""));
    return "wrong" in result ? result.wrong : formatImpairment(result);
  };
  for (const text of ["", "cut", "delay 10ms", "delay 250us jitter 1.5ms", "cut delay 1000ms loss 0.5% rate 10mbit limit 5"]) assert.equal(read(text), text);
  assert.equal(read("delay 100"), "delay 100us");
  assert.equal(read("rate 1mbps"), "rate 8mbit");
  assert.equal(read("cut mend"), "");
  assert.equal(read("loss 5% clear"), "");
  assert.equal(read("loss 5"), "loss 5: expected a share such as 5%");
  assert.equal(read("loss"), "loss: a share such as 5% is missing");
  assert.match(read("speed 5"), /^"speed" is nothing that happens to a link/);
  fc.assert(fc.property(fc.array(fc.oneof(fc.constantFrom("delay", "loss", "rate", "limit", "5ms", "5%", "1e9mbit", "cut"), fc.string())), (words) => void changeImpairment(unimpaired, words)));
});
