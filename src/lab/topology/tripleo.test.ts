import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseTopology } from "./topology.ts";
import type { Underlay } from "./underlay.ts";

const examples = join(process.env["ISTHMUS_ROOT"] ?? ".", "examples");
const explicit = readFileSync(join(examples, "tripleo.lab.yml"), "utf8");

/** The example with the deployment's files in place of its own networks and interfaces. */
function byTemplates(): string {
  const machine = (name: string, role: string, vnet: number, macs: string[], last: number, others: string): string =>
    `        ${name}: { role: ${role}, nics: { nic1: { interface: ens3, mac: "52:54:00:${macs[0] ?? ""}", plug: management/vnet${vnet} }, ` +
    `nic2: { interface: ens4, mac: "52:54:00:${macs[1] ?? ""}", plug: data/vnet${vnet + 1} }, nic3: { interface: ens5, mac: "52:54:00:${macs[2] ?? ""}", plug: external/vnet${vnet + 2} } }, ` +
    `addresses: { InternalApi: 172.17.1.${last}, Storage: 172.17.3.${last}, StorageMgmt: 172.17.4.${last}, ${others} } }`;
  const machines = [
    machine("compute-0", "Compute", 0, ["de:4a:38", "c7:74:4b", "22:de:5c"], 59, "ControlPlane: 192.168.24.14, Tenant: 172.17.2.119"),
    machine("controller-1", "Controller", 3, ["0b:ad:3b", "2f:9f:3e", "75:a5:ed"], 101, "ControlPlane: 192.168.24.37, Tenant: 172.17.2.143, External: 10.0.0.101"),
    machine("controller-2", "Controller", 6, ["da:a3:1e", "57:26:67", "2c:21:d5"], 115, "ControlPlane: 192.168.24.10, Tenant: 172.17.2.115, External: 10.0.0.115"),
    machine("controller-0", "Controller", 9, ["74:29:4f", "1c:44:26", "20:3c:4e"], 72, "ControlPlane: 192.168.24.15, Tenant: 172.17.2.72, External: 10.0.0.72"),
  ].join("\n");
  const tripleo = `  tripleo:\n    environment: tripleo/network-environment.yaml\n    machines:\n${machines.replace(/^ {8}/gm, "      ")}\n`;
  return explicit
    .replace(/ {2}networks:\n(?: {4}.*\n)+/, tripleo)
    .replace(/ {4}(?:compute|controller)-\d:\n {6}interfaces:\n(?: {8}.*\n)+/g, "")
    .replace("  machines:\n    undercloud-0", "  machines:\n    compute-0: { interfaces: { vlan50: { mac: \"6a:9b:72:22:3f:68\", bridge: br-tenant, network: Tenant, addresses: [172.17.2.119/24] } } }\n    controller-1: { interfaces: { vlan50: { mac: \"0e:d0:eb:00:1b:e7\", bridge: br-tenant, network: Tenant, addresses: [172.17.2.143/24] } } }\n    undercloud-0");
}

const files = (change: (path: string, text: string) => string = (_, text) => text) => (path: string): string | undefined => {
  try {
    return change(path, readFileSync(join(examples, path), "utf8"));
  } catch {
    return undefined;
  }
};

const plain = (underlay: Underlay | undefined): unknown =>
  JSON.parse(JSON.stringify(underlay, (_, value: unknown) => (value instanceof Map ? Object.fromEntries([...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))) : value instanceof Set ? [...value] : value)));

const underlayOf = (text: string, read = files()): Underlay | undefined => {
  const topology = parseTopology(text, "tripleo.lab.yml", read);
  assert.ok(!("complaint" in topology), "complaint" in topology ? topology.complaint : "");
  return topology.underlay;
};

test("a deployment's files say what the example says", () => {
  assert.deepEqual(plain(underlayOf(byTemplates())), plain(underlayOf(explicit)));
});

test("complaints name the file in which the mistake is, and point at it", () => {
  const about = (change: (path: string, text: string) => string): string => {
    const topology = parseTopology(byTemplates(), "t.yml", files(change));
    return "complaint" in topology ? topology.complaint : "";
  };
  const inFile = (name: string, from: string, to: string) => (path: string, text: string): string => (path.endsWith(name) ? text.replace(from, to) : text);
  assert.match(about(inFile("environment.yaml", "172.17.1.0/24", "172.17.1.0")), /^tripleo\/network-environment\.yaml:\d+:23: expected a network such as 172\.17\.1\.0\/24\n\d+ \| {3}InternalApiNetCidr: 172\.17\.1\.0\n +\^$/);
  assert.match(about(inFile("environment.yaml", "VlanID: 20", "VlanID: 4095")), /expected a VLAN from 1 to 4094/);
  assert.match(about(inFile("environment.yaml", "vlans/compute.yaml", "vlans/none.yaml")), /^tripleo\/network-environment\.yaml:3:\d+: tripleo\/three-nics-vlans\/none\.yaml cannot be read/);
  assert.match(about(inFile("environment.yaml", "::Controller::", "::Ceph::")), /^t\.yml:\d+:\d+: .*has no OS::TripleO::Controller::Net::SoftwareConfig/);
  assert.match(about(inFile("compute.yaml", "type: vlan", "type: ovs_bond")), /^tripleo\/three-nics-vlans\/compute\.yaml:\d+:\d+: "ovs_bond" is not built: there are interface, vlan, ovs_bridge\n/);
  assert.match(about(inFile("compute.yaml", "get_param: TenantIpSubnet", "get_param: Tenant")), /parameter Tenant has no value/);
  assert.match(about(inFile("compute.yaml", " network_config:\n", " networks:\n")), /no "network_config" list in it/);
  assert.match(about(inFile("compute.yaml", "name: nic3", "name: nic4")), /^t\.yml:.*its role has a card nic4, and it has none of that name/);
  const withoutFiles = parseTopology(byTemplates(), "t.yml");
  assert.ok("complaint" in withoutFiles);
  assert.match(withoutFiles.complaint, /tripleo\/network-environment\.yaml cannot be read/);
});

test("no file makes the reader throw", () => {
  const base = byTemplates();
  const junk = fc.string({ unit: fc.constantFrom(..." \n:-[]{}&*!|>'\"%@`network_config0get_param/#,") });
  const torn = fc.record({ path: fc.constantFrom("environment.yaml", "compute.yaml", "controller.yaml"), at: fc.nat(4000), length: fc.nat(60), text: junk });
  fc.assert(
    fc.property(torn, ({ path: end, at, length, text }) => {
      parseTopology(base, "t.yml", files((path, whole) => (path.endsWith(end) ? whole.slice(0, at) + text + whole.slice(at + length) : whole)));
    }),
    { numRuns: 300 },
  );
});
