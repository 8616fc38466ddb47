/** Asks the services that are to be monitored here, and hears their answers (action handle_svc_check). */
import type { Sink } from "../../engine/index.ts";
import type { Host, Timer } from "../../host/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { formatIp, type Ip } from "../../net/index.ts";
import { type Action, ports } from "../../openflow/index.ts";
import {
  ethernetFrame, etherType, icmpv4Message, icmpv4Type, icmpv6Message, icmpv6Type, ipProtocol, parseIcmpv4, parseIcmpv6, parseIpv4Header, parseTcp,
  parseUdp, readU16, sizeofIpv4, tcpFlag, tcpSegment, type Udp, udpDatagram, ipv6Size,
} from "../../packet/index.ts";
import { datapathField, load, outportField, setFlag } from "../flow.ts";
import { type Arrival, datapathKeyOf, register } from "../packet-in/arrival.ts";
import { type IpHeaders, upperLayer } from "../packet-in/headers.ts";
import { ownIpPacket } from "../packet-in/own-packet.ts";
import type { MonitoredService } from "./monitored-service.ts";
import { ServiceCheck, type ServiceStatus } from "./service-check.ts";
import type { StateByRow } from "./state-by-row.ts";

/** What was asked last, by which the answer is known. */
interface Question {
  readonly srcPort: number;
  readonly sequence: number;
}

interface Watch {
  service: MonitoredService;
  readonly check: ServiceCheck;
  question: Question;
  timer: Timer | undefined;
}

const unreachablePort4 = { type: 3, code: 3 } as const;
const unreachablePort6 = { type: 1, code: 4 } as const;
const nothing = new Uint8Array(0);
const windowSize = 65160;

const asIp = (ip: IpHeaders, which: "src" | "dst"): Ip => (ip.family === 4 ? { family: 4, address: ip[which] } : { family: 6, address: ip[which] });

export class ServiceChecks implements Sink<MonitoredService> {
  readonly #host: Host;
  readonly #states: StateByRow<ServiceStatus>;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #changed: () => void;
  readonly #watches = new Map<string, Watch>();

  constructor(host: Host, states: StateByRow<ServiceStatus>, send: (packet: Uint8Array, actions: readonly Action[]) => void, changed: () => void) {
    this.#host = host;
    this.#states = states;
    this.#send = send;
    this.#changed = changed;
  }

  added(service: MonitoredService): void {
    const known = this.#watches.get(service.row._uuid);
    if (known !== undefined) {
      known.service = service;
      known.check.timing = service.timing;
      return;
    }
    const check = new ServiceCheck(service.timing, service.protocol === "udp", this.#host.clock.now());
    const watch: Watch = { service, check, question: { srcPort: 0, sequence: 0 }, timer: undefined };
    this.#watches.set(service.row._uuid, watch);
    this.#arrange(watch);
  }

  removed(service: MonitoredService): void {
    const known = this.#watches.get(service.row._uuid);
    if (known?.service !== service) return;
    known.timer?.cancel();
    this.#watches.delete(service.row._uuid);
    this.#states.forget(service.row._uuid);
  }

  stop(): void {
    for (const { timer } of this.#watches.values()) timer?.cancel();
  }

  received(arrival: Arrival): void {
    const { headers } = arrival;
    const { ip } = headers;
    if (ip === undefined) return;
    const bytes = upperLayer(headers, ip);
    if (ip.protocol === ipProtocol.tcp) this.#heardTcp(arrival, ip, bytes);
    else if (ip.family === 4 && ip.protocol === ipProtocol.icmp) this.#heardIcmp(arrival, ip, bytes);
    else if (ip.family === 6 && ip.protocol === ipProtocol.icmpv6) this.#heardIcmpv6(arrival, ip, bytes);
  }

  #heardTcp(arrival: Arrival, ip: IpHeaders, bytes: Uint8Array): void {
    const tcp = parseTcp(bytes);
    const watch = tcp && this.#find(arrival, "tcp", asIp(ip, "src"), tcp.srcPort);
    if (tcp === undefined || watch === undefined) return;
    if (tcp.dstPort !== watch.question.srcPort || tcp.acknowledgment !== (watch.question.sequence + 1) >>> 0) return;
    const isAccepted = (tcp.flags & (tcpFlag.syn | tcpFlag.ack)) === (tcpFlag.syn | tcpFlag.ack);
    // The connection is not wanted any further.
    if (isAccepted) this.#sendTcp(watch, tcpFlag.rst, tcp.acknowledgment);
    if (isAccepted || (tcp.flags & tcpFlag.rst) !== 0) this.#answered(watch, isAccepted);
  }

  #heardIcmp(arrival: Arrival, ip: IpHeaders, bytes: Uint8Array): void {
    const icmp = parseIcmpv4(bytes);
    if (icmp === undefined) return;
    if ((icmp.type === icmpv4Type.echoRequest || icmp.type === icmpv4Type.echoReply) && icmp.code === 0) {
      this.#heardEcho(arrival, asIp(ip, icmp.type === icmpv4Type.echoRequest ? "dst" : "src"), icmp.word);
    } else if (icmp.type === unreachablePort4.type && icmp.code === unreachablePort4.code) {
      const original = parseIpv4Header(icmp.data);
      this.#heardClosed(arrival, asIp(ip, "src"), original && parseUdpStart(icmp.data.subarray(sizeofIpv4(original))));
    }
  }

  #heardIcmpv6(arrival: Arrival, ip: IpHeaders, bytes: Uint8Array): void {
    const icmp = parseIcmpv6(bytes);
    if (icmp === undefined || icmp.body.length < 4) return;
    if ((icmp.type === icmpv6Type.echoRequest || icmp.type === icmpv6Type.echoReply) && icmp.code === 0) {
      const word = readU16(icmp.body, 0) * 0x10000 + readU16(icmp.body, 2);
      this.#heardEcho(arrival, asIp(ip, icmp.type === icmpv6Type.echoRequest ? "dst" : "src"), word);
    } else if (icmp.type === unreachablePort6.type && icmp.code === unreachablePort6.code) {
      this.#heardClosed(arrival, asIp(ip, "src"), parseUdpStart(icmp.body.subarray(4 + ipv6Size)));
    }
  }

  /** A network function hands the request itself on, to the port behind it. */
  #heardEcho(arrival: Arrival, ip: Ip, word: number): void {
    const watch = this.#find(arrival, "icmp", ip, undefined);
    if (watch !== undefined && word === watch.question.sequence) this.#answered(watch, true);
  }

  #heardClosed(arrival: Arrival, ip: Ip, udp: Pick<Udp, "srcPort" | "dstPort"> | undefined): void {
    const watch = udp && this.#find(arrival, "udp", ip, udp.dstPort);
    if (watch !== undefined && udp?.srcPort === watch.question.srcPort) this.#answered(watch, false);
  }

  #find(arrival: Arrival, protocol: MonitoredService["protocol"], ip: Ip, port: number | undefined): Watch | undefined {
    const [datapathKey, portKey, text] = [datapathKeyOf(arrival), register(arrival, "reg14"), formatIp(ip)];
    for (const watch of this.#watches.values()) {
      const { service } = watch;
      if (service.datapathKey === datapathKey && service.portKey === portKey && service.protocol === protocol &&
        (port === undefined || service.port === port) && formatIp(service.dst.ip) === text) return watch;
    }
    arrival.log.warn("handle service check: Service monitor not found");
    return undefined;
  }

  #answered(watch: Watch, isGood: boolean): void {
    watch.check.answered(isGood, this.#host.clock.now());
    this.#report(watch);
    this.#arrange(watch);
  }

  #report({ service, check }: Watch): void {
    if (check.status === undefined) return;
    this.#states.set(service.row._uuid, check.status);
    this.#changed();
  }

  #arrange(watch: Watch): void {
    watch.timer?.cancel();
    watch.timer = this.#host.clock.after(Math.max(0, watch.check.wakesMs - this.#host.clock.now()), () => {
      if (watch.check.run(this.#host.clock.now())) this.#ask(watch);
      else this.#report(watch);
      this.#arrange(watch);
    });
  }

  #ask(watch: Watch): void {
    const { protocol, port, src, dst } = watch.service;
    const random = (): number => this.#host.random.next32();
    const freshPort = 1024 + (random() % (0x10000 - 1024));
    if (protocol === "tcp") {
      watch.question = { srcPort: freshPort, sequence: random() };
      this.#sendTcp(watch, tcpFlag.syn, watch.question.sequence);
    } else if (protocol === "udp") {
      // The same port each time: a late complaint is one all the same.
      watch.question = { srcPort: watch.question.srcPort || freshPort, sequence: 0 };
      this.#transmit(watch.service, ownIpPacket(src.ip, dst.ip, ipProtocol.udp, udpDatagram(src.ip, dst.ip, watch.question.srcPort, port, new Uint8Array(8)), 63));
    } else {
      watch.question = { srcPort: 0, sequence: random() };
      this.#sendEcho(watch);
    }
  }

  #sendTcp({ service, question }: Watch, flags: number, sequence: number): void {
    const { src, dst, port } = service;
    const segment = tcpSegment(src.ip, dst.ip, {
      srcPort: question.srcPort, dstPort: port, sequence, acknowledgment: 0, flags, window: windowSize, urgent: 0, options: nothing,
    }, nothing);
    this.#transmit(service, ownIpPacket(src.ip, dst.ip, ipProtocol.tcp, segment, 63));
  }

  #sendEcho({ service, question }: Watch): void {
    const { src: { ip: src }, dst: { ip: dst } } = service;
    if (src.family === 4) {
      const message = icmpv4Message({ type: icmpv4Type.echoRequest, code: 0, word: question.sequence, data: nothing });
      this.#transmit(service, ownIpPacket(src, dst, ipProtocol.icmp, message, 255));
    } else if (dst.family === 6) {
      const body = new Uint8Array(4);
      new DataView(body.buffer).setUint32(0, question.sequence);
      const message = icmpv6Message({ type: icmpv6Type.echoRequest, code: 0, body }, src.address, dst.address);
      this.#transmit(service, ownIpPacket(src, dst, ipProtocol.icmpv6, message, 255));
    }
  }

  #transmit({ src, dst, datapathKey, outportKey }: MonitoredService, packet: Uint8Array): void {
    this.#send(ethernetFrame({ src: src.mac, dst: dst.mac }, dst.ip.family === 4 ? etherType.ipv4 : etherType.ipv6, packet), [
      load(datapathField, datapathKey), load(outportField, outportKey), setFlag("localOnly"),
      { kind: "resubmit", port: ports.controller, table: openflowTables.localOutput },
    ]);
  }
}

/** Of a packet quoted in an error there may be no more than this. */
const parseUdpStart = (bytes: Uint8Array): Pick<Udp, "srcPort" | "dstPort"> | undefined =>
  (bytes.length < 4 ? undefined : parseUdp(bytes) ?? { srcPort: readU16(bytes, 0), dstPort: readU16(bytes, 2) });
