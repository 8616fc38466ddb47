/** Dynamic routing, BFD and router policies: rows and options added to a base network. */
import { entriesOf, type JsonValue, map, ref, refs, set } from "./columns.ts";
import { Draft, type DraftInsert } from "./draft.ts";
import type { Network } from "./network.ts";
import type { Dump, Row } from "./normalize.ts";
import type { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";

const redistributions = ["connected", "connected-as-host", "static", "nat", "lb", "hub-spoke", "connected,static,nat,lb", "connected-as-host,static,nat,lb,hub-spoke", "nonsense,nat", ""];

interface Facing {
  readonly router: DraftInsert;
  readonly port: DraftInsert;
}

class Routing {
  readonly #draft: Draft;

  constructor(seed: number) {
    this.#draft = Draft.onBase(seed);
  }

  generate(): Network {
    const draft = this.#draft;
    const { random } = draft;
    const facing = draft.of("Logical_Router").flatMap((router) => draft.referred(router, "ports").map((port): Facing => ({ router, port })));
    for (const router of draft.of("Logical_Router")) if (random.chance(0.7)) this.#dynamic(router);
    for (const { port } of facing) this.#portOptions(port);
    for (const row of [...draft.of("Logical_Router_Static_Route")]) if (random.chance(0.1)) draft.put(row, "options", { "dynamic-routing-advertise": "false" });
    for (const row of [...draft.of("Logical_Switch_Port")]) if (random.chance(0.1)) draft.put(row, "options", { "dynamic-routing-advertise": "false" });
    for (const each of facing) if (random.chance(0.3)) this.#nat(each);
    for (const router of draft.of("Logical_Router")) if (random.chance(0.3)) this.#balancer(router);
    for (const each of facing) if (random.chance(0.5)) this.#bfd(each);
    if (random.chance(0.3)) for (const global of draft.of("NB_Global")) draft.put(global, "options", { ecmp_nexthop_monitor_enable: "true" });
    const hasChains = random.chance(0.4);
    for (const router of draft.of("Logical_Router")) for (let i = random.pick([0, 0, 1, 3, 9]); i > 0; i--) this.#policy(router, hasChains);
    for (const owner of draft.of("Logical_Switch")) if (random.chance(0.2)) this.#evpn(owner);
    return draft.network;
  }

  #dynamic(router: DraftInsert): void {
    const { random } = this.#draft;
    this.#draft.put(router, "options", {
      "dynamic-routing": random.chance(0.9) ? "true" : "false",
      ...this.#draft.maybe(0.7, { "dynamic-routing-redistribute": random.pick(redistributions) }),
      ...this.#draft.maybe(0.2, { "dynamic-routing-vrf-id": random.pick(["10", "0", "nonsense"]) }), ...this.#draft.maybe(0.2, { "dynamic-routing-vrf-name": "blue" }),
      ...this.#draft.maybe(0.2, { "dynamic-routing-v4-prefix-nexthop": "10.0.0.77" }), ...this.#draft.maybe(0.2, { "dynamic-routing-v6-prefix-nexthop": "fd00::77" }),
      ...this.#draft.maybe(0.2, { "dynamic-routing-no-learning": "true" }), ...this.#draft.maybe(0.2, { "dynamic-routing-redistribute-local-only": "true" }),
    });
  }

  #portOptions(port: DraftInsert): void {
    const draft = this.#draft;
    const { random } = draft;
    const targets = draft.of("Logical_Switch_Port").filter((p) => p.row["type"] === "");
    draft.put(port, "options", {
      ...draft.maybe(0.4, { "dynamic-routing-redistribute": random.pick(redistributions) }), ...draft.maybe(0.3, { "dynamic-routing-maintain-vrf": "true" }),
      ...draft.maybe(0.1, { "dynamic-routing-port-name": "tor" }), ...draft.maybe(0.1, { "dynamic-routing-no-learning": "false" }),
      ...draft.maybe(0.1, { "dynamic-routing-redistribute-local-only": "true" }), ...draft.maybe(0.1, { "dynamic-routing-advertise": "false" }),
      ...draft.maybe(0.4, { "routing-protocols": random.pick(["BGP", "BFD", "BGP,BFD", "OSPF", "BGP,OSPF"]) }),
      ...(targets.length === 0 ? {} : draft.maybe(0.4, { "routing-protocol-redirect": random.chance(0.1) ? "absent" : String(random.pick(targets).row["name"]) })),
    });
  }

  #nat({ router, port }: Facing): void {
    const { random } = this.#draft;
    const type = random.pick(["snat", "dnat", "dnat_and_snat"]);
    const [network] = portNetworks(port);
    const external = network === undefined || random.chance(0.3) ? `172.30.0.${random.below(5)}` : network.replace(/\d+\/\d+$/, `${random.pick([150, 151])}`);
    const [lsp] = this.#draft.of("Logical_Switch_Port").filter((p) => p.row["type"] === "");
    const nat = this.#draft.insert("NAT", {
      type, external_ip: external, logical_ip: `192.168.7.${random.below(200)}`,
      ...(type === "dnat_and_snat" && lsp !== undefined && random.chance(0.5) ? { logical_port: lsp.row["name"] ?? "", external_mac: "02:00:00:00:aa:01" } : {}),
      ...(random.chance(0.15) ? { options: ["map", [["dynamic-routing-advertise", "false"]]] } : {}),
    });
    this.#draft.add(router, "nat", ["uuid", nat.uuid]);
  }

  #balancer(router: DraftInsert): void {
    const { random } = this.#draft;
    const vip = random.pick(["30.0.0.1:80", "[fd77::1]:80", "30.0.0.2"]);
    const backend = vip.startsWith("[") ? "[fd78::1]:80" : vip.includes(":") ? "40.0.0.1:8080" : "40.0.0.1";
    const balancer = this.#draft.insert("Load_Balancer", {
      name: `lb-${String(router.row["name"])}`, vips: ["map", [[vip, backend]]], ...(vip.endsWith("2") ? {} : { protocol: "tcp" }),
      ...(random.chance(0.2) ? { options: ["map", [["dynamic-routing-advertise", "false"]]] } : {}),
    });
    this.#draft.add(router, "load_balancer", ["uuid", balancer.uuid]);
  }

  /** Sessions, and static routes that rely on them. */
  #bfd({ router, port }: Facing): void {
    const draft = this.#draft;
    const { random } = draft;
    const name = String(port.row["name"]);
    const hops = portNetworks(port).map((n) => n.replace(/(\d+|:\w+)\/\d+$/, (end) => (end.startsWith(":") ? ":200" : "200")));
    const session = draft.insert("BFD", {
      logical_port: name, dst_ip: random.chance(0.9) && hops[0] !== undefined ? random.pick(hops) : "9.9.9.9",
      ...(random.chance(0.3) ? { min_tx: 250, min_rx: 300, detect_mult: 3 } : {}),
    });
    for (const route of draft.referred(router, "static_routes")) {
      if (route.row["nexthop"] === session.row["dst_ip"] && random.chance(0.5)) route.row["bfd"] = ref(session.uuid);
    }
  }

  #policy(router: DraftInsert, hasChains: boolean): void {
    const draft = this.#draft;
    const { random } = draft;
    const ports = draft.referred(router, "ports");
    const hops = ports.flatMap((port) => portNetworks(port)).flatMap((n) => (n.includes(":") ? [n.replace(/:\w+\/\d+$/, ":200"), n.replace(/:\w+\/\d+$/, ":201")] : [n.replace(/\d+\/\d+$/, "200"), n.replace(/\d+\/\d+$/, "201")]));
    const action = random.pick(["allow", "drop", "reroute", "reroute", "reroute", ...(hasChains ? ["jump"] : [])]);
    const nexthops = [...new Set(Array.from({ length: random.pick([1, 1, 2, 3]) }, () => (hops.length === 0 || random.chance(0.1) ? "9.9.9.9" : random.pick(hops))))];
    const sessions = draft.of("BFD").filter(() => random.chance(0.4)).map(({ uuid }) => uuid);
    const policy = draft.insert("Logical_Router_Policy", {
      priority: random.below(1000), match: `ip4.src == 10.0.${random.below(9)}.0/24`, action,
      ...(action === "reroute" ? { nexthops: set(nexthops), ...(random.chance(0.4) ? { bfd_sessions: refs(sessions) } : {}) } : {}),
      ...(action === "reroute" && random.chance(0.2) && ports.length > 0 ? { output_port: ref(random.pick(ports).uuid) } : {}),
      ...(random.chance(0.3) ? { options: map({ pkt_mark: random.pick(["100", "0", "4294967295", "nonsense"]) }) } : {}),
      ...(hasChains && random.chance(0.6) ? { chain: random.pick(["inbound", "outbound", ""]) } : {}),
      ...(action === "jump" && random.chance(0.9) ? { jump_chain: random.pick(["inbound", "outbound", "absent", ""]) } : {}),
      ...(random.chance(0.05) ? { nexthop: "10.0.0.1" } : {}),
    });
    draft.add(router, "policies", ["uuid", policy.uuid]);
  }

  #evpn(owner: DraftInsert): void {
    const { random } = this.#draft;
    this.#draft.put(owner, "other_config", {
      "dynamic-routing-vni": 100, "dynamic-routing-bridge-ifname": "br", "dynamic-routing-vxlan-ifname": "vx",
      ...this.#draft.maybe(0.8, { "dynamic-routing-redistribute": random.pick(["fdb", "ip", "nat", "fdb,ip,nat"]) }), ...this.#draft.maybe(0.3, { "dynamic-routing-arp-prefer-local": "true" }),
      ...this.#draft.maybe(0.3, { "dynamic-routing-fdb-prefer-local": "true" }), ...this.#draft.maybe(0.3, { "dynamic-routing-advertise-ifname": "adv" }),
    });
  }
}

const portNetworks = (port: DraftInsert): readonly string[] => {
  const value = port.row["networks"];
  return Array.isArray(value) ? (value[1] as readonly string[]) : typeof value === "string" ? [value] : [];
};

export const routingNetwork = (seed: number): Network => new Routing(seed).generate();

export function routingChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [];
  for (const { table, uuid } of network.nb) {
    if (!random.chance(0.15)) continue;
    const update = (row: { readonly [column: string]: JsonValue }): void => void operations.push({ op: "update", table, where: [["_uuid", "==", ["uuid", uuid]]], row });
    const put = (column: string, key: string, value: string): void => void operations.push(
      { op: "mutate", table, where: [["_uuid", "==", ["uuid", uuid]]], mutations: [[column, "delete", ["set", [key]]], [column, "insert", ["map", [[key, value]]]]] },
    );
    if (table === "Logical_Router") put("options", "dynamic-routing", random.pick(["true", "true", "false"]));
    else if (table === "Logical_Router_Port") put("options", "dynamic-routing-redistribute", random.pick(redistributions));
    else if (table === "Logical_Switch_Port") put("options", "dynamic-routing-advertise", random.pick(["true", "false"]));
    else if (table === "BFD") update({ min_tx: 500 + random.below(3) });
    else if (table === "NAT") put("options", "dynamic-routing-advertise", random.pick(["true", "false"]));
    else if (table === "Logical_Router_Policy") update(random.pick([{ priority: 5 }, { bfd_sessions: set([]) }, { action: "drop" }, { nexthops: set(["10.0.0.200", "10.0.0.201"]) }]));
    else if (table === "Logical_Router_Static_Route") update({ bfd: set([]) });
  }
  return random.chance(0.5) ? [...operations, ...changesOf(network, random)] : operations;
}

/** How BFD sessions stand, and routes that chassis have learned. */
export function whatChassisLearn(dump: Dump, random: SeededRandom): readonly JsonValue[] {
  const text = (row: Row, column: string): string => String(row[column]);
  const sessions = [...(dump["BFD"] ?? [])].sort((a, b) => (`${text(a, "logical_port")} ${text(a, "dst_ip")}` < `${text(b, "logical_port")} ${text(b, "dst_ip")}` ? -1 : 1));
  const statuses = sessions.flatMap((row): JsonValue[] => random.chance(0.5)
    ? [{ op: "update", table: "BFD", where: [["logical_port", "==", text(row, "logical_port")], ["dst_ip", "==", text(row, "dst_ip")], ["status", "!=", "admin_down"]], row: { status: random.pick(["up", "down", "init", "up"]) } }]
    : []);
  // Routes are learned where a router's traffic passes one chassis.
  const learners = new Set((dump["Port_Binding"] ?? []).flatMap((row) => {
    const options = entriesOf(row["options"] as JsonValue);
    return options["dynamic-routing"] === "true" ? [options["distributed-port"] ?? text(row, "logical_port")] : [];
  }));
  const ports = [...(dump["Port_Binding"] ?? [])].filter((row) => learners.has(text(row, "logical_port"))).sort((a, b) => (text(a, "logical_port") < text(b, "logical_port") ? -1 : 1));
  const taken = new Set<string>();
  const learned = ports.flatMap((row): JsonValue[] => Array.from({ length: random.below(4) }, () => {
    const prefix = random.pick(["50.0.0.0/24", "50.0.1.0/24", "fd50::/64", "0.0.0.0/0", "50.0.0.1"]);
    const index = /ls(\d)/.exec(text(row, "logical_port"))?.[1] ?? "7";
    const nexthop = prefix.includes(":") ? random.pick([`fd00:${index}::200`, "fe80::1"]) : random.pick([`10.${index}.0.200`, `10.${index}.0.201`, "fe80::7"]);
    const key = `${text(row, "logical_port")} ${prefix} ${nexthop}`;
    const uuid = random.uuid();
    if (taken.has(key)) return [];
    taken.add(key);
    return [{ op: "insert", table: "Learned_Route", uuid, row: { datapath: row["datapath"], logical_port: row["_uuid"], ip_prefix: prefix, nexthop } } as JsonValue];
  }).flat());
  return [...statuses, { op: "delete", table: "Learned_Route", where: [] }, ...learned];
}
