/** When next hops are asked for, and what the questions are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../host/index.ts";
import { formatMac, type Ip, macOf, parseIp } from "../net/index.ts";
import { parseArp, readU16 } from "../packet/index.ts";
import { present } from "../std/index.ts";
import { NextHopAsker, type NextHopRequest } from "./next-hop-requests.ts";

const ip = (text: string): Ip => present(parseIp(text), text);
const request = (local: string, target: string, longestMs: number): NextHopRequest =>
  ({ datapathKey: 1, portKey: 2, mac: macOf(0x0a00000000fe), local: ip(local), target: ip(target), longestMs });

/** Lets the given number of timers run out; the pauses before the questions, and the questions. */
function ask(what: NextHopRequest, times: number): { readonly pauses: readonly number[]; readonly frames: readonly Uint8Array[] } {
  const [pauses, frames, due]: [number[], Uint8Array[], (() => void)[]] = [[], [], []];
  const after = (ms: number, run: () => void) => (pauses.push(ms), due.push(run), { cancel: () => {} });
  new NextHopAsker({ clock: { after } } as unknown as Host, (frame) => frames.push(frame)).added(what);
  for (let i = 0; i < times; i++) due.shift()?.();
  return { pauses: pauses.slice(0, frames.length), frames };
}

test("the pauses grow up to the longest; without one it is asked once", () => {
  assert.deepEqual(ask(request("10.0.0.1", "10.0.0.2", 16_000), 8).pauses, [1000, 1000, 2000, 4000, 8000, 16_000, 16_000, 16_000]);
  assert.deepEqual(ask(request("10.0.0.1", "10.0.0.2", 0), 8).pauses, [1000]);
});

test("everybody is asked: by ARP, or at the solicited-node address", () => {
  const [arp] = ask(request("10.0.0.1", "10.0.0.2", 0), 1).frames;
  const body = present(parseArp(present(arp).subarray(14)));
  assert.deepEqual([formatMac(macOf(Number(`0x${Buffer.from(present(arp).subarray(0, 6)).toString("hex")}`))), body.operation, body.targetIp], ["ff:ff:ff:ff:ff:ff", 1, 0x0a000002]);
  const [nd] = ask(request("fd00::1", "fd00::12:3456", 0), 1).frames;
  assert.equal(Buffer.from(present(nd).subarray(0, 6)).toString("hex"), "3333ff123456");
  assert.equal(readU16(present(nd), 12), 0x86dd);
  assert.equal(Buffer.from(present(nd).subarray(14 + 24, 14 + 40)).toString("hex"), "ff0200000000000000000001ff123456");
  assert.equal(ask(request("10.0.0.1", "fd00::2", 0), 1).frames.length, 0);
});
