/**
 * Seeds 001 and 002, the TripleO underlay: what `examples/tripleo.lab.yml` cannot claim by itself: that the seeds' own tcpdump filter,
 * given to the real tcpdump, selects from the bridge `data` the frames that stand there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RunningLab, run, isthmus, root } from "./lab-fixture.ts";

const hasTcpdump = run("tcpdump", ["--version"]).code === 0;
const filter =
  "vlan 50 and (udp port 6081) and (udp[10:2] = 0x6558) and (udp[(8 + (4 * (2 + (udp[8:1] & 0x3f))) + 12):2] = 0x0800) and (udp[8 + (4 * (2 + (udp[8:1] & 0x3f))) + 14 + 9:1] = 01)";

let lab: RunningLab;
before(() => {
  lab = new RunningLab("tripleo.lab.yml");
});
after(() => lab.down());

/** What the real tcpdump says of the frames that pass a bridge of the hypervisor while a command runs. */
function tcpdump(bridge: string, command: string, ...expression: readonly string[]): string {
  const file = join(lab.scratch, `${bridge}.pcap`);
  const capture = lab.isthmus("capture", "hypervisor", "-i", bridge, "-w", file, "--exec", command);
  assert.equal(capture.code, 0, capture.stderr);
  return run("tcpdump", ["-r", file, "-vvnne", ...expression]).stdout;
}

test("the seeds' filter selects a ping in Geneve on VLAN 50", { skip: !hasTcpdump && "no tcpdump here" }, () => {
  const text = tcpdump("data", "cirros1 ping -c 2 -i 0.3 8.8.8.8", filter).replace(/\[bad udp cksum [^\]]*\] /g, "");
  assert.equal(text.match(/Geneve/g)?.length, 4, text);
  const request = /6a:9b:72:22:3f:68 > 0e:d0:eb:00:1b:e7, ethertype 802\.1Q \(0x8100\), length 160: vlan 50, p 0, ethertype IPv4(?: \(0x0800\))?, \(tos 0x0, ttl 64, id \d+, offset 0, flags \[DF\], proto UDP \(17\), length 142\)\s+172\.17\.2\.119\.\d+ > 172\.17\.2\.143\.6081: (?:\[udp sum ok\] )?Geneve, Flags \[C\], vni 0x5, proto TEB \(0x6558\), options \[class Open Virtual Networking \(OVN\) \(0x102\) type 0x80\(C\) len 8 data 00010003\]\s+fa:16:3e:a7:95:87 > 52:54:00:0c:eb:7c, ethertype IPv4 \(0x0800\), length 98: \(tos 0x0, ttl 63, id \d+, offset 0, flags \[DF\], proto ICMP \(1\), length 84\)\s+192\.168\.0\.166 > 8\.8\.8\.8: ICMP echo request/;
  const reply = /0e:d0:eb:00:1b:e7 > 6a:9b:72:22:3f:68, ethertype 802\.1Q \(0x8100\), length 160: vlan 50, p 0, ethertype IPv4(?: \(0x0800\))?, \(tos 0x0, ttl 64, id \d+, offset 0, flags \[DF\], proto UDP \(17\), length 142\)\s+172\.17\.2\.143\.\d+ > 172\.17\.2\.119\.6081: (?:\[udp sum ok\] )?Geneve, Flags \[C\], vni 0x3, proto TEB \(0x6558\), options \[class Open Virtual Networking \(OVN\) \(0x102\) type 0x80\(C\) len 8 data 00040002\]\s+fa:16:3e:34:a2:0e > fa:16:3e:63:c0:7a, ethertype IPv4 \(0x0800\), length 98: \(tos 0x0, ttl 53, id \d+, offset 0, flags \[none\], proto ICMP \(1\), length 84\)\s+8\.8\.8\.8 > 192\.168\.0\.166: ICMP echo reply/;
  assert.match(text, request);
  assert.match(text, reply);
});

test("on the external bridge it is the router's own address that pings", { skip: !hasTcpdump && "no tcpdump here" }, () => {
  const text = tcpdump("external", "cirros1 ping -c 1 8.8.8.8", "icmp");
  assert.match(text, /fa:16:3e:a7:95:87 > 52:54:00:0c:eb:7c, ethertype IPv4 \(0x0800\), length 98: \(tos 0x0, ttl 63, id \d+, offset 0, flags \[DF\], proto ICMP \(1\), length 84\)\s+10\.0\.0\.225 > 8\.8\.8\.8: ICMP echo request/);
  assert.match(text, /52:54:00:0c:eb:7c > fa:16:3e:a7:95:87, ethertype IPv4 \(0x0800\), length 98: \(tos 0x0, ttl 54, id \d+, offset 0, flags \[none\], proto ICMP \(1\), length 84\)\s+8\.8\.8\.8 > 10\.0\.0\.225: ICMP echo reply/);
});

test("machines of an underlay live in one process, and say so", () => {
  const { code, stderr } = run(isthmus, ["up", join(root, "examples/tripleo.lab.yml"), "--processes", "--dir", join(lab.scratch, "p")]);
  assert.equal(code, 1);
  assert.match(stderr, /tripleo\.lab\.yml: the underlay's machines and cables live in the lab's own process: leave --processes out/);
});
