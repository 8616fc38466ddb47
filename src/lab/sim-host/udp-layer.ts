/** UDP sockets of a machine. */
import { type Ip, isMulticastIpv4, isMulticastIpv6 } from "../../net/index.ts";
import { ipProtocol, isChecksumRight, parseUdp, pseudoHeaderSum, udpDatagram, udpSize } from "../../packet/index.ts";
import type { SendOptions, SendResult } from "./ip-core.ts";
import type { IpLayer } from "./ip-layer.ts";
import type { NetworkState } from "./network-state.ts";

export interface UdpMessage {
  readonly src: Ip;
  readonly srcPort: number;
  readonly dst: Ip;
  readonly ttl: number;
  /** The network device by which it came. */
  readonly device: string;
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
  /** By port, and by the address that a socket is bound to, if it is. */
  readonly #sockets = new Map<string, (message: UdpMessage) => void>();
  #next: number;

  constructor(ip: IpLayer, network: NetworkState, random: number) {
    this.#ip = ip;
    this.#network = network;
    this.#next = random % ephemeralPorts;
    ip.onProtocol(ipProtocol.udp, ({ src, dst, ttl, device, payload }) => {
      const udp = parseUdp(payload);
      if (udp === undefined || (udp.checksum !== 0 && !isChecksumRight(payload.subarray(0, udp.size), pseudoHeaderSum(src, dst, ipProtocol.udp, udp.size)))) return true;
      const receive = this.#sockets.get(keyOf(udp.dstPort, dst)) ?? this.#sockets.get(keyOf(udp.dstPort, undefined));
      receive?.({ src, srcPort: udp.srcPort, dst, ttl, device: device.name, payload: payload.subarray(udpSize, udp.size) });
      return receive !== undefined || isForMany(dst);
    });
  }

  /** Port 0: one that is free. undefined if `port` is taken, or none is free. `address`: the only one it receives on and sends from. */
  open(port: number, receive: (message: UdpMessage) => void, address?: Ip): UdpSocket | undefined {
    const given = port === 0 ? this.#freePort(address) : port;
    const key = given === undefined ? undefined : keyOf(given, address);
    if (given === undefined || key === undefined || this.#sockets.has(key)) return undefined;
    this.#sockets.set(key, receive);
    return {
      port: given,
      send: (dst, dstPort, payload, options = {}) => {
        const src = options.src ?? address ?? this.#network.sourceFor(dst, options);
        return src === undefined ? "unreachable" : this.#ip.send(dst, ipProtocol.udp, udpDatagram(src, dst, given, dstPort, payload), { dontFragment: false, ...options, src });
      },
      close: () => this.#sockets.delete(key),
    };
  }

  #freePort(address: Ip | undefined): number | undefined {
    for (let tries = 0; tries < ephemeralPorts; tries++) {
      this.#next = (this.#next + 1) % ephemeralPorts;
      const port = firstEphemeralPort + this.#next;
      if (!this.#sockets.has(keyOf(port, address)) && !this.#sockets.has(keyOf(port, undefined))) return port;
    }
    return undefined;
  }
}

const keyOf = (port: number, address: Ip | undefined): string => (address === undefined ? `${port}` : `${port} ${address.family} ${address.address}`);
const isForMany = (ip: Ip): boolean => (ip.family === 4 ? ip.address === 0xffffffff || isMulticastIpv4(ip.address) : isMulticastIpv6(ip.address));
