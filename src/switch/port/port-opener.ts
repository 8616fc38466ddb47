/** Makes ports of Port and Interface rows, and takes them away. */
import type { Host } from "../../host/index.ts";
import { formatMac, type Mac, parseMac } from "../../net/index.ts";
import { ports as reserved } from "../../openflow/index.ts";
import type { Replica, RowOf, Uuid } from "../../ovsdb/index.ts";
import type { openVSwitch } from "../../schemas/index.ts";
import type { BfdMonitor } from "./bfd-monitor.ts";
import type { ConfiguredBridge, ConfiguredPort } from "../configured-bridge.ts";
import type { Datapath } from "../datapath.ts";
import type { Device, Devices } from "./devices.ts";
import type { DummyLinks } from "../dummy/dummy-links.ts";
import type { KernelLinks } from "./kernel-links.ts";
import type { PortLink, PortLinks } from "./port-links.ts";
import { isSameKind, readInterface } from "../interface-settings.ts";
import { isNumberChanged, isSameVlan, macOfUuid, vlanOf } from "../row-settings.ts";
import { isTunnel, SwitchPort } from "./switch-port.ts";
import { canonicalAddress } from "./tunnel-address.ts";
import type { Tunnels } from "./tunnels.ts";

type Schema = typeof openVSwitch;
type PortRow = RowOf<Schema, "Port">;
type InterfaceRow = RowOf<Schema, "Interface">;

export interface PortOpenerParts {
  readonly host: Host;
  readonly replica: Replica<Schema>;
  readonly datapath: Datapath;
  readonly tunnels: Tunnels;
  readonly devices: Devices;
  /** The machine's own devices; undefined: ports get only what is attached to them. */
  readonly kernel: KernelLinks | undefined;
  /** Dummy devices; undefined: there are none. */
  readonly dummies: DummyLinks | undefined;
  readonly bfd: BfdMonitor;
}

const defaultMtu = 1500;

export class PortOpener {
  readonly patches = new Set<ConfiguredPort>();
  readonly #parts: PortOpenerParts;
  /** Ports that another stands in the way of: looked at again when a tunnel goes. */
  readonly #blocked = new Set<Uuid<"Port">>();
  readonly #lookAgain: (port: Uuid<"Port">) => void;

  constructor(parts: PortOpenerParts, lookAgain: (port: Uuid<"Port">) => void) {
    this.#parts = parts;
    this.#lookAgain = lookAgain;
  }

  forget(port: ConfiguredPort): void {
    this.#blocked.delete(port.uuid);
  }

  /** Makes the port what the rows want; the reason if there can be none. */
  open(configured: ConfiguredBridge, configuredPort: ConfiguredPort, row: PortRow, interfaceRow: InterfaceRow): string | undefined {
    const { host, datapath, tunnels, devices } = this.#parts;
    const { name } = interfaceRow;
    const { bridge, service } = configured;
    const isLocal = name === bridge.name;
    const wanted = readInterface({ name, type: interfaceRow.type, options: interfaceRow.options, isLocal });
    const device = devices.get(name);
    const old = configuredPort.port;
    const isOther = old !== undefined && wanted.kind === "port" && (!isSameKind(old.kind, wanted.port) || isNumberChanged(old, interfaceRow));
    if (wanted.kind === "error" || isOther) this.close(configured, configuredPort);
    if (wanted.kind === "error") return wanted.text;
    const wantedMac = isLocal ? bridge.mac : parseMac(interfaceRow.mac ?? "");
    const fallbackMac = macOfUuid(interfaceRow._uuid);
    const mac = wantedMac ?? fallbackMac;
    const { type } = wanted.port;
    const links = type === "patch" || type === "geneve" || type === "vxlan" ? undefined : this.#linksFor(type, configured);
    const link =
      device === undefined && type !== "patch" && type !== "geneve" && type !== "vxlan"
        ? links?.open({ name, type, mac: type === "internal" ? wantedMac : undefined, fallbackMac, options: interfaceRow.options })
        : undefined;
    const missing = typeof link === "string" ? link : undefined;
    if (missing !== undefined || (type === "system" && device === undefined && link === undefined)) {
      this.close(configured, configuredPort);
      return missing ?? `could not open network device ${name} (No such device)`;
    }
    const behind = (port: SwitchPort): void => this.#connect(port, device, links, typeof link === "string" ? undefined : link, interfaceRow, mac);
    const vlan = vlanOf(row);
    if (configuredPort.port !== undefined) {
      behind(configuredPort.port);
      if (!isSameVlan(configuredPort.port.vlan, vlan)) {
        configuredPort.port.vlan = vlan;
        bridge.macs.forget(configuredPort.port);
        bridge.generation++;
      }
      return undefined;
    }
    if (isTunnel(wanted.port)) {
      const same = tunnels.sameOptions(wanted.port);
      if (same === undefined) this.#blocked.delete(configuredPort.uuid);
      else this.#blocked.add(configuredPort.uuid);
      if (same !== undefined) return `${name}: attempting to add tunnel port with same config as port '${same.name}'`;
    }
    if (!isLocal) this.#makeRoom(configured, interfaceRow.ofport_request);
    const number = isLocal ? reserved.local : configured.chooseNumber([interfaceRow.ofport_request, interfaceRow.ofport, configuredPort.lastNumber]);
    if (number === undefined) return `${name}: no OpenFlow port number is free`;
    const port = new SwitchPort(name, number, datapath.ports.nextNumber(this.#parts.dummies === undefined ? undefined : name), wanted.port, mac, interfaceRow.mtu_request ?? defaultMtu, vlan, host.clock.now());
    behind(port);
    configuredPort.port = port;
    configuredPort.lastNumber = number;
    datapath.ports.add(bridge, port);
    if (isTunnel(port.kind)) tunnels.add(bridge, port, port.kind, this.#encapAddress());
    if (port.kind.type === "patch") this.patches.add(configuredPort);
    host.log.module("bridge").info(`bridge ${bridge.name}: added interface ${name} on port ${number}`);
    service.portChanged(port, "add");
    return undefined;
  }

  /** Who has the number that another port asks for, without asking for it too, gets another. */
  #makeRoom(configured: ConfiguredBridge, asked: number | undefined): void {
    const holder = asked === undefined ? undefined : configured.bridge.portsByNumber.get(asked);
    if (holder === undefined) return;
    for (const other of configured.ports.values()) {
      if (other.port !== holder || this.#parts.replica.tables.Interface.get(other.interfaceUuid)?.ofport_request === asked) continue;
      this.close(configured, other);
      this.#lookAgain(other.uuid);
    }
  }

  #linksFor(type: "system" | "internal" | "dummy", { datapathType }: ConfiguredBridge): PortLinks | undefined {
    const { kernel, dummies } = this.#parts;
    return dummies?.serves(type, datapathType) === true ? dummies : kernel;
  }

  /** Puts behind the port what was attached to it, or the device of its name. */
  #connect(port: SwitchPort, attached: Device | undefined, links: PortLinks | undefined, link: PortLink | undefined, row: InterfaceRow, mac: Mac): void {
    const { datapath } = this.#parts;
    if (attached !== undefined) links?.close(port.name);
    port.deliver = attached?.receive ?? (link === undefined ? undefined : (frame) => link.device.send(frame));
    if (link === undefined) return;
    link.device.attach((frame) => datapath.receive(port, frame));
    const { facts } = link;
    if (facts === undefined) return;
    if (row.mtu_request !== undefined && row.mtu_request !== facts.mtu) links?.setMtu(port.name, row.mtu_request);
    const isOwn = port.kind.type === "internal";
    const isAddressed = isOwn && (links === this.#parts.kernel || isLocal(port) || row.mac !== undefined);
    if (isAddressed && facts.mac !== formatMac(mac)) links?.setMac(port.name, mac);
    port.mac = isAddressed ? mac : (parseMac(facts.mac) ?? mac);
    // A dummy has it at once; the kernel tells later.
    port.mtu = links?.factsOf(port.name)?.mtu ?? facts.mtu;
    // What a port's own device says of itself matters to groups that watch it; a bridge's own port may be down and work.
    port.isUp = isOwn || facts.isRunning;
  }

  /** Where tunnels without `local_ip` receive: the chassis' own encapsulation address, else every address. */
  #encapAddress(): string {
    const [row] = this.#parts.replica.tables.Open_vSwitch;
    const [first] = (row?.external_ids.get("ovn-encap-ip") ?? "").split(",");
    return canonicalAddress(first ?? "") ?? "0.0.0.0";
  }

  close(configured: ConfiguredBridge, configuredPort: ConfiguredPort): void {
    const { port } = configuredPort;
    if (port === undefined) return;
    this.#parts.kernel?.close(port.name);
    this.#parts.dummies?.close(port.name);
    this.#parts.tunnels.remove(port);
    this.#parts.bfd.apply(port, undefined);
    this.#parts.datapath.ports.remove(configured.bridge, port);
    configured.service.portChanged(port, "delete");
    configuredPort.port = undefined;
    if (isTunnel(port.kind)) for (const uuid of this.#blocked) this.#lookAgain(uuid);
    if (port.kind.type === "patch") this.patches.delete(configuredPort);
    this.#parts.host.log.module("bridge").info(`bridge ${configured.bridge.name}: deleted interface ${port.name} on port ${port.number}`);
  }
}

const isLocal = (port: SwitchPort): boolean => port.number === reserved.local;
