/**
 * How often things were worked out: what `inc-engine/show-stats` of ovn-appctl prints. OVN's northd has a node for each kind
 * of thing and counts in each; here one engine runs just the rules whose input has changed, so that all nodes by whose names
 * scripts ask have the same figures.
 */
const nodes = [
  "lflow", "northd", "northd_output", "global_config", "datapath_sync", "datapath_logical_switch", "datapath_logical_router",
  "datapath_synced_logical_switch", "datapath_synced_logical_router", "sync_to_sb_pb", "sync_to_sb_addr_set", "sync_to_sb_lb", "sync_meters",
  "port_group", "lb_data", "lr_nat", "lr_stateful", "ls_stateful", "routes", "group_ecmp_route", "route_policies", "bfd", "bfd_sync",
  "mac_binding_aging", "fdb_aging", "advertised_route_sync", "learned_route_sync", "advertised_mac_binding_sync", "sampling_app",
];

export class EngineStats {
  /** From scratch. */
  recompute = 0;
  /** What has changed, and no more. */
  compute = 0;

  clear(): void {
    this.recompute = 0;
    this.compute = 0;
  }

  /** As `inc-engine/show-stats [NODE [COUNTER]]` prints it. */
  show(node: string | undefined, counter: string | undefined): string {
    const shown = nodes.filter((name) => node === undefined || name === node);
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
