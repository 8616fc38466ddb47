/** Family "nat": address translation of every kind, on routers with and without gateways. */
import { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";
import { entriesOf, itemsOf, type JsonValue, map, ref, set } from "./columns.ts";
import { Draft, type DraftInsert, type DraftRow } from "./draft.ts";
import { balancerChanges, balancerNetwork } from "./load-balancers.ts";
import type { Network } from "./network.ts";

export const natNetwork = (seed: number): Network => translating(Draft.onBase(seed));

/** Family "nat-lb": where load balancers have the same routers, and some of the same addresses. */
export const balancedNatNetwork = (seed: number): Network => translating(new Draft(balancerNetwork(seed), new SeededRandom(seed + 0xa7)));

function translating(draft: Draft): Network {
  const { random } = draft;
  if (random.chance(0.6)) allFeatures(draft);
  for (const zone of draft.of("NB_Global")) draft.put(zone, "options", draft.maybe(0.2, { use_common_zone: "true" }));
  const filters = ["inside", "outside"].map((name) => draft.insert("Address_Set", { name, addresses: set(["10.0.0.0/24", "172.16.0.9"]) }));
  for (const router of draft.of("Logical_Router")) {
    makeGateway(draft, router);
    draft.put(router, "options", {
      ...draft.maybe(0.2, { dnat_force_snat_ip: random.pick(["20.0.0.100", "20.0.0.100 fd20::100", "20.0.0.0/24", "10.0.0.1"]) }),
      ...draft.maybe(0.25, { lb_force_snat_ip: random.pick(["router_ip", "20.0.0.101", "fd20::101", "nonsense"]) }),
      ...draft.maybe(0.25, { "ct-commit-all": "true" }),
    });
    for (let i = random.below(7); i > 0; i--) draft.add(router, "nat", ref(draft.insert("NAT", natRow(draft, router, filters)).uuid));
  }
  for (const port of draft.of("Logical_Switch_Port")) {
    if (port.row["type"] === "router") draft.put(port, "options", { ...draft.maybe(0.4, { "nat-addresses": "router" }) });
  }
  return draft.network;
}

function allFeatures(draft: Draft): void {
  const features = { "ct-state-save": "true", "ct-commit-nat-v2": "true", "ct-commit-to-zone": "true", "ct-next-zone": "true" };
  draft.sb.forEach((insert, i) => {
    if (insert.table === "Chassis") draft.sb[i] = { ...insert, row: { ...insert.row, other_config: map({ ...entriesOf(insert.row["other_config"]), ...features }) } };
  });
}

const isGateway = ({ row }: DraftInsert): boolean => itemsOf(row["gateway_chassis"]).length + itemsOf(row["ha_chassis_group"]).length > 0;

/** Most routers that translate have a gateway port or are gateways. */
function makeGateway(draft: Draft, router: DraftInsert): void {
  const { random } = draft;
  const ports = draft.referred(router, "ports");
  const isWhole = "chassis" in entriesOf(router.row["options"]);
  if (!isWhole && ports.length > 0 && !ports.some(isGateway) && random.chance(0.75)) {
    const port = random.pick(ports);
    const member = draft.insert("Gateway_Chassis", { name: `${String(port.row["name"])}-gw`, chassis_name: "ch1", priority: 5 });
    port.row["gateway_chassis"] = set([ref(member.uuid)]);
  }
  const gateways = ports.filter(isGateway);
  for (const port of ports) {
    // Which of several gateway ports counts as the first is anybody's choice.
    if (gateways.length > 1) port.row["options"] = map(Object.fromEntries(Object.entries(entriesOf(port.row["options"])).filter(([key]) => key !== "redirect-type")));
    else if (isGateway(port)) draft.put(port, "options", draft.maybe(0.2, { "redirect-type": random.pick(["bridged", "overlay"]) }));
  }
}

function natRow(draft: Draft, router: DraftInsert, filters: readonly DraftInsert[]): DraftRow {
  const { random } = draft;
  const ports = draft.referred(router, "ports");
  const gateways = ports.filter(isGateway);
  const isIpv6 = random.chance(0.25);
  const type = random.pick(["snat", "snat", "dnat", "dnat_and_snat", "dnat_and_snat", "dnat_and_snat"]);
  const allPorts = draft.of("Logical_Switch_Port").map((p) => String(p.row["name"]));
  const asksForDistribution = type === "dnat_and_snat" && random.chance(0.5);
  const filter = random.chance(0.2) ? { [random.pick(["allowed_ext_ips", "exempted_ext_ips"])]: ref(random.pick(filters).uuid) } : {};
  return {
    type, external_ip: externalIp(draft, ports, gateways, isIpv6), logical_ip: logicalIp(draft, type, isIpv6),
    ...(asksForDistribution || random.chance(0.1) ? { logical_port: random.pick([...allPorts, "absent"]) } : {}),
    ...(asksForDistribution || random.chance(0.1) ? { external_mac: random.pick(["00:00:00:00:04:01", "00:00:00:00:04:02", "00:00:00:00:04:AA", "rubbish"]) } : {}),
    ...filter, ...(random.chance(0.02) ? { allowed_ext_ips: ref(filters[0]?.uuid ?? ""), exempted_ext_ips: ref(filters[1]?.uuid ?? "") } : {}),
    ...(random.chance(0.15) ? { match: random.pick(["udp", "ip4.src == 10.0.0.0/8"]), priority: random.below(30) } : {}),
    ...(random.chance(0.2) ? { external_port_range: "1-3000" } : {}),
    ...(gateways.length > 0 && random.chance(gateways.length > 1 ? 0.6 : 0.15) ? { gateway_port: ref(random.pick(random.chance(0.1) ? ports : gateways).uuid) } : {}),
    options: map({
      ...draft.maybe(0.2, { stateless: "true" }), ...draft.maybe(0.1, { stateless_icmp_helper: "false" }), ...draft.maybe(0.4, { add_route: "true" }),
    }),
  };
}

function externalIp(draft: Draft, ports: readonly DraftInsert[], gateways: readonly DraftInsert[], isIpv6: boolean): string {
  const { random } = draft;
  if (random.chance(0.04)) return random.pick(["rubbish", "10.0.0.1 10.0.0.2", "10.0.0.0/24"]);
  const vips = draft.of("Load_Balancer").flatMap((b) => Object.keys(entriesOf(b.row["vips"]))).map((vip) => vip.replace(/^\[?([0-9a-f:.]*?)\]?(:\d+)?$/, "$1"));
  const sameFamily = vips.filter((vip) => vip.includes(":") === isIpv6 && /^[0-9a-f:.]+$/.test(vip));
  if (sameFamily.length > 0 && random.chance(0.2)) return random.pick(sameFamily);
  const host = 150 + random.below(4);
  const networks = (gateways.length > 0 && random.chance(0.8) ? gateways : ports).flatMap((p) => itemsOf(p.row["networks"]).map(String)).filter((n) => n.includes(":") === isIpv6);
  if (networks.length === 0 || random.chance(0.1)) return isIpv6 ? `fd99::${host}` : `172.30.0.${host}`;
  const [address = "", length = ""] = random.pick(networks).split("/");
  if (random.chance(0.12)) return random.chance(0.1) ? `${address}/${length}` : address;
  return isIpv6 ? `${address.slice(0, address.lastIndexOf(":") + 1)}${host}` : `${address.slice(0, address.lastIndexOf(".") + 1)}${host}`;
}

function logicalIp({ random }: Draft, type: string, isIpv6: boolean): string {
  if (random.chance(0.04)) return random.pick(["rubbish", "10.0.0.0/33", isIpv6 ? "10.0.0.5" : "fd00::5"]);
  const network = random.below(4);
  if (random.chance(type === "snat" ? 0.6 : 0.05)) return isIpv6 ? `fd00:${network}::/64` : random.pick([`10.${network}.0.0/24`, `10.${network}.0.7/16`, "10.0.0.0/255.255.0.0"]);
  return isIpv6 ? `fd00:${network}::${20 + random.below(4)}` : `10.${network}.0.${20 + random.below(4)}`;
}

export const balancedNatChanges = (network: Network, random: SeededRandom): readonly JsonValue[] =>
  (random.chance(0.5) ? natChanges : balancerChanges)(network, random);

export function natChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [];
  const where = (uuid: string): JsonValue => [["_uuid", "==", ["uuid", uuid]]];
  for (const { table, uuid, row } of network.nb) {
    if (table === "NAT" && random.chance(0.3)) {
      operations.push({ op: "update", table, where: where(uuid), row: random.pick<{ readonly [column: string]: JsonValue }>([
        { external_ip: "172.30.0.77" }, { external_ip: `10.0.0.${150 + random.below(4)}` }, { logical_ip: "10.0.0.99" }, { type: "snat" }, { type: "dnat" }, { type: "dnat_and_snat" },
        { options: ["map", [["stateless", "true"]]] }, { options: ["map", []] }, { logical_port: ["set", []] }, { external_mac: "00:00:00:00:04:0b" }, { gateway_port: ["set", []] },
        { allowed_ext_ips: ["set", []], exempted_ext_ips: ["set", []] }, { match: "tcp", priority: 7 }, { external_port_range: "5-6" },
      ]) });
    }
    if (table === "Logical_Router" && random.chance(0.2)) {
      const nats = itemsOf(row["nat"]);
      if (nats.length > 0 && random.chance(0.5)) operations.push({ op: "mutate", table, where: where(uuid), mutations: [["nat", "delete", random.pick(nats)]] });
      else {
        operations.push({ op: "mutate", table, where: where(uuid), mutations: [["options", "insert", ["map", [random.pick<JsonValue>([["dnat_force_snat_ip", "10.1.0.150"], ["lb_force_snat_ip", "router_ip"], ["ct-commit-all", "true"]])]]]] });
      }
    }
    if (table === "NB_Global" && random.chance(0.1)) {
      operations.push({ op: "mutate", table, where: [], mutations: [["options", random.chance(0.5) ? "insert" : "delete", random.chance(0.5) ? ["map", [["use_common_zone", "true"]]] : ["map", [["use_common_zone", "false"]]]]] });
    }
  }
  return random.chance(0.4) ? [...operations, ...changesOf(network, random)] : operations;
}
