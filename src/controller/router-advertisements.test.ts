/** What a router port's options make of its advertisement; the bytes are those of OVN's ovn-controller. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIpv6 } from "../net/index.ts";
import { parseNd } from "../packet/index.ts";
import { present } from "../std/index.ts";
import { upperLayer, parseHeaders } from "./packet-in/headers.ts";
import { advertisementFrame } from "./router-advertisements.ts";

const needed = { ipv6_ra_address_mode: "slaac", ipv6_ra_src_eth: "0a:00:00:00:00:01", ipv6_ra_src_addr: "fe80::1", ipv6_ra_prefixes: "fd00:1::/64" };
const frameOf = (options: { readonly [key: string]: string }): Uint8Array | string => advertisementFrame({ options: new Map(Object.entries(options)) });

function advertisement(options: { readonly [key: string]: string }) {
  const frame = frameOf({ ...needed, ...options });
  const headers = present(typeof frame === "string" ? undefined : parseHeaders(frame), String(frame));
  const message = upperLayer(headers, present(headers.ip));
  const nd = parseNd(134, message.subarray(4));
  return nd?.kind === "router-advert" ? nd : assert.fail("no advertisement");
}

test("the address mode decides the flags of the advertisement and of its prefixes", () => {
  for (const [mode, managed, otherConfig, autonomous] of [["slaac", false, false, true], ["dhcpv6_stateless", false, true, true], ["dhcpv6_stateful", true, false, false]] as const) {
    const nd = advertisement({ ipv6_ra_address_mode: mode });
    assert.deepEqual([nd.managed, nd.otherConfig, nd.lifetime, nd.hopLimit], [managed, otherConfig, 0xffff, 255], mode);
    const prefixes = nd.options.flatMap((o) => (o.kind === "prefix" ? [[formatIpv6(o.prefix), o.length, o.autonomous]] : []));
    assert.deepEqual(prefixes, [["fd00:1::", 64, autonomous]], mode);
  }
});

test("options come in OVN's order", () => {
  const nd = advertisement({ ipv6_ra_mtu: "1400", ipv6_ra_rdnss: "fd00::53", ipv6_ra_dnssl: "aa.bb,cc.dd", ipv6_ra_route_info: "HIGH-aef0::11/48,LOW-aef1::/96", ipv6_ra_prf: "LOW" });
  assert.equal(nd.preference, 3);
  assert.deepEqual(nd.options.map((o) => o.kind), ["source-mac", "mtu", "prefix", "dns-servers", "dns-search", "route", "route"]);
  assert.deepEqual(nd.options.flatMap((o) => (o.kind === "route" ? [[o.length, o.preference, o.prefix.length]] : [])), [[48, 1, 8], [96, 3, 16]]);
});

test("what is wrong is said", () => {
  assert.equal(frameOf({ ...needed, ipv6_ra_address_mode: "magic" }), "Invalid address mode magic");
  assert.equal(frameOf({ ...needed, ipv6_ra_src_addr: "10.0.0.1" }), "Invalid IP source 10.0.0.1");
  assert.equal(frameOf({ ...needed, ipv6_ra_rdnss: "x" }), "Invalid RDNSS source x");
  assert.equal(frameOf({}), "No address mode specified");
});
