/**
 * Both data planes in one lab: the east zone all C, the west zone all ours, switches included. What each sends the other is
 * Geneve that a third party, tcpdump, reads too; ping and TCP go both ways.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nodeFrameDevices } from "../../src/host/node/index.ts";
import { CLab, cLabMissing, mainSchemas, type Parts, root } from "./c-lab.ts";

const ours = (program: string): string => join(root, "bin", program);
const zonePrograms = ["ovsdb-server", "ovsdb-tool", "ovn-northd", "ovn-ic", "ovn-nbctl", "ovn-sbctl"];
const chassisPrograms = ["ovsdb-server", "ovsdb-tool", "ovs-vswitchd", "ovn-controller", "ovs-vsctl"];
const parts: Parts = Object.fromEntries([
  ...zonePrograms.map((program) => [`${program}@west`, ours(program)]),
  ...["worker_west", "gw_west"].flatMap((chassis) => chassisPrograms.map((program) => [`${program}@${chassis}`, ours(program)])),
]);

const tools = ["iperf3", "tcpdump"].filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
const missing =
  cLabMissing() ?? nodeFrameDevices.obstacle() ?? (tools.length > 0 ? `needs ${tools.join(", ")}` : existsSync(ours("ovs-vswitchd")) ? undefined : "needs npm run build");

describe("one zone C, one zone ours, switches included", { skip: missing ?? false }, () => {
  let lab: CLab;
  let schemas = "";
  before(() => {
    schemas = mainSchemas();
    lab = new CLab(parts, schemas);
    lab.up();
    lab.ping();
  });
  after(() => {
    lab.down();
    rmSync(schemas, { recursive: true, force: true });
  });

  const within = (name: string, ...argv: string[]): string => lab.run(["ip", "netns", "exec", lab.namespace(name), ...argv]);
  const background = (name: string, ...argv: string[]): { readonly text: Promise<string>; stop(): void } => {
    const child = spawn("ip", ["netns", "exec", lab.namespace(name), ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (text += bytes.toString()));
    return { text: new Promise((resolve) => void child.on("close", () => resolve(text))), stop: () => void child.kill("SIGINT") };
  };

  test("ping, both ways", () => {
    for (const [from, to] of [["vm1", "192.168.2.12"], ["vm2", "192.168.1.11"]] as const) {
      const output = within(from, "ping", "-c", "3", "-i", "0.2", "-W", "2", to);
      assert.match(output, /3 packets transmitted, 3 received/);
      assert.equal(output.match(/ttl=62/g)?.length, 3, output);
    }
  });

  test("large pings, which fill the tunnel's MTU", () => {
    assert.match(within("vm1", "ping", "-c", "2", "-i", "0.2", "-W", "2", "-M", "do", "-s", "1372", "192.168.2.12"), /2 received/);
  });

  test("TCP, both ways", () => {
    const server = background("vm2", "iperf3", "-s", "-1");
    try {
      for (let i = 0; i < 100 && !within("vm2", "ss", "-ltn").includes(":5201"); i++) spawnSync("sleep", ["0.05"]);
      const result = within("vm1", "iperf3", "-J", "-c", "192.168.2.12", "-t", "1", "--bidir");
      const rate = (pattern: RegExp): number => Number(pattern.exec(result)?.[1] ?? 0);
      assert.ok(rate(/"sum_received":\s*\{[^}]*"bytes":\s*(\d+)/) > 100_000, result);
      assert.ok(rate(/"sum_received_bidir_reverse":\s*\{[^}]*"bytes":\s*(\d+)/) > 100_000, result);
    } finally {
      server.stop();
    }
  });

  test("what goes between the gateways is Geneve with OVN's option, for a third party too", async () => {
    // Geneve between the two that carries IPv4 that carries ICMP: what is left of other tests is not looked at.
    const inner = "(8 + (4 * (2 + (udp[8:1] & 0x3f)))";
    const filter = `host 192.168.50.103 and udp port 6081 and udp[${inner} + 12):2] = 0x0800 and udp[${inner} + 14 + 9):1] = 1`;
    const capture = background("gw_east", "tcpdump", "-lnvi", "p", "-c", "4", filter);
    within("vm1", "ping", "-c", "8", "-i", "0.2", "-W", "2", "192.168.2.12");
    capture.stop();
    const text = await capture.text;
    for (const way of ["192.168.50.102.\\d+ > 192.168.50.103.6081", "192.168.50.103.\\d+ > 192.168.50.102.6081"]) {
      assert.match(text, new RegExp(`${way}: .*Geneve, Flags \\[C\\], vni 0x[0-9a-f]+, (proto TEB|options \\[class Open Virtual Networking \\(OVN\\))`), text);
    }
    assert.match(text, /192\.168\.1\.11 > 192\.168\.2\.12: ICMP echo request/);
  });

  test("BFD comes up between ovs-vswitchd and ours, and each hears when the other stops", () => {
    const status = (chassis: string, key: string): string => lab.vsctl(chassis, "get", "Interface", "p", `bfd_status:${key}`).trim().replaceAll('"', "");
    const gateways = ["gw_east", "gw_west"];
    const within = (text: string): void => void gateways.forEach((chassis) => lab.vsctl(chassis, "--timeout=10", "wait-until", "Interface", "p", text));
    for (const chassis of gateways) lab.vsctl(chassis, "set", "Interface", "p", "bfd:enable=true", "bfd:min_rx=200", "bfd:min_tx=200", "bfd:mult=4");
    within("bfd_status:state=up");
    within("bfd_status:remote_state=up");
    for (const key of ["forwarding", "diagnostic", "remote_diagnostic"]) assert.equal(status("gw_west", key), status("gw_east", key), key);
    assert.equal(status("gw_west", "forwarding"), "true");
    lab.vsctl("gw_east", "set", "Interface", "p", "bfd:enable=false");
    lab.vsctl("gw_west", "--timeout=10", "wait-until", "Interface", "p", "bfd_status:state=down");
    assert.match(status("gw_west", "diagnostic"), /Control Detection Time Expired/);
    lab.vsctl("gw_east", "set", "Interface", "p", "bfd:enable=true");
    within("bfd_status:state=up");
    lab.vsctl("gw_west", "set", "Interface", "p", "bfd:enable=false");
    lab.vsctl("gw_east", "--timeout=10", "wait-until", "Interface", "p", "bfd_status:state=down");
    assert.match(status("gw_east", "diagnostic"), /Control Detection Time Expired|Neighbor Signaled Session Down/);
  });
});
