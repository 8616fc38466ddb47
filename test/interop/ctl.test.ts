/**
 * Our command lines and Debian's beside each other: on one database they say the same line by line, and each reaches what
 * the other runs in the background. The databases are those of our own server.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nodeDisk } from "../../src/host/node/index.ts";
import { type Database, DatabaseFile } from "../../src/ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, openVSwitch, southbound } from "../../src/schemas/index.ts";

const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();
const debian = (name: string): string => [`/usr/bin/${name}`, `/usr/sbin/${name}`].find((path) => existsSync(path)) ?? "";
const ours = (name: string): string => join(root, "bin", name);
const skip = ["ovn-nbctl", "ovn-sbctl", "ovn-ic-nbctl", "ovn-ic-sbctl", "ovs-vsctl", "ovs-appctl"].every((name) => debian(name) !== "")
  ? false
  : "no OVN here";

const sockets: readonly (readonly [string, Database])[] = [
  ["ovnnb_db.sock", northbound], ["ovnsb_db.sock", southbound], ["ovn_ic_nb_db.sock", icNorthbound], ["ovn_ic_sb_db.sock", icSouthbound], ["db.sock", openVSwitch],
];

describe("our command lines and Debian's", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-ctl-"));
  const environment = { ...process.env, OVN_RUNDIR: folder, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVN_LOGDIR: folder, OVS_SYSLOG_METHOD: "null" };
  const run = (program: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const { status, signal, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env: { ...environment, ...more }, timeout: 30_000 });
    return { code: status ?? signal, stdout, stderr };
  };
  const must = (program: string, ...args: readonly string[]): string => {
    const { code, stdout, stderr } = run(program, args);
    assert.equal(code, 0, `${program} ${args.join(" ")}: ${stderr}`);
    return stdout;
  };

  before(() => {
    for (const [socket, schema] of sockets) {
      const file = join(folder, socket.replace(".sock", ".db"));
      DatabaseFile.create(nodeDisk, file, schema);
      must(
        ours("ovsdb-server"), "--detach", "--no-chdir", `--pidfile=${file}.pid`, `--unixctl=${file}.ctl`, `--remote=punix:${join(folder, socket)}`,
        "-vconsole:off", file,
      );
    }
    const uuid = must(ours("ovn-nbctl"), "create", "DHCP_Options", "cidr=172.16.1.0/24", 'options="server_id"="172.16.1.254" "lease_time"="36000"').trim();
    // The commands of seed 004, alternately by ours and Debian's.
    const setup = `
      ls-add ls1 -- add Logical_Switch ls1 other_config subnet=172.16.1.0/24
      set Logical-switch ls1 other_config:ipv6_prefix=2001:db8:1::0
      lsp-add ls1 h0_v0_vnet1
      lsp-set-addresses h0_v0_vnet1 04:ac:10:ff:01:94_dynamic
      lsp-set-dhcpv4-options h0_v0_vnet1 ${uuid}
      lr-add lr1
      lrp-add lr1 lr1-ls1 00:00:00:00:01:00 172.16.1.254/24
      lsp-add ls1 ls1-lr1
      lsp-set-type ls1-lr1 router
      lsp-set-addresses ls1-lr1 00:00:00:00:01:00
      lsp-set-options ls1-lr1 router-port=lr1-ls1
      lrp-add lr1 lr1-ts1 aa:aa:aa:aa:aa:01 169.254.100.1/24
      lrp-set-gateway-chassis lr1-ts1 dfe51fb0-0c76-437c-ad95-709b98998b4f
      lr-route-add lr1 10.0.2.0/24 169.254.100.2
      set NB_Global . name=az1 options:ic-route-adv=true options:ic-route-learn=true
      acl-add ls1 to-lport 1000 ip4 allow-related
      lr-nat-add lr1 snat 10.0.0.1 172.16.1.0/24
      lb-add lb1 10.0.0.2:80 172.16.1.2:80,172.16.1.3:80
      ls-lb-add ls1 lb1`;
    setup.trim().split("\n").forEach((line, i) => {
      const words = line.trim().split(" ").map((word) => word.replace("_dynamic", " dynamic"));
      must(i % 2 === 0 ? ours("ovn-nbctl") : debian("ovn-nbctl"), ...words);
    });
    must(debian("ovn-ic-nbctl"), "ts-add", "ts1");
    must(ours("ovs-vsctl"), "--no-wait", "add-br", "br-int", "--", "set", "Open_vSwitch", ".", "external-ids:system-id=gw", "external-ids:ovn-encap-ip=177.1.1.1");
    must(debian("ovs-vsctl"), "--no-wait", "add-port", "br-int", "p0", "--", "set", "Interface", "p0", "type=geneve", "options:key=flow", "options:remote_ip=192.168.50.102");
    must(ours("ovn-sbctl"), "chassis-add", "gw", "geneve", "177.1.1.1");
  });

  after(() => {
    for (const [socket] of sockets) run(ours("ovs-appctl"), ["-t", join(folder, socket.replace(".sock", ".db.ctl")), "exit"]);
    rmSync(folder, { recursive: true, force: true });
  });

  for (const line of [
    "ovn-nbctl show", "ovn-nbctl ls-list", "ovn-nbctl lsp-list ls1", "ovn-nbctl lr-list", "ovn-nbctl lrp-list lr1", "ovn-nbctl lr-route-list lr1",
    "ovn-nbctl lrp-get-gateway-chassis lr1-ts1", "ovn-nbctl lsp-get-dhcpv4-options h0_v0_vnet1", "ovn-nbctl dhcp-options-list",
    "ovn-nbctl lb-list", "ovn-nbctl get Logical_Switch ls1 other_config", "ovn-nbctl get NB_Global . options:ic-route-adv", "ovn-nbctl list DHCP_Options",
    "ovn-nbctl --bare --columns=name,networks list Logical_Router_Port", "ovn-nbctl -f csv --columns=name,type find Logical_Switch_Port type=router",
    "ovn-nbctl ls-add ls1", "ovn-nbctl lsp-add nosuch p", "ovn-nbctl nosuch", "ovn-nbctl set Logical_Switch ls1 nosuch=1", "ovn-nbctl set Logical_Switch ls1 ports=x",
    "ovn-nbctl --nosuch show", "ovn-nbctl get Logical_Switch ls1 other_config:nosuch", "ovn-nbctl --db=unix:/nonexistent/x show", "ovn-nbctl lr-route-add lr1 10.0.2.0/24 1.1.1.1",
    "ovn-sbctl show", "ovn-sbctl --columns=name,hostname list Chassis", "ovn-sbctl lsp-bind nosuch gw", "ovn-sbctl --wait=sb show",
    "ovn-ic-nbctl show", "ovn-ic-nbctl ts-list", "ovn-ic-nbctl ts-add ts1", "ovn-ic-sbctl show", "ovn-ic-sbctl list Availability_Zone",
    "ovs-vsctl show", "ovs-vsctl list-br", "ovs-vsctl list-ports br-int", "ovs-vsctl br-exists nosuch", "ovs-vsctl port-to-br p0", "ovs-vsctl get Interface p0 options",
    "ovs-vsctl get Open_vSwitch . external_ids:system-id", "ovs-vsctl add-br br-int", "ovs-vsctl del-port nosuch",
  ]) {
    test(line, () => {
      const [program = "", ...args] = line.split(" ");
      const [theirs, own] = [run(debian(program), args), run(ours(program), args)];
      // By whatever path a program was started, it calls itself by its name.
      const text = (r: typeof own) => ({ code: r.code, stdout: r.stdout.split("\n").sort(), stderr: r.stderr.replace(/^\S*\/(ov[ns]-\S+:)/, "$1") });
      assert.deepEqual(text(own), text(theirs));
    });
  }

  test("one that runs in the background answers ours, Debian's, and both appctls", () => {
    const socket = must(ours("ovn-nbctl"), "--detach", "--pidfile", "--no-chdir").trim();
    const through = { OVN_NB_DAEMON: socket };
    const direct = must(ours("ovn-nbctl"), "ls-list");
    for (const program of [ours("ovn-nbctl"), debian("ovn-nbctl")]) {
      assert.equal(run(program, ["ls-list"], through).stdout, direct);
      const refused = run(program, ["ls-add", "ls1"], through);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /ls1: a switch with this name already exists/);
    }
    for (const program of [ours("ovn-appctl"), debian("ovn-appctl"), debian("ovs-appctl")]) {
      assert.match(must(program, "-t", "ovn-nbctl", "version"), /^ovn-nbctl 26\.03\.90\n/);
    }
    const wrong = run(debian("ovn-appctl"), ["-t", "ovn-nbctl", "nosuch"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /"nosuch" is not a valid command/);
    must(ours("ovn-appctl"), "-t", "ovn-nbctl", "exit");
    assert.match(run(ours("ovn-nbctl"), ["ls-list"], through).stderr, /could not connect to ovn-nbctl daemon/);
  });

  test("Debian's in the background answers ours", () => {
    const socket = must(debian("ovn-nbctl"), "--detach", "--pidfile", "--no-chdir").trim();
    const answer = run(ours("ovn-nbctl"), ["ls-list"], { OVN_NB_DAEMON: socket }).stdout;
    assert.match(must(ours("ovn-appctl"), "-t", "ovn-nbctl", "list-commands"), /^ {2}run/m);
    must(ours("ovn-appctl"), "-t", "ovn-nbctl", "exit");
    assert.equal(answer, must(ours("ovn-nbctl"), "ls-list"));
  });

  test("a command that waits ends by SIGALRM when its time is up", () => {
    const { code } = run("/bin/sh", ["-c", `'${ours("ovn-nbctl")}' --timeout=1 wait-until Logical_Switch ls1 name=other`]);
    assert.equal(code, 142);
  });
});
