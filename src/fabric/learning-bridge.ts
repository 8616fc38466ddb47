/**
 * A bridge that learns which MAC address is behind which port, as Linux's does (IEEE 802.1D, section 7.8 and 7.9): a frame goes
 * where its destination was last heard from, else everywhere but back. Entries that nobody refreshes age.
 *
 * Without VLAN filtering a tag is freight like any other. With it (`vlan_filtering 1`) each port has VLANs: one that it takes
 * untagged frames for (`pvid`), and those it carries tagged; addresses are then learned for each VLAN by itself.
 */
import type { Clock } from "../host/index.ts";
import { isMulticastMac, type Mac } from "../net/index.ts";
import { ethernetSize, etherType, parseEthernet, readU16, vlanSize, writeU16 } from "../packet/index.ts";

export interface PortVlans {
  /** The VLAN of untagged frames; undefined: they are dropped. */
  readonly untagged: number | undefined;
  /** VLANs carried with their tag; undefined: all. */
  readonly tagged: ReadonlySet<number> | undefined;
}

export class BridgePort {
  readonly name: string;
  readonly number: number;
  /** The address of the bridge's own end of it. */
  readonly mac: Mac;
  readonly vlans: PortVlans;
  /** Where frames out of this port go. */
  transmit: ((frame: Uint8Array) => void) | undefined;
  rxPackets = 0;
  txPackets = 0;

  constructor(name: string, number: number, mac: Mac, vlans: PortVlans) {
    this.name = name;
    this.number = number;
    this.mac = mac;
    this.vlans = vlans;
  }
}

export interface LearningBridgeOptions {
  readonly name: string;
  readonly mac: Mac;
  readonly ageingMs: number;
  readonly isVlanAware: boolean;
}

/** An entry of the forwarding database. */
export interface LearnedMac {
  readonly mac: Mac;
  /** 0 where VLANs are not filtered. */
  readonly vlan: number;
  readonly port: BridgePort;
  readonly isLocal: boolean;
  /** Since it was last heard. */
  readonly ageMs: number;
}

interface Entry {
  readonly mac: Mac;
  readonly vlan: number;
  readonly port: BridgePort;
  readonly heardMs: number;
}

/** So many, then the oldest goes: nobody outside decides how much memory this takes. */
const maxEntries = 16_384;
export const defaultAgeingMs = 300_000;

export class LearningBridge {
  readonly options: LearningBridgeOptions;
  readonly #clock: Clock;
  readonly #ports = new Map<string, BridgePort>();
  /** By VLAN and MAC address; in the order in which they were last heard, the oldest first. */
  readonly #entries = new Map<number | string, Entry>();
  #ownEnd: BridgePort | undefined;
  readonly #taps = new Set<(frame: Uint8Array, port: BridgePort) => void>();

  constructor(clock: Clock, options: LearningBridgeOptions) {
    this.#clock = clock;
    this.options = options;
  }

  get ports(): Iterable<BridgePort> {
    return this.#ports.values();
  }

  port(name: string): BridgePort | undefined {
    return this.#ports.get(name);
  }

  /** Ports are numbered in the order they come, from 1. */
  addPort(name: string, mac: Mac, vlans: PortVlans = { untagged: 1, tagged: undefined }): BridgePort {
    const port = new BridgePort(name, this.#ports.size + 1, mac, vlans);
    this.#ports.set(name, port);
    return port;
  }

  /** The end of the machine that the bridge is on: not one of its numbered ports, and in no table but by what is heard from it. */
  addOwnEnd(): BridgePort {
    this.#ownEnd = new BridgePort(this.options.name, 0, this.options.mac, { untagged: 1, tagged: undefined });
    return this.#ownEnd;
  }

  /** Shows every frame that comes into the bridge, with the port it came in by. */
  tap(see: (frame: Uint8Array, port: BridgePort) => void): () => void {
    this.#taps.add(see);
    return () => this.#taps.delete(see);
  }

  receive(port: BridgePort, bytes: Uint8Array): void {
    const header = parseEthernet(bytes);
    if (header === undefined) return;
    port.rxPackets++;
    for (const see of this.#taps) see(bytes, port);
    const vlan = this.#vlanOf(port, bytes, header.type);
    if (vlan === undefined) return;
    if (!isMulticastMac(header.src)) this.#learn(vlan, header.src, port);
    // Addresses of bridges among themselves (IEEE 802.1D, table 7-10): pause frames, spanning tree, LLDP.
    if (Math.floor(header.dst / 16) === 0x0180c200000) return;
    const known = isMulticastMac(header.dst) ? undefined : this.#find(vlan, header.dst);
    if (known === port) return;
    if (known !== undefined) this.#send(known, vlan, bytes, header.type);
    else this.#flood(port, vlan, bytes, header.type);
  }

  #flood(from: BridgePort, vlan: number, bytes: Uint8Array, type: number): void {
    for (const port of this.#ports.values()) if (port !== from) this.#send(port, vlan, bytes, type);
    if (this.#ownEnd !== undefined && this.#ownEnd !== from) this.#send(this.#ownEnd, vlan, bytes, type);
  }

  /** What it has learned, and the addresses of its own ports; by port, then by address. */
  list(): LearnedMac[] {
    const now = this.#clock.now();
    this.#age();
    const learned = [...this.#entries.values()].filter((entry) => entry.port !== this.#ownEnd).map(({ mac, vlan, port, heardMs }) => ({ mac, vlan, port, isLocal: false, ageMs: now - heardMs }));
    const own = [...this.#ports.values()].map((port) => ({ mac: port.mac, vlan: 0, port, isLocal: true, ageMs: 0 }));
    return [...learned, ...own].sort((a, b) => a.port.number - b.port.number || a.mac - b.mac || a.vlan - b.vlan);
  }

  /** Forgets what it learned; of one port, if one is named. */
  flush(port?: BridgePort): void {
    for (const [key, entry] of this.#entries) if (port === undefined || entry.port === port) this.#entries.delete(key);
  }

  /** The VLAN in which a frame arrives (0 where they are not filtered); undefined: the port does not take it. */
  #vlanOf(port: BridgePort, bytes: Uint8Array, type: number): number | undefined {
    if (!this.options.isVlanAware) return 0;
    const { untagged, tagged } = port.vlans;
    if (type !== etherType.vlan) return untagged;
    const vlan = readU16(bytes, ethernetSize) & 0xfff;
    // A tag with VLAN 0 gives a priority and nothing else.
    if (vlan === 0) return untagged;
    return vlan === untagged || tagged === undefined || tagged.has(vlan) ? vlan : undefined;
  }

  #send(port: BridgePort, vlan: number, bytes: Uint8Array, type: number): void {
    const { untagged, tagged } = port.vlans;
    let frame = bytes;
    if (this.options.isVlanAware) {
      const leavesUntagged = vlan === untagged;
      if (!leavesUntagged && tagged !== undefined && !tagged.has(vlan)) return;
      const isTagged = type === etherType.vlan;
      if (isTagged && leavesUntagged) frame = withoutTag(bytes);
      else if (!isTagged && !leavesUntagged) frame = withTag(bytes, vlan);
    }
    port.txPackets++;
    port.transmit?.(frame);
  }

  #learn(vlan: number, mac: Mac, port: BridgePort): void {
    const key = keyOf(vlan, mac);
    const now = this.#clock.now();
    const entry = this.#entries.get(key);
    if (entry === undefined && this.#entries.size >= maxEntries) this.#forgetOldest();
    // Out and in again, so that the oldest stand first.
    this.#entries.delete(key);
    this.#entries.set(key, { mac, vlan, port, heardMs: now });
  }

  #find(vlan: number, mac: Mac): BridgePort | undefined {
    const entry = this.#entries.get(keyOf(vlan, mac));
    if (entry === undefined || this.#clock.now() - entry.heardMs > this.options.ageingMs) return undefined;
    return entry.port;
  }

  #age(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries) {
      if (now - entry.heardMs <= this.options.ageingMs) return;
      this.#entries.delete(key);
    }
  }

  #forgetOldest(): void {
    this.#age();
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }
}

// 12 bits of VLAN and 48 of address do not fit into a double; without VLANs the address is key enough, and faster.
const keyOf = (vlan: number, mac: Mac): number | string => (vlan === 0 ? mac : `${vlan}/${mac}`);

export function withTag(frame: Uint8Array, vlan: number): Uint8Array {
  const tagged = new Uint8Array(frame.length + vlanSize);
  tagged.set(frame.subarray(0, 12));
  writeU16(tagged, 12, etherType.vlan);
  writeU16(tagged, 14, vlan);
  tagged.set(frame.subarray(12), 16);
  return tagged;
}

export function withoutTag(frame: Uint8Array): Uint8Array {
  const bare = new Uint8Array(frame.length - vlanSize);
  bare.set(frame.subarray(0, 12));
  bare.set(frame.subarray(16), 12);
  return bare;
}
