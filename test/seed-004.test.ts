/** Seed 004: two zones on two machines, dynamic addresses, DHCP, learned routes: as shipped, and typed line by line. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Result, run, RunningLab, unordered } from "./lab-fixture.ts";

const succeeded = ({ code, stdout, stderr }: Result): string => {
  assert.equal(code, 0, stdout + stderr);
  return stdout;
};

/** Asks until the answer matches: what is on its way through two zones' databases is not there at once. */
function eventually(ask: () => string, pattern: RegExp): string {
  for (let attempt = 0; ; attempt++) {
    const answer = ask();
    if (pattern.test(answer)) return answer;
    if (attempt === 50) assert.fail(`no ${pattern} in\n${answer}`);
  }
}

const debian = run("sh", ["-c", "test -x /usr/bin/ovn-nbctl && test -x /usr/bin/ovn-ic-sbctl && test -x /usr/bin/ovs-vsctl"]).code === 0;

describe("az1 and az2", () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab("az1-az2.lab.yml");
  });
  after(() => lab?.down());

  test("the machines got their addresses by DHCP", () => {
    const addresses = succeeded(lab.exec("h1_v0", "ip", "addr"));
    assert.match(addresses, /inet 172\.16\.2\.2\/24 .* dynamic/);
    assert.match(addresses, /inet6 2001:db8:2:0:ac:10ff:feff:195\/128 scope global/);
  });

  test("ping 172.16.2.2, and the other zone over IPv6", () => {
    const first = succeeded(lab.exec("h0_v0", "ping", "-c", "3", "-i", "0.2", "172.16.2.2"));
    assert.match(first, /^PING 172\.16\.2\.2 \(172\.16\.2\.2\) 56\(84\) bytes of data\.\n64 bytes from 172\.16\.2\.2: icmp_seq=1 ttl=62 time=/);
    const second = succeeded(lab.exec("h0_v0", "ping", "-6", "-c", "3", "-i", "0.2", "2001:db8:2:0:ac:10ff:feff:195"));
    assert.equal(second.match(/icmp_seq=\d+ ttl=62/g)?.length, 3, second);
  });

  test("routes come and go with what they stand for", () => {
    const routes = (): string => succeeded(lab.shell("h1", "ovn-nbctl lr-route-list lr2"));
    assert.match(routes(), /^ +172\.16\.1\.0\/24 +169\.254\.100\.1 dst-ip \(learned\)$/m);
    succeeded(lab.shell("h0", "ovn-nbctl lrp-add lr1 lr1-more 00:00:00:00:01:01 10.9.0.1/24 -- lr-route-add lr1 10.8.0.0/16 172.16.1.7"));
    eventually(routes, /10\.9\.0\.0\/24 +169\.254\.100\.1 dst-ip \(learned\)/);
    eventually(routes, /10\.8\.0\.0\/16 +169\.254\.100\.1 dst-ip \(learned\)/);
    succeeded(lab.shell("h0", "ovn-nbctl lrp-del lr1-more -- lr-route-del lr1 10.8.0.0/16"));
    eventually(routes, /^(?![\s\S]*10\.[89]\.)/);
    // Link-local transit networks are never advertised.
    assert.doesNotMatch(routes(), /169\.254\.\d+\.\d+\/24/);
  });

  test("Debian's programs print the same from our databases as ours", { skip: debian ? false : "needs Debian's ovn-common, ovn-ic and openvswitch-switch" }, () => {
    const lines: readonly (readonly [string, string])[] = [
      ["h0", "ovn-nbctl show"], ["h0", "ovn-nbctl lr-route-list lr1"], ["h0", "ovn-nbctl lsp-get-addresses h0_v0_vnet1"],
      ["h0", "ovn-nbctl get Logical_Switch ls1 other_config"], ["h0", "ovn-nbctl --columns=name,mac,networks list Logical_Router_Port lr1-ts1"],
      ["h0", "ovn-nbctl -f csv --columns=name,type find Logical_Switch_Port type=router name=ls1-lr1"], ["h0", "ovn-nbctl get NB_Global . name options:ic-route-learn"],
      ["h0", "ovn-sbctl show"], ["h0", "ovn-sbctl --bare --columns=tunnel_key find Datapath_Binding external_ids:interconn-ts=ts1"],
      ["h0", "ovn-ic-nbctl show"], ["h0", "ovn-ic-nbctl ts-list | cut -d' ' -f2"], ["h0", "ovn-ic-sbctl show"],
      ["h1", "ovs-vsctl show"], ["h1", "ovs-vsctl get open . external_ids:ovn-remote"], ["h1", "ovs-vsctl list-ports br-int"],
    ];
    for (const [node, line] of lines) {
      const [ours, theirs] = [lab.shell(node, line), lab.shell(node, `PATH=/usr/bin:/bin:/usr/sbin:/sbin\n${line}`, false)];
      assert.equal(unordered(succeeded(ours)), unordered(succeeded(theirs)), line);
    }
  });
});

describe("az1 and az2, typed by hand", () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab("az1-az2.lab.yml", ["--no-setup"]);
  });
  after(() => lab?.down());

  /** One zone of the seed: `n` is the zone's number, `ports` its machines with their MAC addresses. */
  const zone = (n: number, ports: readonly (readonly [string, string])[]): string => `
ovn-sbctl set-connection ptcp:6642
ovn-nbctl set-connection ptcp:6641
ovn-nbctl ls-add ls${n} -- add Logical_Switch ls${n} other_config subnet=172.16.${n}.0/24
ovn-nbctl set Logical-switch ls${n} other_config:ipv6_prefix=2001:db8:${n}::0
dhcp_options1=$(ovn-nbctl create DHCP_Options cidr=172.16.${n}.0/24 \\
        options="\\"server_id\\"=\\"172.16.${n}.254\\" \\"server_mac\\"=\\"00:00:00:00:0${n}:00\\" \\
        \\"lease_time\\"=\\"$((36000 + RANDOM % 3600))\\" \\"router\\"=\\"172.16.${n}.254\\" \\"dns_server\\"=\\"172.16.${n}.254\\"")
dhcpv6_options1=$(ovn-nbctl create DHCP_Options cidr="2001\\:db8\\:${n}\\:\\:0/64" \\
                                options="\\"server_id\\"=\\"00:00:00:00:0${n}:00\\" \\"dns_server\\"=\\"2001:db8:${n}::254\\"")
${ports
  .map(
    ([name, mac]) => `
lsp_name=${name}
mac=${mac}
ovn-nbctl lsp-add ls${n} $lsp_name
ovn-nbctl lsp-set-addresses $lsp_name "$mac dynamic"
ovn-nbctl lsp-set-dhcpv4-options $lsp_name \${dhcp_options1}
ovn-nbctl add Logical_Switch_Port $lsp_name dhcpv6_options \${dhcpv6_options1}`,
  )
  .join("\n")}
ovn-nbctl lr-add lr${n}
ovn-nbctl lrp-add lr${n} lr${n}-ls${n} 00:00:00:00:0${n}:00 172.16.${n}.254/24
ovn-nbctl lsp-add ls${n} ls${n}-lr${n}
ovn-nbctl lsp-set-type ls${n}-lr${n} router
ovn-nbctl lsp-set-addresses ls${n}-lr${n} 00:00:00:00:0${n}:00
ovn-nbctl lsp-set-options ls${n}-lr${n} router-port=lr${n}-ls${n}
`;

  const interconnection = (n: number, chassis: string): string => `
ovn-nbctl set NB_Global . name=az${n}
ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=true
ovn-nbctl --timeout=10 wait-until Logical_Switch ts1 name=ts1
ovn-nbctl lrp-add lr${n} lr${n}-ts1 aa:aa:aa:aa:aa:0${n} 169.254.100.${n}/24
ovn-nbctl lsp-add ts1 ts1-lr${n} -- \\
        lsp-set-addresses ts1-lr${n} router -- \\
        lsp-set-type ts1-lr${n} router -- \\
        lsp-set-options ts1-lr${n} router-port=lr${n}-ts1
ovn-nbctl lrp-set-gateway-chassis lr${n}-ts1 ${chassis}
ovn-nbctl lr-route-add lr${n} 10.0.2.0/24 169.254.100.${3 - n}
ovn-nbctl set NB_Global . options:ic-route-adv=true \\
                            options:ic-route-learn=true
`;

  test("the seed's commands bring the zones together", () => {
    succeeded(lab.shell("h0", `set -e\n${zone(1, [["h0_v0_vnet1", "04:ac:10:ff:01:94"], ["h0_v1_vnet1", "04:ac:10:ff:01:96"]])}`));
    succeeded(lab.shell("h1", `set -e\n${zone(2, [["h1_v0_vnet2", "02:ac:10:ff:01:95"], ["h1_v1_vnet2", "02:ac:10:ff:01:97"]])}`));
    succeeded(lab.shell("h0", `set -e\novn-ic-nbctl ts-add ts1\n${interconnection(1, "dfe51fb0-0c76-437c-ad95-709b98998b4f")}`));
    succeeded(lab.shell("h1", `set -e\n${interconnection(2, "68b0888a-06d3-4cb7-8da3-f647f69c83af")}`));
    const routes = eventually(() => succeeded(lab.shell("h0", "ovn-nbctl lr-route-list lr1")), /\(learned\)/);
    assert.equal(routes, "IPv4 Routes\nRoute Table <main>:\n              10.0.2.0/24             169.254.100.2 dst-ip\n            172.16.2.0/24             169.254.100.2 dst-ip (learned)\n");
    for (const host of ["h0_v0", "h1_v0"]) succeeded(lab.exec(host, "dhclient", "-v"));
    const ping = succeeded(lab.exec("h0_v0", "ping", "-c", "3", "-i", "0.2", "172.16.2.2"));
    assert.match(ping, /64 bytes from 172\.16\.2\.2: icmp_seq=\d ttl=62 time=/);
  });
});
