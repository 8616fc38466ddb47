/** BGP with the machine's own FRR: what the claims of examples/bgp-unnumbered.lab.yml do not say of time, and routes that come in. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/host/index.ts";
import { nodeMachines } from "../../src/host/node/index.ts";
import { isthmus, RunningLab } from "../lab-fixture.ts";

const hasFrr = ["/usr/lib/frr/bgpd", "/usr/libexec/frr/bgpd"].some((path) => existsSync(path));
const skip = hasFrr ? ((await nodeMachines(silentLog).obstacle()) ?? false) : "needs FRR";

let lab: RunningLab | undefined;
const theLab = (): RunningLab => lab ?? assert.fail("no lab");

before(() => {
  if (skip === false) lab = new RunningLab("bgp-unnumbered.lab.yml");
}, { timeout: 120_000 });
after(() => lab?.down());

async function until(what: string, holds: () => boolean, patienceMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !holds(); ) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const knows = (tor: string, prefix: string): boolean => theLab().exec(tor, "ip", "route", "show", prefix).stdout.includes("proto bgp");

/** What `ip -ts monitor route` says until it is stopped: time in milliseconds, and the line. */
class RouteMonitor {
  readonly #child: ChildProcess;
  #text = "";
  constructor(name: string, ...words: readonly string[]) {
    this.#child = spawn(isthmus, ["exec", "--dir", theLab().folder, name, "ip", ...words, "-ts", "monitor", "route"], { stdio: ["ignore", "pipe", "ignore"] });
    this.#child.stdout?.on("data", (bytes: Buffer) => void (this.#text += bytes.toString()));
  }
  get lines(): readonly { readonly at: number; readonly line: string }[] {
    return [...this.#text.matchAll(/^\[([\d-]+T[\d:.]+)\] (.*)$/gm)].map(([, time = "", line = ""]) => ({ at: Date.parse(`${time}Z`), line }));
  }
  stop(): void {
    this.#child.kill("SIGINT");
  }
}

const listening = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1500));

test("both ToRs learn the floating IP", { skip }, async () => {
  await until("tor1", () => knows("tor1", "172.16.10.2"));
  await until("tor2", () => knows("tor2", "172.16.10.2"));
});

test("a restart of the controller touches no route of the kernel's", { skip }, async () => {
  const isNamespace = theLab().exec("ovn-gw-1", "ip", "netns", "list").stdout.includes("ovnvrf10");
  const monitor = new RouteMonitor("ovn-gw-1", ...(isNamespace ? ["-n", "ovnvrf10"] : []));
  await listening();
  assert.equal(theLab().isthmus("restart", "ovn-gw-1", "ovn-controller").code, 0);
  await listening();
  monitor.stop();
  assert.deepEqual(monitor.lines.filter(({ line }) => line.includes("proto 84") || line.includes("172.16.10.2")), []);
  assert.match(theLab().exec("ovn-gw-1", "ip", "route", "show", "vrf", "ovnvrf10").stdout, /^blackhole 172\.16\.10\.2 proto 84 metric 1000 *$/m);
});

test("routes that a ToR announces come into Learned_Route, into the router's pipeline, and go again", { skip }, async () => {
  const rows = (): string => theLab().shell("ovn-central", "ovn-sbctl --bare --columns=ip_prefix,nexthop find Learned_Route ip_prefix=203.0.113.0/24").stdout.trim();
  const configure = (...lines: readonly string[]): void => {
    const { code, stdout, stderr } = theLab().exec("tor1", "vtysh", "-c", "configure", ...lines.flatMap((line) => ["-c", line]));
    assert.equal(code, 0, stdout + stderr);
  };
  // Only what comes by FRR's own device is the business of the router's outer port, and none of its other one.
  assert.equal(theLab().shell("ovn-central", "ovn-nbctl set Logical_Router_Port lrp-ovn-gw-1-ext0 options:dynamic-routing-port-name=lsp-ovn-gw-1-ext0-bgp").code, 0);
  configure("ip route 203.0.113.0/24 blackhole", "router bgp 4200000100", "address-family ipv4 unicast", "network 203.0.113.0/24");
  await until("learned", () => rows() === "203.0.113.0/24\nfe80::10fb:d6ff:fe66:990c");
  await until("flow", () => theLab().shell("ovn-central", "ovn-sbctl lflow-list lr-ovn-gw-1-ext0").stdout.includes("ip4.dst == 203.0.113.0/24"));
  configure("router bgp 4200000100", "address-family ipv4 unicast", "no network 203.0.113.0/24");
  await until("gone", () => rows() === "");
});

test("a gateway that dies is withdrawn from its ToR within the detection time of BFD", { skip }, async (t) => {
  await until("route", () => knows("tor1", "172.16.10.2"));
  const monitor = new RouteMonitor("tor1");
  await listening();
  const before = Date.now();
  assert.equal(theLab().isthmus("kill", "ovn-gw-1").code, 0);
  const killed = Date.now();
  const withdrawn = (): number | undefined => monitor.lines.find(({ line }) => line.startsWith("Deleted 172.16.10.2"))?.at;
  await until("withdrawn", () => withdrawn() !== undefined, 30_000);
  monitor.stop();
  const tookMs = (withdrawn() ?? 0) - killed;
  t.diagnostic(`withdrawn ${tookMs} ms after the kill had come back, ${(withdrawn() ?? 0) - before} ms after it was asked for`);
  // Five intervals of 400 ms; without BFD it would be the hold time of 9 s.
  assert.ok(tookMs < 4000, `${tookMs} ms`);
  assert.equal(theLab().isthmus("restart", "ovn-gw-1").code, 0);
  await until("back", () => knows("tor1", "172.16.10.2"));
});

test("the VRF goes with the option, and comes back with its device", { skip }, async () => {
  const shell = (text: string): void => assert.equal(theLab().shell("ovn-central", text).code, 0);
  const route = (): string => theLab().exec("ovn-gw-2", "ip", "route", "show", "vrf", "ovnvrf20").stdout;
  await until("route", () => route().includes("172.16.10.2"));
  shell("ovn-nbctl set Logical_Router lr-ovn-gw-2-ext0 options:dynamic-routing=false");
  await until("no VRF", () => theLab().exec("ovn-gw-2", "ip", "route", "show", "vrf", "ovnvrf20").code !== 0);
  await until("withdrawn", () => !knows("tor2", "172.16.10.2"));
  shell("ovn-nbctl set Logical_Router lr-ovn-gw-2-ext0 options:dynamic-routing=true");
  await until("VRF", () => route().includes("172.16.10.2"));
  await until("learned again", () => knows("tor2", "172.16.10.2"));
});
