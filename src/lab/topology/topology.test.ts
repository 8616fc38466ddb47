import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseTopology } from "./topology.ts";

const root = process.env["ISTHMUS_ROOT"] ?? ".";
const eastWest = readFileSync(join(root, "examples/east-west.lab.yml"), "utf8");

/** The complaint about `text`, or "" if there is none. */
const complaintAbout = (text: string): string => {
  const result = parseTopology(text, "t.yml");
  return "complaint" in result ? result.complaint : "";
};

test("the shipped examples are sound", () => {
  const topology = parseTopology(eastWest, "east-west.lab.yml");
  assert.ok(!("complaint" in topology), "complaint" in topology ? topology.complaint : "");
  assert.equal(topology.nodes.size, 7);
  assert.deepEqual([...topology.hosts.keys()], ["vm1", "vm2"]);
  assert.equal(topology.nodes.get("gw_east")?.hostname, "gw-east");
  assert.equal(eastWest.split("\n")[(topology.setup[0]?.line ?? 0) - 1]?.trim(), "ovn-ic-nbctl ts-add ts1");
});

const base = 'name: t\nnodes:\n  c: { address: 10.0.0.1, zone: z, roles: [central, chassis] }\n';

test("complaints name the place, show the line and point at it", () => {
  assert.match(complaintAbout("name: [t\n"), /^t\.yml:\d+:\d+: .*\n\d+ \| .*\n +\^$/);
  assert.equal(
    complaintAbout(`${base}hosts:\n  v: { node: c, mac: 40:44 }\n`),
    [
      "t.yml:5:22: expected a MAC address such as 40:44:00:00:00:01",
      "5 |   v: { node: c, mac: 40:44 }",
      "                         ^",
    ].join("\n"),
  );
  assert.match(complaintAbout(`${base}colour: red\n`), /^t\.yml:4:9: unknown key "colour"\n4 \| colour: red\n/);
  assert.match(complaintAbout(`${base}hosts:\n  v: { node: d, mac: "40:44:00:00:00:01" }\n`), /t\.yml:5:14: no such node; there are c/);
  assert.match(complaintAbout("name: t\nnodes:\n  a: { address: 10.0.0.1, roles: [central] }\n"), /needs a zone/);
  assert.match(complaintAbout("name: t\nnodes:\n  a: { address: 10.0.0.300, roles: [central], zone: z }\n"), /expected an IPv4 address/);
  assert.match(complaintAbout("name: t\n"), /"nodes" is missing/);
  assert.match(complaintAbout(`${base}  d: { address: 10.0.0.1, zone: z, roles: [chassis] }\n`), /is the address of c already/);
});

test("no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..." \n:-[]{}&*!|>'\"%@`aname0nodes,#\t") }), (text) => {
      parseTopology(text, "t.yml");
    }),
    { numRuns: 2000 },
  );
});

const underlay = (text: string): string => complaintAbout(`${base}underlay:\n${text}`);

test("an underlay is put together from names that exist", () => {
  const machines = '  machines:\n    c:\n      interfaces:\n        eth1: { plug: data/vnet0, bridge: br-tenant }\n        vlan50: { bridge: br-tenant, network: tenant, addresses: [172.17.2.9/24] }\n';
  const switches = "  switches: { data: { on: hypervisor } }\n";
  const networks = "  networks: { tenant: { cidr: 172.17.2.0/24, vlan: 50, roles: [tunnel] } }\n";
  assert.equal(underlay(networks + switches + machines), "");
  const topology = parseTopology(`${base}underlay:\n${networks}${switches}${machines}`, "t.yml");
  assert.ok("underlay" in topology && topology.underlay !== undefined);
  const { vlan, mac } = topology.underlay.machines.get("c")?.interfaces.get("vlan50") ?? {};
  assert.equal(vlan, 50);
  assert.match(mac ?? "", /^52:54:00:/);
  assert.match(underlay(networks + machines), /t\.yml:9:23: no such switch; there are \(none\)\n9 \|         eth1: \{ plug: data\/vnet0, bridge: br-tenant \}\n +\^/);
  assert.match(underlay(switches + machines), /no such network; there are \(none\)/);
  assert.match(underlay(networks.replace("172.17.2.0", "172.17.3.0") + switches + machines), /172\.17\.2\.9\/24 is not in tenant, 172\.17\.3\.0\/24/);
  assert.match(underlay("  machines: { c: { interfaces: { eth1: {} } } }\n"), /leads nowhere: it needs "plug", "of", "bridge", a link/);
  assert.match(underlay("  switches: { s: { on: r, ports: [p] } }\n  machines: { c: { interfaces: { eth1: { plug: s/a }, eth2: { plug: s/a } } } }\n"), /port s\/a is c\/eth1's already/);
  assert.match(underlay("  switches: { s: { on: r, ports: [p] } }\n  machines: { c: { interfaces: { eth1: { plug: s/p } } } }\n"), /port s\/p is the switch's own already/);
  assert.equal(underlay("  machines: { c: { interfaces: { lo: { addresses: [192.0.2.1/32] } } } }\n"), "");
  assert.match(underlay("  links: { l: { between: [c/eth1, d/eth1] } }\n  machines: { c: { interfaces: { eth1: {} } } }\n"), /no such machine; there are c/);
  assert.match(underlay("  links: { l: { between: [c/eth1, c/eth2], impairment: loss 5 } }\n  machines: { c: { interfaces: { eth1: {}, eth2: {} } } }\n"), /troubles of a link: loss 5: expected a share such as 5%/);
  assert.match(underlay("  switches: { s: { on: r } }\n  machines: { r: { interfaces: { eth1: { plug: s, bridge: br-ex } } } }\n"), /r runs no Open vSwitch/);
  assert.match(underlay('  virtual-addresses: [{ address: 10.0.0.1/32, interface: eth1, machines: [c] }]\n  machines: { c: {} }\n'), /c has no interface eth1/);
});

test("routers and nodes that speak BGP", () => {
  const router = (more: string): string => `${base}routers:\n  tor: { node: c, bridge: br-ex, interface: ext1, mac: "12:fb:d6:66:99:0c", frr: "router bgp 1"${more} }\n`;
  assert.equal(complaintAbout(router(", addresses: [41.41.41.41/32]")), "");
  assert.match(complaintAbout(router("").replace("node: c", "node: x")), /no such node; there are c/);
  assert.match(complaintAbout(router("").replace("ext1", "an-interface-too-long")), /a device name of at most 15 characters/);
  assert.match(complaintAbout(router(', links: { eth1: spine/eth1 }')), /no such router; there are tor/);
  assert.match(complaintAbout(router("").replace("bridge: br-ex, ", "")), /"node", "bridge", "interface" and "mac" belong together/);
  const node = (keys: string): string => `name: t\nnodes:\n  c: { address: 10.0.0.1, zone: z, roles: [central, chassis], ${keys} }\n`;
  const device = 'devices: { ext0-bgp: { iface-id: p, mac: "12:fb:d6:66:99:1c", vrf: ovnvrf10 } }';
  assert.equal(complaintAbout(node(`frr: "router bgp 1", ${device}`)), "");
  assert.match(complaintAbout(node(device)), /devices are for nodes with "frr"/);
});

test("no underlay makes the parser throw", () => {
  const whole = readFileSync(join(root, "examples/tripleo.lab.yml"), "utf8").replace(/^validate:[^]*/m, "");
  const junk = fc.string({ unit: fc.constantFrom(..." \n:-[]{}&*!|>'\"%@`/.0aplugvlan,#") });
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(80), junk, (at, length, text) => {
      parseTopology(whole.slice(0, at) + text + whole.slice(at + length), "t.yml");
    }),
    { numRuns: 300 },
  );
});
