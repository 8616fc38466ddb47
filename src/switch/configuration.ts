/**
 * The Open_vSwitch database put into force: rows become bridges and ports, and what came of it is written back.
 *
 * Only what changed is looked at: the rows that the replica names, and of a bridge's ports those that came or went. A run
 * ends with one transaction that carries all answers and `cur_cfg`, so that whoever waits for it finds everything in place.
 */
import type { Log } from "../host/index.ts";
import { formatMac } from "../net/index.ts";
import type { RowOf, Uuid } from "../ovsdb/index.ts";
import type { openVSwitch } from "../schemas/index.ts";
import { Answers } from "./openflow/answers.ts";
import { readBfdSettings } from "./port/bfd-session.ts";
import { Bridge } from "./bridge.ts";
import { BridgeService, type BridgeServiceEvents } from "./openflow/bridge-service.ts";
import { applyFailMode } from "./fail-mode.ts";
import { ConfiguredBridge, type ConfiguredPort } from "./configured-bridge.ts";
import type { ZoneLimits } from "./conntrack/zone-limits.ts";
import type { Controllers } from "./openflow/controllers.ts";
import { interfaceTypes } from "./interface-settings.ts";
import { applyMirrors, missingOfMirror } from "./mirror-rows.ts";
import { PortOpener, type PortOpenerParts } from "./port/port-opener.ts";
import { addressOf, missingOfBridge, linkOf, missingOfPort, secondsOr, statisticsOf, statusOf, versionsOf } from "./row-settings.ts";
import { isTunnel, type SwitchPort } from "./port/switch-port.ts";
import { ZoneLimitRows } from "./zone-limit-rows.ts";

type Schema = typeof openVSwitch;
type BridgeRow = RowOf<Schema, "Bridge">;

export interface ConfigurationParts extends PortOpenerParts {
  readonly controllers: Controllers;
  readonly limits: ZoneLimits;
  readonly runFolder: string;
  readonly version: string;
  readonly events: BridgeServiceEvents;
}

const schemaVersion = "8.8.0";

/** As the netdev datapath of OVS's main branch gives them; ovn-controller reads max_hash_alg, ct_zero_snat and ct_flush. */
const capabilities: ReadonlyMap<string, string> = new Map([
  ["check_pkt_len", "true"], ["ct_clear", "true"], ["ct_eventmask", "false"], ["ct_flush", "true"], ["ct_orig_tuple", "true"],
  ["ct_orig_tuple6", "true"], ["ct_state", "true"], ["ct_state_nat", "true"], ["ct_timeout", "false"], ["ct_zero_snat", "true"],
  ["ct_zone", "true"], ["explicit_drop_action", "false"], ["lb_output_action", "false"], ["masked_set_action", "true"],
  ["max_hash_alg", "1"], ["max_sample_nesting", "0"], ["max_vlan_headers", "1"], ["nd_extended", "true"], ["recirc", "true"],
  ["sample_nesting", "false"], ["tnl_push_pop", "true"], ["trunc", "true"], ["ufid", "true"],
]);

function tellCapabilities(log: Log): void {
  for (const [name, value] of capabilities) if (value === "true") log.info(`netdev@ovs-netdev: Datapath supports ${name}`);
}

export class Configuration {
  readonly bridges = new Map<string, ConfiguredBridge>();
  readonly #parts: ConfigurationParts;
  readonly #dirtyBridges = new Set<string>();
  readonly #dirtyPorts = new Set<Uuid<"Port">>();
  readonly #ports: PortOpener;
  /** Port rows by their interface's. */
  readonly #portOfInterface = new Map<string, Uuid<"Port">>();
  readonly #bridgeOfPort = new Map<string, ConfiguredBridge>();
  readonly #interfaceByName = new Map<string, string>();
  readonly #answers: Answers;
  readonly #warned = new Set<string>();
  readonly #limits: ZoneLimitRows;
  #hasRun = false;
  #settle: () => void = () => undefined;
  readonly ready: Promise<void>;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
    this.#answers = new Answers(parts.replica, parts.host.log.module("bridge"), () => this.#sayAnew());
    this.#limits = new ZoneLimitRows(parts.replica, parts.limits);
    this.#ports = new PortOpener(parts, (uuid) => {
      // To the end, also of a run that has come past it.
      this.#dirtyPorts.delete(uuid);
      this.#dirtyPorts.add(uuid);
    });
    this.ready = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { tables } = parts.replica;
    const dirtyBridge = (row: BridgeRow): void => void this.#dirtyBridges.add(row._uuid);
    tables.Bridge.watch({ added: dirtyBridge, removed: dirtyBridge });
    tables.Bridge.watchColumns(dirtyBridge);
    tables.Port.watchColumns((row) => this.#dirtyPorts.add(row._uuid));
    // Also when what this switch says there has changed: a database server that starts anew has forgotten it.
    tables.Interface.watchColumns((row, columns) => {
      if (columns.some((c) => !unheeded.has(c))) this.interfaceChanged(row._uuid);
    });
  }

  interfaceChanged(interfaceUuid: string): void {
    const port = this.#portOfInterface.get(interfaceUuid);
    if (port !== undefined) this.#dirtyPorts.add(port);
  }

  /** A device came or went under this interface name. */
  deviceChanged(name: string): void {
    const uuid = this.#interfaceByName.get(name);
    if (uuid === undefined) return;
    this.interfaceChanged(uuid);
    this.run();
  }

  /** A BFD session says something else than before. */
  bfdChanged(port: SwitchPort): void {
    for (const { bridge, ports } of this.bridges.values()) {
      if (bridge.portsByNumber.get(port.number) !== port) continue;
      bridge.generation++;
      for (const configured of ports.values()) {
        if (configured.port === port) this.#answers.interface(configured.interfaceUuid, { bfd_status: this.#parts.bfd.statusOf(port) });
      }
    }
    this.#answers.commit();
  }

  tunnelsChanged(): void {
    for (const bridge of this.bridges.values()) {
      for (const { port, uuid } of bridge.ports.values()) if (port !== undefined && isTunnel(port.kind)) this.#dirtyPorts.add(uuid);
    }
    this.run();
  }

  /** Routes or neighbours of tunnels: every walk that led into one is to be walked again. */
  underlayChanged(what: "routes" | "neighbours"): void {
    for (const { bridge } of this.bridges.values()) bridge.generation++;
    if (what === "routes") this.tunnelsChanged();
  }

  /** Puts into force what has changed. */
  run(): void {
    const { replica, version } = this.#parts;
    const { isSynced, hasLock } = replica.status;
    if (!isSynced || !hasLock) return;
    const [row] = replica.tables.Open_vSwitch;
    const wanted: ReadonlySet<string> = row?.bridges ?? new Set();
    for (const bridge of [...this.bridges.values()]) if (!wanted.has(bridge.uuid)) this.#dropBridge(bridge);
    for (const uuid of row?.bridges ?? []) {
      if (!this.bridges.has(uuid) || this.#dirtyBridges.has(uuid)) this.#applyBridge(replica.tables.Bridge.get(uuid));
    }
    this.#dirtyBridges.clear();
    for (const uuid of this.#dirtyPorts) this.#applyPort(uuid);
    this.#dirtyPorts.clear();
    this.#describePatches();
    for (const configured of this.bridges.values()) this.#applyMirrors(configured);
    if (row !== undefined && row.next_cfg !== row.cur_cfg) this.#parts.dummies?.configured();
    if (row !== undefined) {
      this.#answers.openVSwitch(row._uuid, {
        ovs_version: version, db_version: schemaVersion, datapath_types: ["netdev", "system"], iface_types: interfaceTypes,
        system_type: row.system_type ?? "isthmus", system_version: row.system_version ?? version, dpdk_initialized: false, cur_cfg: row.next_cfg,
      });
      this.#limits.apply(row);
      for (const datapath of row.datapaths.values()) this.#answers.datapath(datapath, { capabilities, datapath_version: "<built-in>" });
    }
    this.#answers.commit();
    if (this.#hasRun) return;
    this.#hasRun = true;
    void Promise.all([...this.bridges.values()].map((b) => b.listening)).then(this.#settle);
  }

  /** All rows are looked at again; this happens when the database's connection broke while it was being told something. */
  #sayAnew(): void {
    for (const { uuid, ports } of this.bridges.values()) {
      this.#dirtyBridges.add(uuid);
      for (const port of ports.keys()) this.#dirtyPorts.add(port);
    }
    this.run();
  }

  /** Writes what the counters say now, where it differs. */
  writeStatistics(): void {
    for (const { ports } of this.bridges.values()) {
      for (const { port, interfaceUuid } of ports.values()) {
        if (port !== undefined) this.#answers.interface(interfaceUuid, { statistics: statisticsOf(port) });
      }
    }
    this.#answers.commit();
  }

  stop(): void {
    for (const bridge of [...this.bridges.values()]) this.#dropBridge(bridge);
  }

  #applyBridge(row: BridgeRow | undefined): void {
    if (row === undefined) return;
    const configured = this.bridges.get(row._uuid) ?? this.#makeBridge(row);
    const { bridge, service } = configured;
    this.#applyAddress(configured, row);
    this.#warnOfMissing(`bridge ${row.name}`, missingOfBridge(row));
    bridge.macs.agingMs = secondsOr(row.other_config.get("mac-aging-time"), 300) * 1000;
    bridge.macs.maxEntries = secondsOr(row.other_config.get("mac-table-size"), 8192);
    service.allowedVersions = versionsOf(row.protocols);
    const targets = [...row.controller].map((uuid) => this.#parts.replica.tables.Controller.get(uuid)?.target).filter((t) => t !== undefined);
    applyFailMode(bridge, service, row.fail_mode ?? "standalone", targets.length > 0);
    this.#parts.controllers.apply(service, new Set(targets));
    this.#describeControllers(row);
    for (const port of [...configured.ports.values()]) if (!has(row.ports, port.uuid)) this.#dropPort(configured, port);
    for (const uuid of row.ports) {
      if (configured.ports.has(uuid)) continue;
      this.#bridgeOfPort.set(uuid, configured);
      this.#dirtyPorts.add(uuid);
    }
    this.#answers.bridge(row._uuid, {
      datapath_id: bridge.datapathId.toString(16).padStart(16, "0"), datapath_version: "<built-in>",
    });
  }

  #applyMirrors(configured: ConfiguredBridge): void {
    const { tables } = this.#parts.replica;
    const named = tables.Bridge.get(configured.uuid)?.mirrors ?? new Set();
    if (named.size === 0 && configured.bridge.mirrors.length === 0) return;
    const rows = [...named].map((uuid) => tables.Mirror.get(uuid)).filter((row) => row !== undefined);
    for (const row of rows) this.#warnOfMissing(`mirror ${row.name}`, missingOfMirror(row));
    applyMirrors(configured, rows);
  }

  /** Once for each thing that is asked for in vain. */
  #warnOfMissing(what: string, missing: readonly string[]): void {
    for (const name of missing) {
      if (this.#warned.has(`${what} ${name}`)) continue;
      if (this.#warned.size > 10_000) this.#warned.clear();
      this.#warned.add(`${what} ${name}`);
      this.#parts.host.log.module("bridge").warn(`${what}: this switch does not have ${name}`);
    }
  }

  #applyAddress({ bridge, service }: ConfiguredBridge, row: BridgeRow): void {
    const { mac, id } = addressOf(row);
    bridge.datapathId = id;
    if (bridge.mac === mac) return;
    bridge.mac = mac;
    const { localPort } = bridge;
    if (localPort === undefined) return;
    localPort.mac = mac;
    service.portChanged(localPort, "modify");
    for (const { port, uuid } of this.bridges.get(row._uuid)?.ports.values() ?? []) if (port === localPort) this.#dirtyPorts.add(uuid);
  }

  /** Whether each controller that the bridge names is connected. */
  #describeControllers(row: BridgeRow): void {
    const { replica, controllers } = this.#parts;
    const service = this.bridges.get(row._uuid)?.service;
    for (const uuid of service === undefined ? [] : row.controller) {
      const target = replica.tables.Controller.get(uuid)?.target;
      if (target === undefined || service === undefined) continue;
      const isConnected = controllers.isConnected(service, target);
      this.#answers.controller(uuid, { is_connected: isConnected, role: isConnected ? "other" : undefined, status: new Map([["state", isConnected ? "ACTIVE" : "BACKOFF"]]) });
    }
  }

  controllersChanged(service: BridgeService): void {
    const configured = [...this.bridges.values()].find((b) => b.service === service);
    const row = this.#parts.replica.tables.Bridge.get(configured?.uuid);
    if (row === undefined) return;
    this.#describeControllers(row);
    this.#answers.commit();
  }

  #makeBridge(row: BridgeRow): ConfiguredBridge {
    const { host, datapath, runFolder, version, events } = this.#parts;
    if (this.bridges.size === 0) tellCapabilities(host.log.module("ofproto_dpif"));
    const { mac, id } = addressOf(row);
    const bridge = new Bridge(row.name, row._uuid, mac, id);
    const service = new BridgeService(bridge, datapath, { version }, events, host.log.module("ofproto"));
    const configured = new ConfiguredBridge(row._uuid, bridge, service, row.datapath_type, host, runFolder);
    this.bridges.set(row._uuid, configured);
    host.log.module("bridge").info(`bridge ${row.name}: using datapath ID ${id.toString(16).padStart(16, "0")}`);
    return configured;
  }

  #dropBridge(configured: ConfiguredBridge): void {
    for (const port of [...configured.ports.values()]) this.#dropPort(configured, port);
    this.#parts.controllers.apply(configured.service, new Set());
    configured.close();
    this.bridges.delete(configured.uuid);
  }

  #dropPort(configured: ConfiguredBridge, port: ConfiguredPort): void {
    this.#ports.close(configured, port);
    configured.ports.delete(port.uuid);
    this.#ports.forget(port);
    this.#bridgeOfPort.delete(port.uuid);
    this.#dirtyPorts.delete(port.uuid);
    this.#portOfInterface.delete(port.interfaceUuid);
    if (this.#interfaceByName.get(port.name) === port.interfaceUuid) this.#interfaceByName.delete(port.name);
  }

  #applyPort(uuid: Uuid<"Port">): void {
    const configured = this.#bridgeOfPort.get(uuid);
    const row = configured === undefined ? undefined : this.#parts.replica.tables.Port.get(uuid);
    const [interfaceUuid] = row?.interfaces ?? [];
    const interfaceRow = interfaceUuid === undefined ? undefined : this.#parts.replica.tables.Interface.get(interfaceUuid);
    if (configured === undefined || row === undefined || interfaceRow === undefined) return;
    for (const other of row.interfaces) {
      if (other !== interfaceUuid) this.#answers.interface(other, { ofport: -1, error: `${row.name}: this switch has no bonds; only ${interfaceRow.name} is used` });
    }
    const known = configured.ports.get(uuid);
    if (known !== undefined && known.interfaceUuid !== interfaceRow._uuid) this.#dropPort(configured, known);
    this.#bridgeOfPort.set(uuid, configured);
    const port: ConfiguredPort = configured.ports.get(uuid) ?? { uuid, interfaceUuid: interfaceRow._uuid, name: interfaceRow.name, port: undefined, lastNumber: undefined, patchError: undefined };
    configured.ports.set(uuid, port);
    this.#portOfInterface.set(interfaceRow._uuid, uuid);
    this.#interfaceByName.set(interfaceRow.name, interfaceRow._uuid);
    const error = this.#ports.open(configured, port, row, interfaceRow);
    const open = port.port;
    this.#warnOfMissing(`port ${row.name}`, missingOfPort(row, interfaceRow, this.#parts.dummies?.get(interfaceRow.name) !== undefined));
    if (open === undefined) {
      this.#answers.interface(interfaceRow._uuid, { ofport: -1, error, bfd_status: {}, link_state: undefined, admin_state: undefined, ifindex: undefined, mac_in_use: undefined });
      return;
    }
    this.#parts.bfd.apply(open, readBfdSettings(interfaceRow.bfd));
    const problem = open.kind.type === "patch" ? port.patchError : this.#parts.tunnels.errorOf(open);
    this.#answers.interface(interfaceRow._uuid, {
      ofport: open.number, error: problem, mac_in_use: formatMac(open.mac), link_resets: 0, status: statusOf(open, this.#parts.tunnels.egressOf(open)), bfd_status: this.#parts.bfd.statusOf(open),
      ...linkOf(open, this.#parts.dummies?.factsOf(open.name) ?? this.#parts.kernel?.factsOf(open.name)),
    });
  }

  /** Says of patch ports whether they have a peer; few there are, and each depends on another. */
  #describePatches(): void {
    for (const patch of this.#ports.patches) {
      const { port } = patch;
      const bridge = this.#bridgeOfPort.get(patch.uuid)?.bridge;
      if (port?.kind.type !== "patch" || bridge === undefined) continue;
      const peer = this.#parts.datapath.ports.peerOf(bridge, port);
      const error = peer === undefined ? `No usable peer '${port.kind.peer}' exists in 'system' datapath.` : undefined;
      if (error === patch.patchError) continue;
      patch.patchError = error;
      this.#answers.interface(patch.interfaceUuid, { error });
    }
  }

}

/** Columns of Interface that change often and mean nothing to a port. */
const unheeded: ReadonlySet<string> = new Set(["statistics", "external_ids"]);

const has = (set: ReadonlySet<string>, uuid: string): boolean => set.has(uuid);
