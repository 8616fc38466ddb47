/** ovn-ic: one availability zone's part in the interconnection. Wires databases, rules and writers; see zone.ts for the rest. */
import type { Daemon, UnixctlCommand } from "../daemon/index.ts";
import { Engine, untracked } from "../engine/index.ts";
import type { Host, Log } from "../host/index.ts";
import { openProjector, type Projector, type Replica } from "../ovsdb/index.ts";
import type { icNorthbound, icSouthbound, northbound, southbound } from "../schemas/index.ts";
import { announcedAddressSet, identifyIcAddressSet, identifyLearnedAddressSet, indexAddressSets, learnedAddressSet } from "./address-set.ts";
import { adoptOwnRow, availabilityZone, identifyZone } from "./availability-zone.ts";
import { allOf, connect, type Connections, type IcRemotes, leaderLock, zoneLock } from "./connections.ts";
import { announcedGateway, identifyGateway, identifyGatewayEncap, identifyRemoteChassis, identifyRemoteEncap, remoteGateway } from "./gateway.ts";
import { identifyIcBinding, identifyRemoteBinding, identifyRemotePort, localPort, remotePort } from "./port-binding.ts";
import { advertising } from "./route-advertise.ts";
import { RouteDuplicates } from "./route-duplicates.ts";
import { identifyLearnedRoute, identifyRoute, learnRoute } from "./route-learn.ts";
import { identifyIcMonitor, identifyMonitor, indexMonitors, requestedMonitor, watchedMonitor } from "./service-monitor.ts";
import { followInIcNb, followInIcSb } from "./sequence.ts";
import { indexTransitPorts } from "./transit-port.ts";
import { identifyRouter, identifyRouterPort, transitRouter, transitRouterPort } from "./transit-router.ts";
import { identifyLeaderBinding, identifyManagedPort, transitSwitchPort } from "./transit-switch-port.ts";
import { identifyDatapath, identifySwitch, transitSwitch } from "./transit-switch.ts";
import { KeyPromises } from "./tunnel-keys.ts";
import {
  Complaint, LearnedAddressSet, LearnedRoute, MonitorStatus, PortKey, RemoteLocation, ReturnedStatus, WantedChassis, WantedEncap, WantedGateway,
  WantedGatewayEncap, WantedIcAddressSet, WantedIcBinding, WantedIcDatapath, WantedIcMonitor, WantedLeaderBinding, WantedManagedPort, WantedMonitor,
  WantedRemotePort, WantedRoute, WantedRouter, WantedRouterPort, WantedSwitch, WantedZone,
} from "./wishes.ts";
import { interconnectOptions, Zone, zoneOptions } from "./zone.ts";

export interface InterconnectDaemon extends Daemon {
  /** Resolves when it has looked at all databases for the first time. */
  readonly firstRun: Promise<void>;
}

export function startIc(host: Host, remotes: IcRemotes): InterconnectDaemon {
  return new Ic(host, remotes);
}

interface Writers {
  readonly nb: Projector<typeof northbound>;
  readonly sb: Projector<typeof southbound>;
  readonly icNb: Projector<typeof icNorthbound>;
  readonly icSb: Projector<typeof icSouthbound>;
  readonly leader: Projector<typeof icSouthbound>;
}

class Ic implements InterconnectDaemon {
  readonly commands: readonly UnixctlCommand[];
  readonly ready: Promise<void> = Promise.resolve();
  readonly firstRun: Promise<void>;
  #hasRun: () => void = () => undefined;
  readonly #log: Log;
  readonly #engine = new Engine();
  readonly #connections: Connections;
  readonly #zone: Zone;
  readonly #writers: Writers;
  #isPaused = false;
  #wasActive = false;
  #wasLeader = false;
  #isStarted = false;
  #probes = "";

  constructor(host: Host, remotes: IcRemotes) {
    this.#log = host.log.module("ovn_ic");
    this.firstRun = new Promise((resolve) => {
      this.#hasRun = resolve;
    });
    this.#connections = connect(host, remotes, () => this.#step());
    this.#zone = new Zone(this.#engine, this.#connections);
    this.#writers = this.#openWriters(host);
    this.commands = this.#makeCommands();
    this.#engine.sink(Complaint, { added: ({ text }) => this.#log.warn(text), removed: () => undefined });
    this.#engine.sink(WantedRoute, new RouteDuplicates(this.#log));
  }

  async stop(): Promise<void> {
    for (const writer of Object.values<{ close(): void }>({ ...this.#writers })) writer.close();
    for (const replica of allOf(this.#connections)) replica.close();
  }

  #openWriters(host: Host): Writers {
    const { nb, sb, icNb, icSb, leader } = this.#connections;
    const [engine, zone] = [this.#engine, this.#zone];
    const committed = (): void => this.#step();
    // Of several ovn-ic of a zone only the one with the zone's lock writes, to whichever database.
    const mayWrite = (): boolean => !this.#isPaused && untracked(() => sb.status.hasLock);
    const open = { committed, mayWrite, comment: "ovn-ic" };
    const writers: Writers = {
      nb: openProjector(host, engine, nb, open), sb: openProjector(host, engine, sb, open), icNb: openProjector(host, engine, icNb, open),
      icSb: openProjector(host, engine, icSb, open), leader: openProjector(host, engine, leader, open),
    };
    writers.nb.project("Logical_Switch", { relation: WantedSwitch, identify: identifySwitch });
    writers.nb.project("Logical_Switch_Port", {
      relation: WantedRemotePort, identify: identifyRemotePort(zone), identityReads: "anything", parent: { table: "Logical_Switch", column: "ports" },
    });
    writers.nb.project("Logical_Switch_Port", { relation: PortKey, identify: (row) => (row.type === "remote" ? undefined : row.name), owns: "columns" });
    writers.nb.project("Logical_Router_Static_Route", {
      relation: LearnedRoute, identify: identifyLearnedRoute(zone), identityReads: "anything", parent: { table: "Logical_Router", column: "static_routes" },
    });
    writers.nb.project("Logical_Switch_Port", {
      relation: WantedManagedPort, identify: identifyManagedPort(zone), identityReads: "anything", parent: { table: "Logical_Switch", column: "ports" },
    });
    writers.nb.project("Logical_Router", { relation: WantedRouter, identify: identifyRouter });
    writers.nb.project("Logical_Router_Port", {
      relation: WantedRouterPort, identify: identifyRouterPort(zone), identityReads: "anything", parent: { table: "Logical_Router", column: "ports" },
    });
    writers.nb.project("Address_Set", { relation: LearnedAddressSet, identify: identifyLearnedAddressSet });
    writers.sb.project("Chassis", { relation: WantedChassis, identify: identifyRemoteChassis });
    writers.sb.project("Encap", { relation: WantedEncap, identify: identifyRemoteEncap(zone), identityReads: "anything" });
    writers.sb.project("Port_Binding", { relation: RemoteLocation, identify: identifyRemoteBinding, owns: "columns" });
    writers.sb.project("Service_Monitor", { relation: WantedMonitor, identify: identifyMonitor });
    writers.sb.project("Service_Monitor", { relation: ReturnedStatus, identify: (row) => row._uuid, owns: "columns" });
    writers.icSb.project("Availability_Zone", { relation: WantedZone, identify: identifyZone(zone), identityReads: "anything" });
    writers.icSb.project("Gateway", { relation: WantedGateway, identify: identifyGateway(zone), identityReads: "anything" });
    writers.icSb.project("Encap", { relation: WantedGatewayEncap, identify: identifyGatewayEncap(zone), identityReads: "anything" });
    writers.icSb.project("Port_Binding", { relation: WantedIcBinding, identify: identifyIcBinding(zone), identityReads: "anything" });
    writers.icSb.project("Route", { relation: WantedRoute, identify: identifyRoute(zone), identityReads: "anything" });
    writers.icSb.project("Address_Set", { relation: WantedIcAddressSet, identify: identifyIcAddressSet(zone), identityReads: "anything" });
    writers.icSb.project("Service_Monitor", { relation: WantedIcMonitor, identify: identifyIcMonitor(zone), identityReads: "anything" });
    writers.icSb.project("Service_Monitor", { relation: MonitorStatus, identify: (row) => row._uuid, owns: "columns" });
    writers.leader.project("Port_Binding", { relation: WantedLeaderBinding, identify: identifyLeaderBinding(zone), identityReads: "anything" });
    writers.leader.project("Datapath_Binding", { relation: WantedIcDatapath, identify: identifyDatapath });
    writers.icSb.also((transaction) => followInIcSb(zone, transaction, this.#isSettled(writers)));
    writers.icNb.also((transaction) => followInIcNb(zone, transaction));
    return writers;
  }

  /** The sequence number says that all is written; the transaction that carries it may carry the last of it. */
  #isSettled({ nb, sb }: Writers): boolean {
    return nb.isSettled && sb.isSettled;
  }

  #start(): void {
    this.#isStarted = true;
    const zone = this.#zone;
    const [switchKeys, portKeys] = [new KeyPromises(), new KeyPromises()];
    // What is not wished for any more before it was ever written needs no key.
    this.#engine.sink(WantedIcDatapath, { added: () => undefined, removed: ({ key }) => switchKeys.release(key) });
    for (const ports of [WantedIcBinding, WantedLeaderBinding]) this.#engine.sink(ports, { added: () => undefined, removed: ({ key }) => portKeys.release(key) });
    this.#engine.install(zone, [availabilityZone, transitSwitch(switchKeys), announcedGateway, remoteGateway, localPort(portKeys), remotePort]);
    this.#engine.install(zone, [transitSwitchPort(portKeys), transitRouter(switchKeys), transitRouterPort(portKeys)]);
    this.#engine.install({ zone, ports: indexTransitPorts(zone) }, [...advertising, learnRoute]);
    this.#engine.install(indexAddressSets(zone), [announcedAddressSet, learnedAddressSet]);
    this.#engine.install(indexMonitors(zone), [requestedMonitor, watchedMonitor]);
  }

  #step(): void {
    this.#noteLocks();
    // Nothing is to be taken for deleted that has only not arrived yet.
    if (this.#isPaused || !allOf(this.#connections).every((replica) => untracked(() => replica.status.isSynced))) return;
    if (!untracked(() => this.#connections.sb.status.hasLock)) return;
    if (!this.#isStarted) this.#start();
    untracked(() => adoptOwnRow(this.#zone));
    this.#engine.flush();
    this.#followProbes();
    const { nb, sb, icNb, icSb, leader } = this.#writers;
    for (const writer of [nb, sb, leader, icSb, icNb]) writer.commit();
    if ([nb, sb, icSb].every((writer) => writer.isSettled)) this.#hasRun();
  }

  #noteLocks(): void {
    const { sb, leader } = this.#connections;
    const [isActive, isLeader] = untracked(() => [sb.status.hasLock, leader.status.hasLock]);
    if (this.#isPaused) return;
    if (isActive !== this.#wasActive) {
      this.#log.info(isActive ? "ovn-ic lock acquired. This ovn-ic instance is now active." : "ovn-ic lock lost. This ovn-ic instance is now on standby.");
    }
    if (isLeader !== this.#wasLeader) {
      this.#log.info(isLeader ? "OVN ISB lock acquired. This ovn-ic instance is now active." : "OVN ISB lock lost.");
    }
    [this.#wasActive, this.#wasLeader] = [isActive, isLeader];
  }

  /** `options:ic_probe_interval` of NB_Global for the zone's own databases, of IC_NB_Global for the shared ones. */
  #followProbes(): void {
    const number = (options: ReadonlyMap<string, string>): number | undefined => {
      const text = options.get("ic_probe_interval");
      return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
    };
    const [own, shared] = untracked(() => [number(zoneOptions(this.#zone)), number(interconnectOptions(this.#zone))]);
    if (`${own} ${shared}` === this.#probes) return;
    this.#probes = `${own} ${shared}`;
    const { nb, sb, icNb, icSb, leader } = this.#connections;
    for (const replica of [nb, sb]) replica.setProbeInterval(own);
    for (const replica of [icNb, icSb, leader]) replica.setProbeInterval(shared);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#log.info("This ovn-ic instance is now paused.");
    [this.#wasActive, this.#wasLeader] = [false, false];
    this.#connections.sb.setLock(undefined);
    this.#connections.leader.setLock(undefined);
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#connections.sb.setLock(zoneLock);
    this.#connections.leader.setLock(leaderLock);
    this.#step();
  }

  #makeCommands(): readonly UnixctlCommand[] {
    const command = (name: string, run: () => string): UnixctlCommand => ({ name, usage: "", minArgs: 0, maxArgs: 0, run });
    const connection = (name: string, { status }: { readonly status: () => { readonly isConnected: boolean } }): UnixctlCommand =>
      command(`${name}-connection-status`, () => (untracked(status).isConnected ? "connected" : "not connected"));
    const of = <R extends Replica<never>>(replica: { readonly status: R["status"] }) => ({ status: () => replica.status });
    const { nb, sb, icNb, icSb } = this.#connections;
    return [
      command("pause", () => (this.#pause(), "")),
      command("resume", () => (this.#resume(), "")),
      command("is-paused", () => String(this.#isPaused)),
      command("status", () => `Status: ${this.#isPaused ? "paused" : this.#wasActive ? "active" : "standby"}\n`),
      connection("nb", of(nb)),
      connection("sb", of(sb)),
      connection("ic-nb", of(icNb)),
      connection("ic-sb", of(icSb)),
    ];
  }
}
