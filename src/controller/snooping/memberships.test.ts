/** Who is taken for a listener, and for how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ipv4Of, ipv6Of, parseIpv4, parseIpv6 } from "../../net/index.ts";
import { isChecksumRight, parseEthernet, parseIgmp, parseIpv4Header } from "../../packet/index.ts";
import { macOf } from "../../net/index.ts";
import { present } from "../../std/index.ts";
import { Memberships } from "./memberships.ts";
import { igmpQuery, mldQuery } from "./queries.ts";

const group = present(parseIpv4("239.1.2.3"));
const other = present(parseIpv4("239.1.2.4"));
const listeners = (m: Memberships): object => Object.fromEntries([...m.groups].map(([name, { protocol, expiresAt }]) => [name, [protocol, ...expiresAt.keys()].join(" ")]));

test("reports join, leaves and empty includes leave, silence expires", () => {
  const m = new Memberships(10, 1000);
  m.heardIgmp({ kind: "report2", maxResponse: 0, group }, 1, 0);
  m.heardIgmp({ kind: "report3", records: [{ type: 4, group, sources: [] }, { type: 6, group: other, sources: [] }] }, 2, 500);
  assert.deepEqual(listeners(m), { "239.1.2.3": "IGMPv3 1 2", "239.1.2.4": "IGMPv3 2" });
  assert.equal(m.nextExpiry, 1000);
  m.expire(1000);
  assert.deepEqual(listeners(m), { "239.1.2.3": "IGMPv3 2", "239.1.2.4": "IGMPv3 2" });
  m.heardIgmp({ kind: "report3", records: [{ type: 3, group, sources: [] }] }, 2, 1000);
  m.heardIgmp({ kind: "leave", maxResponse: 0, group: other }, 2, 1000);
  assert.deepEqual(listeners(m), {});
});

test("behind a port with a querier everything is wanted anyway", () => {
  const m = new Memberships(10, 1000);
  m.heardMld({ kind: "query", maxResponseMs: 0, group: ipv6Of(0n) }, present(parseIpv6("fe80::1")), 7, 0);
  m.heardMld({ kind: "query", maxResponseMs: 0, group: ipv6Of(0n) }, ipv6Of(0n), 8, 0);
  m.heardMld({ kind: "report", maxResponseMs: 0, group: present(parseIpv6("ff05::1")) }, present(parseIpv6("fe80::2")), 7, 0);
  assert.deepEqual([[...m.routerPorts], m.groups.size], [[7], 0]);
});

test("never more groups than allowed: the one longest unheard of goes", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(3)), { maxLength: 60 }), (reports) => {
    const m = new Memberships(5, 1000);
    for (const [last, port] of reports) m.heardIgmp({ kind: "report2", maxResponse: 0, group: ipv4Of(group + last) }, port, 0);
    assert.ok(m.groups.size <= 5);
    const latest = reports.at(-1);
    if (latest !== undefined) assert.ok([...m.groups.values()].at(-1)?.expiresAt.has(latest[1]));
  }));
});

test("queries are what IGMPv3 and MLDv2 ask for", () => {
  const frame = igmpQuery(macOf(2), present(parseIpv4("10.0.0.1")), 1);
  const header = present(parseIpv4Header(frame.subarray(14)));
  assert.deepEqual([header.ttl, header.protocol, header.dontFragment], [1, 2, true]);
  const message = frame.subarray(34);
  assert.ok(isChecksumRight(message));
  assert.deepEqual(parseIgmp(message), { kind: "query3", maxResponse: 10, group: 0, flags: 0, queryInterval: 10, sources: [] });
  const mld = mldQuery(macOf(2), present(parseIpv6("fe80::1")), 1);
  assert.equal(present(parseEthernet(mld)).dst, 0x333300000000);
  // Hop-by-hop options with a router alert, then an ICMPv6 query with a second to answer.
  assert.deepEqual([...mld.subarray(54, 64)], [58, 0, 5, 2, 0, 0, 0, 0, 130, 0]);
  assert.equal(mld.length, 14 + 40 + 8 + 4 + 24);
});
