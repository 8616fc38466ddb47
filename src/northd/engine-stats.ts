/**
 * How often things were worked out, and how long it took: `inc-engine/*` and `stopwatch/*` of ovn-appctl. OVN's northd has a node for each
 * kind of thing and measures each; here one engine runs just the rules whose input has changed, so that all nodes by whose names scripts
 * ask have the same figures: those of the engine.
 */
import { Stopwatches, type UnixctlCommand, UnixctlError } from "../daemon/index.ts";

const nodes = [
  "acl_id", "sampling_app", "global_config", "datapath_logical_switch", "datapath_logical_router", "datapath_sync", "datapath_synced_logical_switch",
  "datapath_synced_logical_router", "ic_learned_svc_monitors", "lb_data", "northd", "sync_from_sb", "lr_nat", "lr_stateful", "sync_to_sb_addr_set",
  "port_group", "sync_meters", "sync_to_sb_lb", "sync_to_sb_pb", "sync_to_sb", "bfd", "routes", "route_policies", "bfd_sync", "learned_route_sync",
  "group_ecmp_route", "ls_stateful", "multicast_igmp", "lflow", "mac_binding_aging", "fdb_aging", "ecmp_nexthop", "dynamic_routes",
  "advertised_route_sync", "advertised_mac_binding_sync", "northd_output",
];

/** The whole of a step: reading, working out, writing. Always measured. */
const loop = "ovn-northd-loop";

export class EngineStats {
  /** From scratch. */
  recompute = 0;
  /** What has changed, and no more. */
  compute = 0;
  readonly #stopwatches = new Stopwatches([loop, ...nodes]);
  /** Nodes whose stopwatches run. */
  readonly #timed = new Set<string>();

  took(durationMs: number): void {
    for (const name of [loop, ...this.#timed]) this.#stopwatches.add(name, durationMs);
  }

  commands(): readonly UnixctlCommand[] {
    const ofNode = (name: string, run: (node: string | undefined) => string): UnixctlCommand => ({ name, usage: "[node]", minArgs: 0, maxArgs: 1, run: ([node]) => run(node) });
    return [
      { name: "inc-engine/clear-stats", usage: "", minArgs: 0, maxArgs: 0, run: () => this.#clear() },
      { name: "inc-engine/show-stats", usage: "", minArgs: 0, maxArgs: 2, run: ([node, counter]) => this.#show(node, counter) },
      { ...ofNode("inc-engine/list-stopwatches", (node) => namedNodes(node).map((name) => `${name}\n`).join("")), usage: "" },
      ofNode("inc-engine/enable-stopwatch", (node) => this.#setTimed(node, true)),
      ofNode("inc-engine/disable-stopwatch", (node) => this.#setTimed(node, false)),
      ...this.#stopwatches.commands(),
    ];
  }

  #clear(): string {
    this.recompute = 0;
    this.compute = 0;
    return "";
  }

  #setTimed(node: string | undefined, isTimed: boolean): string {
    const names = namedNodes(node);
    if (names.length === 0) throw new UnixctlError("node not found");
    for (const name of names) {
      if (isTimed) this.#timed.add(name);
      else this.#timed.delete(name);
    }
    return "";
  }

  #show(node: string | undefined, counter: string | undefined): string {
    const shown = namedNodes(node);
    if (counter !== undefined) return shown.map(() => this.#counter(counter)).join("");
    const line = (name: string, count: number): string => `- ${`${name}:`.padEnd(11)}${String(count).padStart(12)}\n`;
    return shown.map((name) => `Node: ${name}\n${line("recompute", this.recompute)}${line("compute", this.compute)}${line("cancel", 0)}`).join("");
  }

  #counter(name: string): string {
    switch (name) {
      case "recompute":
        return String(this.recompute);
      case "compute":
        return String(this.compute);
      case "cancel":
        return "0";
      default:
        return `Invalid stat type : ${name}`;
    }
  }
}

/** All, if none is named; none, if there is none of that name. */
const namedNodes = (node: string | undefined): readonly string[] => (node === undefined ? nodes : nodes.filter((name) => name === node));
