/** UDP sockets of a host. */
import type { Ip } from "../../net/index.ts";
import { ipProtocol, isChecksumRight, parseUdp, pseudoHeaderSum, udpDatagram, udpSize } from "../../packet/index.ts";
import type { IpLayer, SendOptions, SendResult } from "./ip-layer.ts";
import type { NetworkState } from "./network-state.ts";

export interface UdpMessage {
  readonly src: Ip;
  readonly srcPort: number;
  readonly dst: Ip;
  readonly payload: Uint8Array;
}

export interface UdpSocket {
  readonly port: number;
  send(dst: Ip, port: number, payload: Uint8Array, options?: SendOptions): SendResult;
  close(): void;
}

const firstEphemeralPort = 32768;
const ephemeralPorts = 28232;

export class UdpLayer {
  readonly #ip: IpLayer;
  readonly #network: NetworkState;
  readonly #sockets = new Map<number, (message: UdpMessage) => void>();
  #next: number;

  constructor(ip: IpLayer, network: NetworkState, random: number) {
    this.#ip = ip;
    this.#network = network;
    this.#next = random % ephemeralPorts;
    ip.onProtocol(ipProtocol.udp, ({ src, dst, payload }) => {
      const udp = parseUdp(payload);
      if (udp === undefined || (udp.checksum !== 0 && !isChecksumRight(payload.subarray(0, udp.size), pseudoHeaderSum(src, dst, ipProtocol.udp, udp.size)))) return true;
      const receive = this.#sockets.get(udp.dstPort);
      receive?.({ src, srcPort: udp.srcPort, dst, payload: payload.subarray(udpSize, udp.size) });
      return receive !== undefined;
    });
  }

  /** Port 0: one that is free. undefined if `port` is taken, or none is free. */
  open(port: number, receive: (message: UdpMessage) => void): UdpSocket | undefined {
    const given = port === 0 ? this.#freePort() : port;
    if (given === undefined || this.#sockets.has(given)) return undefined;
    this.#sockets.set(given, receive);
    return {
      port: given,
      send: (dst, dstPort, payload, options = {}) => {
        const src = options.src ?? this.#network.sourceFor(dst);
        return src === undefined ? "unreachable" : this.#ip.send(dst, ipProtocol.udp, udpDatagram(src, dst, given, dstPort, payload), { dontFragment: false, ...options, src });
      },
      close: () => this.#sockets.delete(given),
    };
  }

  #freePort(): number | undefined {
    for (let tries = 0; tries < ephemeralPorts; tries++) {
      this.#next = (this.#next + 1) % ephemeralPorts;
      const port = firstEphemeralPort + this.#next;
      if (!this.#sockets.has(port)) return port;
    }
    return undefined;
  }
}
