/** Seed 000: the interconnection of east and west, as its commands show it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { etherType, ipProtocol, parseEthernet, parseGeneve, parseIcmpv4, parseIpv4Header, readCapture, sizeofGeneve, sizeofIpv4, udpSize } from "../src/packet/index.ts";
import { formatIpv4, formatMac } from "../src/net/index.ts";
import { isthmus, run, RunningLab, unordered } from "./lab-fixture.ts";

const northbound = `
switch UUID (ts1)
    port lsp-ts1-router_west
        type: remote
        addresses: ["aa:aa:aa:aa:aa:02 169.254.100.2/24"]
    port lsp-ts1-router_east
        type: router
        router-port: lrp-router_east-ts1
switch UUID (net_east)
    port net_east-router_east
        type: router
        router-port: router_east-net_east
    port vm1
        addresses: ["40:44:00:00:00:01 192.168.1.11"]
router UUID (router_east)
    port lrp-router_east-ts1
        mac: "aa:aa:aa:aa:aa:01"
        networks: ["169.254.100.1/24"]
        gateway chassis: [gw_east]
    port router_east-net_east
        mac: "40:44:00:00:00:04"
        networks: ["192.168.1.1/24"]
`;

// OVN's main branch binds cr-lsp-ts1-router_east as well: there a gateway port's peer has a chassis-redirect port of its own.
const southbound = `
Chassis worker_east
    hostname: worker-east
    Encap geneve
        ip: "192.168.50.100"
        options: {csum="true"}
    Port_Binding vm1
Chassis gw_east
    hostname: gw-east
    Encap geneve
        ip: "192.168.50.102"
        options: {csum="true"}
    Port_Binding cr-lrp-router_east-ts1
    Port_Binding cr-lsp-ts1-router_east
Chassis gw_west
    hostname: gw-west
    Encap geneve
        ip: "192.168.50.103"
        options: {csum="true"}
    Port_Binding lsp-ts1-router_west
`;

const icSouthbound = `availability-zone east
    gateway gw_east
        hostname: gw-east
        type: geneve
            ip: 192.168.50.102
        port lsp-ts1-router_east
            transit switch: ts1
            address: ["aa:aa:aa:aa:aa:01 169.254.100.1/24"]
availability-zone west
    gateway gw_west
        hostname: gw-west
        type: geneve
            ip: 192.168.50.103
        port lsp-ts1-router_west
            transit switch: ts1
            address: ["aa:aa:aa:aa:aa:02 169.254.100.2/24"]
`;

const trace = `ovn-trace  --ovs --friendly-names --ct=new net_east  'inport == "vm1" && eth.src == 40:44:00:00:00:01 && eth.dst == 40:44:00:00:00:04 && ip4.src == 192.168.1.11 && ip4.dst == 192.168.2.12 && ip.ttl == 64 && icmp4.type == 8'`;

describe("east and west", () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab("east-west.lab.yml");
  });
  after(() => lab?.down());

  const shows = (node: string, command: string): string => {
    const { code, stdout, stderr } = lab.shell(node, command);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  test("vm1 pings vm2 through two routers", () => {
    const { code, stdout } = lab.exec("vm1", "ping", "-c", "3", "-i", "0.2", "192.168.2.12");
    assert.equal(code, 0, stdout);
    assert.equal(stdout.match(/^64 bytes from 192\.168\.2\.12: icmp_seq=\d+ ttl=62 time=[\d.]+ ms$/gm)?.length, 3, stdout);
    assert.match(stdout, /3 packets transmitted, 3 received, 0% packet loss/);
  });

  test("the four databases show what the seed shows", () => {
    assert.equal(unordered(shows("central_east", "ovn-nbctl show")), unordered(northbound));
    assert.equal(unordered(shows("central_east", "ovn-sbctl show")), unordered(southbound));
    assert.equal(shows("central_ic", "ovn-ic-nbctl show"), "Transit_Switch ts1\n");
    assert.equal(shows("central_ic", "ovn-ic-sbctl show"), icSouthbound);
  });

  test("a gateway tunnels to the other zone's gateway, a worker does not", () => {
    const port = `    Port ovn-gw_eas-0\n            Interface ovn-gw_eas-0\n                type: geneve\n                options: {csum="true", key=flow, local_ip="192.168.50.103", remote_ip="192.168.50.102"}`;
    assert.ok(shows("gw_west", "ovs-vsctl show").includes(port), shows("gw_west", "ovs-vsctl show"));
    assert.ok(!shows("worker_west", "ovs-vsctl show").includes("gw_eas"));
    assert.ok(!shows("central_east", "ovn-sbctl show").includes("worker_west"));
  });

  test("the trace ends at the remote port", () => {
    const text = shows("central_east", trace);
    assert.match(text, /^ingress\(dp="net_east", inport="vm1"\)$/m);
    assert.match(text, /^egress\(dp="ts1", inport="lsp-ts1-router_east", outport="lsp-ts1-router_west"\)$/m);
    assert.ok(text.trimEnd().endsWith('output;\n    /* output to "lsp-ts1-router_west", type "remote" */'), text.slice(-300));
  });

  test("each echo passes each gateway twice, in Geneve with OVN's option", async () => {
    // An east-west tunnel and an east-east one: request in and out, reply in and out.
    for (const gateway of ["gw_east", "gw_west"]) {
      const file = join(lab.scratch, `${gateway}.pcap`);
      const capture = startCapture(lab, gateway, file);
      await capture.ready;
      lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "192.168.2.12");
      await capture.ended;
      const seen = echoes(readFileSync(file));
      assert.equal(seen.length, 8, JSON.stringify(seen));
      const transit = seen.filter((e) => e.ttl === 63);
      const delivered = seen.filter((e) => e.ttl === 62);
      assert.deepEqual([transit.length, delivered.length], [6, 2]);
      for (const echo of transit) assert.match(`${echo.src} ${echo.dst}`, /^aa:aa:aa:aa:aa:0[12] aa:aa:aa:aa:aa:0[12]$/);
      for (const echo of seen) assert.match(echo.option, /^01028001[0-9a-f]{8}$/);
      for (const echo of seen) assert.match(echo.outer, /^192\.168\.50\.10[0-3]$/);
    }
  });

  test("tshark sees the same", { skip: run("tshark", ["--version"]).code === 0 ? false : "needs tshark" }, () => {
    const file = join(lab.scratch, "gw_east.pcap");
    const { stdout, code, stderr } = run("tshark", ["-r", file, "-Y", "icmp", "-T", "fields", "-e", "geneve.vni", "-e", "geneve.option.class", "-e", "udp.dstport", "-e", "ip.ttl"]);
    assert.equal(code, 0, stderr);
    const rows = stdout.trim().split("\n");
    assert.equal(rows.length, 8, stdout);
    for (const row of rows) assert.match(row, /^0x[0-9a-f]+\t0x0102\t6081\t64,6[23]$/, stdout);
  });
});

/** Starts a capture of eight packets; `ready` when it listens, `ended` when it has them. */
function startCapture(lab: RunningLab, gateway: string, file: string): { readonly ready: Promise<unknown>; readonly ended: Promise<unknown> } {
  const child = spawn(isthmus, ["capture", "--dir", lab.folder, gateway, "-c", "8", "-w", file], { stdio: ["ignore", "ignore", "pipe"] });
  return { ready: once(child.stderr, "data"), ended: once(child, "exit") };
}

interface Echo {
  readonly outer: string;
  readonly option: string;
  readonly src: string;
  readonly dst: string;
  readonly ttl: number;
}

function echoes(file: Uint8Array): Echo[] {
  const found: Echo[] = [];
  for (const { bytes } of readCapture(file) ?? []) {
    const outer = parseIpv4Header(bytes.subarray(14));
    if (outer?.protocol !== ipProtocol.udp) continue;
    const datagram = bytes.subarray(14 + sizeofIpv4(outer) + udpSize);
    const geneve = parseGeneve(datagram);
    if (geneve === undefined) continue;
    const inner = datagram.subarray(sizeofGeneve(geneve));
    const ethernet = parseEthernet(inner);
    const ip = ethernet?.type === etherType.ipv4 ? parseIpv4Header(inner.subarray(14)) : undefined;
    if (ethernet === undefined || ip?.protocol !== ipProtocol.icmp || parseIcmpv4(inner.subarray(34)) === undefined) continue;
    found.push({
      outer: formatIpv4(outer.src), option: Buffer.from(geneve.options).toString("hex"), src: formatMac(ethernet.src), dst: formatMac(ethernet.dst), ttl: ip.ttl,
    });
  }
  return found;
}
