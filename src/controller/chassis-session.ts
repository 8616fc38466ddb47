/** Everything that needs both databases: the rules with their sinks, the connections to the switch, and the order of work. */
import { ovnInternalVersion } from "../daemon/index.ts";
import { Engine } from "../engine/index.ts";
import { type Host, parseActiveTarget } from "../host/index.ts";
import { type Counter, openReplica } from "../ovsdb/index.ts";
import type { Action } from "../openflow/index.ts";
import { southbound } from "../schemas/index.ts";
import { AgingThreshold, AgingWatch } from "./aging.ts";
import { Announcement, Announcer } from "./announcements.ts";
import { OwnPort } from "./bindings.ts";
import { integrationBridge, makesDatapathLocal } from "./claims.ts";
import { PrefixDelegation } from "./delegation/prefix-delegation.ts";
import { WantedPrefix } from "./delegation/wanted-prefixes.ts";
import { DesiredFlows } from "./desired-flows.ts";
import { ExtensionTable, GroupUse, MeterUse, MissingMeters, NumberRelease, WantedMeter } from "./extension-tables.ts";
import { Flow } from "./flow.ts";
import { FlowConnection } from "./flow-connection.ts";
import { FlowInstaller } from "./flow-installer.ts";
import { firstConditions, Interest, InterestKeeper } from "./interest.ts";
import { LocalFlow, releaseConjunctions } from "./logical-flows.ts";
import { ZoneLimit } from "./lifted-limits.ts";
import { BfdSessions, WatchedPeer } from "./monitors/bfd-sessions.ts";
import { MonitoredService } from "./monitors/monitored-service.ts";
import { ServiceChecks } from "./monitors/service-checks.ts";
import { NextHopAsker, NextHopRequest } from "./next-hop-requests.ts";
import { Node, type NodeOptions } from "./node.ts";
import { ourChassis } from "./ports.ts";
import { PacketConnection } from "./packet-in/packet-connection.ts";
import { WaitingPackets } from "./packet-in/waiting-packets.ts";
import { privateRow } from "./registration.ts";
import { OpenVswitchRepair, RepairCrew, SouthboundRepair } from "./repairs.ts";
import type { OpenVswitchReplica, OpenVswitchTransaction, PortBinding, SouthboundReplica, SouthboundTransaction } from "./rows.ts";
import { Advertiser, PeriodicAdvertisement } from "./router-advertisements.ts";
import { WantedRoute } from "./route-exchange/advertised-routes.ts";
import { ExchangeTable } from "./route-exchange/exchange-table.ts";
import { RouteExchange } from "./route-exchange/route-exchange.ts";
import { rules } from "./rules.ts";
import { SnoopedSwitch } from "./snooping/snooped-switch.ts";
import { booleanSetting, setting, systemIdOf } from "./settings.ts";
import { ConnectionFlushes, TrackedConnections } from "./tracked-connections.ts";
import { tunnelIdKey } from "./tunnel.ts";
import { ZoneUser } from "./zone-assignment.ts";
import { recordedZones, ZoneRange } from "./zones-in-bridge.ts";

const geneveOptionSize = 4;

export class ChassisSession {
  readonly node: Node;
  readonly engine = new Engine();
  readonly flows = new DesiredFlows();
  readonly installer: FlowInstaller;
  /** debug/delay-nb-cfg-report: how long after its flows a configuration is reported. */
  reportDelayMs = 0;
  /** How often something came in that the rules were run for. */
  passes = 0;
  readonly #host: Host;
  readonly #ovs: OpenVswitchReplica;
  readonly #sb: SouthboundReplica;
  readonly #crews: readonly [RepairCrew<OpenVswitchTransaction>, RepairCrew<SouthboundTransaction>];
  readonly #awaiting = new Set<PortBinding>();
  readonly #waiting: WaitingPackets;
  readonly #aging: AgingWatch;
  readonly #announcer: Announcer;
  readonly #missingMeters: MissingMeters;
  readonly #advertiser: Advertiser;
  readonly #asker: NextHopAsker;
  readonly #connections: ConnectionFlushes;
  readonly #bfd: BfdSessions;
  readonly #services: ServiceChecks;
  readonly #delegation: PrefixDelegation;
  readonly #routeExchange: RouteExchange;
  #connection: FlowConnection | undefined;
  #packets: PacketConnection | undefined;
  /** Where the switch is, or is to be, reached. */
  #switchRemote: string | undefined;
  /** How often the southbound database is asked for a sign of life, as the settings say. */
  #probeIntervalMs: number | undefined;
  #requested: { readonly sequence: Counter; readonly timestamp: number } = { sequence: 0, timestamp: 0 };
  #isPaused = false;
  #isClosed = false;
  #isWithdrawing = false;
  /** By another release's northd: nothing is written that was worked out before. */
  #isHeld = false;
  #refusedVersion: string | undefined;

  constructor(host: Host, ovs: OpenVswitchReplica, remote: string, options: NodeOptions) {
    this.#host = host;
    this.#ovs = ovs;
    const monitor = Object.fromEntries(Object.keys(southbound.tables).map((name) => [name, conditionOf(name)]));
    this.#sb = openReplica(host, southbound, remote, { monitor, leaderOnly: false, minBackoffMs: 100, changed: () => this.#changed() });
    this.node = new Node(host, this.engine, ovs, this.#sb, options, makesDatapathLocal, () => this.#changed());
    this.#waiting = new WaitingPackets(this.node);
    const send = (packet: Uint8Array, actions: readonly Action[]): void => this.#packets?.packetOut(packet, actions);
    this.#aging = new AgingWatch(host, this.node, (table) => this.#packets?.count(table), send);
    this.#announcer = new Announcer(host, this.node, send);
    this.#missingMeters = new MissingMeters(host.log);
    this.#asker = new NextHopAsker(host, send);
    this.#advertiser = new Advertiser(host, send);
    this.#bfd = new BfdSessions(host, this.node.bfdStates, send, () => this.#changed());
    this.#services = new ServiceChecks(host, this.node.serviceStates, send, () => this.#changed());
    this.#delegation = new PrefixDelegation(host, this.node.delegatedPrefixes, send, () => this.#changed());
    this.node.snooping.onSend(send);
    this.#routeExchange = new RouteExchange({
      host, kernelRoutes: this.node.kernelRoutes, isGrown: () => this.node.isGrown.get(), changed: () => this.#changed(),
    });
    this.#connections = new ConnectionFlushes(host.log);
    const groups = new ExtensionTable<GroupUse>();
    const meters = new ExtensionTable<WantedMeter>();
    this.installer = new FlowInstaller(host.log, { flows: this.flows, groups, meters, takeFlushes: () => this.node.zones.takeFlushes(), connections: this.#connections });
    const log = host.log.module("main");
    this.#crews = [
      new RepairCrew(host.clock, log, () => (ovs.status.isConnected && !this.#isHeld ? ovs.transaction() : undefined)),
      new RepairCrew(host.clock, log, () => (this.#sb.status.isConnected && this.#sb.status.isSynced && !this.#isWithdrawing && !this.#isHeld ? this.#sb.transaction() : undefined)),
    ];
    this.node.zones.restore(recordedZones(integrationBridge(this.node)));
    this.#wire(groups, meters);
    this.engine.install(this.node, rules);
    this.#changed();
  }

  #wire(groups: ExtensionTable<GroupUse>, meters: ExtensionTable<WantedMeter>): void {
    const { engine, node } = this;
    engine.sink(ZoneRange, { added: ({ min, max }) => node.zones.setRange(min, max), removed: () => {} });
    engine.sink(ZoneUser, node.zones);
    engine.sink(ZoneLimit, node.liftedLimits);
    engine.sink(Interest, new InterestKeeper(this.#sb));
    engine.sink(Flow, this.flows);
    engine.sink(GroupUse, groups);
    engine.sink(GroupUse, new NumberRelease(node.groups));
    engine.sink(WantedMeter, meters);
    this.#missingMeters.watch(engine);
    engine.sink(MeterUse, new NumberRelease(node.meters));
    engine.facts(LocalFlow).watch(releaseConjunctions(node));
    engine.sink(OwnPort, {
      added: ({ port }) => this.#awaiting.add(port),
      removed: ({ port }) => {
        this.#awaiting.delete(port);
        node.inService.forget(port._uuid);
        node.activations.forget(port._uuid);
      },
    });
    engine.sink(AgingThreshold, this.#aging);
    engine.sink(Announcement, this.#announcer);
    engine.sink(NextHopRequest, this.#asker);
    engine.sink(PeriodicAdvertisement, this.#advertiser);
    engine.sink(TrackedConnections, this.#connections);
    engine.sink(WatchedPeer, this.#bfd);
    engine.sink(MonitoredService, this.#services);
    engine.sink(WantedPrefix, this.#delegation);
    engine.sink(SnoopedSwitch, node.snooping);
    engine.sink(ExchangeTable, this.#routeExchange);
    engine.facts(WantedRoute).watch(this.#routeExchange.routes);
    engine.sink(OpenVswitchRepair, this.#crews[0]);
    engine.sink(SouthboundRepair, this.#crews[1]);
  }

  /** `probeIntervalMs` undefined: as often as suits the kind of connection; 0: never. */
  setRemote(remote: string, probeIntervalMs: number | undefined): void {
    const isMoved = remote !== this.#sb.remote;
    if (isMoved) this.#sb.setRemote(remote);
    if (!isMoved && probeIntervalMs === this.#probeIntervalMs) return;
    this.#probeIntervalMs = probeIntervalMs;
    this.#sb.setProbeInterval(probeIntervalMs);
  }

  reconnectSouthbound(): void {
    this.#sb.reconnect();
  }

  ovsChanged(): void {
    this.#changed();
  }

  get isConnected(): boolean {
    return this.#sb.status.isConnected;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused;
    if (!paused) this.#changed();
  }

  close(): void {
    this.#isClosed = true;
    for (const crew of this.#crews) crew.stop();
    this.#connection?.close();
    this.#packets?.close();
    this.#waiting.stop();
    this.#aging.stop();
    this.#announcer.stop();
    this.#advertiser.stop();
    this.#asker.stop();
    this.#bfd.stop();
    this.#services.stop();
    this.#delegation.stop();
    this.node.snooping.stop();
    this.#routeExchange.stop();
    this.#sb.close();
  }

  /** Takes back what is ours in the databases: the controller goes for good. */
  async withdraw(): Promise<void> {
    this.#isWithdrawing = true;
    for (const crew of this.#crews) crew.stop();
    await this.#routeExchange.withdraw();
    const chassis = ourChassis(this.node);
    if (chassis !== undefined && this.#sb.status.isConnected) {
      const txn = this.#sb.transaction();
      txn.comment(`ovn-controller: unregistering chassis '${chassis.name}'`);
      for (const port of this.#sb.tables.Port_Binding) {
        if (port.chassis === chassis._uuid) txn.update(port, { chassis: undefined, encap: undefined, ...(port.up === true ? { up: false } : {}) });
      }
      const own = privateRow(this.node, chassis.name);
      if (own !== undefined) txn.delete(own);
      txn.delete(chassis);
      await txn.commit();
    }
    const bridge = integrationBridge(this.node);
    if (bridge === undefined || !this.#ovs.status.isConnected) return;
    const txn = this.#ovs.transaction();
    txn.comment("ovn-controller: destroying tunnels");
    const tunnels = [...bridge.ports].filter((uuid) => this.#ovs.tables.Port.get(uuid)?.external_ids.has(tunnelIdKey) === true);
    if (tunnels.length > 0) txn.mutate(bridge, "ports", "delete", tunnels);
    await txn.commit();
  }

  /** Something came from a database or the switch: everything that follows from it is brought up to date. */
  #changed(): void {
    if (this.#isClosed || this.#isPaused || this.#isWithdrawing) return;
    this.#isHeld = this.#isOfAnotherVersion();
    if (this.#isHeld) {
      this.#followBridge();
      return;
    }
    if (this.#sb.status.isSynced && !this.node.isSettled.get()) this.node.isSettled.set(true);
    this.passes++;
    this.engine.flush();
    if (!this.node.isGrown.get() && this.#hasEverything()) this.#grown();
    this.#followBridge();
    this.#install();
  }

  /**
   * ovn-match-northd-version: what another release's northd has written is left alone, and the flows stay as they are. While the
   * database is away, so is the version; packets are answered all the same.
   */
  #isOfAnotherVersion(): boolean {
    if (!booleanSetting(this.node, "ovn-match-northd-version", false)) return false;
    const { isConnected, isSynced, areConditionsInForce } = this.#sb.status;
    if (!isConnected || !isSynced || !areConditionsInForce) return true;
    let version = "";
    for (const { options } of this.#sb.tables.SB_Global) version = options.get("northd_internal_version") ?? "";
    const isAnother = version !== ovnInternalVersion;
    if (isAnother && version !== this.#refusedVersion) {
      this.#host.log.module("main").warn(`controller version - ${ovnInternalVersion} mismatch with northd version - ${version}`);
    }
    this.#refusedVersion = isAnother ? version : undefined;
    return isAnother;
  }

  /** Every row has come that conditions ask for, and what came with them has led to no further ones. */
  #hasEverything(): boolean {
    return this.#sb.status.isSynced && this.#sb.status.areConditionsInForce && ourChassis(this.node) !== undefined;
  }

  #grown(): void {
    this.node.isGrown.set(true);
    this.node.zones.dropUnused();
    this.#routeExchange.grown();
    this.engine.flush();
  }

  #install(): void {
    // Without a chassis row nothing is wanted; the flows in the switch stay until the row is there again.
    if (ourChassis(this.node) === undefined) return;
    const status = this.#sb.status;
    if (status.isSynced && status.areConditionsInForce) {
      this.#connection?.allowInstalling();
      this.#requestConfirmations();
    }
    this.#missingMeters.tell();
    this.installer.run();
  }

  /** What is to be reported when the flows worked out by now are in the switch. */
  #requestConfirmations(): void {
    const ports = [...this.#awaiting];
    this.#awaiting.clear();
    if (ports.length > 0) {
      this.installer.whenInstalled(() => this.#confirmed(() => {
        for (const port of ports) if (this.engine.facts(OwnPort).get(port._uuid) !== undefined) this.node.inService.enter(port._uuid);
      }));
    }
    for (const { nb_cfg: sequence, nb_cfg_timestamp: timestamp } of this.#sb.tables.SB_Global) {
      if (sequence === this.#requested.sequence) continue;
      const requested = { sequence, timestamp };
      this.#requested = requested;
      const report = (): void => this.#confirmed(() => this.node.confirmedConfig.set({ ...requested, confirmedAt: Math.floor(this.#host.clock.wall()) }));
      this.installer.whenInstalled(() => (this.reportDelayMs === 0 ? report() : this.#host.clock.after(this.reportDelayMs, report)));
    }
  }

  /** Cells are not set in the middle of a flush. */
  #confirmed(apply: () => void): void {
    queueMicrotask(() => {
      apply();
      this.#changed();
    });
  }

  /** Connects to the integration bridge when there is one; its socket appears when the switch has made it. */
  #followBridge(): void {
    const bridge = integrationBridge(this.node);
    if (bridge === undefined) return;
    const remote = setting(this.node, "ovn-bridge-remote") ?? `unix:${this.node.options.runFolder}/${bridge.name}.mgmt`;
    if (this.#switchRemote !== remote) {
      this.#switchRemote = remote;
      this.#connection?.close();
      this.#packets?.close();
      this.#connection = undefined;
      this.#packets = undefined;
      const target = parseActiveTarget(remote);
      if (target === undefined) {
        this.#host.log.module("ofctrl").warn(`${remote}: no address that a switch could be reached at`);
        return;
      }
      const optionSize = (index: number): number | undefined => (index === this.node.geneveField.get() ? geneveOptionSize : undefined);
      this.#connection = new FlowConnection(this.#host, target, this.installer, optionSize, {
        negotiated: (index) => this.#negotiated(index), lost: () => this.#lost(),
      });
      const place = { node: this.node, waiting: this.#waiting, bfd: this.#bfd, services: this.#services, delegation: this.#delegation };
      this.#packets = new PacketConnection(this.#host, target, place, optionSize, {
        connected: () => this.#announcer.repeat(), counted: (flows) => this.#aging.counted(flows),
      });
    } else if (bridge.datapath_id !== undefined) {
      this.#connection?.poke();
      this.#packets?.poke();
    }
    const probeMs = 1000 * Math.floor((Number(setting(this.node, "ovn-bridge-remote-probe-interval")) || 0) / 1000);
    this.#connection?.setProbeInterval(Math.max(0, probeMs));
    this.#packets?.setProbeInterval(Math.max(0, probeMs));
  }

  #negotiated(index: number | undefined): void {
    this.node.geneveField.set(index);
    this.node.switchLink.set("up");
    // A switch that lost its connection may have lost its options too; flows are sent after this.
    this.#changed();
  }

  #lost(): void {
    this.node.switchLink.set("down");
    this.#changed();
  }

  get switchIsConnected(): boolean {
    return this.#connection?.isConnected ?? false;
  }

  /** Undefined while there is no switch to talk to. */
  get packets(): PacketConnection | undefined {
    return this.#packets?.isConnected === true ? this.#packets : undefined;
  }

  get systemId(): string | undefined {
    return systemIdOf(this.node);
  }
}

const conditionOf = (table: string): true | { readonly condition: (typeof firstConditions)[keyof typeof firstConditions] } =>
  table in firstConditions ? { condition: firstConditions[table as keyof typeof firstConditions] } : true;
