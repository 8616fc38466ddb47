import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lacksComplaint, plainLines, printsComplaint, showsComplaint, treeComplaint } from "./expected-text.ts";

const fits = (complaint: string | undefined): void => assert.equal(complaint, undefined);
const differs = (complaint: string | undefined, pattern: RegExp): void => assert.match(complaint ?? "no complaint", pattern);

test("what differs from run to run does not count", () => {
  fits(printsComplaint("64 bytes from 172.16.2.2: icmp_seq=1 ttl=62 time=2.46 ms", "64 bytes from 172.16.2.2: icmp_seq=1 ttl=62 time=0.301 ms\n"));
  differs(printsComplaint("64 bytes from 172.16.2.2: icmp_seq=1 ttl=62 time=2.46 ms", "64 bytes from 172.16.2.2: icmp_seq=1 ttl=63 time=0.301 ms\n"), /got:\n.*ttl=63/);
  fits(printsComplaint("switch c850599c-263c-431b-b67f-13f4eab7a2d1 (ts1)", "switch 00000000-263c-431b-b67f-13f4eab7a2d1 (ts1)"));
  fits(showsComplaint(
    "16:18:52.285722 40:44:44:00:00:10 > 40:44:33:00:00:05, ethertype 802.1Q (0x8100), length 102: vlan 170, p 0, ethertype IPv4, (tos 0x0, ttl 64, id 15048, offset 0, flags [DF], proto ICMP (1), length 84)\n192.168.1.111 > 192.168.0.11: ICMP echo request, id 1257, seq 6, length 64",
    "17:00:00.123 in  40:44:44:00:00:10 > 40:44:33:00:00:05, ethertype 802.1Q (0x8100), length 102: vlan 170, p 0, ethertype IPv4, (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto ICMP (1), length 84)\n    192.168.1.111 > 192.168.0.11: ICMP echo request, id 2, seq 3, length 64\n"));
  fits(printsComplaint("\u2014 192.168.1.13 ping statistics \u2014\n2 packets transmitted, 2 received, 0% packet loss, time 1000ms\nrtt min/avg/max/mdev = 0.299/0.315/0.331/0.016 ms",
    "--- 192.168.1.13 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1001ms\nrtt min/avg/max/mdev = 1.0/2.0/3.0/0.5 ms\n"));
  fits(showsComplaint("2020-09-08T09:01:52.547Z|00007|pinctrl(ovn_pinctrl0)|INFO|DHCPACK 40:44:44:00:00:10 192.168.1.111", "2026-01-01T00:00:00.000Z|00123|pinctrl(ovn_pinctrl0)|INFO|DHCPACK 40:44:44:00:00:10 192.168.1.111"));
});

test("... leaves out text and lines", () => {
  fits(printsComplaint("a\n...\nz", "a\nb\nc\nz\n"));
  fits(printsComplaint("a\n...\nz", "a\nz\n"));
  differs(printsComplaint("a\n...\nz", "a\nb\n"), /expected/);
  fits(printsComplaint("one ... three\n...", "one two three\nmore\n"));
  differs(printsComplaint("a", "a\nb\n"), /expected:\n {4}a\n {2}got:\n {4}a\n {4}b/);
  fits(printsComplaint("", "\n"));
});

test("shows, lacks and trees", () => {
  fits(showsComplaint("b\nd", "a\nxbx\nc\nd"));
  differs(showsComplaint("d\nb", "a\nb\nc\nd"), /no line with "b" after the lines before it/);
  fits(lacksComplaint("worker_west", "Chassis worker_east\n"));
  differs(lacksComplaint("worker_west", "Chassis worker_west\n"), /should not be there/);
  fits(treeComplaint("Chassis a\n    Port x\n    Port y\nChassis b", "Chassis b\nChassis a\n    Port y\n    Port x\n"));
  differs(treeComplaint("Chassis a\n    Port x\nChassis b", "Chassis a\nChassis b\n    Port x\n"), /in any order/);
});

test("a text fits itself, and none makes it throw", () => {
  const text = fc.string({ unit: fc.constantFrom(..." .\nab[(*\\") });
  fc.assert(fc.property(text, (t) => printsComplaint(t, t) === undefined && showsComplaint(t, t) === undefined));
  fc.assert(fc.property(text, text, (a, b) => {
    printsComplaint(a, b);
    showsComplaint(a, b);
    lacksComplaint(a, b);
    treeComplaint(a, b);
    return Array.isArray(plainLines(a));
  }));
});
