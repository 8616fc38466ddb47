/** A packet made from a match is described by the same match. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FieldName, type FieldValue, formatMatch, Match } from "../../openflow/index.ts";
import { present } from "../../std/index.ts";
import { describe } from "./acl-log.ts";
import { composePacket } from "./compose-packet.ts";
import { parseHeaders } from "./headers.ts";

type Term = readonly [FieldName, FieldValue];
type Terms = fc.Arbitrary<readonly Term[]>;

const number = (name: FieldName, max: number): fc.Arbitrary<Term> => fc.nat(max).map((value) => [name, value] as const);
const constant = (name: FieldName, value: FieldValue): fc.Arbitrary<Term> => fc.constant([name, value] as const);
const ipv6 = (name: FieldName): fc.Arbitrary<Term> => fc.bigInt(0n, (1n << 128n) - 1n).map((value) => [name, value] as const);
const mac = (name: FieldName): fc.Arbitrary<Term> => fc.integer({ min: 0, max: 0xffffffffffff }).map((value) => [name, value] as const);
const address = (name: FieldName): fc.Arbitrary<Term> => fc.integer({ min: 0, max: 0xffffffff }).map((value) => [name, value] as const);

const both = (first: Terms, second: Terms): Terms => fc.tuple(first, second).map(([a, b]) => [...a, ...b]);

const ethernet: Terms = fc.tuple(mac("eth_src"), mac("eth_dst"), fc.oneof(constant("vlan_tci", 0), fc.nat(4095).map((id) => ["vlan_tci", 0x1000 | id] as const)));
const common: Terms = fc.tuple(fc.nat(63).map((dscp) => ["nw_tos", dscp << 2] as const), number("nw_ecn", 3), number("nw_ttl", 255), constant("ip_frag", 0));
const ip4: Terms = both(common, fc.tuple(constant("eth_type", 0x0800), address("ip_src"), address("ip_dst")));
const ip6: Terms = both(common, fc.tuple(constant("eth_type", 0x86dd), ipv6("ipv6_src"), ipv6("ipv6_dst"), number("ipv6_label", 0xfffff)));

const transports: Terms = fc.oneof(
  fc.tuple(constant("nw_proto", 6), number("tcp_src", 0xffff), number("tcp_dst", 0xffff), number("tcp_flags", 0xfff)),
  fc.tuple(constant("nw_proto", 17), number("udp_src", 0xffff), number("udp_dst", 0xffff)),
  fc.tuple(constant("nw_proto", 132), number("sctp_src", 0xffff), number("sctp_dst", 0xffff)),
);
const icmp4: Terms = fc.tuple(constant("nw_proto", 1), number("icmp_type", 255), number("icmp_code", 255));
const icmp6: Terms = fc.tuple(constant("nw_proto", 58), number("icmpv6_type", 132), number("icmpv6_code", 255));
const neighbors: Terms = fc.tuple(
  constant("nw_proto", 58), fc.constantFrom(135, 136).map((type) => ["icmpv6_type", type] as const), constant("icmpv6_code", 0), ipv6("nd_target"), mac("nd_sll"), mac("nd_tll"),
);
const arp: Terms = fc.tuple(
  constant("eth_type", 0x0806), number("arp_op", 255), address("arp_spa"), address("arp_tpa"), mac("arp_sha"), mac("arp_tha"),
);

test("composing and describing a packet are opposites", () => {
  const packets = both(ethernet, fc.oneof(both(ip4, transports), both(ip4, icmp4), both(ip6, transports), both(ip6, icmp6), both(ip6, neighbors), arp));
  fc.assert(fc.property(packets, (terms) => {
    const match = Match.of(...terms);
    assert.equal(describe(present(parseHeaders(composePacket(match)))), formatMatch(match));
  }), { numRuns: 1000 });
});
