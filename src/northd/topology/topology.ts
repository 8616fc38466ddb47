/**
 * The logical network as northd sees it: switches, routers and their ports, each an object that stands for one row of the
 * northbound database and knows the topology it is part of. What follows from the rows (addresses, peers, gateways ...) are
 * derived values in the files beside this one.
 */
import { Cell, type Collection, type Engine, type Index } from "../../engine/index.ts";
import type { Log, Random } from "../../host/index.ts";
import { formatMac, type Mac } from "../../net/index.ts";
import type { Counter, ReplicaTables, RowOf, Uuid } from "../../ovsdb/index.ts";
import type { northbound, southbound } from "../../schemas/index.ts";
import { FlowContents } from "./flow-contents.ts";
import { MappedCollection } from "./mapped-collection.ts";
import type { RouteOrder } from "./route-order.ts";

export type Nb = typeof northbound;
export type Sb = typeof southbound;
export type NbRow<N extends keyof Nb["tables"] & string> = RowOf<Nb, N>;
export type SbRow<N extends keyof Sb["tables"] & string> = RowOf<Sb, N>;

abstract class Node<Row extends { readonly _uuid: Uuid }> {
  readonly topology: Topology;
  readonly row: Row;

  constructor(topology: Topology, row: Row) {
    this.topology = topology;
    this.row = row;
  }

  get uuid(): Row["_uuid"] {
    return this.row._uuid;
  }

  toString(): string {
    return String(this.row);
  }
}

export class LogicalSwitch extends Node<NbRow<"Logical_Switch">> {
  readonly kind = "switch";
}

export class LogicalRouter extends Node<NbRow<"Logical_Router">> {
  readonly kind = "router";
}

export class SwitchPort extends Node<NbRow<"Logical_Switch_Port">> {
  readonly kind = "switch-port";
}

export class RouterPort extends Node<NbRow<"Logical_Router_Port">> {
  readonly kind = "router-port";
}

export class LearnedRoute extends Node<SbRow<"Learned_Route">> {
  readonly kind = "learned-route";
}

export class Policy extends Node<NbRow<"Logical_Router_Policy">> {
  readonly kind = "policy";
}

export class StaticRoute extends Node<NbRow<"Logical_Router_Static_Route">> {
  readonly kind = "static-route";
}

export class LoadBalancer extends Node<NbRow<"Load_Balancer">> {
  readonly kind = "load-balancer";
}

export class Nat extends Node<NbRow<"NAT">> {
  readonly kind = "nat";
}

export type Datapath = LogicalSwitch | LogicalRouter;
export type Port = SwitchPort | RouterPort;

export interface CfgStamp {
  readonly cfg: Counter;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Numbers that a sink gives out, as rules read them. */
export interface KeySource {
  /** Undefined until one has been given. A tracked read. */
  get(key: string): number | undefined;
}

export class Topology {
  readonly engine: Engine;
  readonly nb: ReplicaTables<Nb>;
  readonly sb: ReplicaTables<Sb>;
  readonly log: Log;
  readonly random: Random;

  readonly switches: MappedCollection<NbRow<"Logical_Switch">, LogicalSwitch>;
  readonly routers: MappedCollection<NbRow<"Logical_Router">, LogicalRouter>;
  readonly switchPorts: MappedCollection<NbRow<"Logical_Switch_Port">, SwitchPort>;
  readonly routerPorts: MappedCollection<NbRow<"Logical_Router_Port">, RouterPort>;
  readonly policies: MappedCollection<NbRow<"Logical_Router_Policy">, Policy>;
  readonly learnedRoutes: MappedCollection<SbRow<"Learned_Route">, LearnedRoute>;
  readonly staticRoutes: MappedCollection<NbRow<"Logical_Router_Static_Route">, StaticRoute>;
  readonly loadBalancers: MappedCollection<NbRow<"Load_Balancer">, LoadBalancer>;
  readonly nats: MappedCollection<NbRow<"NAT">, Nat>;

  readonly switchesOfPort: Index<string, LogicalSwitch>;
  readonly routersOfPort: Index<string, LogicalRouter>;
  readonly routersOfRoute: Index<string, LogicalRouter>;
  readonly routersOfNat: Index<string, LogicalRouter>;
  /** Joined switch ports by `SWITCH ROLE`: see roles.ts. */
  readonly switchPortsByRole: Index<string, SwitchPort>;
  readonly switchPortsByName: Index<string, SwitchPort>;
  readonly routerPortsByName: Index<string, RouterPort>;
  /** Switch ports of type router by the router port they name. */
  readonly switchPortsByRouterPort: Index<string, SwitchPort>;
  readonly chassisByName: Index<string, SbRow<"Chassis">>;
  readonly chassisByHostname: Index<string, SbRow<"Chassis">>;
  readonly encapsByIp: Index<string, SbRow<"Encap">>;
  readonly bindingsByName: Index<string, SbRow<"Port_Binding">>;
  readonly bindingsByNbDatapath: Index<string, SbRow<"Datapath_Binding">>;

  readonly flowContents = new FlowContents();

  /** What stands in for NB_Global.options until northd's own values have come back from the database. */
  readonly chosen: { readonly macPrefix: string; readonly monitorMac: string; readonly monitorMacTarget: string };
  /** Of the datapath of a northbound row, by its UUID. Set by the allocators before rules run. */
  datapathKeys: KeySource = { get: () => undefined };
  /** By Port_Binding.logical_port. */
  portKeys: KeySource = { get: () => undefined };
  /** Logical_Switch_Port.dynamic_addresses as the address management has it. By the port's UUID. */
  dynamicAddresses: { get(port: string): string | undefined } = { get: () => undefined };
  /** The tag of a port, by the port's UUID. */
  tags: KeySource = { get: () => undefined };
  /** The number by which an access control list's connections are known, by the list's UUID. */
  aclIds: KeySource = { get: () => undefined };
  /** The queue of a port with qos_* options, by Port_Binding.logical_port. */
  queues: KeySource = { get: () => undefined };
  /** When a row expired that is to be deleted, by its UUID (sync/aging.ts). */
  expired: KeySource = { get: () => undefined };
  /** The key of a multicast group that somebody has joined (multicast/memberships.ts). */
  multicastKeys: KeySource = { get: () => undefined };
  /** The UDP port of a BFD session, by its router port and destination. */
  bfdSourcePorts: KeySource = { get: () => undefined };
  /** The order in which route tables and ECMP groups are numbered. */
  routeOrder: RouteOrder = { compareRouters: () => 0, compareRoutes: () => 0, comparePolicies: () => 0, compareLearned: () => 0 };
  /** The NB_Global.nb_cfg that was seen last, and when. */
  readonly nbCfgStamp = new Cell<CfgStamp | undefined>("time of nb_cfg", undefined);
  /** The nb_cfg that is known to be in the southbound database, and since when. */
  readonly sbCfgStamp = new Cell<CfgStamp | undefined>("time of sb_cfg", undefined);
  /** One item, for rules that are about nothing smaller than the zone. */
  readonly zone: Collection<Topology> = { name: "zone", [Symbol.iterator]: () => [this][Symbol.iterator](), size: 1, watch: (watcher) => {
    watcher.added(this);
    return () => undefined;
  } };

  constructor(engine: Engine, nb: ReplicaTables<Nb>, sb: ReplicaTables<Sb>, log: Log, random: Random, rolesOf: (port: SwitchPort) => Iterable<string>) {
    this.engine = engine;
    this.nb = nb;
    this.sb = sb;
    this.log = log;
    this.random = random;
    this.chosen = {
      macPrefix: formatMac(randomMac(random)).slice(0, 8),
      monitorMac: formatMac(randomMac(random)),
      monitorMacTarget: formatMac(randomMac(random)),
    };
    this.switches = new MappedCollection("logical switches", nb.Logical_Switch, (row) => new LogicalSwitch(this, row));
    this.routers = new MappedCollection("logical routers", nb.Logical_Router, (row) => new LogicalRouter(this, row));
    this.switchPorts = new MappedCollection("switch ports", nb.Logical_Switch_Port, (row) => new SwitchPort(this, row));
    this.routerPorts = new MappedCollection("router ports", nb.Logical_Router_Port, (row) => new RouterPort(this, row));
    this.policies = new MappedCollection("policies", nb.Logical_Router_Policy, (row) => new Policy(this, row));
    this.learnedRoutes = new MappedCollection("learned routes", sb.Learned_Route, (row) => new LearnedRoute(this, row));
    this.staticRoutes = new MappedCollection("static routes", nb.Logical_Router_Static_Route, (row) => new StaticRoute(this, row));
    this.loadBalancers = new MappedCollection("load balancers", nb.Load_Balancer, (row) => new LoadBalancer(this, row));
    this.nats = new MappedCollection("translations", nb.NAT, (row) => new Nat(this, row));
    const index: Engine["index"] = (name, source, keysOf) => engine.index(name, source, keysOf);
    this.switchesOfPort = index("switches of port", this.switches, (s: LogicalSwitch): Iterable<string> => s.row.ports);
    this.routersOfPort = index("routers of port", this.routers, (r: LogicalRouter): Iterable<string> => r.row.ports);
    this.routersOfRoute = index("routers of route", this.routers, (r: LogicalRouter): Iterable<string> => r.row.static_routes);
    this.routersOfNat = index("routers of NAT", this.routers, (r: LogicalRouter): Iterable<string> => r.row.nat);
    this.switchPortsByName = index("switch ports by name", this.switchPorts, (p: SwitchPort) => [p.row.name]);
    this.routerPortsByName = index("router ports by name", this.routerPorts, (p: RouterPort) => [p.row.name]);
    this.switchPortsByRole = index("switch ports by role", this.switchPorts, rolesOf);
    this.switchPortsByRouterPort = index("switch ports by router port", this.switchPorts, (p: SwitchPort) => {
      const name = p.row.type === "router" ? p.row.options.get("router-port") : undefined;
      return name === undefined ? [] : [name];
    });
    this.chassisByName = index("chassis by name", sb.Chassis, (c: SbRow<"Chassis">) => [c.name]);
    this.chassisByHostname = index("chassis by hostname", sb.Chassis, (c: SbRow<"Chassis">) => [c.hostname]);
    this.encapsByIp = index("encaps by address", sb.Encap, (e: SbRow<"Encap">) => [e.ip]);
    this.bindingsByName = index("port bindings by name", sb.Port_Binding, (b: SbRow<"Port_Binding">) => [b.logical_port]);
    this.bindingsByNbDatapath = index("datapath bindings by northbound row", sb.Datapath_Binding, (b: SbRow<"Datapath_Binding">) => {
      const key = northboundUuidOf(b);
      return key === undefined ? [] : [key];
    });
  }

  switchPort(row: NbRow<"Logical_Switch_Port"> | undefined): SwitchPort | undefined {
    return row === undefined ? undefined : this.switchPorts.of(row);
  }

  routerPort(row: NbRow<"Logical_Router_Port"> | undefined): RouterPort | undefined {
    return row === undefined ? undefined : this.routerPorts.of(row);
  }

  loadBalancer(row: NbRow<"Load_Balancer"> | undefined): LoadBalancer | undefined {
    return row === undefined ? undefined : this.loadBalancers.of(row);
  }

  toString(): string {
    return "zone";
  }

  warn(text: string): void {
    this.log.warn(text);
  }
}

/** The northbound row that a Datapath_Binding stands for: its `nb_uuid`, or where older northds wrote it. */
export const northboundUuidOf = (row: SbRow<"Datapath_Binding">): string | undefined =>
  row.nb_uuid ?? row.external_ids.get("logical-switch") ?? row.external_ids.get("logical-router");

/** A random unicast MAC with the "locally administered" bit, as eth_addr_random makes them. */
function randomMac(random: Random): Mac {
  const high = (random.next32() & 0xfcff) | 0x0200;
  return ((high & 0xffff) * 0x1_0000_0000 + (random.next32() >>> 0)) as Mac;
}
