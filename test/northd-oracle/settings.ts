/** What holds for a whole zone: what its chassis can do, tunnels of VXLAN, options and names that stand nowhere else; and changes of them. */
import type { SeededRandom } from "../../src/std/index.ts";
import { changesOf } from "./changes.ts";
import { entriesOf, type JsonValue, map } from "./columns.ts";
import { Draft, type DraftInsert } from "./draft.ts";
import type { Network } from "./network.ts";
import type { Dump } from "./normalize.ts";

const abilities = ["ct-state-save", "ct-commit-nat-v2", "ct-commit-to-zone", "ovn-sample-with-registers", "ct-next-zone", "ct-label-flush", "ct-no-masked-label", "ovn-ct-lb-related"];

/** Mostly all; each chassis may lack some. */
const someAbilities = (random: SeededRandom): { readonly [key: string]: string } =>
  Object.fromEntries(abilities.filter(() => random.chance(0.93)).map((key) => [key, random.chance(0.95) ? "true" : "false"]));

export function settingsNetwork(seed: number): Network {
  const draft = Draft.onBase(seed);
  const { random } = draft;
  const isVxlan = random.chance(0.3);
  for (const [i, insert] of draft.sb.entries()) {
    const { table, row } = insert;
    if (table === "Chassis") draft.sb[i] = { ...insert, row: { ...row, other_config: map({ ...entriesOf(row["other_config"]), ...someAbilities(random) }) } };
    if (table === "Encap" && isVxlan) draft.sb[i] = { ...insert, row: { ...row, type: "vxlan" } };
  }
  for (const global of draft.of("NB_Global")) {
    draft.put(global, "options", {
      ...draft.maybe(0.3, { vxlan_mode: random.pick(["false", "true"]) }), ...draft.maybe(0.2, { northd_probe_interval: 5000 }), ...draft.maybe(0.2, { sbctl_probe_interval: 7 }),
    });
    if (random.chance(0.3)) global.row["ipsec"] = true;
  }
  for (const owner of draft.of("Logical_Switch")) nameAndNumber(draft, owner);
  for (const router of draft.of("Logical_Router")) if (random.chance(0.4)) draft.put(router, "external_ids", { "neutron:router_name": "neutron's router" });
  for (const port of draft.of("Logical_Switch_Port")) ofSwitchPort(draft, port);
  for (const port of draft.of("Logical_Router_Port")) {
    draft.put(port, "options", { ...draft.maybe(0.2, { prefix_delegation: "true" }), ...draft.maybe(0.2, { prefix: "true" }) });
    if (random.chance(0.1)) port.row["ipv6_prefix"] = ["set", ["fd77::/64"]];
  }
  for (const chassis of ["ch0", "ch1", "absent"]) {
    if (random.chance(0.4)) draft.insert("Chassis_Template_Var", { chassis, variables: map({ vip: "10.0.0.9", ...draft.maybe(0.5, { port: 80 }) }) });
  }
  return draft.network;
}

function nameAndNumber(draft: Draft, owner: DraftInsert): void {
  const { random } = draft;
  if (random.chance(0.4)) draft.put(owner, "external_ids", { "neutron:network_name": "neutron's network" });
  draft.put(owner, "other_config", {
    ...draft.maybe(0.15, { "ic-vxlan_mode": "true" }), ...draft.maybe(0.2, { mcast_snoop: "true", mcast_query_max_response: random.pick([0, 3, 20]) }),
  });
}

function ofSwitchPort(draft: Draft, port: DraftInsert): void {
  const { random } = draft;
  if (port.row["type"] === "router") {
    draft.put(port, "options", {
      ...draft.maybe(0.3, { disable_garp_rarp: random.pick(["true", "false"]) }), ...draft.maybe(0.3, { "exclude-lb-vips-from-garp": "true" }),
      ...draft.maybe(0.2, { "nat-addresses": "router" }),
    });
  } else {
    draft.put(port, "options", {
      ...draft.maybe(0.15, { qos_min_rate: 100 }), ...draft.maybe(0.15, { qos_max_rate: 5000, ...draft.maybe(0.5, { qos_burst: 20 }) }),
      ...(port.row["type"] === "" ? draft.maybe(0.1, { "is-nf": "true", "nf-linked-port": "ls0-p0" }) : {}),
    });
  }
}

export function settingsChanges(network: Network, random: SeededRandom): readonly JsonValue[] {
  const operations: JsonValue[] = [];
  for (const { table, uuid } of network.nb) {
    if (!random.chance(0.2)) continue;
    const change = (column: string, entries: { readonly [key: string]: string }): void => {
      const mutation: JsonValue = random.chance(0.4) ? [column, "delete", ["set", Object.keys(entries)]] : [column, "insert", map(entries)];
      operations.push({ op: "mutate", table, where: [["_uuid", "==", ["uuid", uuid]]], mutations: [mutation] });
    };
    if (table === "NB_Global") change("options", random.pick<{ readonly [key: string]: string }>([{ vxlan_mode: "false" }, { ignore_chassis_features: "true" }, { use_common_zone: "true" }, { use_ct_inv_match: "false" }]));
    else if (table === "Logical_Switch") change("external_ids", { "neutron:network_name": "another" });
    else if (table === "Logical_Router") change("external_ids", { "neutron:router_name": "another" });
    else if (table === "Chassis_Template_Var") change("variables", { vip: "10.0.0.8" });
  }
  return random.chance(0.5) ? [...operations, ...changesOf(network, random)] : operations;
}

/** Chassis are upgraded one by one, and back. */
export function whatChassisCan(dump: Dump, random: SeededRandom): readonly JsonValue[] {
  const names = (dump["Chassis"] ?? []).map((row) => String(row["name"])).sort();
  return names.flatMap((name): JsonValue[] => {
    if (!random.chance(0.3)) return [];
    const mutation: JsonValue = random.chance(0.6) ? ["other_config", "insert", map(Object.fromEntries(abilities.map((key) => [key, "true"])))] : ["other_config", "delete", ["set", [random.pick(abilities)]]];
    return [{ op: "mutate", table: "Chassis", where: [["name", "==", name]], mutations: [mutation] }];
  });
}
