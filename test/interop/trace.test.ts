/**
 * Our ovn-trace and the real one over the same database, which the real northd has filled. ISTHMUS_OVN names a built source
 * tree of OVN; without it the installed programs are used, and only what their older release prints the same is asked.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const source = process.env["ISTHMUS_OVN"];
const program = (inTree: string, installed: string): string => (source === undefined ? installed : join(source, inTree));
const programs = {
  server: process.env["OVSDB_SERVER"] ?? "/usr/sbin/ovsdb-server",
  tool: "/usr/bin/ovsdb-tool",
  northd: program("northd/ovn-northd", "/usr/bin/ovn-northd"),
  nbctl: program("utilities/ovn-nbctl", "/usr/bin/ovn-nbctl"),
  sbctl: program("utilities/ovn-sbctl", "/usr/bin/ovn-sbctl"),
  trace: program("utilities/ovn-trace", "/usr/bin/ovn-trace"),
};
const schemas = source ?? "/usr/share/ovn";
const ours = join(process.env["ISTHMUS_ROOT"] ?? process.cwd(), "bin/ovn-trace");
const missing = [...Object.values(programs), join(schemas, "ovn-sb.ovsschema"), ours].filter((path) => !existsSync(path));
const skip = missing.length > 0 ? `not here: ${missing.join(", ")}` : false;

const setUp = `
ls-add net_east -- lsp-add net_east vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.1.11" -- lsp-set-port-security vm1 "40:44:00:00:00:01 192.168.1.11"
lsp-add net_east vm3 -- lsp-set-addresses vm3 "40:44:00:00:00:03 192.168.1.13 fd00::13"
lsp-add net_east any -- lsp-set-addresses any unknown
lr-add router_east -- lrp-add router_east lrp-router_east-net_east 40:44:00:00:00:04 192.168.1.1/24 fd00::1/64
lsp-add net_east lsp-net_east-router_east -- lsp-set-addresses lsp-net_east-router_east router -- lsp-set-type lsp-net_east-router_east router -- lsp-set-options lsp-net_east-router_east router-port=lrp-router_east-net_east
ls-add ts1 -- lrp-add router_east lrp-router_east-ts1 aa:aa:aa:aa:aa:01 169.254.100.1/24
lsp-add ts1 lsp-ts1-router_east -- lsp-set-addresses lsp-ts1-router_east router -- lsp-set-type lsp-ts1-router_east router -- lsp-set-options lsp-ts1-router_east router-port=lrp-router_east-ts1
lrp-set-gateway-chassis lrp-router_east-ts1 gw_east 1
lsp-add ts1 lsp-ts1-router_west -- lsp-set-type lsp-ts1-router_west remote -- lsp-set-addresses lsp-ts1-router_west "aa:aa:aa:aa:aa:02 169.254.100.2/24"
lr-route-add router_east 192.168.2.0/24 169.254.100.2
ls-add net_served -- lsp-add net_served client -- lsp-set-addresses client "40:44:00:00:00:21 192.168.3.21" -- lsp-add net_served server -- lsp-set-addresses server "40:44:00:00:00:22 192.168.3.22"
lb-add web 30.0.0.1:80 192.168.3.21:80,192.168.3.22:8080 tcp -- ls-lb-add net_served web
acl-add net_served from-lport 1001 "tcp.dst == 23" reject -- acl-add net_served to-lport 1000 "ip4 && tcp.dst == {80, 8080}" allow-related -- acl-add net_served to-lport 900 ip4 drop
`;

const eth = (from: string, to: string): string => `eth.src == 40:44:00:00:00:${from} && eth.dst == ${to}`;
const router = "40:44:00:00:00:04";
/** Of a client to a load balancer's address. */
const toVip = `inport == "client" && ${eth("21", "40:44:00:00:00:22")} && ip4.src == 192.168.3.21 && ip4.dst == 30.0.0.1 && ip.ttl == 64 && tcp.src == 1000 && tcp.dst == 80`;
/** Without --lb-dst either trace would choose a backend by chance. */
const ofServices: readonly (readonly string[])[] = [
  ["net_served", toVip],
  ["--ct=new", "--lb-dst=192.168.3.22:8080", "net_served", toVip],
  ["--ct=new", "--lb-dst=192.168.3.21:80", "--ct=new", "net_served", toVip],
  ["--ct=est", "--ct=est,rpl", "net_served", toVip],
  ["--ct=inv", "net_served", toVip],
  ["--ct=new", "net_served", toVip.replace("tcp.dst == 80", "tcp.dst == 23")],
  ["--ct=new", "--ct=new", "net_served", toVip.replace("ip4.dst == 30.0.0.1", "ip4.dst == 192.168.3.22")],
];
const questions: readonly (readonly string[])[] = [
  // Releases that commit load balanced connections otherwise print other actions.
  ...(source === undefined ? [] : ofServices),
  ["--ovs", "--friendly-names", "--ct=new", "net_east", `inport == "vm1" && ${eth("01", router)} && ip4.src == 192.168.1.11 && ip4.dst == 192.168.2.12 && ip.ttl == 64 && icmp4.type == 8`],
  [`inport == "vm1" && ${eth("01", "ff:ff:ff:ff:ff:ff")} && arp.op == 1 && arp.sha == 40:44:00:00:00:01 && arp.spa == 192.168.1.11 && arp.tpa == 192.168.1.13`],
  ["--all", `inport == "vm3" && ${eth("03", "ff:ff:ff:ff:ff:ff")} && ip4.src == 192.168.1.13 && udp.dst == 9`],
  [`inport == "vm1" && ${eth("02", router)} && ip4.src == 192.168.1.11`],
  ["--summary", `inport == "vm1" && ${eth("01", router)} && ip4.src == 192.168.1.11 && ip4.dst == 192.168.2.12 && ip.ttl == 1 && icmp4.type == 8`],
  ["--minimal", `inport == "vm1" && ${eth("01", router)} && ip4.src == 192.168.1.11 && ip4.dst == 192.168.1.1 && ip.ttl == 64 && icmp4.type == 8 && icmp4.code == 0`],
  [`inport == "any" && ${eth("77", "40:44:00:00:00:99")} && ip4.src == 192.168.1.99`],
  ["--no-friendly-names", `inport == "vm3" && ${eth("03", router)} && ip6.src == fd00::13 && ip6.dst == fd00::1 && icmp6.type == 128 && icmp6.code == 0 && ip.ttl == 64`],
  ["nowhere", 'inport == "vm1"'],
  ['inport == "vm1" && inport == "vm3"'],
  ['inport == "vm9"'],
  ["--ct=sometimes", 'inport == "vm1"'],
  ["--select-id=x", 'inport == "vm1"'],
  ["a", "b", "c"],
  [],
];

/** A distributed router with a gateway port, and a gateway router behind it, with translations of every kind. */
const translating = `
ls-add inside -- lsp-add inside vm1 -- lsp-set-addresses vm1 "50:54:00:00:00:01 10.0.0.11 fd00::11"
lsp-add inside vm2 -- lsp-set-addresses vm2 "50:54:00:00:00:02 10.0.0.12"
lr-add lr -- lrp-add lr lr-inside 50:54:00:00:ff:01 10.0.0.1/24 fd00::1/64
lsp-add inside inside-lr -- lsp-set-addresses inside-lr router -- lsp-set-type inside-lr router -- lsp-set-options inside-lr router-port=lr-inside
ls-add outside -- lrp-add lr lr-outside 50:54:00:00:ff:02 172.16.0.1/24 fd16::1/64
lsp-add outside outside-lr -- lsp-set-addresses outside-lr router -- lsp-set-type outside-lr router -- lsp-set-options outside-lr router-port=lr-outside nat-addresses=router
lsp-add outside ln -- lsp-set-type ln localnet -- lsp-set-addresses ln unknown -- lsp-set-options ln network_name=physical
lrp-set-gateway-chassis lr-outside gw_east 1
lr-nat-add lr snat 172.16.0.1 10.0.0.0/24
lr-nat-add lr snat fd16::1 fd00::/64
lr-nat-add lr dnat_and_snat 172.16.0.11 10.0.0.11 vm1 f0:00:00:00:01:11
lr-nat-add lr dnat_and_snat 172.16.0.12 10.0.0.12
lr-nat-add lr dnat 172.16.0.13 10.0.0.12
lr-add gr -- set logical_router gr options:chassis=gw_east options:dnat_force_snat_ip=20.0.0.2
lrp-add gr gr-outside 50:54:00:00:fe:01 172.16.0.2/24 -- lsp-add outside outside-gr
lsp-set-addresses outside-gr router -- lsp-set-type outside-gr router -- lsp-set-options outside-gr router-port=gr-outside
ls-add behind -- lrp-add gr gr-behind 50:54:00:00:fe:02 20.0.0.1/24 -- lsp-add behind behind-gr
lsp-set-addresses behind-gr router -- lsp-set-type behind-gr router -- lsp-set-options behind-gr router-port=gr-behind
lsp-add behind vm3 -- lsp-set-addresses vm3 "50:54:00:00:00:03 20.0.0.13"
lr-nat-add gr snat 172.16.0.2 20.0.0.0/24
lr-nat-add gr dnat_and_snat 172.16.0.23 20.0.0.13
`;

const from = (port: string, source: string, destination: string): string =>
  `inport == "${port}" && eth.src == 50:54:00:00:00:0${port.slice(2)} && eth.dst == ${port === "vm3" ? "50:54:00:00:fe:02" : "50:54:00:00:ff:01"} && ${source.includes(":") ? "ip6" : "ip4"}.src == ${source} && ${destination.includes(":") ? "ip6" : "ip4"}.dst == ${destination} && ip.ttl == 64 && tcp.dst == 80`;
const outside = (mac: string, destination: string): string =>
  `inport == "ln" && eth.src == f0:00:00:00:00:99 && eth.dst == ${mac} && ip4.src == 172.16.0.99 && ip4.dst == ${destination} && ip.ttl == 64 && tcp.dst == 80`;

const translated: readonly (readonly string[])[] = [
  from("vm1", "10.0.0.11", "172.16.0.99"), from("vm2", "10.0.0.12", "172.16.0.99"), from("vm2", "10.0.0.12", "172.16.0.11"), from("vm1", "10.0.0.11", "172.16.0.12"),
  from("vm3", "20.0.0.13", "172.16.0.99"), from("vm3", "20.0.0.13", "172.16.0.23"), from("vm1", "10.0.0.11", "172.16.0.23"),
  outside("f0:00:00:00:01:11", "172.16.0.11"), outside("50:54:00:00:ff:02", "172.16.0.12"), outside("50:54:00:00:ff:02", "172.16.0.13"), outside("50:54:00:00:ff:02", "172.16.0.1"),
  outside("50:54:00:00:fe:01", "172.16.0.23"), outside("50:54:00:00:fe:01", "172.16.0.2"),
  `inport == "ln" && eth.src == f0:00:00:00:00:99 && eth.dst == 50:54:00:00:ff:02 && ip6.src == fd16::99 && ip6.dst == fd16::1 && ip.ttl == 64 && tcp.dst == 80`,
].flatMap((flow) => [[flow], ["--ct=new", "--ct=new", flow], ["--ct=est", "--ct=est,rpl", flow], ["--ct=trk,rpl,est", "--summary", flow]]);

/** Words of a shell line, with double quotes. */
const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

const chapters = [
  { title: "through switches and routers", lines: setUp, asked: questions },
  // The older release has other stages here.
  ...(source === undefined ? [] : [{ title: "through address translation", lines: translating, asked: translated }, {
    title: "through address translation in one zone, all connections tracked", asked: translated,
    lines: `${translating}set NB_Global . options:use_common_zone=true\nset logical_router lr options:ct-commit-all=true -- set logical_router gr options:ct-commit-all=true\n`,
  }]),
];

for (const { title, lines, asked } of chapters) test(`ovn-trace prints what the real one prints: ${title}`, { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-trace-"));
  const children: ChildProcess[] = [];
  const remote = (name: string): string => `unix:${folder}/${name}.sock`;
  const environment = { ...process.env, OVN_RUNDIR: folder, OVS_RUNDIR: folder };
  try {
    for (const name of ["nb", "sb"]) {
      execFileSync(programs.tool, ["create", `${folder}/${name}.db`, `${schemas}/ovn-${name}.ovsschema`]);
      children.push(spawn(programs.server, [`--remote=p${remote(name)}`, `--unixctl=${folder}/${name}.ctl`, `${folder}/${name}.db`], { stdio: "ignore" }));
    }
    while (!existsSync(`${folder}/nb.sock`) || !existsSync(`${folder}/sb.sock`)) await new Promise((resolve) => setTimeout(resolve, 5));
    children.push(spawn(programs.northd, [`--ovnnb-db=${remote("nb")}`, `--ovnsb-db=${remote("sb")}`, `--unixctl=${folder}/northd.ctl`], { stdio: "ignore" }));
    execFileSync(programs.sbctl, [`--db=${remote("sb")}`, "chassis-add", "gw_east", "geneve", "192.168.50.102"]);
    for (const line of lines.trim().split("\n")) execFileSync(programs.nbctl, [`--db=${remote("nb")}`, ...words(line)]);
    execFileSync(programs.nbctl, [`--db=${remote("nb")}`, "--wait=sb", "sync"]);
    // The older release visits the ports of a multicast group in no order.
    for (const question of asked.filter((q) => source !== undefined || !q.some((word) => word.includes("ff:ff:ff")))) {
      const ask = (command: string): { status: number | null; out: string } => {
        const { status, stdout } = spawnSync(command, [`--db=${remote("sb")}`, ...question], { env: environment, encoding: "utf8" });
        return { status, out: stdout };
      };
      assert.deepEqual(ask(ours), ask(programs.trace), question.join(" "));
    }
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
