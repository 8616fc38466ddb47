/**
 * One chassis as its rules see it: replicas of two databases, indexes over them, and the few facts that come from outside
 * (the switch, the clock) as cells. Everything else is derived.
 */
import type { Coverage } from "../daemon/index.ts";
import { Cell, type Collection, type Engine, type Index, relation } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import type { Counter, Uuid } from "../ovsdb/index.ts";
import { ConjunctionIds } from "./conjunction-ids.ts";
import { Learning } from "./learning-queue.ts";
import type { DelegatedPrefix } from "./delegation/prefix-client.ts";
import type { BfdState } from "./monitors/bfd-session.ts";
import type { ServiceStatus } from "./monitors/service-check.ts";
import { StateByRow } from "./monitors/state-by-row.ts";
import { NumberedNames } from "./numbered-names.ts";
import { PortsInService } from "./ports-in-service.ts";
import { ExchangePort, tableKey } from "./route-exchange/exchange-table.ts";
import { DeviceNames, KernelRoutes } from "./route-exchange/kernel-routes.ts";
import type {
  AddressSet, Bridge, Chassis, ChassisPrivate, ChassisTemplateVar, DatapathBinding, Dns, Encap, Fdb, FlowSampleCollectorSet, IgmpGroup, Interface, LearnedRoute, MacBinding,
  Meter, Mirror, MulticastGroup, OpenVswitchReplica, OvsMirror, Port, PortBinding, PortGroup, SouthboundReplica,
} from "./rows.ts";
import { cookieOf } from "./rows.ts";
import { Snooping } from "./snooping/snooping.ts";
import { type Tunnel, tunnelIdKey, TunnelUp } from "./tunnel.ts";
import { WantedQueue } from "./wanted-queue.ts";
import { ZoneAssignment } from "./zone-assignment.ts";
import { LiftedLimits } from "./lifted-limits.ts";

/** An SB_Global.nb_cfg, its timestamp, and when the switch had confirmed its flows. Milliseconds since 1970. */
interface ConfirmedConfig {
  readonly sequence: Counter;
  readonly timestamp: number;
  readonly confirmedAt: number;
}

export interface NodeOptions {
  /** From the command line or the file system-id-override; undefined: external_ids:system-id. */
  readonly systemId: string | undefined;
  /** What Chassis.hostname says unless external_ids:hostname does. */
  readonly hostname: string;
  readonly runFolder: string;
  /** How often things happened. */
  readonly coverage: Coverage;
}

export type DatapathUuid = Uuid<"Datapath_Binding">;

/** A datapath whose flows this chassis needs. */
export const LocalDatapath = relation<{ readonly datapath: DatapathBinding }>("LocalDatapath", ({ datapath }) => datapath._uuid);

export class Node {
  readonly host: Host;
  readonly engine: Engine;
  readonly ovs: OpenVswitchReplica;
  readonly sb: SouthboundReplica;
  readonly options: NodeOptions;
  /** For rules that run once. */
  readonly self: Collection<Node> = new One("node", this);

  /** Which tun_metadata field stands for OVN's Geneve option; undefined until the switch has said so. */
  readonly geneveField = new Cell<number | undefined>("Geneve field", undefined);
  /** Whether the switch answers. Without it, what its database says of tunnels is of yesterday. */
  readonly switchLink = new Cell<"never" | "up" | "down">("connection to the switch", "never");
  /** The number of groups and meters by what they do; conntrack zones by their users; numbers for conjunctions. */
  readonly groups = new NumberedNames("group");
  readonly meters = new NumberedNames("meter");
  readonly zones: ZoneAssignment;
  readonly liftedLimits = new LiftedLimits();
  readonly conjunctions = new ConjunctionIds();
  /** What packets have told, on its way into the database. */
  readonly learning: Learning;
  /** What the kernel says. */
  readonly kernelRoutes = new KernelRoutes();
  readonly deviceNames: DeviceNames;
  /** What BFD and health checks have found, and who listens to which multicast group. */
  readonly bfdStates = new StateByRow<BfdState>("BFD state of");
  readonly serviceStates = new StateByRow<ServiceStatus>("state of service");
  /** What has been delegated to router ports. */
  readonly delegatedPrefixes = new StateByRow<DelegatedPrefix>("prefix of");
  /** Ports that were heard here after they had been waited for. */
  readonly activations = new StateByRow<boolean>("activation of");
  readonly snooping: Snooping;
  /** Ports whose flows the switch has confirmed. */
  readonly inService = new PortsInService();
  /** The highest SB_Global.nb_cfg whose flows the switch has confirmed. */
  readonly confirmedConfig = new Cell<ConfirmedConfig>("confirmed nb_cfg", { sequence: 0, timestamp: 0, confirmedAt: 0 });
  /** False until the first contents of both databases are in place: nothing is released before. */
  readonly isSettled = new Cell("settled", false);
  /** False for the first seconds, while rows may still come in by conditions: nothing is torn down before. */
  readonly isGrown = new Cell("grown", false);
  /** When ports were claimed last, by the host's clock. */
  readonly claimedAt = new Map<string, number>();

  readonly portsByName: Index<string, PortBinding>;
  readonly portsByKey: Index<string, PortBinding>;
  readonly datapathsByKey: Index<number, DatapathBinding>;
  /** Patch and l3gateway ports, which lead from a datapath to another. */
  readonly connectorsByDatapath: Index<DatapathUuid, PortBinding>;
  readonly portsByType: Index<string, PortBinding>;
  readonly localnetPortsByDatapath: Index<DatapathUuid, PortBinding>;
  readonly externalPortsByDatapath: Index<DatapathUuid, PortBinding>;
  readonly multichassisPortsByDatapath: Index<DatapathUuid, PortBinding>;
  readonly chassisByName: Index<string, Chassis>;
  /** By whether they belong to another zone. */
  readonly remoteChassis: Index<boolean, Chassis>;
  readonly privatesByName: Index<string, ChassisPrivate>;
  readonly encapsByAddress: Index<string, Encap>;
  readonly groupsByName: Index<string, MulticastGroup>;
  readonly macBindingsByPort: Index<string, MacBinding>;
  readonly fdbByAddress: Index<string, Fdb>;
  /** By the cookie of their flows. */
  readonly neighborsByCookie: Index<number, MacBinding>;
  readonly fdbByCookie: Index<number, Fdb>;
  /** By datapath, address and chassis. */
  readonly igmpGroupsByKey: Index<string, IgmpGroup>;
  readonly dnsByDatapath: Index<DatapathUuid, Dns>;
  readonly addressSetsByName: Index<string, AddressSet>;
  readonly portGroupsByName: Index<string, PortGroup>;
  readonly metersByName: Index<string, Meter>;
  readonly templatesByChassis: Index<string, ChassisTemplateVar>;
  readonly collectorSets: Index<number, FlowSampleCollectorSet>;
  readonly bridgesByName: Index<string, Bridge>;
  readonly bridgesByPort: Index<string, Bridge>;
  readonly portsByInterface: Index<string, Port>;
  /** Patch ports towards physical networks, by the logical port they stand for. */
  readonly patchPortsByLogicalPort: Index<string, Port>;
  readonly tunnelPortsById: Index<string, Port>;
  readonly tunnelsByChassis: Index<string, Tunnel>;
  /** Ports with an interface that a mirror of type local may name. */
  readonly portsByMirrorId: Index<string, Port>;
  readonly mirrorsByName: Index<string, OvsMirror>;
  /** Logical ports by the mirrors attached to them. */
  readonly portsByMirror: Index<Mirror["_uuid"], PortBinding>;
  /** By the port with the queue. */
  readonly wantedQueuesByPort: Index<Port["_uuid"], WantedQueue>;
  readonly portRowsByName: Index<string, Port>;
  readonly interfacesByIfaceId: Index<string, Interface>;
  /** Ports that learn routes, by themselves and by the table they learn from; what they have learned. */
  readonly exchangePortsOf: Index<string, ExchangePort>;
  readonly exchangePortsByTable: Index<string, ExchangePort>;
  readonly learnedRoutesByKey: Index<string, LearnedRoute>;
  /** The ports that make their datapaths local, by datapath. */
  readonly roots: Index<DatapathUuid, PortBinding>;

  constructor(
    host: Host, engine: Engine, ovs: OpenVswitchReplica, sb: SouthboundReplica, options: NodeOptions,
    isRoot: (node: Node, port: PortBinding) => boolean, changed: () => void,
  ) {
    this.host = host;
    this.engine = engine;
    this.ovs = ovs;
    this.sb = sb;
    this.options = options;
    this.learning = new Learning(host, changed);
    this.snooping = new Snooping(host, changed);
    this.deviceNames = new DeviceNames(host.routing, changed);
    this.zones = new ZoneAssignment(host.log.module("ct_zone"));
    const { Port_Binding, Chassis, Multicast_Group, MAC_Binding } = sb.tables;
    const { Bridge, Port, Interface } = ovs.tables;
    this.portsByName = engine.index("port", Port_Binding, (p) => [p.logical_port]);
    this.portsByKey = engine.index("port key", Port_Binding, (p) => [portKey(p.datapath, p.tunnel_key)]);
    this.datapathsByKey = engine.index("datapath key", sb.tables.Datapath_Binding, (d) => [d.tunnel_key]);
    this.connectorsByDatapath = engine.index("connectors of", Port_Binding, (p) =>
      p.type === "patch" || p.type === "l3gateway" ? [p.datapath] : []);
    this.portsByType = engine.index("ports of type", Port_Binding, (p) => (p.type === "" ? [] : [p.type]));
    this.localnetPortsByDatapath = engine.index("localnet ports of", Port_Binding, (p) => (p.type === "localnet" ? [p.datapath] : []));
    this.externalPortsByDatapath = engine.index("external ports of", Port_Binding, (p) => (p.type === "external" ? [p.datapath] : []));
    this.multichassisPortsByDatapath = engine.index("multichassis ports of", Port_Binding, (p) =>
      p.type === "" && p.additional_chassis.size > 0 ? [p.datapath] : []);
    this.chassisByName = engine.index("chassis", Chassis, (c) => [c.name]);
    this.remoteChassis = engine.index("remote chassis", Chassis, (c) => [c.other_config.get("is-remote")?.toLowerCase() === "true"]);
    this.privatesByName = engine.index("private row", sb.tables.Chassis_Private, (c) => [c.name]);
    this.encapsByAddress = engine.index("encap", sb.tables.Encap, (e) => [`${e.type} ${e.ip}`]);
    this.groupsByName = engine.index("multicast group", Multicast_Group, (g) => [`${g.datapath} ${g.name}`]);
    this.macBindingsByPort = engine.index("MAC bindings of", MAC_Binding, (b) => [b.logical_port]);
    this.fdbByAddress = engine.index("FDB entry", sb.tables.FDB, (f) => [`${f.dp_key} ${f.mac}`]);
    this.neighborsByCookie = engine.index("MAC binding with", MAC_Binding, (b) => [cookieOf(b)]);
    this.fdbByCookie = engine.index("FDB entry with", sb.tables.FDB, (f) => [cookieOf(f)]);
    this.igmpGroupsByKey = engine.index("IGMP group", sb.tables.IGMP_Group, (g) => [`${g.datapath ?? ""} ${g.address} ${g.chassis ?? ""}`]);
    this.dnsByDatapath = engine.index("DNS of", sb.tables.DNS, (d) => d.datapaths);
    this.addressSetsByName = engine.index("address set", sb.tables.Address_Set, (a) => [a.name]);
    this.portGroupsByName = engine.index("port group", sb.tables.Port_Group, (g) => [g.name]);
    this.metersByName = engine.index("meter", sb.tables.Meter, (m) => [m.name]);
    this.templatesByChassis = engine.index("template variables", sb.tables.Chassis_Template_Var, (t) => [t.chassis]);
    this.collectorSets = engine.index("collector set", ovs.tables.Flow_Sample_Collector_Set, (c) => [c.id]);
    this.bridgesByName = engine.index("bridge", Bridge, (b) => [b.name]);
    this.bridgesByPort = engine.index("bridge of port", Bridge, (b) => b.ports);
    this.portsByInterface = engine.index("port of interface", Port, (p) => p.interfaces);
    this.patchPortsByLogicalPort = engine.index("patch port of", Port, (p) => {
      const name = p.external_ids.get("ovn-localnet-port") ?? p.external_ids.get("ovn-l2gateway-port");
      return name === undefined ? [] : [name];
    });
    this.tunnelPortsById = engine.index("tunnel port", Port, (p) => {
      const id = p.external_ids.get(tunnelIdKey);
      return id === undefined ? [] : [id];
    });
    this.tunnelsByChassis = engine.index("tunnels to", engine.facts(TunnelUp), (t) => [t.chassis]);
    this.portsByMirrorId = engine.index("mirror port", Port, (p) => [...p.interfaces].flatMap((uuid) => Interface.get(uuid)?.external_ids.get("mirror-id") ?? []));
    this.mirrorsByName = engine.index("OVS mirror", ovs.tables.Mirror, (m) => [m.name]);
    this.portsByMirror = engine.index("mirrored ports of", Port_Binding, (p) => p.mirror_rules);
    this.wantedQueuesByPort = engine.index("queues on", engine.facts(WantedQueue), (q) => [q.outer._uuid]);
    this.portRowsByName = engine.index("port", Port, (p) => [p.name]);
    this.interfacesByIfaceId = engine.index("interface of", Interface, (i) => {
      const id = i.external_ids.get("iface-id");
      return id === undefined ? [] : [id];
    });
    this.exchangePortsOf = engine.index("route exchange of", engine.facts(ExchangePort), (e) => [e.port._uuid]);
    this.exchangePortsByTable = engine.index("learning from", engine.facts(ExchangePort), (e) => [tableKey(e.table)]);
    this.learnedRoutesByKey = engine.index("learned route", sb.tables.Learned_Route, (r) => [`${r.datapath} ${r.logical_port} ${r.ip_prefix} ${r.nexthop}`]);
    this.roots = engine.index("roots of", Port_Binding, (p) => (isRoot(this, p) ? [p.datapath] : []));
  }

  /** A tracked read of that one datapath's locality. */
  isLocalDatapath(uuid: DatapathUuid): boolean {
    return this.engine.facts(LocalDatapath).get(uuid) !== undefined;
  }

  get fixedSystemId(): string | undefined {
    return this.options.systemId;
  }

  toString(): string {
    return "chassis";
  }
}

export const portKey = (datapath: string, key: number): string => `${datapath} ${key}`;

/** A collection of one item that never goes. */
class One<T> implements Collection<T> {
  readonly name: string;
  readonly size = 1;
  readonly #item: T;

  constructor(name: string, item: T) {
    this.name = name;
    this.#item = item;
  }

  *[Symbol.iterator](): Iterator<T> {
    yield this.#item;
  }

  watch(watcher: { added(item: T): void }): () => void {
    watcher.added(this.#item);
    return () => {};
  }
}
