/**
 * The Open_vSwitch database put into force: rows become bridges and ports, and what came of it is written back.
 *
 * Only what changed is looked at: the rows that the replica names, and of a bridge's ports those that came or went. A run
 * ends with one transaction that carries all answers and `cur_cfg`, so that whoever waits for it finds everything in place.
 */
import type { Host } from "../host/index.ts";
import { formatMac, type Mac, macOf, parseIpv4, parseMac } from "../net/index.ts";
import { type FlowMod, Match, noBuffer, of10, of13, of14, of15, ports as reserved } from "../openflow/index.ts";
import type { Replica, RowOf, Uuid } from "../ovsdb/index.ts";
import type { openVSwitch } from "../schemas/index.ts";
import { Answers } from "./answers.ts";
import type { BfdMonitor } from "./bfd-monitor.ts";
import { readBfdSettings } from "./bfd-session.ts";
import { Bridge } from "./bridge.ts";
import { allVersions, BridgeService, type BridgeServiceEvents } from "./bridge-service.ts";
import { ConfiguredBridge, type ConfiguredPort } from "./configured-bridge.ts";
import type { Controllers } from "./controllers.ts";
import type { Datapath } from "./datapath.ts";
import type { Devices } from "./devices.ts";
import { interfaceTypes, isSameKind, readInterface } from "./interface-settings.ts";
import { type PortKind, SwitchPort, type VlanMode } from "./switch-port.ts";
import type { Tunnels } from "./tunnels.ts";

type Schema = typeof openVSwitch;
type BridgeRow = RowOf<Schema, "Bridge">;
type PortRow = RowOf<Schema, "Port">;
type InterfaceRow = RowOf<Schema, "Interface">;

export interface ConfigurationParts {
  readonly host: Host;
  readonly replica: Replica<Schema>;
  readonly datapath: Datapath;
  readonly tunnels: Tunnels;
  readonly devices: Devices;
  readonly bfd: BfdMonitor;
  readonly controllers: Controllers;
  readonly runFolder: string;
  readonly version: string;
  readonly events: BridgeServiceEvents;
}

const schemaVersion = "8.8.0";
const defaultMtu = 1500;

/** As the netdev datapath of OVS's main branch gives them; ovn-controller reads max_hash_alg, ct_zero_snat and ct_flush. */
const capabilities: ReadonlyMap<string, string> = new Map([
  ["check_pkt_len", "true"], ["ct_clear", "true"], ["ct_eventmask", "false"], ["ct_flush", "true"], ["ct_orig_tuple", "true"],
  ["ct_orig_tuple6", "true"], ["ct_state", "true"], ["ct_state_nat", "true"], ["ct_timeout", "false"], ["ct_zero_snat", "true"],
  ["ct_zone", "true"], ["explicit_drop_action", "false"], ["lb_output_action", "false"], ["masked_set_action", "true"],
  ["max_hash_alg", "1"], ["max_sample_nesting", "0"], ["max_vlan_headers", "1"], ["nd_extended", "true"], ["recirc", "true"],
  ["sample_nesting", "false"], ["tnl_push_pop", "true"], ["trunc", "true"], ["ufid", "true"],
]);

export class Configuration {
  readonly bridges = new Map<string, ConfiguredBridge>();
  readonly #parts: ConfigurationParts;
  readonly #dirtyBridges = new Set<string>();
  readonly #dirtyPorts = new Set<Uuid<"Port">>();
  readonly #patches = new Set<ConfiguredPort>();
  /** Ports that another stands in the way of: looked at again when a tunnel goes. */
  readonly #blocked = new Set<Uuid<"Port">>();
  /** Port rows by their interface's. */
  readonly #portOfInterface = new Map<string, Uuid<"Port">>();
  readonly #bridgeOfPort = new Map<string, ConfiguredBridge>();
  readonly #interfaceByName = new Map<string, string>();
  readonly #answers: Answers;
  #hasRun = false;
  #settle: () => void = () => undefined;
  readonly ready: Promise<void>;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
    this.#answers = new Answers(parts.replica, parts.host.log.module("bridge"));
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
      for (const { port, uuid } of bridge.ports.values()) if (port?.kind.type === "geneve") this.#dirtyPorts.add(uuid);
    }
    this.run();
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
    if (row !== undefined) {
      this.#answers.openVSwitch(row._uuid, {
        ovs_version: version, db_version: schemaVersion, datapath_types: ["netdev", "system"], iface_types: interfaceTypes,
        system_type: row.system_type ?? "isthmus", system_version: row.system_version ?? version, dpdk_initialized: false, cur_cfg: row.next_cfg,
      });
      for (const datapath of row.datapaths.values()) this.#answers.datapath(datapath, { capabilities, datapath_version: "<built-in>" });
    }
    this.#answers.commit();
    if (this.#hasRun) return;
    this.#hasRun = true;
    void Promise.all([...this.bridges.values()].map((b) => b.listening)).then(this.#settle);
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
    const failMode = row.fail_mode ?? "standalone";
    if (bridge.failMode !== failMode) {
      bridge.failMode = failMode;
      bridge.generation++;
    }
    this.#applyAddress(configured, row);
    bridge.macs.agingMs = secondsOr(row.other_config.get("mac-aging-time"), 300) * 1000;
    bridge.macs.maxEntries = secondsOr(row.other_config.get("mac-table-size"), 8192);
    service.allowedVersions = versionsOf(row.protocols);
    const targets = [...row.controller].map((uuid) => this.#parts.replica.tables.Controller.get(uuid)?.target).filter((t) => t !== undefined);
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
    const { mac, id } = addressOf(row);
    const bridge = new Bridge(row.name, row._uuid, mac, id);
    const service = new BridgeService(bridge, datapath, { version }, events, host.log.module("ofproto"));
    const configured = new ConfiguredBridge(row._uuid, bridge, service, host, runFolder);
    this.bridges.set(row._uuid, configured);
    host.log.module("bridge").info(`bridge ${row.name}: using datapath ID ${id.toString(16).padStart(16, "0")}`);
    if (row.fail_mode !== "secure" && row.controller.size === 0) service.install(normalFlow);
    return configured;
  }

  #dropBridge(configured: ConfiguredBridge): void {
    for (const port of [...configured.ports.values()]) this.#dropPort(configured, port);
    this.#parts.controllers.apply(configured.service, new Set());
    configured.close();
    this.bridges.delete(configured.uuid);
  }

  #dropPort(configured: ConfiguredBridge, port: ConfiguredPort): void {
    this.#closePort(configured, port);
    configured.ports.delete(port.uuid);
    this.#blocked.delete(port.uuid);
    this.#bridgeOfPort.delete(port.uuid);
    this.#dirtyPorts.delete(port.uuid);
    this.#portOfInterface.delete(port.interfaceUuid);
    if (this.#interfaceByName.get(port.name) === port.interfaceUuid) this.#interfaceByName.delete(port.name);
  }

  #closePort(configured: ConfiguredBridge, configuredPort: ConfiguredPort): void {
    const { port } = configuredPort;
    if (port === undefined) return;
    this.#parts.tunnels.remove(port);
    this.#parts.bfd.apply(port, undefined);
    this.#parts.datapath.removePort(configured.bridge, port);
    configured.service.portChanged(port, "delete");
    configuredPort.port = undefined;
    if (port.kind.type === "geneve") for (const uuid of this.#blocked) this.#dirtyPorts.add(uuid);
    if (port.kind.type === "patch") this.#patches.delete(configuredPort);
    this.#parts.host.log.module("bridge").info(`bridge ${configured.bridge.name}: deleted interface ${port.name} on port ${port.number}`);
  }

  #applyPort(uuid: Uuid<"Port">): void {
    const configured = this.#bridgeOfPort.get(uuid);
    const row = configured === undefined ? undefined : this.#parts.replica.tables.Port.get(uuid);
    const [interfaceUuid] = row?.interfaces ?? [];
    const interfaceRow = interfaceUuid === undefined ? undefined : this.#parts.replica.tables.Interface.get(interfaceUuid);
    if (configured === undefined || row === undefined || interfaceRow === undefined) return;
    const known = configured.ports.get(uuid);
    if (known !== undefined && known.interfaceUuid !== interfaceRow._uuid) this.#dropPort(configured, known);
    this.#bridgeOfPort.set(uuid, configured);
    const port: ConfiguredPort = configured.ports.get(uuid) ?? { uuid, interfaceUuid: interfaceRow._uuid, name: interfaceRow.name, port: undefined, lastNumber: undefined, patchError: undefined };
    configured.ports.set(uuid, port);
    this.#portOfInterface.set(interfaceRow._uuid, uuid);
    this.#interfaceByName.set(interfaceRow.name, interfaceRow._uuid);
    const error = this.#openPort(configured, port, row, interfaceRow);
    const open = port.port;
    if (open === undefined) {
      this.#answers.interface(interfaceRow._uuid, { ofport: -1, error, bfd_status: {}, link_state: undefined, admin_state: undefined, ifindex: undefined, mac_in_use: undefined });
      return;
    }
    this.#parts.bfd.apply(open, readBfdSettings(interfaceRow.bfd));
    const problem = open.kind.type === "patch" ? port.patchError : this.#parts.tunnels.errorOf(open);
    this.#answers.interface(interfaceRow._uuid, {
      ofport: open.number, error: problem, link_state: "up", admin_state: "up", mac_in_use: formatMac(open.mac), link_resets: 0,
      ifindex: open.kind.type === "patch" || open.kind.type === "geneve" ? undefined : open.datapathNumber,
      mtu: open.kind.type === "patch" || open.kind.type === "geneve" ? undefined : open.mtu, status: statusOf(open.kind), bfd_status: this.#parts.bfd.statusOf(open),
    });
  }

  /** Makes the port what the rows want; the reason if there can be none. */
  #openPort(configured: ConfiguredBridge, configuredPort: ConfiguredPort, row: PortRow, interfaceRow: InterfaceRow): string | undefined {
    const { host, datapath, tunnels, devices, events } = this.#parts;
    const { name } = interfaceRow;
    const { bridge, service } = configured;
    const isLocal = name === bridge.name;
    const wanted = readInterface({ name, type: interfaceRow.type, options: interfaceRow.options, isLocal });
    const device = devices.get(name);
    const old = configuredPort.port;
    const isGone = wanted.kind === "port" && wanted.port.type === "system" && device === undefined;
    const isOther = old !== undefined && wanted.kind === "port" && (!isSameKind(old.kind, wanted.port) || isNumberChanged(old, interfaceRow));
    if (wanted.kind === "error" || isGone || isOther) this.#closePort(configured, configuredPort);
    if (wanted.kind === "error") return wanted.text;
    if (isGone) return `could not open network device ${name} (No such device)`;
    const vlan = vlanOf(row);
    if (configuredPort.port !== undefined) {
      configuredPort.port.deliver = device?.receive;
      if (JSON.stringify(vlanKey(configuredPort.port.vlan)) !== JSON.stringify(vlanKey(vlan))) {
        configuredPort.port.vlan = vlan;
        bridge.macs.forget(configuredPort.port);
        bridge.generation++;
      }
      return undefined;
    }
    if (wanted.port.type === "geneve") {
      const same = tunnels.sameOptions(wanted.port.tunnel);
      if (same === undefined) this.#blocked.delete(configuredPort.uuid);
      else this.#blocked.add(configuredPort.uuid);
      if (same !== undefined) return `${name}: attempting to add tunnel port with same config as port '${same.name}'`;
    }
    const number = isLocal ? reserved.local : configured.chooseNumber([interfaceRow.ofport_request, interfaceRow.ofport, configuredPort.lastNumber]);
    if (number === undefined) return `${name}: no OpenFlow port number is free`;
    const mac = isLocal ? bridge.mac : (parseMac(interfaceRow.mac ?? "") ?? macOfUuid(interfaceRow._uuid));
    const port = new SwitchPort(name, number, datapath.nextPortNumber(), wanted.port, mac, interfaceRow.mtu_request ?? defaultMtu, vlan, events.nowMs());
    port.deliver = device?.receive;
    configuredPort.port = port;
    configuredPort.lastNumber = number;
    datapath.addPort(bridge, port);
    if (port.kind.type === "geneve") tunnels.add(bridge, port, port.kind.tunnel, this.#encapAddress());
    if (port.kind.type === "patch") this.#patches.add(configuredPort);
    host.log.module("bridge").info(`bridge ${bridge.name}: added interface ${name} on port ${number}`);
    service.portChanged(port, "add");
    return undefined;
  }

  /** Where tunnels without `local_ip` receive: the chassis' own encapsulation address, else every address. */
  #encapAddress(): number {
    const [row] = this.#parts.replica.tables.Open_vSwitch;
    const [first] = (row?.external_ids.get("ovn-encap-ip") ?? "").split(",");
    return parseIpv4(first ?? "") ?? 0;
  }

  /** Says of patch ports whether they have a peer; few there are, and each depends on another. */
  #describePatches(): void {
    for (const patch of this.#patches) {
      const { port } = patch;
      const bridge = this.#bridgeOfPort.get(patch.uuid)?.bridge;
      if (port?.kind.type !== "patch" || bridge === undefined) continue;
      const peer = this.#parts.datapath.peerOf(bridge, port);
      const error = peer === undefined ? `No usable peer '${port.kind.peer}' exists in 'system' datapath.` : undefined;
      if (error === patch.patchError) continue;
      patch.patchError = error;
      this.#answers.interface(patch.interfaceUuid, { error });
    }
  }

}

/** Columns of Interface that change often and mean nothing to a port. */
const unheeded: ReadonlySet<string> = new Set(["statistics", "external_ids"]);

function addressOf(row: BridgeRow): { readonly mac: Mac; readonly id: bigint } {
  const mac = parseMac(row.other_config.get("hwaddr") ?? "") ?? macOfUuid(row._uuid);
  const idText = row.other_config.get("datapath-id") ?? "";
  const id = /^(0x)?[0-9a-fA-F]{1,16}$/.test(idText) ? BigInt(`0x${idText.replace(/^0x/, "")}`) : BigInt(mac);
  return { mac, id };
}

const normalFlow: FlowMod = {
  kind: "flow_mod", command: "add", table: 0, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority: 0, bufferId: noBuffer,
  outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match: Match.any, actions: [{ kind: "output", port: reserved.normal }],
};

function versionsOf(protocols: ReadonlySet<string>): number {
  if (protocols.size === 0) return allVersions;
  let bits = 0;
  for (const [name, version] of [["OpenFlow10", of10], ["OpenFlow13", of13], ["OpenFlow14", of14], ["OpenFlow15", of15]] as const) if (protocols.has(name)) bits |= 1 << version;
  return bits;
}

function vlanOf(row: PortRow): VlanMode {
  const { tag } = row;
  return {
    mode: row.vlan_mode ?? (tag === undefined ? "trunk" : "access"), tag: tag ?? 0, trunks: row.trunks.size === 0 ? undefined : row.trunks,
  };
}

const vlanKey = ({ mode, tag, trunks }: VlanMode) => [mode, tag, trunks === undefined ? null : [...trunks].sort((a, b) => a - b)];
const isNumberChanged = (port: SwitchPort, row: InterfaceRow): boolean =>
  row.ofport_request !== undefined && port.number !== reserved.local && row.ofport_request !== port.number;
const has = (set: ReadonlySet<string>, uuid: string): boolean => set.has(uuid);

function secondsOr(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}

/** A locally administered unicast address that stays the same for as long as the row does. */
function macOfUuid(uuid: string): Mac {
  const digits = Number.parseInt(uuid.replaceAll("-", "").slice(-12), 16);
  const first = Math.floor(digits / 2 ** 40);
  return macOf(((first & 0xfc) | 2) * 2 ** 40 + (digits % 2 ** 40));
}

function statusOf(kind: PortKind): ReadonlyMap<string, string> {
  return kind.type === "geneve" ? new Map([["tunnel_egress_iface", "lo"], ["tunnel_egress_iface_carrier", "up"]]) : new Map();
}

function statisticsOf({ counters: c }: SwitchPort): ReadonlyMap<string, number> {
  return new Map([
    ["rx_bytes", c.rxBytes], ["rx_dropped", c.rxDropped], ["rx_errors", c.rxErrors], ["rx_packets", c.rxPackets], ["tx_bytes", c.txBytes],
    ["tx_dropped", c.txDropped], ["tx_errors", 0], ["tx_packets", c.txPackets],
  ]);
}
