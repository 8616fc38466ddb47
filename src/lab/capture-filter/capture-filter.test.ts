import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseIp, parseMac } from "../../net/index.ts";
import { arpFrame, concatenate, emitGeneve, ethernetFrame, etherType, icmpv4Message, icmpv6Message, ip4, type Ipv4Fields, ipProtocol, ipv4Packet, ipv6Packet, pcapHeader, pcapRecord, sizeofGeneve, tcpSegment, udpDatagram } from "../../packet/index.ts";
import { present } from "../../std/index.ts";
import { parseCaptureFilter } from "./capture-filter.ts";

const mac = (text: string) => present(parseMac(text));
const ip = (text: string) => {
  const parsed = present(parseIp(text));
  assert.equal(parsed.family, 4);
  return parsed.family === 4 ? parsed.address : assert.fail();
};
const ip6 = (text: string) => {
  const parsed = present(parseIp(text));
  return parsed.family === 6 ? parsed.address : assert.fail();
};
const between = { src: mac("52:54:00:00:00:0a"), dst: mac("52:54:00:00:00:0b") };
const ipv4 = (protocol: number, payload: Uint8Array, more: Partial<Ipv4Fields> = {}, vlan?: number): Uint8Array =>
  ethernetFrame({ ...between, ...(vlan !== undefined && { vlan }) }, etherType.ipv4, ipv4Packet({ src: ip("10.0.0.10"), dst: ip("10.0.0.20"), protocol, ...more }, payload));
const echo = icmpv4Message({ type: 8, code: 0, word: 1, data: new Uint8Array(8) });
const udp = (port: number, payload: Uint8Array): Uint8Array => udpDatagram(ip4(ip("10.0.0.10")), ip4(ip("10.0.0.20")), 4000, port, payload);
const geneve = (frame: Uint8Array): Uint8Array => {
  const header = { control: false, critical: true, protocol: etherType.teb, vni: 5, options: Uint8Array.from([1, 2, 0x80, 1, 0, 1, 0, 3]) };
  const b = new Uint8Array(sizeofGeneve(header));
  emitGeneve(header, b);
  return concatenate(b, frame);
};
const tcp = tcpSegment(ip4(ip("10.0.0.10")), ip4(ip("10.0.0.20")), { srcPort: 40000, dstPort: 80, sequence: 1, acknowledgment: 0, flags: 2, window: 1000, urgent: 0, options: new Uint8Array(0) }, new Uint8Array(0));

const frames: ReadonlyMap<string, Uint8Array> = new Map([
  ["ping", ipv4(ipProtocol.icmp, echo)],
  ["ping in VLAN 20", ipv4(ipProtocol.icmp, echo, {}, 20)],
  ["dns", ipv4(ipProtocol.udp, udp(53, new Uint8Array(4)))],
  ["later fragment", ipv4(ipProtocol.udp, new Uint8Array(16), { fragmentOffset: 1480 })],
  ["syn", ipv4(ipProtocol.tcp, tcp, { src: ip("192.168.1.1") })],
  ["geneve", ipv4(ipProtocol.udp, udp(6081, geneve(ipv4(ipProtocol.icmp, echo))), {}, 50)],
  ["geneve with syn", ipv4(ipProtocol.udp, udp(6081, geneve(ipv4(ipProtocol.tcp, tcp))), {}, 50)],
  ["arp", arpFrame({ ...between, dst: mac("ff:ff:ff:ff:ff:ff") }, { operation: 1, senderMac: between.src, senderIp: ip("10.0.0.10"), targetMac: mac("00:00:00:00:00:00"), targetIp: ip("10.0.0.99") })],
  ["ping6", ethernetFrame(between, etherType.ipv6, ipv6Packet({ src: ip6("fd00::1"), dst: ip6("fd00::2"), nextHeader: ipProtocol.icmpv6 }, icmpv6Message({ type: 128, code: 0, body: new Uint8Array(8) }, ip6("fd00::1"), ip6("fd00::2"))))],
  ["runt", new Uint8Array(13)],
]);

const selected = (text: string, from: "live" | "file" = "file"): string => {
  const filter = parseCaptureFilter(text, from);
  return typeof filter === "function" ? [...frames].filter(([, frame]) => filter(frame)).map(([name]) => name).join(", ") : filter.wrong;
};

const seedFilter =
  "vlan 50 and (udp port 6081) and (udp[10:2] = 0x6558) and (udp[(8 + (4 * (2 + (udp[8:1] & 0x3f))) + 12):2] = 0x0800) and (udp[8 + (4 * (2 + (udp[8:1] & 0x3f))) + 14 + 9:1] = 01)";

const expected: Readonly<Record<string, string>> = {
  icmp: "ping",
  "ip proto 1": "ping",
  "vlan and icmp": "ping in VLAN 20",
  "vlan 20": "ping in VLAN 20",
  "icmp or vlan 20 and icmp": "ping in VLAN 20",
  "not ip and not ip6 and not arp and greater 20": "ping in VLAN 20, geneve, geneve with syn",
  "udp port 53": "dns",
  "udp and dst port 53": "dns",
  "src port 53": "",
  udp: "dns, later fragment",
  "port 80": "syn",
  "tcp[tcpflags] & tcp-syn != 0": "syn",
  "host 192.168.1.1": "syn",
  "net 192.168.0.0/16": "syn",
  "src host 10.0.0.10 and icmp": "ping",
  "dst host 10.0.0.10": "",
  "arp host 10.0.0.99": "arp",
  "ether dst ff:ff:ff:ff:ff:ff": "arp",
  "ether broadcast": "arp",
  "arp[6:2] = 1": "arp",
  "ip6": "ping6",
  "icmp6 and src net fd00::/16": "ping6",
  "icmp[icmptype] == icmp-echo": "ping",
  "ip[8] > 64": "",
  "less 13": "runt",
  "portrange 50-60": "dns",
  [seedFilter]: "geneve",
  "vlan 50 and geneve 5 and icmp": "geneve",
  "vlan 50 and geneve and tcp port 80": "geneve with syn",
  "vlan 50 and geneve 6": "",
};

test("filters select what they say", () => {
  for (const [text, names] of Object.entries(expected)) assert.equal(selected(text), names, text);
  assert.equal(selected("  ").split(", ").length, frames.size);
});

test("of a live capture the kernel keeps the outer tag aside", () => {
  for (const [text, names] of Object.entries({
    icmp: "ping, ping in VLAN 20", "vlan 20 and icmp": "ping in VLAN 20", "vlan 20": "ping in VLAN 20", "udp port 6081": "geneve, geneve with syn", [seedFilter]: "geneve", "geneve and icmp": "geneve",
    "ether proto 0x8100": "", "vlan and vlan": "",
  })) assert.equal(selected(text, "live"), names, text);
});

test("mistakes are named", () => {
  assert.equal(selected("icmp and"), "syntax error at the end");
  assert.equal(selected("(icmp"), 'expected ")" at the end');
  assert.equal(selected("host wherever"), 'expected an address after "host" rather than "wherever"');
  assert.equal(selected("udp[10:3] = 1"), 'syntax error near "["');
  assert.equal(selected("icmp $"), "illegal token: $");
  assert.equal(selected("port http"), 'expected a number before "http"');
  assert.equal(selected("(".repeat(1000)), "too many parentheses");
});

const hasTcpdump = spawnSync("tcpdump", ["--version"]).status === 0;

test("tcpdump selects the same", { skip: !hasTcpdump && "no tcpdump here" }, () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-filter-"));
  try {
    const file = join(scratch, "frames.pcap");
    // The clock says which frame it is.
    writeFileSync(file, concatenate(pcapHeader(), ...[...frames.values()].map((bytes, i) => pcapRecord({ timeUs: i, bytes, originalSize: bytes.length }))));
    for (const text of Object.keys(expected)) {
      const { stdout, stderr, status } = spawnSync("tcpdump", ["-r", file, "-tt", "-n", text], { encoding: "utf8" });
      assert.equal(status, 0, `${text}: ${stderr}`);
      const names = [...stdout.matchAll(/^0\.0000(\d\d)/gm)].map((m) => [...frames.keys()][Number(m[1])]);
      assert.equal(names.join(", "), expected[text], text);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test("no filter and no frame makes it throw", () => {
  const word = fc.constantFrom("vlan", "geneve", "icmp", "udp", "ip6", "arp", "port", "host", "net", "src", "dst", "and", "or", "not", "(", ")", "[", "]", ":", "&", "+", "*", "/", "%", "=", "<", "!", "ether", "proto", "10.0.0.1", "fd00::1", "0x3f", "1", "4294967295");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), fc.uint8Array({ maxLength: 80 }), (words, bytes) => {
      const filter = parseCaptureFilter(words.join(" "));
      if (typeof filter === "function") for (const frame of [bytes, ...frames.values()]) filter(frame);
    }),
    { numRuns: 3000 },
  );
  const seed = parseCaptureFilter(seedFilter);
  assert.ok(typeof seed === "function");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => void seed(concatenate(present(frames.get("geneve")).subarray(0, bytes.length % 60), bytes))));
});
