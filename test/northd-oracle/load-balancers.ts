/** Family "lb": load balancers on switches and routers, by themselves and in groups, with health checks, affinity and templates. */
import type { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";
import { entriesOf, itemsOf, type JsonValue, map, ref, refs, set } from "./columns.ts";
import { Draft, type DraftInsert, type DraftRow } from "./draft.ts";
import type { Network } from "./network.ts";

export function balancerNetwork(seed: number): Network {
  const draft = Draft.onBase(seed);
  const { random } = draft;
  for (const zone of draft.of("NB_Global")) {
    draft.put(zone, "options", {
      ...draft.maybe(0.2, { install_ls_lb_from_router: "true" }), ...draft.maybe(0.2, { use_common_zone: "true" }), ...draft.maybe(0.15, { controller_event: "true" }),
      ...draft.maybe(0.15, { use_ct_inv_match: "false" }),
    });
  }
  for (const router of draft.of("Logical_Router")) prepareRouter(draft, router);
  const ports = draft.of("Logical_Switch_Port").filter((port) => port.row["type"] === "" || random.chance(0.1));
  const balancers = Array.from({ length: 1 + random.below(5) }, (_, i) => makeBalancer(draft, i, ports));
  const groups = Array.from({ length: random.below(3) }, (_, i) =>
    draft.insert("Load_Balancer_Group", { name: `group${i}`, load_balancer: refs(balancers.filter(() => random.chance(0.5)).map((b) => b.uuid)) }));
  for (const owner of [...draft.of("Logical_Switch"), ...draft.of("Logical_Router")]) {
    for (const balancer of balancers) if (random.chance(0.35)) draft.add(owner, "load_balancer", ref(balancer.uuid));
    for (const group of groups) if (random.chance(0.35)) draft.add(owner, "load_balancer_group", ref(group.uuid));
    if (owner.table !== "Logical_Switch") continue;
    draft.put(owner, "other_config", draft.maybe(0.2, { "enable-stateless-acl-with-lb": "true" }));
    if (random.chance(0.4)) draft.add(owner, "acls", ref(draft.insert("ACL", { action: random.pick(["allow-related", "allow-stateless", "drop"]), direction: "from-lport", priority: 1001, match: "ip4" }).uuid));
  }
  for (const port of draft.of("Logical_Switch_Port")) {
    // Which of several gateways announces what was given is anybody's choice.
    if (entriesOf(port.row["options"])["nat-addresses"]?.includes(" ") === true) draft.put(port, "options", { "nat-addresses": "router" });
    // OVN's northd answers for checks of addresses that it gave out itself, but has nobody make them.
    if (random.chance(0.15) && !JSON.stringify(port.row["addresses"]).includes("dynamic")) addPortCheck(draft, port);
  }
  return draft.network;
}

function prepareRouter(draft: Draft, router: DraftInsert): void {
  const { random } = draft;
  const isWhole = JSON.stringify(router.row["options"] ?? "").includes('"chassis"');
  draft.put(router, "options", draft.maybe(0.3, { lb_force_snat_ip: random.pick(["router_ip", "20.0.0.101", "20.0.0.101 fd20::101"]) }));
  for (let i = random.below(3); i > 0; i--) draft.add(router, "nat", ref(draft.insert("NAT", natRow(draft)).uuid));
  if (isWhole) return;
  const ports = draft.referred(router, "ports").filter((port) => itemsOf(port.row["gateway_chassis"]).length + itemsOf(port.row["ha_chassis_group"]).length === 0);
  for (const port of ports) {
    if (!random.chance(0.3)) continue;
    const member = draft.insert("Gateway_Chassis", { name: `${String(port.row["name"])}-gw`, chassis_name: "ch1", priority: 5 });
    port.row["gateway_chassis"] = set([ref(member.uuid)]);
  }
}

/** Some of them of VIPs. */
function natRow({ random }: Draft): DraftRow {
  const external = { external_ip: random.pick(["10.0.0.100", "10.1.0.100", "30.0.0.1", "20.0.0.150"]) };
  if (random.chance(0.4)) return { ...external, type: "snat", logical_ip: "10.9.0.0/16" };
  return { ...external, type: random.pick(["dnat", "dnat_and_snat"]), logical_ip: random.pick(["10.9.0.9", "10.0.0.20"]) };
}

function addressOf({ row }: DraftInsert): string | undefined {
  for (const text of itemsOf(row["addresses"])) {
    const found = / (10\.\d+\.\d+\.\d+)/.exec(String(text));
    if (found?.[1] !== undefined) return found[1];
  }
  return undefined;
}

function makeBalancer(draft: Draft, index: number, ports: readonly DraftInsert[]): DraftInsert {
  const { random } = draft;
  const isTemplate = random.chance(0.15);
  const vips = isTemplate ? templateVips(random) : explicitVips(random, index, ports);
  const known = ports.flatMap((port) => {
    const address = addressOf(port);
    if (address === undefined || random.chance(0.2)) return [];
    // One for all load balancers: of several monitors of one service any may be the one that counts.
    const source = address.replace(/\.\d+$/, [".1", ".2", ".250", ".nonsense"][Number(address.slice(-1)) % 4] ?? "");
    const zone = Number(address.slice(-1)) % 5 === 3 ? ":zone2" : "";
    const name = String(port.row["name"]);
    const good = `${name}:${source}${zone}`;
    return [[address, random.pick([good, good, good, good, name, `absent:${source}`])] as const];
  });
  const mappings = { ...Object.fromEntries(known), ...draft.maybe(0.5, { "[fd00:1::20]": "ls1-p0:[fd00:1::1]" }) };
  const hasChecks = random.chance(0.5);
  const checks = hasChecks ? Object.keys(vips).filter(() => random.chance(0.7)).map((vip) => draft.insert("Load_Balancer_Health_Check", { vip, options: map({ interval: 5 }) }).uuid) : [];
  return draft.insert("Load_Balancer", {
    name: `lb${index}`, vips: map(vips), health_check: refs(checks), ip_port_mappings: map(mappings), ...protocolRow(random),
    options: map({
      ...draft.maybe(isTemplate ? 1 : 0, { template: "true", "address-family": random.pick(["ipv4", "ipv6"]) }),
      ...draft.maybe(0.2, { reject: "true" }), ...draft.maybe(0.2, { event: "true" }), ...draft.maybe(0.2, { hairpin_snat_ip: random.pick(["30.0.0.9", "fd00::9", "30.0.0.9 fd30::9"]) }),
      ...draft.maybe(0.2, { skip_snat: "true" }), ...draft.maybe(0.2, { add_route: "true" }), ...draft.maybe(0.3, { neighbor_responder: random.pick(["all", "none", "reachable", "other"]) }),
      ...draft.maybe(0.25, { affinity_timeout: random.pick([60, 70000, "x"]) }), ...draft.maybe(0.2, { use_stateless_nat: "true" }), ...draft.maybe(0.2, { distributed: "true" }),
    }),
  });
}

function protocolRow(random: SeededRandom): DraftRow {
  return {
    ...(random.chance(0.6) ? { protocol: random.pick(["tcp", "udp", "sctp"]) } : {}),
    ...(random.chance(0.25) ? { selection_fields: set(random.pick([["ip_src"], ["ip_dst", "ip_src", "tp_dst", "tp_src"], ["eth_src", "ipv6_src"]])) } : {}),
  };
}

function explicitVips(random: SeededRandom, index: number, ports: readonly DraftInsert[]): { readonly [vip: string]: string } {
  const vips: { [vip: string]: string } = {};
  for (let i = random.below(4); i >= 0; i--) {
    const isIpv6 = random.chance(0.25);
    const hasPort = random.chance(0.7);
    const ip = isIpv6 ? random.pick([`fd30::${index}`, "fd00:1::100", "FD30::0:1"]) : random.pick([`30.0.0.${index + 1}`, "10.0.0.100", "10.1.0.100", "172.16.1.100"]);
    const port = hasPort ? `:${random.pick([80, 443, 8080])}` : "";
    const endpoint = (address: string, p: string): string => (p === "" ? address : isIpv6 ? `[${address}]${p}` : `${address}${p}`);
    const addresses = isIpv6 ? ["fd00:1::20", "fd00:2::20"] : ports.flatMap((p) => addressOf(p) ?? []).concat("10.0.0.30");
    const backends = Array.from({ length: random.below(4) }, () => endpoint(random.pick(addresses), hasPort ? `:${random.pick([80, 8080])}` : ""));
    vips[endpoint(ip, port)] = random.chance(0.04) ? "nonsense" : [...new Set(backends)].join(",");
  }
  if (random.chance(0.05)) vips["nonsense"] = "10.0.0.1";
  return vips;
}

const templateVips = (random: SeededRandom): { readonly [vip: string]: string } => ({
  [random.pick(["^vip:^port", "^vip", "^vip:80", "40.0.0.1:80"])]: random.pick(["^backends", "^ip1:^port1,^ip2:^port2", "^ip1:80", ""]),
});

function addPortCheck(draft: Draft, port: DraftInsert): void {
  const { random } = draft;
  const address = addressOf(port) ?? "10.0.0.200";
  const protocol = random.pick(["tcp", "udp", "icmp"]);
  const check = draft.insert("Logical_Switch_Port_Health_Check", { protocol, src_ip: "10.0.0.254", address, port: protocol === "icmp" ? 0 : 80, options: map({ interval: 3 }) });
  draft.add(port, "health_checks", ref(check.uuid));
}

export function balancerChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [...changesOf(network, random)];
  const where = (uuid: string): JsonValue => [["_uuid", "==", ["uuid", uuid]]];
  const balancers = network.nb.filter(({ table }) => table === "Load_Balancer");
  for (const { table, uuid, row } of network.nb) {
    if (!random.chance(0.25)) continue;
    if (table === "Load_Balancer") {
      operations.push(random.pick<JsonValue>([
        { op: "mutate", table, where: where(uuid), mutations: [["vips", "insert", ["map", [["30.0.0.77:80", "10.0.0.7:80"]]]]] },
        { op: "update", table, where: where(uuid), row: { vips: ["map", [["10.0.0.100", "10.0.0.7,10.0.0.8"]]] } },
        { op: "update", table, where: where(uuid), row: { vips: ["map", []] } },
        { op: "update", table, where: where(uuid), row: { protocol: "udp", options: ["map", [["skip_snat", "true"], ["affinity_timeout", "9"]]] } },
        { op: "update", table, where: where(uuid), row: { options: ["map", [["neighbor_responder", "all"], ["reject", "true"]]] } },
        { op: "update", table, where: where(uuid), row: { options: ["map", []], health_check: ["set", []] } },
        { op: "delete", table, where: where(uuid) },
      ]));
    } else if (table === "Load_Balancer_Group" || table === "Logical_Switch" || table === "Logical_Router") {
      const { uuid: balancer } = random.pick(balancers);
      operations.push({ op: "mutate", table, where: where(uuid), mutations: [["load_balancer", random.chance(0.5) ? "insert" : "delete", ["uuid", balancer]]] });
      const used = itemsOf(row["load_balancer_group"]);
      if (used.length > 0 && random.chance(0.3)) operations.push({ op: "mutate", table, where: where(uuid), mutations: [["load_balancer_group", "delete", random.pick(used)]] });
    } else if (table === "NB_Global") {
      operations.push({ op: "mutate", table, where: [], mutations: [["options", "insert", ["map", [["install_ls_lb_from_router", random.pick(["true", "false"])]]]]] });
    }
  }
  return operations;
}
