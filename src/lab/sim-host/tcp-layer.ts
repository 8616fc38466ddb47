/** TCP of a host: listeners, connections by their four numbers, and a reset for everyone else. */
import type { Clock, Random } from "../../host/index.ts";
import type { Ip } from "../../net/index.ts";
import { ipProtocol, isChecksumRight, parseTcp, pseudoHeaderSum, sizeofTcp, type Tcp, tcpFlag, tcpSegment } from "../../packet/index.ts";
import type { DeliveryError, Inbound } from "./ip-core.ts";
import type { IpLayer } from "./ip-layer.ts";
import type { NetworkState } from "./network-state.ts";
import { TcpConnection, type TcpEvents, type TcpWire } from "./tcp-connection.ts";

const maxConnections = 256;

export interface TcpPeer {
  readonly ip: Ip;
  readonly port: number;
}

export class TcpLayer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ip: IpLayer;
  readonly #network: NetworkState;
  readonly #listeners = new Map<number, (peer: TcpPeer, connection: TcpConnection) => void>();
  readonly #connections = new Map<string, TcpConnection>();

  constructor(clock: Clock, random: Random, ip: IpLayer, network: NetworkState) {
    this.#clock = clock;
    this.#random = random;
    this.#ip = ip;
    this.#network = network;
    ip.onProtocol(ipProtocol.tcp, (inbound) => {
      this.#receive(inbound);
      return true;
    });
  }

  /** undefined if the port is taken. */
  listen(port: number, accept: (peer: TcpPeer, connection: TcpConnection) => void): (() => void) | undefined {
    if (this.#listeners.has(port)) return undefined;
    this.#listeners.set(port, accept);
    return () => this.#listeners.delete(port);
  }

  /** Resets every connection, and takes no more. */
  stop(): void {
    this.#listeners.clear();
    for (const connection of [...this.#connections.values()]) connection.abort();
  }

  /** undefined if there is no way there. Errors by ICMP are told as "refused". */
  connect(dst: Ip, port: number, events: TcpEvents): TcpConnection | undefined {
    const src = this.#network.sourceFor(dst);
    const isReachable = src !== undefined && (this.#network.isOwn(dst) || this.#network.routeTo(dst) !== undefined);
    if (!isReachable || this.#connections.size >= maxConnections) return undefined;
    let srcPort = 0;
    do srcPort = 32768 + (this.#random.next32() % 28232);
    while (this.#connections.has(keyOf(srcPort, dst, port)));
    const stopListening = this.#ip.onError((error) => {
      if (isAbout(error, srcPort, port)) this.#connections.get(keyOf(srcPort, dst, port))?.abort();
    });
    const wire = this.#wire(src, srcPort, dst, port, stopListening);
    const connection = TcpConnection.connect(wire, events, this.#random.next32());
    this.#connections.set(keyOf(srcPort, dst, port), connection);
    return connection;
  }

  #wire(src: Ip, srcPort: number, dst: Ip, dstPort: number, forget: () => void = () => {}): TcpWire {
    const segmentSize = this.#ip.mtuTo(dst) - (src.family === 4 ? 40 : 60);
    return {
      clock: this.#clock,
      segmentSize,
      send: (flags, sequence, acknowledgment, payload, isSyn) => {
        const options = isSyn ? Uint8Array.of(2, 4, segmentSize >> 8, segmentSize & 0xff) : new Uint8Array(0);
        const header: Tcp = { srcPort, dstPort, sequence, acknowledgment: (flags & tcpFlag.ack) !== 0 ? acknowledgment : 0, flags, window: 65535, urgent: 0, options };
        this.#ip.send(dst, ipProtocol.tcp, tcpSegment(src, dst, header, payload), { src });
      },
      forget: () => {
        forget();
        this.#connections.delete(keyOf(srcPort, dst, dstPort));
      },
    };
  }

  #receive({ src, dst, payload }: Inbound): void {
    const segment = parseTcp(payload);
    if (segment === undefined || !isChecksumRight(payload, pseudoHeaderSum(src, dst, ipProtocol.tcp, payload.length))) return;
    const data = payload.subarray(sizeofTcp(segment));
    const known = this.#connections.get(keyOf(segment.dstPort, src, segment.srcPort));
    if (known !== undefined) return known.receive(segment, data);
    const accept = this.#listeners.get(segment.dstPort);
    const isSyn = (segment.flags & (tcpFlag.syn | tcpFlag.ack | tcpFlag.rst)) === tcpFlag.syn;
    if (accept === undefined || !isSyn || this.#connections.size >= maxConnections) return this.#refuse(src, dst, segment, data.length);
    const peer = { ip: src, port: segment.srcPort };
    const connection = TcpConnection.accept(this.#wire(dst, segment.dstPort, src, segment.srcPort), {}, this.#random.next32(), segment);
    this.#connections.set(keyOf(segment.dstPort, src, segment.srcPort), connection);
    connection.setEvents({ connected: () => accept(peer, connection) });
  }

  #refuse(src: Ip, dst: Ip, segment: Tcp, size: number): void {
    if ((segment.flags & tcpFlag.rst) !== 0) return;
    const isAck = (segment.flags & tcpFlag.ack) !== 0;
    const length = size + ((segment.flags & tcpFlag.syn) !== 0 ? 1 : 0) + ((segment.flags & tcpFlag.fin) !== 0 ? 1 : 0);
    const header: Tcp = {
      srcPort: segment.dstPort, dstPort: segment.srcPort, sequence: isAck ? segment.acknowledgment : 0, acknowledgment: isAck ? 0 : (segment.sequence + length) >>> 0,
      flags: isAck ? tcpFlag.rst : tcpFlag.rst | tcpFlag.ack, window: 0, urgent: 0, options: new Uint8Array(0),
    };
    this.#ip.send(src, ipProtocol.tcp, tcpSegment(dst, src, header, new Uint8Array(0)), { src: dst });
  }
}

const keyOf = (ownPort: number, ip: Ip, port: number): string => `${ownPort} ${ip.address} ${port}`;

/** Whether an ICMP error quotes a segment of ours. */
function isAbout({ original }: DeliveryError, srcPort: number, dstPort: number): boolean {
  const at = (original[0] ?? 0) >> 4 === 4 ? ((original[0] ?? 0) & 15) * 4 : 40;
  return (original[at] ?? 0) * 256 + (original[at + 1] ?? 0) === srcPort && (original[at + 2] ?? 0) * 256 + (original[at + 3] ?? 0) === dstPort;
}
