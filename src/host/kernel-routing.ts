/**
 * The kernel's routing tables, as far as a controller that exchanges routes with a routing daemon needs them: VRFs made and
 * removed, routes of one table listed, added and removed, and a word when a table has changed (Linux: rtnetlink(7), vrf.rst).
 *
 * A table belongs to a VRF and is named by both: where the kernel has no VRF devices, a network namespace with the VRF's name
 * stands in for it, and the table is that namespace's main one (see host/node's implementation).
 */
export interface RoutingTable {
  readonly id: number;
  /** The name of the VRF device, at most 15 characters. */
  readonly vrf: string;
}

export interface KernelNextHop {
  /** Undefined: on the link itself. */
  readonly address: string | undefined;
  readonly device: string | undefined;
}

export interface KernelRoute {
  readonly kind: "unicast" | "blackhole" | "other";
  /** With its prefix length: `172.16.10.2/32`, `::/0`. */
  readonly destination: string;
  /** rtm_protocol: who put it there (2 the kernel, 4 an administrator, 84 OVN, 186 BGP). */
  readonly protocol: number;
  readonly metric: number;
  readonly nextHops: readonly KernelNextHop[];
}

export interface RouteFailure {
  readonly route: KernelRoute;
  /** As the system words it: `File exists`. */
  readonly reason: string;
}

export interface KernelRouting {
  /** What another process puts before a command to reach the same tables; undefined: it cannot. */
  readonly entry?: readonly string[] | undefined;
  /** Makes the VRF and sets it up; one that is there already is as good. Rejects with the system's words. */
  createVrf(table: RoutingTable): Promise<void>;
  /** One that has gone already is as good. */
  deleteVrf(table: RoutingTable): Promise<void>;
  /** IPv4 and IPv6; a table that does not exist is empty. */
  routes(table: RoutingTable): Promise<readonly KernelRoute[]>;
  /** Removes, then adds; what fails does not hold up the rest. */
  change(table: RoutingTable, remove: readonly KernelRoute[], add: readonly KernelRoute[]): Promise<readonly RouteFailure[]>;
  /** Calls `changed` some time after something changed in the table, perhaps once too often. Returns how to stop. */
  watch(table: RoutingTable, changed: () => void): () => void;
  /** The name of the network device with that index. */
  deviceName(index: number): Promise<string | undefined>;
}
