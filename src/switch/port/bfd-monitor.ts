/** BFD sessions of interfaces: their packets, their clock, and who is told when they change. */
import type { Clock, Random, Timer } from "../../host/index.ts";
import { ipv4Of, macOf } from "../../net/index.ts";
import { bfdPort, bfdSize, emitBfd, ethernetFrame, etherType, ipProtocol, ipv4Packet, parseBfd, udpDatagram } from "../../packet/index.ts";
import { type BfdSettings, BfdSession } from "./bfd-session.ts";
import { fragLater, W } from "../flow/flow-key.ts";
import { ethType, ipProto, type Packet } from "../packet/packet.ts";
import type { SwitchPort } from "./switch-port.ts";

export interface BfdEvents {
  send(port: SwitchPort, frame: Uint8Array): void;
  changed(port: SwitchPort, status: ReadonlyMap<string, string>): void;
}

/** As OVS addresses them: nobody else's. */
const destinationMac = macOf(0x002320000001);
const sourceIp = ipv4Of(0xa9fe0101);
const destinationIp = ipv4Of(0xa9fe0100);
const internetworkControl = 48;

interface Monitored {
  readonly session: BfdSession;
  readonly sourcePort: number;
  timer: Timer | undefined;
  told: string;
}

export class BfdMonitor {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: BfdEvents;
  readonly #byPort = new Map<SwitchPort, Monitored>();

  constructor(clock: Clock, random: Random, events: BfdEvents) {
    this.#clock = clock;
    this.#random = random;
    this.#events = events;
  }

  /** From now on with these settings; undefined: not at all. A session that has them already goes on. */
  apply(port: SwitchPort, settings: BfdSettings | undefined): void {
    const known = this.#byPort.get(port);
    if (known !== undefined && settings !== undefined && JSON.stringify(known.session.settings) === JSON.stringify(settings)) return;
    known?.timer?.cancel();
    this.#byPort.delete(port);
    port.isMonitored = settings !== undefined;
    port.isForwarding = settings === undefined;
    if (settings === undefined) return;
    const discriminator = this.#random.next32() || 1;
    const session = new BfdSession(settings, discriminator, () => this.#random.next32() / 2 ** 32);
    const monitored: Monitored = { session, sourcePort: 49_152 + (discriminator % 16_384), timer: undefined, told: "" };
    this.#byPort.set(port, monitored);
    this.#run(port, monitored);
  }

  /** Interface.bfd_status. */
  statusOf(port: SwitchPort): ReadonlyMap<string, string> {
    return this.#byPort.get(port)?.session.status() ?? new Map();
  }

  /** Whether the packet was a control packet for this port: then nobody else sees it. */
  takes(port: SwitchPort, packet: Packet): boolean {
    const monitored = this.#byPort.get(port);
    const { key, bytes, l4 } = packet;
    const misc = key[W.nwMisc] ?? 0;
    if (monitored === undefined || key[W.ethType] !== ethType.ipv4 || misc >>> 24 !== ipProto.udp || (misc & fragLater) !== 0) return false;
    if (((key[W.tpPorts] ?? 0) & 0xffff) !== bfdPort || l4 === 0) return false;
    if (monitored.session.settings.checksTunnelKey && (key[W.tunId + 1] ?? 0) !== 0) return false;
    const parsed = ((misc >>> 8) & 0xff) === 255 ? parseBfd(bytes.subarray(l4 + 8)) : undefined;
    if (parsed !== undefined) {
      monitored.session.receive(parsed, this.#clock.now());
      this.#run(port, monitored);
    }
    return true;
  }

  close(): void {
    for (const { timer } of this.#byPort.values()) timer?.cancel();
    this.#byPort.clear();
  }

  #run(port: SwitchPort, monitored: Monitored): void {
    if (this.#byPort.get(port) !== monitored) return;
    monitored.timer?.cancel();
    const { session } = monitored;
    const packet = session.run(this.#clock.now(), port.counters.rxPackets);
    if (packet !== undefined) {
      const payload = new Uint8Array(bfdSize);
      emitBfd(packet, payload);
      this.#events.send(port, this.#frame(port, monitored.sourcePort, payload));
    }
    const status = session.status();
    const text = JSON.stringify([...status]);
    if (text !== monitored.told) {
      monitored.told = text;
      port.isForwarding = session.isForwarding;
      this.#events.changed(port, status);
    }
    // At least a millisecond, so that a session that wants to be run at once cannot keep everything else from running.
    monitored.timer = this.#clock.after(Math.max(1, session.wakesMs - this.#clock.now()), () => this.#run(port, monitored));
  }

  #frame(port: SwitchPort, sourcePort: number, payload: Uint8Array): Uint8Array {
    const [src, dst] = [{ family: 4, address: sourceIp }, { family: 4, address: destinationIp }] as const;
    const datagram = udpDatagram(src, dst, sourcePort, bfdPort, payload);
    const packet = ipv4Packet({ src: sourceIp, dst: destinationIp, protocol: ipProtocol.udp, ttl: 255, dscp: internetworkControl }, datagram);
    return ethernetFrame({ dst: destinationMac, src: port.mac }, etherType.ipv4, packet);
  }
}
