/**
 * The flows that our ovn-controller puts into a real switch are those of OVN's own: on two chassis of the real lab, with a
 * little of everything that makes flows, first the one and then the other is let in. ISTHMUS_OVN names a built source tree of
 * OVN's main branch.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLab, cLabMissing, type Parts, root } from "./c-lab.ts";

const source = process.env["ISTHMUS_OVN"];
const ours = join(root, "bin/ovn-controller");

const skip = source === undefined ? "ISTHMUS_OVN names no build of OVN's main branch" : existsSync(ours) ? cLabMissing() ?? false : `${ours} is not built`;

const mainBranch = (folder: string): Parts => ({
  "ovn-northd": `${folder}/northd/ovn-northd`, "ovn-ic": `${folder}/ic/ovn-ic`, "ovn-controller": `${folder}/controller/ovn-controller`,
  "ovn-nbctl": `${folder}/utilities/ovn-nbctl`, "ovn-sbctl": `${folder}/utilities/ovn-sbctl`, "ovn-appctl": `${folder}/utilities/ovn-appctl`,
  "ovn-ic-nbctl": `${folder}/utilities/ovn-ic-nbctl`,
});

/** One command of ovn-nbctl a line, as the shell would split it. */
const features = `
  ls-add ext -- lsp-add ext ln-ext -- lsp-set-type ln-ext localnet -- lsp-set-addresses ln-ext unknown -- lsp-set-options ln-ext network_name=phys
  set Logical_Switch_Port ln-ext tag_request=42
  lrp-add router_east r-ext 02:00:00:00:00:99 172.31.0.1/24 -- lrp-set-gateway-chassis r-ext gw_east 20 -- lrp-set-gateway-chassis r-ext worker_east 10
  lsp-add ext ext-r -- lsp-set-type ext-r router -- lsp-set-addresses ext-r router -- lsp-set-options ext-r router-port=r-ext
  lr-nat-add router_east snat 172.31.0.1 192.168.1.0/24
  lr-nat-add router_east dnat_and_snat 172.31.0.5 192.168.1.11 vm1 02:00:00:00:00:05
  set Logical_Router_Port router_east-net_east networks="192.168.1.1/24","fd00:1::1/64" ipv6_ra_configs:address_mode=slaac
  lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.1.11 fd00:1::11"
  lsp-set-port-security vm1 "40:44:00:00:00:01 192.168.1.11 fd00:1::11/64" "VRRPv3 40:44:00:00:00:01 00:00:5e:00:01:05 192.168.1.200/24"
  --id=@d create DHCP_Options cidr=192.168.1.0/24 options=server_id=192.168.1.1,server_mac="40:44:00:00:00:04",lease_time=3600,router=192.168.1.1 -- set Logical_Switch_Port vm1 dhcpv4_options=@d
  create Address_Set name=as1 addresses=10.0.0.1,10.0.0.2,10.0.0.0/25
  pg-add pg1 vm1
  acl-add pg1 to-lport 1001 "outport == @pg1 && ip4.src == $as1 && tcp.dst == {80, 443, 8080}" allow-related
  acl-add pg1 to-lport 1000 "outport == @pg1 && ip4.src == {192.168.2.0/24, 192.168.3.0/24} && udp.dst == {53, 67}" reject
  acl-add net_east to-lport 1 ip allow-related
  meter-add m1 drop 100 pktps 10
  --log --severity=info --meter=m1 --name=a1 acl-add net_east to-lport 1100 "ip4.src == 9.9.9.9" drop
  lsp-add net_east c1 vm1 101 -- lsp-set-addresses c1 "40:44:00:00:01:01 192.168.1.101"
  lsp-add net_east unk -- lsp-set-addresses unk unknown
  --id=@d create DNS records:vm1.ovn.org=192.168.1.11 -- set Logical_Switch net_east dns_records=@d
  --policy=src-ip lr-route-add router_east 10.0.0.0/8 169.254.100.2
  --ecmp lr-route-add router_east 10.20.0.0/16 169.254.100.2 -- --ecmp lr-route-add router_east 10.20.0.0/16 192.168.1.50
  lr-policy-add router_east 100 "ip4.src == 10.99.0.0/16" reroute 192.168.1.60
  static-mac-binding-add router_east-net_east 192.168.1.50 0a:0a:0a:0a:0a:0a
  qos-add net_east from-lport 100 "inport == \\"vm1\\"" dscp=10 rate=1000
  lb-add lb1 30.0.0.1:80 192.168.1.11:80,192.168.1.12:80 tcp -- ls-lb-add net_east lb1 -- lr-lb-add router_east lb1
  lr-add gr -- set Logical_Router gr options:chassis=gw_east options:lb_force_snat_ip=100.64.0.2 -- lrp-add gr gr-j 02:00:00:00:01:01 100.64.0.2/24 -- lr-lb-add gr lb1
  ls-add join -- lsp-add join j-gr -- lsp-set-type j-gr router -- lsp-set-addresses j-gr router -- lsp-set-options j-gr router-port=gr-j
  lrp-add router_east r-j 02:00:00:00:01:02 100.64.0.1/24 -- lsp-add join j-r -- lsp-set-type j-r router -- lsp-set-addresses j-r router -- lsp-set-options j-r router-port=r-j
  lr-nat-add gr snat 100.64.0.9 192.168.0.0/16 -- --ecmp-symmetric-reply lr-route-add gr 0.0.0.0/0 100.64.0.254
  set Logical_Switch net_east other_config:mcast_snoop=true other_config:mcast_querier=true other_config:mcast_eth_src="40:44:00:00:00:04" other_config:mcast_ip4_src=192.168.1.1
  lsp-add net_east mc -- lsp-set-addresses mc "0a:00:00:00:00:31 192.168.1.31" -- lsp-set-options mc requested-chassis=worker_east,gw_east
  ls-add l2 -- lsp-add l2 l2g -- lsp-set-type l2g l2gateway -- lsp-set-addresses l2g unknown -- lsp-set-options l2g network_name=phys l2gateway-chassis=worker_east -- set Logical_Switch_Port l2g tag_request=77
  --id=@m create Load_Balancer name=lbh protocol=udp vips:"30.0.0.11\:53"="192.168.1.11\:53" options:hairpin_snat_ip="192.168.1.250 fd00:1::250" -- add Logical_Switch net_east load_balancer @m
  acl-add net_east from-lport 1500 "ip4.dst == 10.5.0.0/16" allow-stateless -- --tier=1 acl-add net_east from-lport 1400 "tcp.dst == 25" reject
  acl-add net_east to-lport 1450 "udp.dst == 111" pass -- --label=1234 acl-add net_east to-lport 1460 "udp.dst == 112" allow-related
  lr-policy-add router_east 90 "ip4.dst == 10.98.0.0/16" reroute 192.168.1.60,192.168.1.61
  set Logical_Router_Port r-ext options:gateway_mtu=1400 options:redirect-type=bridged
  lb-add lb2 [fd00:9::1]:80 [fd00:1::11]:80 tcp -- ls-lb-add net_east lb2
`;

/** Words between spaces; "..." holds spaces, with \" and \\ inside. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g)].map(([word]) => (/^"(?:[^"\\]|\\.)*"$/.test(word) ? word.slice(1, -1).replaceAll(/\\(.)/g, "$1") : word));

/** What the switch holds, with groups and meters by what they are rather than by their number. */
function contents(lab: CLab, chassis: string): readonly string[] {
  const dump = (what: string, ...args: string[]): string[] =>
    lab.run(["ovs-ofctl", "-O", "OpenFlow15", ...args, what, `unix:${lab.folder}/${chassis}/br-int.mgmt`]).split("\n").slice(1).map((line) => line.trim()).filter((line) => line !== "");
  const named = (pattern: RegExp, lines: readonly string[]): Map<string, string> =>
    new Map(lines.flatMap((line) => {
      const [whole = "", number = ""] = pattern.exec(line) ?? [];
      return number === "" ? [] : [[number, line.replace(whole, "").trim()] as const];
    }));
  const groups = named(/^group_id=(\d+),/, dump("dump-groups"));
  const meters = named(/^meter=(\d+) /, dump("dump-meters").join(" ").split(/(?=meter=)/));
  return dump("dump-flows", "--no-stats").map((flow) => flow
    // northd says twice what a router's load balancer does: either may be the one that the flow comes from.
    .replace(/^cookie=\w+(?=.*group:)/, "")
    .replaceAll(/group:(\d+)/g, (_, number: string) => `group:{${groups.get(number)}}`)
    .replaceAll(/meter:(\d+)/g, (_, number: string) => `meter:{${meters.get(number)}}`)
    .replaceAll(/meter_id=(\d+)/g, (_, number: string) => `meter_id={${meters.get(number)}}`)
    // The whole field, with a mask that says so or without.
    .replaceAll("/0x3f->ip_dscp", "->ip_dscp")).sort();
}

test("the same flows as OVN's ovn-controller", { skip, timeout: 120_000 }, () => {
  const lab = new CLab(mainBranch(source ?? ""), source);
  try {
    lab.up();
    lab.ping();
    for (const chassis of ["worker_east", "gw_east"]) lab.vsctl(chassis, "add-port", "br-int", "tapmc", "--", "set", "interface", "tapmc", "type=internal", "external-ids:iface-id=mc");
    for (const chassis of ["worker_east", "gw_east"]) lab.vsctl(chassis, "set", "open", ".", "external-ids:ovn-bridge-mappings=phys:br-phys");
    for (const line of features.split("\n")) if (line.trim() !== "") lab.nbctl("east", ...wordsOf(line.trim()));
    lab.nbctl("east", "--wait=hv", "sync");
    for (const chassis of ["worker_east", "gw_east"]) {
      const theirs = contents(lab, chassis);
      assert.ok(theirs.length > 800, `${theirs.length} flows`);
      lab.replaceController(chassis, ours);
      lab.nbctl("east", "--wait=hv", "sync");
      const installed = contents(lab, chassis);
      const [present, expected] = [new Set(installed), new Set(theirs)];
      assert.deepEqual({ missing: theirs.filter((f) => !present.has(f)), superfluous: installed.filter((f) => !expected.has(f)) }, { missing: [], superfluous: [] }, chassis);
    }
    for (const chassis of ["worker_west", "gw_west"]) lab.replaceController(chassis, ours);
    assert.match(lab.ping(), /3 packets transmitted, 3 received, 0% packet loss/);
  } finally {
    lab.down();
  }
});
