/**
 * One zone at work: topology, rules, numbers and writers over two replicas. Made when the databases are there and the lock is
 * held, and thrown away when the lock goes: whoever held it meanwhile may have given out other numbers.
 */
import { Engine, untracked } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import { type CommitResult, type Counter, openProjector, type Projector, type Replica, type Transaction, type Uuid } from "../ovsdb/index.ts";
import { routerBalancers, switchBalancers } from "./balancing/balancer-use.ts";
import { monitorKey } from "./balancing/monitored-backends.ts";
import { AddressManagement } from "./ipam/address-management.ts";
import { AddressUse } from "./ipam/address-use.ts";
import { Lflow } from "./lflow.ts";
import { HealthCheckFeedback } from "./nb-feedback/health-check-feedback.ts";
import { GatewayFeedback, PortFeedback, tagAskedFor, TagRequest } from "./nb-feedback/port-feedback.ts";
import { allocateGroupKeys } from "./multicast/memberships.ts";
import { bindingRules, routerRules, switchRules, type ZoneContext, zoneRules } from "./rules.ts";
import { type Aging, letRowsAge } from "./sync/aging.ts";
import { AclIdRequest, WishedAclId } from "./sync/acl-ids.ts";
import { WishedAddressSet } from "./sync/address-sets.ts";
import { bandKey, WishedDns, WishedMeter, WishedMeterBand, WishedStaticMac, WishedTemplate } from "./sync/copied-rows.ts";
import { DatapathGroups, type DatapathUuid } from "./sync/datapath-groups.ts";
import { DatapathKeyRequest, WishedDatapath } from "./sync/datapath-bindings.ts";
import { WishedNbGlobal, WishedSbGlobal } from "./sync/globals.ts";
import { GroupReach, GroupReference, identifyHaChassis, WishedHaChassis, WishedHaChassisGroup } from "./sync/ha-chassis-groups.ts";
import { KeyAllocator } from "./sync/key-allocator.ts";
import { BalancerGroups, WishedBalancer } from "./sync/load-balancers.ts";
import { LogicalFlows } from "./sync/logical-flows.ts";
import { multicastGroupKey, WishedIpMulticast, WishedMulticastGroup } from "./sync/multicast-groups.ts";
import { datapathOfBinding, identifyBinding, PortKeyRequest, WishedPort } from "./sync/port-bindings.ts";
import { WishedPortGroup } from "./sync/port-groups.ts";
import { identifyPermission, identifyRole, WishedPermission, WishedRole } from "./sync/rbac.ts";
import { WishedMonitor } from "./sync/service-monitors.ts";
import { allocateSourcePorts, projectRoutingFeedback, projectRoutingRows } from "./sync/routing-rows.ts";
import { Stale } from "./sync/stale-rows.ts";
import { identifyDhcpOption, WishedDhcpOption, WishedDhcpv6Option } from "./sync/supported-options.ts";
import { QueueRequest } from "./sync/switch-port-bindings.ts";
import { rolesOf } from "./topology/roles.ts";
import { routeIndexes } from "./topology/route-numbers.ts";
import { RouteCensus, Routed } from "./topology/route-order.ts";
import { northboundGlobal } from "./topology/settings.ts";
import { type Nb, northboundUuidOf, type Sb, type SbRow, Topology } from "./topology/topology.ts";
import { intOption } from "./options.ts";

function datapathOf(t: Topology, uuid: Uuid<"Datapath_Binding"> | undefined): string {
  const row = t.sb.Datapath_Binding.get(uuid);
  return (row === undefined ? undefined : northboundUuidOf(row)) ?? "";
}

export class Zone {
  readonly engine = new Engine();
  readonly topology: Topology;
  readonly flows: LogicalFlows;
  readonly #groups: DatapathGroups;
  readonly #balancerGroups: BalancerGroups;
  readonly #host: Host;
  readonly #aging: Aging;
  readonly #sb: Replica<Sb>;
  readonly #sbProjector: Projector<Sb>;
  readonly #nbProjector: Projector<Nb>;
  /** The nb_cfg that the transaction in flight takes over. */
  #cfgInFlight: Counter = 0;

  constructor(host: Host, nb: Replica<Nb>, sb: Replica<Sb>) {
    this.#host = host;
    this.#sb = sb;
    const log = host.log.module("northd");
    this.topology = new Topology(this.engine, nb.tables, sb.tables, log, host.random, rolesOf);
    this.#groups = new DatapathGroups(sb.tables);
    this.flows = new LogicalFlows(sb, this.topology.flowContents, this.#groups);
    this.#balancerGroups = new BalancerGroups(sb, this.#groups);
    this.#sbProjector = openProjector(host, this.engine, sb, { comment: "ovn-northd", committed: (result) => this.#southboundCommitted(result) });
    this.#nbProjector = openProjector(host, this.engine, nb, { comment: "ovn-northd" });
    this.#allocate();
    this.#aging = letRowsAge(this.topology, host.clock, () => this.step());
    this.engine.sink(Lflow, this.flows);
    switchBalancers(this.topology).watch(this.#balancerGroups);
    this.engine.sinkOf(routerBalancers(this.topology), this.#balancerGroups);
    this.engine.install(this.topology, [...bindingRules, ...switchRules, ...routerRules]);
    this.engine.install(this.#context(), zoneRules);
    this.#projectSouthbound();
    this.#projectNorthbound();
  }

  /** Something in the databases has changed. */
  step(): void {
    this.#stampConfig();
    this.engine.flush();
    this.#sbProjector.commit();
    if (this.isSettled) this.#reached(this.#nbCfg());
    this.#nbProjector.commit();
  }

  /** The southbound database is as it should be. */
  get isSettled(): boolean {
    return this.#sbProjector.isSettled && this.flows.isSettled && this.#balancerGroups.isSettled;
  }

  compareAll(): void {
    this.flows.compareAll();
    this.#balancerGroups.compareAll();
    this.#sbProjector.compareAll();
    this.#nbProjector.compareAll();
  }

  close(): void {
    this.#aging.close();
    this.#sbProjector.close();
    this.#nbProjector.close();
  }

  #nbCfg(): Counter {
    return untracked(() => northboundGlobal(this.topology)?.nb_cfg ?? 0);
  }

  #stampConfig(): void {
    const cfg = this.#nbCfg();
    const { nbCfgStamp, sb } = this.topology;
    const before = untracked(() => nbCfgStamp.get()?.cfg);
    if (before === cfg) return;
    if (before === undefined) {
      // Taken over as it is: the time it came is in the database already.
      for (const row of sb.SB_Global) if (row.nb_cfg === cfg) return;
    }
    nbCfgStamp.set({ cfg, time: this.#host.clock.wall() });
  }

  #reached(cfg: Counter): void {
    const { sbCfgStamp } = this.topology;
    if (untracked(() => sbCfgStamp.get()?.cfg) === cfg) return;
    sbCfgStamp.set({ cfg, time: this.#host.clock.wall() });
    this.engine.flush();
  }

  #southboundCommitted(result: CommitResult): void {
    this.flows.finished(result);
    this.#balancerGroups.finished(result);
    if (result.kind !== "committed" && result.kind !== "unchanged") return;
    this.#reached(this.#cfgInFlight);
    this.#nbProjector.commit();
  }

  #allocate(): void {
    const { engine, topology: t } = this;
    const warn = (text: string): void => t.warn(text);
    const kindOf = (port: string): string => (untracked(() => t.routerPortsByName.first(port)) === undefined ? "switch" : "router");
    const datapaths = new KeyAllocator({
      what: "datapath tunnel ids", min: 1, policy: "lowest", warn,
      conflict: ({ key, requested }) => warn(`Logical datapath ${key} requests same tunnel key ${requested} as another logical datapath`),
      existing: (_, key) => untracked(() => t.bindingsByNbDatapath.first(key)?.tunnel_key),
    });
    const ports = new KeyAllocator({
      what: "port tunnel ids", min: 1, policy: "next", warn,
      conflict: ({ key, requested }) => warn(`Logical ${kindOf(key)} port ${key} requests same tunnel key ${requested} as another LSP or LRP`),
      existing: (scope, key) => untracked(() => {
        const row = t.bindingsByName.first(key);
        return row !== undefined && datapathOfBinding(t, row) === scope ? row.tunnel_key : undefined;
      }),
    });
    const queues = new KeyAllocator({
      what: "queue ids", min: 1, policy: "lowest", warn, conflict: () => undefined,
      existing: (_, key) => untracked(() => intOption(t.bindingsByName.first(key)?.options ?? new Map(), "qdisc_queue_id", 0)) || undefined,
    });
    const askedTags = engine.index("tags asked for by name", t.switchPorts, tagAskedFor);
    const tags = new KeyAllocator({
      what: "vlans for nested ports", min: 1, policy: "lowest", warn, conflict: () => undefined,
      existing: (_, key) => untracked(() => t.nb.Logical_Switch_Port.get(key as Uuid<"Logical_Switch_Port">)?.tag),
      isBarred: (parent, tag) => untracked(() => askedTags.first(`${parent} ${tag}`) !== undefined),
    });
    const acls = new KeyAllocator({
      what: "ACL IDs", min: 1, policy: "lowest", warn, conflict: () => undefined,
      existing: (_, key) => untracked(() => t.sb.ACL_ID.get(key as Uuid<"ACL_ID">)?.id),
    });
    const addresses = new AddressManagement(this.#host.log);
    engine.sink(DatapathKeyRequest, datapaths);
    engine.sink(PortKeyRequest, ports);
    engine.sink(QueueRequest, queues);
    engine.sink(TagRequest, tags);
    engine.sink(AclIdRequest, acls);
    engine.sink(AddressUse, addresses);
    const routeOrder = new RouteCensus();
    engine.sink(Routed, routeOrder);
    t.routeOrder = routeOrder;
    allocateSourcePorts(t);
    const groupsOfSouthbound = engine.index("multicast groups by key", t.sb.Multicast_Group, (row: SbRow<"Multicast_Group">) => [`${datapathOf(t, row.datapath)} ${row.name}`]);
    allocateGroupKeys(t, (key) => untracked(() => groupsOfSouthbound.first(key)?.tunnel_key));
    t.datapathKeys = datapaths;
    t.portKeys = ports;
    t.queues = queues;
    t.tags = tags;
    t.aclIds = acls;
    t.dynamicAddresses = addresses;
  }

  #context(): ZoneContext {
    const { engine, topology } = this;
    const { sb } = topology;
    const reach = engine.index("HA chassis groups by router", engine.facts(GroupReach), (f) => [f.router]);
    const references = engine.index("references by HA chassis group", engine.facts(GroupReference), (f) => [f.group]);
    const switchesOfDns = engine.index("switches of DNS", topology.switches, (s): Iterable<string> => s.row.dns_records);
    const byKeys = engine.index("port bindings by keys", sb.Port_Binding, (row) => [`${sb.Datapath_Binding.get(row.datapath)?.tunnel_key} ${row.tunnel_key}`]);
    return {
      topology,
      routes: routeIndexes(topology),
      groupsReaching: (router) => reach.get(router),
      referencesTo: (group) => references.get(group),
      switchesOfDns: (uuid) => switchesOfDns.get(uuid),
      isPort: (datapathKey, portKey) => byKeys.first(`${datapathKey} ${portKey}`) !== undefined,
    };
  }

  #projectSouthbound(): void {
    const p = this.#sbProjector;
    const t = this.topology;
    const groupsOfMember = this.engine.index("HA chassis groups by member", t.sb.HA_Chassis_Group, (g: SbRow<"HA_Chassis_Group">): Iterable<string> => g.ha_chassis);
    const metersOfBand = this.engine.index("meters by band", t.sb.Meter, (m: SbRow<"Meter">): Iterable<string> => m.bands);
    const byUuid = (row: { readonly _uuid: string }): string => row._uuid;
    const byName = (row: { readonly name: string }): string => row.name;
    p.project("Datapath_Binding", { relation: WishedDatapath, identify: (row) => northboundUuidOf(row) ?? "" });
    p.project("HA_Chassis", { relation: WishedHaChassis, identityReads: "anything", identify: (row) => identifyHaChassis((uuid) => groupsOfMember.first(uuid), row) });
    p.project("HA_Chassis_Group", { relation: WishedHaChassisGroup, identify: byName });
    p.project("Port_Binding", { relation: WishedPort, identify: (row) => identifyBinding(t, row) });
    p.project("Multicast_Group", { relation: WishedMulticastGroup, identify: (row) => multicastGroupKey(datapathOf(t, row.datapath), row.name, row.tunnel_key) });
    p.project("IP_Multicast", { relation: WishedIpMulticast, identify: (row) => datapathOf(t, row.datapath) });
    p.project("Address_Set", { relation: WishedAddressSet, identify: byName });
    p.project("Port_Group", { relation: WishedPortGroup, identify: byName });
    p.project("Load_Balancer", { relation: WishedBalancer, identify: byUuid });
    p.project("ACL_ID", { relation: WishedAclId, identify: byUuid });
    const wishedMonitors = this.engine.index("wished service monitors", this.engine.facts(WishedMonitor), (wish) => [wish.key]);
    p.project("Service_Monitor", {
      relation: WishedMonitor, identityReads: "anything",
      identify: (row) => {
        const key = monitorKey(row.logical_port, row.ip, row.port, row.protocol ?? "");
        // What ovn-ic has brought is its own, unless it is wanted here too.
        return row.ic_learned && wishedMonitors.first(key) === undefined ? undefined : key;
      },
    });
    p.project("DHCP_Options", { relation: WishedDhcpOption, identify: identifyDhcpOption });
    p.project("DHCPv6_Options", { relation: WishedDhcpv6Option, identify: byName });
    p.project("RBAC_Permission", { relation: WishedPermission, identify: identifyPermission });
    p.project("RBAC_Role", { relation: WishedRole, identify: identifyRole });
    p.project("DNS", { relation: WishedDns, identify: byUuid });
    p.project("Static_MAC_Binding", { relation: WishedStaticMac, identify: byUuid });
    p.project("Meter_Band", {
      relation: WishedMeterBand, identityReads: "anything",
      identify: (row) => {
        const meter = metersOfBand.first(row._uuid);
        return meter === undefined ? undefined : bandKey(meter.name, row);
      },
    });
    p.project("Meter", { relation: WishedMeter, identify: byName });
    p.project("Chassis_Template_Var", { relation: WishedTemplate, identify: byUuid });
    projectRoutingRows(p, t);
    p.project("SB_Global", { relation: WishedSbGlobal, identify: () => "global" });
    p.also((transaction) => this.#alsoSouthbound(transaction));
  }

  #alsoSouthbound(transaction: Transaction<Sb>): void {
    this.#cfgInFlight = this.#nbCfg();
    const { datapathKeys } = this.topology;
    const uuidOf: DatapathUuid = (datapath) =>
      this.#sbProjector.row("Datapath_Binding", datapath)?._uuid ??
      (datapathKeys.get(datapath) === undefined ? undefined : (datapath as Uuid<"Datapath_Binding">));
    this.#groups.begin();
    this.flows.write(transaction, uuidOf);
    this.#balancerGroups.write(transaction, uuidOf);
    for (const row of this.engine.facts(Stale)) if (this.#sb.tables[row._table].get(row._uuid) !== undefined) transaction.delete(row);
  }

  #projectNorthbound(): void {
    const p = this.#nbProjector;
    p.project("NB_Global", { relation: WishedNbGlobal, identify: () => "global" });
    p.project("Logical_Switch_Port", { relation: PortFeedback, owns: "columns", identify: (row) => row._uuid });
    projectRoutingFeedback(p);
    p.project("Logical_Switch_Port_Health_Check", { relation: HealthCheckFeedback, owns: "columns", identify: (row) => row._uuid });
    p.project("Logical_Router_Port", { relation: GatewayFeedback, owns: "columns", identify: (row) => row._uuid });
  }
}
