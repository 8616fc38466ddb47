/**
 * Real Linux hosts in a lab: the kernel's own stack and real tools find what OVN promises them. DHCP for both families, SLAAC,
 * traceroute across zones, TCP straight, through a floating IP and through source NAT, path-MTU discovery, captures of the underlay.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { silentLog } from "../../src/host/index.ts";
import { nodeMachines } from "../../src/host/node/index.ts";
import { isthmus, RunningLab } from "../lab-fixture.ts";

const isRoot = process.getuid?.() === 0;
const has = (tool: string): boolean => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
const obstacle = (await nodeMachines(silentLog).obstacle()) ?? (existsSync(isthmus) ? undefined : "needs npm run build");
const without = (...tools: readonly string[]): string | false => {
  const missing = tools.filter((tool) => !has(tool));
  return missing.length === 0 ? false : `needs ${missing.join(", ")}`;
};

describe("real hosts", { skip: obstacle ?? without("ping", "ip") }, () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab(join("..", "test", "fixtures", "real-hosts.lab.yml"));
  });
  after(() => lab.down());

  /** Output of a command that must succeed. */
  const must = (host: string, ...argv: readonly string[]): string => {
    const { code, stdout, stderr } = lab.exec(host, ...argv);
    assert.equal(code, 0, `${host}: ${argv.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };

  /** A program that goes on while something else happens; `text` when it has ended. */
  const background = (host: string, ...argv: readonly string[]): { readonly text: Promise<string>; stop(): void } => {
    const child = spawn(isthmus, ["exec", "--dir", lab.folder, host, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
    return { text: new Promise((resolve) => void child.on("close", () => resolve(text))), stop: () => void child.kill("SIGTERM") };
  };

  /** Bytes that arrived in a second of TCP. */
  const tcp = async (from: string, to: string, at: string, ...more: readonly string[]): Promise<number> => {
    const server = background(to, "timeout", "20", "iperf3", "-s", "-1");
    while (!must(to, "ss", "-ltnH").includes(":5201")) await new Promise((resolve) => setTimeout(resolve, 50));
    const report = must(from, "iperf3", "-J", "-c", at, "-t", "1", ...more);
    await server.text;
    return Number(/"sum_received":\s*\{[^}]*"bytes":\s*(\d+)/.exec(report)?.[1] ?? 0);
  };

  test("ping across zones", () => {
    const output = must("vm1", "ping", "-c", "3", "-i", "0.2", "192.168.2.12");
    assert.equal(output.match(/ttl=62/g)?.length, 3, output);
  });

  test("traceroute across zones shows both routers", { skip: without("traceroute") }, () => {
    const hops = (host: string, ...argv: readonly string[]): string[] =>
      must(host, "traceroute", "-n", "-q", "1", "-w", "2", ...argv).split("\n").slice(1).filter((line) => line !== "").map((line) => line.trim().split(/\s+/)[1] ?? "");
    assert.deepEqual(hops("vm1", "192.168.2.12"), ["192.168.1.1", "169.254.100.2", "192.168.2.12"]);
    assert.deepEqual(hops("vm1", "-I", "192.168.2.12"), ["192.168.1.1", "169.254.100.2", "192.168.2.12"]);
  });

  test("TCP across zones, both ways", { skip: without("iperf3", "ss") }, async () => {
    assert.ok((await tcp("vm1", "vm2", "192.168.2.12")) > 100_000);
    assert.ok((await tcp("vm1", "vm2", "192.168.2.12", "-R")) > 100_000);
  });

  test("a host learns the path's MTU from the router, and TCP keeps to it", { skip: without("iperf3", "ss") }, async () => {
    must("vm1", "ip", "route", "flush", "cache");
    const { stdout } = lab.exec("vm1", "ping", "-M", "do", "-s", "1340", "-c", "2", "-i", "0.2", "-W", "2", "192.168.2.12");
    assert.match(stdout, /From 192\.168\.1\.1 icmp_seq=1 Frag needed and DF set \(mtu = 1300\)/);
    assert.match(must("vm1", "ip", "route", "get", "192.168.2.12"), /mtu 1300/);
    assert.match(must("vm1", "ping", "-M", "do", "-s", "1272", "-c", "1", "-W", "2", "192.168.2.12"), / 1 received/);
  });

  test("dhclient gets a lease of each family", { skip: without("dhclient") }, async () => {
    const own = (family: number): string[] => ["-pf", `/run/dhclient${family}.pid`, "-lf", `/run/dhclient${family}.leases`, "-cf", "/run/dhclient.conf"];
    const four = lab.exec("vm3", "dhclient", "-4", "-1", "-v", ...own(4), "vm3");
    assert.match(four.stderr, /DHCPOFFER of 192\.168\.1\.13 from 192\.168\.1\.1/);
    assert.match(four.stderr, /bound to 192\.168\.1\.13/);
    assert.match(must("vm3", "ip", "route"), /default via 192\.168\.1\.1/);
    const six = lab.exec("vm3", "dhclient", "-6", "-1", "-v", ...own(6), "vm3");
    assert.equal(six.code, 0, six.stderr);
    assert.match(must("vm3", "ip", "-6", "addr", "show", "dev", "vm3"), /2001:db8:1::13\/128/);
  });

  test("a router's advertisement gives addresses by SLAAC, and IPv6 goes across", { skip: without("dhclient") }, async () => {
    const slaac = /inet6 2001:db8:2:0:4244:ff:fe00:2\/64 .*dynamic/;
    for (let i = 0; i < 100 && !slaac.test(must("vm2", "ip", "-6", "addr", "show", "dev", "vm2")); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.match(must("vm2", "ip", "-6", "addr", "show", "dev", "vm2"), slaac);
    assert.match(must("vm2", "ip", "-6", "route"), /default via fe80::4244:ff:fe00:10 dev vm2 proto ra/);
    // Two routers less than the hop limit that routers announce.
    assert.match(must("vm3", "ping", "-c", "2", "-i", "0.2", "-W", "3", "2001:db8:2:0:4244:ff:fe00:2"), /ttl=253/);
  });

  test("fragments go across, and through translation", () => {
    for (const to of ["192.168.2.12", "169.254.100.114"]) {
      // The first may be answered with the path's MTU.
      lab.exec("vm1", "ping", "-M", "dont", "-s", "4000", "-c", "2", "-i", "0.2", "-W", "1", to);
      assert.match(must("vm1", "ping", "-M", "dont", "-s", "4000", "-c", "2", "-i", "0.2", "-W", "3", to), / 2 received/);
    }
  });

  test("a floating IP: TCP from the other zone", { skip: without("iperf3", "ss") }, async () => {
    assert.match(must("vm1", "ping", "-c", "2", "-i", "0.2", "-W", "2", "169.254.100.114"), /ttl=62/);
    assert.ok((await tcp("vm1", "vm4", "169.254.100.114")) > 100_000);
  });

  test("source NAT: the other zone sees the router's address, in a capture on the host itself", { skip: isRoot ? without("dhclient", "tcpdump") : "needs root: tcpdump wants to become another user" }, async () => {
    const capture = background("vm2", "timeout", "20", "tcpdump", "-lnpi", "vm2", "-c", "2", "icmp");
    for (let i = 0; i < 100 && !must("vm2", "ps", "ax").includes("tcpdump -lnpi"); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 500));
    must("vm3", "ping", "-c", "2", "-i", "0.2", "-W", "2", "192.168.2.12");
    assert.match(await capture.text, /169\.254\.100\.101 > 192\.168\.2\.12: ICMP echo request/);
  });

  test("source NAT: TCP, and errors that find their way back", { skip: without("dhclient", "iperf3", "ss") }, async () => {
    assert.ok((await tcp("vm3", "vm2", "192.168.2.12")) > 100_000);
    assert.match(lab.exec("vm3", "ping", "-c", "1", "-t", "2", "-W", "2", "192.168.2.12").stdout, /From 169\.254\.100\.2 icmp_seq=1 Time to live exceeded/);
    // Nobody listens there: the refusal of the first datagram is what the second is told.
    assert.match(lab.exec("vm3", "bash", "-c", "exec 3<> /dev/udp/192.168.2.12/9; echo x >&3; sleep 1; echo y >&3").stderr, /Connection refused/);
  });

  test("tcpdump on the underlay, with the seeds' filters", { skip: isRoot ? without("tcpdump") : "needs root to capture on the loopback interface" }, async () => {
    // Seed 001's: Geneve that carries Ethernet that carries IPv4 that carries ICMP, whatever the options' length (there on VLAN 50).
    const inner = "(8 + (4 * (2 + (udp[8:1] & 0x3f)))";
    // Other labs of this machine are on the loopback interface, too.
    const { carriers } = JSON.parse(readFileSync(join(lab.folder, "lab.json"), "utf8")) as { readonly carriers: readonly (readonly [string, string])[] };
    const worker = new Map(carriers).get("192.168.50.100") ?? "";
    const filter = `host ${worker} and (udp port 6081) and (udp[10:2] = 0x6558) and (udp[${inner} + 12):2] = 0x0800) and (udp[${inner} + 14 + 9):1] = 01)`;
    const geneve = spawn("tcpdump", ["-i", "lo", "-lvvnne", "-c4", filter], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    geneve.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    await new Promise((resolve) => geneve.stderr.once("data", resolve));
    must("vm1", "ping", "-c", "3", "-i", "0.2", "192.168.2.12");
    await new Promise((resolve) => geneve.once("close", resolve));
    assert.match(text, /127\.\d+\.50\.100\.\d+ > 127\.\d+\.50\.102\.6081: .*Geneve, Flags \[C\], vni 0x/);
    assert.match(text, /class Open Virtual Networking \(OVN\) \(0x102\) type 0x80\(C\) len 8/);
    assert.match(text, /192\.168\.1\.11 > 192\.168\.2\.12: ICMP echo request/);
  });
});
