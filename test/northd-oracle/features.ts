/** Features of ports and switches: QoS, mirrors, forwarding groups, DHCP relays, multicast, added to a base network. */
import type { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";
import { type JsonValue, map, ref, refs, set } from "./columns.ts";
import { Draft, type DraftInsert } from "./draft.ts";
import type { Network } from "./network.ts";
import type { Dump, Row } from "./normalize.ts";

const nameOf = ({ row }: DraftInsert): string => String(row["name"]);

class Features {
  readonly #draft: Draft;
  #nextFunction = 1;

  constructor(seed: number) {
    this.#draft = Draft.onBase(seed);
  }

  generate(): Network {
    const draft = this.#draft;
    const { random } = draft;
    const switches = draft.of("Logical_Switch");
    for (const owner of switches) {
      for (let i = random.pick([0, 1, 3]); i > 0; i--) this.#qos(owner);
      if (random.chance(0.3)) this.#forwardingGroup(owner);
      if (random.chance(0.4)) this.#relay(owner);
      if (random.chance(0.5)) this.#multicast(owner);
    }
    this.#mirrors();
    for (const owner of switches) if (random.chance(0.4)) this.#networkFunctions(owner);
    for (const global of draft.of("NB_Global")) draft.put(global, "options", { ignore_lsp_down: "true" });
    for (const router of draft.of("Logical_Router")) if (random.chance(0.5)) draft.put(router, "options", { mcast_relay: "true" });
    for (const port of draft.of("Logical_Router_Port")) if (random.chance(0.2)) draft.put(port, "options", { mcast_flood: "true" });
    return draft.network;
  }

  #qos(owner: DraftInsert): void {
    const { random } = this.#draft;
    const rule = this.#draft.insert("QoS", {
      priority: 1000 + random.below(5), direction: random.pick(["from-lport", "to-lport"]), match: `ip4.src == 10.${random.below(4)}.0.0/24`,
      ...(random.chance(0.6) ? { action: map({ ...this.#draft.maybe(0.6, { dscp: random.pick([10, 63, 64]) }), ...this.#draft.maybe(0.6, { mark: 77 }) }) } : {}),
      ...(random.chance(0.6) ? { bandwidth: ["map", [["rate", 1000], ...(random.chance(0.5) ? [["burst", 200] as const] : [])]] } : {}),
    });
    const numbers = rule.row["action"];
    // Values of this map are integers.
    if (Array.isArray(numbers)) rule.row["action"] = ["map", (numbers[1] as [string, string][]).map(([k, v]) => [k, Number(v)])];
    this.#draft.add(owner, "qos_rules", ["uuid", rule.uuid]);
  }

  #forwardingGroup(owner: DraftInsert): void {
    const { random } = this.#draft;
    const names = this.#draft.referred(owner, "ports").map(nameOf).slice(0, 3);
    const group = this.#draft.insert("Forwarding_Group", {
      name: `fg-${nameOf(owner)}`, vip: "10.0.0.222", vmac: "02:00:00:00:ee:01", liveness: random.chance(0.5), child_port: set(names.length > 0 ? names : ["absent"]),
    });
    this.#draft.add(owner, "forwarding_groups", ["uuid", group.uuid]);
  }

  #relay(owner: DraftInsert): void {
    const draft = this.#draft;
    const { random } = draft;
    const facing = draft.referred(owner, "ports").filter(({ row }) => row["type"] === "router");
    if (facing.length === 0) return;
    const lsp = random.pick(facing);
    const routerPortName = String(JSON.stringify(lsp.row["options"]).match(/"router-port","([^"]+)"/)?.[1]);
    const port = draft.of("Logical_Router_Port").find((p) => nameOf(p) === routerPortName);
    if (random.chance(0.8)) draft.put(owner, "other_config", { dhcp_relay_port: random.chance(0.9) ? nameOf(lsp) : "absent" });
    if (port === undefined || !random.chance(0.9)) return;
    const relay = draft.insert("DHCP_Relay", { name: `relay-${nameOf(owner)}`, servers: random.pick(["172.31.0.1", "172.31.0.1:67", "nonsense"]) });
    port.row["dhcp_relay"] = ref(relay.uuid);
    if (random.chance(0.3)) draft.put(port, "options", { dhcpv4_primary_ip: random.pick(["10.0.0.1", "nonsense", ""]) });
  }

  #multicast(owner: DraftInsert): void {
    const { random } = this.#draft;
    this.#draft.put(owner, "other_config", {
      mcast_snoop: "true", ...this.#draft.maybe(0.4, { mcast_flood_unregistered: "true" }), ...this.#draft.maybe(0.3, { mcast_querier: "false" }),
      ...this.#draft.maybe(0.5, { mcast_eth_src: "02:00:00:00:dd:01", mcast_ip4_src: "10.0.0.254", mcast_ip6_src: "fe80::254" }),
      ...this.#draft.maybe(0.3, { mcast_idle_timeout: random.pick([5, 100]), mcast_query_interval: 20, mcast_table_size: 2 }),
    });
  }

  #networkFunctions(owner: DraftInsert): void {
    const draft = this.#draft;
    const { random } = draft;
    const ports = draft.referred(owner, "ports").filter(({ row }) => row["type"] === "");
    if (ports.length < 2) return;
    const mode = random.pick(["inline", "inline", "vtap"]);
    const functions = Array.from({ length: 1 + random.below(2) }, () => {
      const id = this.#nextFunction++;
      const hasOutport = mode === "inline" ? random.chance(0.9) : random.chance(0.1);
      const check = hasOutport && random.chance(0.3) ? { health_check: ref(draft.insert("Network_Function_Health_Check", { name: `check${id}`, options: map({ interval: 3 }) }).uuid) } : {};
      return draft.insert("Network_Function", { name: `nf${id}`, id, inport: ref(ports[0]?.uuid ?? ""), ...(hasOutport ? { outport: ref(ports[1]?.uuid ?? "") } : {}), ...check }).uuid;
    });
    const id = this.#nextFunction++;
    const group = draft.insert("Network_Function_Group", {
      name: `nfg${id}`, id, mode, network_function: refs(functions), ...(random.chance(0.5) ? { fallback: random.pick(["fail-open", "fail-close"]) } : {}),
    });
    for (let i = random.below(3); i >= 0; i--) {
      const acl = draft.insert("ACL", {
        priority: 1000 + i, direction: random.pick(["from-lport", "to-lport"]), match: `ip4.src == 10.0.${i}.9`, action: "allow-related", network_function_group: ref(group.uuid),
        ...(random.chance(0.3) ? { label: 1234 + i } : {}),
      });
      draft.add(owner, "acls", ["uuid", acl.uuid]);
    }
    for (const global of draft.of("NB_Global")) if (random.chance(0.7)) draft.put(global, "options", { svc_monitor_ip: "169.254.100.10", svc_monitor_ip_dst: "169.254.100.11" });
  }

  #mirrors(): void {
    const draft = this.#draft;
    const { random } = draft;
    const ports = draft.of("Logical_Switch_Port");
    const sinks = new Set<string>();
    for (let i = random.pick([0, 1, 3]); i > 0; i--) {
      const type = random.pick(["gre", "erspan", "local", "lport", "lport"]);
      const rules = type !== "lport" ? [] : Array.from({ length: random.below(3) }, (_, n) =>
        draft.insert("Mirror_Rule", { match: `ip4.dst == 10.0.${n}.1`, action: random.pick(["mirror", "skip"]), priority: 100 + n }).uuid);
      const sink = type === "lport" ? (ports.length > 0 && random.chance(0.9) ? nameOf(random.pick(ports)) : "absent") : "10.9.9.9";
      const mirror = draft.insert("Mirror", { name: `mirror${i}`, filter: random.pick(["from-lport", "to-lport", "both"]), sink, type, index: i, ...(rules.length > 0 ? { mirror_rules: refs(rules) } : {}) });
      // Where several ports are copied to one, OVN's northd takes the options of whichever it comes upon last.
      const copied = type !== "lport" ? ports.filter(() => random.chance(0.3)) : ports.length > 0 && !sinks.has(sink) ? [random.pick(ports)] : [];
      sinks.add(sink);
      for (const port of copied) draft.add(port, "mirror_rules", ["uuid", mirror.uuid]);
    }
  }
}

export const featuresNetwork = (seed: number): Network => new Features(seed).generate();

export function featuresChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [];
  for (const { table, uuid } of network.nb) {
    if (!random.chance(0.15)) continue;
    const update = (row: { readonly [column: string]: JsonValue }): void => void operations.push({ op: "update", table, where: [["_uuid", "==", ["uuid", uuid]]], row });
    if (table === "QoS") update(random.pick([{ priority: 7 }, { direction: "to-lport" }, { bandwidth: ["map", [["rate", 9]]] }]));
    else if (table === "Forwarding_Group") update({ liveness: random.chance(0.5) });
    else if (table === "DHCP_Relay") update({ servers: "172.31.0.9" });
    else if (table === "Mirror") update({ filter: random.pick(["from-lport", "to-lport", "both"]) });
    else if (table === "Logical_Switch_Port" && random.chance(0.5)) update({ mirror_rules: set([]) });
  }
  return random.chance(0.5) ? [...operations, ...changesOf(network, random)] : operations;
}

/** IGMP groups that chassis have learned. */
export function whatChassisSnoop(dump: Dump, random: SeededRandom): readonly JsonValue[] {
  const text = (row: Row, column: string): string => String(row[column]);
  const byName = (a: Row, b: Row): number => (text(a, "logical_port") < text(b, "logical_port") ? -1 : 1);
  const ports = [...(dump["Port_Binding"] ?? [])].filter((row) => /^ls\d/.test(text(row, "logical_port"))).sort(byName);
  const chassis = [...(dump["Chassis"] ?? [])].sort((a, b) => (text(a, "name") < text(b, "name") ? -1 : 1));
  const datapaths = new Map(ports.map((row) => [text(row, "logical_port").slice(0, 3), row["datapath"]]));
  const snooped = [...datapaths].flatMap(([name, datapath]): JsonValue[] => {
    const own = ports.filter((row) => text(row, "logical_port").startsWith(name));
    return ["239.0.0.1", "239.0.0.2", "ff0a::1", "ff02::7", "mrouters"].flatMap((address): JsonValue[] => {
      if (!random.chance(0.4)) return [];
      const members = own.filter(() => random.chance(0.4)).map((row) => row["_uuid"] as JsonValue);
      const on = random.chance(0.9) ? { chassis: random.pick(chassis)["_uuid"] as JsonValue } : {};
      const row = { address, datapath: datapath as JsonValue, ports: set(members), protocol: address.includes(":") ? "MLDv2" : "IGMPv2", chassis_name: "ch", ...on };
      return [{ op: "insert", table: "IGMP_Group", uuid: random.uuid(), row }];
    });
  });
  return [{ op: "delete", table: "IGMP_Group", where: [] }, ...snooped];
}
