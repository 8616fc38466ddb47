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

/** Provider networks: VLANs, chassis' own MACs, external, virtual, nested and local ports, gateways in HA groups, NAT of every kind, balancers. */
const providers = `
  ls-add v190 -- lsp-add-localnet-port v190 ln190 phys -- set Logical_Switch_Port ln190 tag_request=190
  ls-add v170 -- lsp-add-localnet-port v170 ln170 phys -- set Logical_Switch_Port ln170 tag_request=170 -- lsp-set-options ln170 network_name=phys ethtype=802.11ad
  ls-add flat -- lsp-add-localnet-port flat lnflat phys
  lr-add router1
  lrp-add router1 r1-190 40:44:00:00:00:03 10.190.0.1/24 fd00:190::1/64 -- lsp-add-router-port v190 v190-r1 r1-190
  lrp-add router1 r1-170 40:44:00:00:00:04 10.170.0.1/24 -- lsp-add-router-port v170 v170-r1 r1-170
  lrp-add router1 r1-flat 40:44:00:00:00:05 172.24.14.1/24 -- lsp-add-router-port flat flat-r1 r1-flat -- lsp-set-options flat-r1 router-port=r1-flat nat-addresses=router
  lrp-set-gateway-chassis r1-flat gw_east 20 -- lrp-set-gateway-chassis r1-flat worker_east 10
  lrp-set-options r1-170 reside-on-redirect-chassis=true
  lsp-add v190 p190 -- lsp-set-addresses p190 "40:44:00:00:00:11 10.190.0.11 fd00:190::11"
  lsp-add v170 p170 -- lsp-set-addresses p170 "40:44:00:00:00:12 10.170.0.12"
  lsp-add v190 nest p190 55 -- lsp-set-addresses nest "40:44:00:00:00:13 10.190.0.13"
  --id=@c create HA_Chassis chassis_name=gw_east priority=5 -- --id=@d create HA_Chassis chassis_name=worker_east priority=3 -- --id=@g create HA_Chassis_Group name=hag ha_chassis=@c,@d
  --id=@d create DHCP_Options cidr=10.170.0.0/24 options=server_id=10.170.0.1,server_mac="40:44:00:00:00:04",lease_time=3600,router=10.170.0.1 -- lsp-add v170 pext -- lsp-set-addresses pext "40:44:44:00:00:10 10.170.0.111" -- lsp-set-type pext external -- set Logical_Switch_Port pext dhcpv4_options=@d
  lsp-add v170 lp170 -- lsp-set-type lp170 localport -- lsp-set-addresses lp170 "40:44:00:00:00:20 10.170.0.2"
  lsp-add v190 vip -- lsp-set-type vip virtual -- lsp-set-addresses vip "40:44:00:00:00:30 10.190.0.100" -- lsp-set-options vip virtual-ip=10.190.0.100 virtual-parents=p190
  lr-nat-add router1 snat 172.24.14.1 10.190.0.0/24
  lr-nat-add router1 dnat_and_snat 172.24.14.100 10.190.0.11 p190 40:44:00:00:01:00
  lr-nat-add router1 dnat_and_snat 172.24.14.101 10.170.0.12
  lr-nat-add router1 dnat 172.24.14.102 10.170.0.12
  --portrange lr-nat-add router1 dnat_and_snat 172.24.14.103 10.170.0.13 5000-6000
  --stateless lr-nat-add router1 dnat_and_snat 172.24.14.104 10.170.0.14
  lr-route-add router1 0.0.0.0/0 172.24.14.254
  --bfd lr-route-add router1 10.77.0.0/16 172.24.14.253 r1-flat
  lb-add lbr 172.24.14.200:443 10.190.0.11:443,10.170.0.12:443 tcp -- lr-lb-add router1 lbr
  set Load_Balancer lbr options:affinity_timeout=60 options:skip_snat=true
  lb-add lbs 10.190.0.200:80 10.190.0.11:80 tcp -- ls-lb-add v190 lbs
  --event lb-add lbe 10.190.0.201:80 "" -- ls-lb-add v190 lbe
  --id=@h create Load_Balancer_Health_Check vip="10.190.0.200\:80" options:interval=1 -- add Load_Balancer lbs health_check @h -- set Load_Balancer lbs ip_port_mappings:10.190.0.11="p190:10.190.0.5"
  lr-add grt -- set Logical_Router grt options:chassis=gw_east
  ls-add tojoin -- lrp-add grt grt-j 40:44:00:00:02:01 100.65.0.2/24 -- lsp-add-router-port tojoin j-grt grt-j
  lrp-add router1 r1-j 40:44:00:00:02:02 100.65.0.1/24 -- lsp-add-router-port tojoin j-r1 r1-j
  lrp-add grt grt-x 40:44:00:00:02:03 172.24.15.1/24 -- ls-add x -- lsp-add-localnet-port x lnx phys -- set Logical_Switch_Port lnx tag_request=200 -- lsp-add-router-port x x-grt grt-x -- lsp-set-options x-grt router-port=grt-x nat-addresses=router
  lr-nat-add grt snat 172.24.15.1 10.0.0.0/8
  lr-nat-add grt dnat_and_snat 172.24.15.9 10.190.0.11
  lr-nat-add grt dnat 172.24.15.10 10.170.0.12
  set Logical_Router grt options:snat-ct-zone=777 options:dynamic_neigh_routers=true options:mac_binding_age_threshold=30
  meter-add mlog drop 5 pktps 2
  copp-add cp arp mlog -- ls-copp-add cp v190
  --log --severity=warning --name=logged --meter=mlog acl-add v190 from-lport 2000 "ip4.dst == 8.8.8.8" allow-related
  --apply-after-lb acl-add v190 from-lport 1900 "tcp.dst == 22" drop
  set Logical_Switch v170 other_config:vlan-passthru=true other_config:fdb_age_threshold=60
  lsp-add v170 punk -- lsp-set-addresses punk unknown
  lsp-set-addresses lnflat unknown -- lr-policy-add router1 10 "ip4.src == 10.190.0.0/24" allow -- set Logical_Router router1 options:always_learn_from_arp_request=false
  qos-add v190 to-lport 100 "outport == \"p190\"" dscp=20 rate=500 burst=50
  lsp-set-options p170 qos_max_rate=1000000 qos_burst=100000
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

const chassis = ["worker_east", "gw_east"] as const;

/** What the two controllers leave different in the switch: nothing, if all is well. */
function compare(lab: CLab, name: string, least: number): void {
  const theirs = contents(lab, name);
  assert.ok(theirs.length > least, `${theirs.length} flows`);
  lab.replaceController(name, ours);
  lab.nbctl("east", "--wait=hv", "sync");
  const installed = contents(lab, name);
  const [present, expected] = [new Set(installed), new Set(theirs)];
  assert.deepEqual({ missing: theirs.filter((f) => !present.has(f)), superfluous: installed.filter((f) => !expected.has(f)) }, { missing: [], superfluous: [] }, name);
}

function configure(lab: CLab, lines: string): void {
  for (const line of lines.split("\n")) if (line.trim() !== "") lab.nbctl("east", ...wordsOf(line.trim()));
  lab.nbctl("east", "--wait=hv", "sync");
}

test("the same flows as OVN's ovn-controller", { skip, timeout: 120_000 }, () => {
  const lab = new CLab(mainBranch(source ?? ""), source);
  try {
    lab.up();
    lab.ping();
    for (const name of chassis) lab.vsctl(name, "add-port", "br-int", "tapmc", "--", "set", "interface", "tapmc", "type=internal", "external-ids:iface-id=mc");
    for (const name of chassis) lab.vsctl(name, "set", "open", ".", "external-ids:ovn-bridge-mappings=phys:br-phys");
    configure(lab, features);
    for (const name of chassis) compare(lab, name, 800);
    for (const name of ["worker_west", "gw_west"]) lab.replaceController(name, ours);
    assert.match(lab.ping(), /3 packets transmitted, 3 received, 0% packet loss/);
  } finally {
    lab.down();
  }
});

test("provider networks: the same flows as OVN's ovn-controller", { skip, timeout: 120_000 }, () => {
  const lab = new CLab(mainBranch(source ?? ""), source);
  try {
    lab.up();
    chassis.forEach((name, i) => {
      lab.vsctl(name, "set", "open", ".", "external-ids:ovn-bridge-mappings=phys:br-phys", `external-ids:ovn-chassis-mac-mappings=phys:1e:02:ad:bb:aa:0${i}`);
    });
    for (const [name, port] of [["worker_east", "p190"], ["gw_east", "p170"], ["worker_east", "lp170"], ["gw_east", "lp170"], ["worker_east", "punk"]] as const) {
      lab.vsctl(name, "add-port", "br-int", `t${port}`, "--", "set", "interface", `t${port}`, "type=internal", `external-ids:iface-id=${port}`);
    }
    configure(lab, providers);
    const group = lab.nbctl("east", "--bare", "--columns=_uuid", "find", "HA_Chassis_Group", "name=hag").trim();
    lab.nbctl("east", "--wait=hv", "set", "Logical_Switch_Port", "pext", `ha_chassis_group=${group}`);
    for (const name of chassis) compare(lab, name, 1500);
  } finally {
    lab.down();
  }
});
