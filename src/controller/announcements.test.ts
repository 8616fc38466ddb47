/** When an address is announced, how often, and until when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../host/index.ts";
import { ipv4Of, macOf } from "../net/index.ts";
import { parseArp } from "../packet/index.ts";
import { Announcer } from "./announcements.ts";
import type { Node } from "./node.ts";
import type { PortBinding } from "./rows.ts";

/** A clock that goes on as far as the timers demand, at most `stepCount` of them. */
function announcedAt(change: { readonly endlessMs?: number; readonly ip?: undefined; readonly removedAfter?: number }, stepCount = 10): { readonly times: readonly number[]; readonly packets: readonly Uint8Array[] } {
  let now = 0;
  let next: { at: number; run: () => void } | undefined;
  const [times, packets]: [number[], Uint8Array[]] = [[], []];
  const after = (ms: number, run: () => void) => {
    const timer = { at: now + ms, run };
    next = timer;
    return { cancel: () => next === timer && (next = undefined) };
  };
  const node = { connectorsByDatapath: { get: () => [] } } as unknown as Node;
  const announcer = new Announcer({ clock: { after } } as unknown as Host, node, (packet) => {
    times.push(now / 1000);
    packets.push(packet);
  });
  const announcement = {
    port: { datapath: "d" } as unknown as PortBinding, datapathKey: 1, portKey: 2, mac: macOf(5), ip: "ip" in change ? undefined : ipv4Of(0x0a000001),
    endlessMs: change.endlessMs ?? 0,
  };
  announcer.added(announcement);
  for (let i = 0; i < stepCount && next !== undefined; i++) {
    const { at, run } = next;
    next = undefined;
    now = at;
    run();
    if (change.removedAfter === i + 1) announcer.removed(announcement);
  }
  return { times, packets };
}

test("an address is announced five times, ever more slowly; without end if so configured; no more when it has gone", () => {
  assert.deepEqual(announcedAt({}).times, [1, 2, 4, 8, 16]);
  assert.deepEqual(announcedAt({ endlessMs: 3000 }, 6).times, [1, 2, 4, 7, 10, 13]);
  assert.deepEqual(announcedAt({ removedAfter: 2 }).times, [1, 2]);
});

test("an IPv4 address is announced by ARP, a MAC address alone by RARP", () => {
  const [arp] = announcedAt({}).packets;
  assert.equal(Buffer.from(arp ?? []).readUInt16BE(12), 0x0806);
  const { operation, senderIp, targetIp } = parseArp((arp ?? new Uint8Array(0)).subarray(14)) ?? assert.fail();
  assert.deepEqual([operation, senderIp, targetIp], [1, 0x0a000001, 0x0a000001]);
  assert.equal(Buffer.from(announcedAt({ ip: undefined }).packets[0] ?? []).readUInt16BE(12), 0x8035);
});
