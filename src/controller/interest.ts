/**
 * Which rows of the southbound database this chassis asks for: those of its local datapaths, and what it needs to find out
 * which datapaths those are (ovn-controller(8), "ovn-monitor-all").
 *
 * The conditions are facts; a rule says for what reason a row is wanted, and the sink tells the replica.
 */
import { relation, rule, type Sink } from "../engine/index.ts";
import type { Condition } from "../ovsdb/index.ts";
import { claimOf } from "./claims.ts";
import { LocalDatapath, type Node } from "./node.ts";
import { kindOf, ourChassis, portNamed } from "./ports.ts";
import type { SouthboundReplica } from "./rows.ts";
import { booleanSetting } from "./settings.ts";

const conditionalTables = [
  "Port_Binding", "Logical_Flow", "MAC_Binding", "FDB", "Multicast_Group", "DNS", "Controller_Event", "IP_Multicast", "IGMP_Group",
  "Chassis_Private", "Chassis_Template_Var", "ECMP_Nexthop", "Advertised_Route", "Advertised_MAC_Binding",
] as const;
type ConditionalTable = (typeof conditionalTables)[number];

export interface Interest {
  readonly table: ConditionalTable;
  readonly condition: Condition;
}

export const Interest = relation<Interest>("Interest", ({ table, condition }) => `${table} ${JSON.stringify(condition)}`);

const absent = { keys: [] };

const wants = (table: ConditionalTable, ...condition: readonly [string, string, (Condition & object)[2]]) => Interest({ table, condition });

/** Ports that lead from datapath to datapath, or that might be ours wherever they are. */
export const standingInterest = rule("standing-interest", (node: Node) => node.self, function* (node) {
  if (monitorsAll(node)) {
    for (const table of conditionalTables) yield Interest({ table, condition: true });
    return;
  }
  for (const type of ["patch", "chassisredirect", "external"]) yield wants("Port_Binding", "type", "==", type);
  yield wants("Port_Binding", "parent_port", "!=", absent);
  // Groups of datapaths are made anew when a datapath joins: their flows are always wanted.
  yield wants("Logical_Flow", "logical_dp_group", "!=", absent);
  const chassis = ourChassis(node);
  if (chassis === undefined) {
    yield Interest({ table: "Chassis_Private", condition: true });
    yield Interest({ table: "Advertised_Route", condition: true });
    for (const type of ["l2gateway", "l3gateway"]) yield wants("Port_Binding", "type", "==", type);
    return;
  }
  const own = chassis._uuid;
  yield wants("Port_Binding", "chassis", "==", own);
  yield wants("Port_Binding", "requested_chassis", "==", own);
  for (const [key, value] of [["l2gateway-chassis", chassis.name], ["l3gateway-chassis", chassis.name], ["ipv6_ra_send_periodic", "true"]] as const) {
    yield wants("Port_Binding", "options", "includes", { keys: [key], values: [value] });
  }
  yield wants("Controller_Event", "chassis", "==", own);
  yield wants("IGMP_Group", "chassis", "==", own);
  yield wants("Chassis_Private", "name", "==", chassis.name);
  yield wants("Chassis_Template_Var", "chassis", "==", chassis.name);
});

const monitorsAll = (node: Node): boolean => booleanSetting(node, "ovn-monitor-all", false);

const byDatapath = ["Port_Binding", "MAC_Binding", "Multicast_Group", "IP_Multicast", "ECMP_Nexthop", "Advertised_Route", "Advertised_MAC_Binding"] as const;

export const datapathInterest = rule("datapath-interest", (node: Node) => node.engine.facts(LocalDatapath), function* (node, { datapath }) {
  if (monitorsAll(node)) return;
  const uuid = datapath._uuid;
  for (const table of byDatapath) yield wants(table, "datapath", "==", uuid);
  yield wants("Logical_Flow", "logical_datapath", "==", uuid);
  yield wants("DNS", "datapaths", "includes", { keys: [uuid] });
  yield wants("FDB", "dp_key", "==", datapath.tunnel_key);
});

/** An interface that waits for its port. Bound VIFs come with their datapaths. */
export const interfaceInterest = rule("interface-interest", (node: Node) => node.interfacesByIfaceId.keys, function* (node, id) {
  if (monitorsAll(node)) return;
  const port = portNamed(node, id);
  const isBound = port !== undefined && kindOf(port) === "vif" && port.chassis === ourChassis(node)?._uuid && claimOf(node, port) !== undefined;
  if (!isBound) yield wants("Port_Binding", "logical_port", "==", id);
});

/** The conditions of a controller that knows nothing yet. */
export const firstConditions: { readonly [table in ConditionalTable]: readonly Condition[] } = {
  Port_Binding: [
    ["type", "==", "patch"], ["type", "==", "chassisredirect"], ["type", "==", "external"], ["type", "==", "l2gateway"], ["type", "==", "l3gateway"],
    ["parent_port", "!=", absent],
  ],
  Logical_Flow: [["logical_dp_group", "!=", absent]],
  MAC_Binding: [], FDB: [], Multicast_Group: [], DNS: [], Controller_Event: [], IP_Multicast: [], IGMP_Group: [], Chassis_Private: [true],
  Chassis_Template_Var: [], ECMP_Nexthop: [], Advertised_Route: [true], Advertised_MAC_Binding: [],
};

/** Keeps the replica's conditions those that are wanted. */
export class InterestKeeper implements Sink<Interest> {
  readonly #replica: SouthboundReplica;
  readonly #wanted = new Map<ConditionalTable, Set<Interest>>();
  readonly #changed = new Set<ConditionalTable>();

  constructor(replica: SouthboundReplica) {
    this.#replica = replica;
    for (const table of conditionalTables) this.#wanted.set(table, new Set());
  }

  added(interest: Interest): void {
    this.#wanted.get(interest.table)?.add(interest);
    this.#changed.add(interest.table);
  }

  removed(interest: Interest): void {
    this.#wanted.get(interest.table)?.delete(interest);
    this.#changed.add(interest.table);
  }

  settle(): void {
    for (const table of this.#changed) {
      this.#replica.setCondition(table, [...(this.#wanted.get(table) ?? [])].map(({ condition }) => condition));
    }
    this.#changed.clear();
  }
}
