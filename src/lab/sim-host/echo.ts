/** Echo replies, handed to whoever asked, by identifier. */
import type { Ip } from "../../net/index.ts";
import { ipProtocol, readU16 } from "../../packet/index.ts";
import type { Inbound } from "./ip-core.ts";
import type { IpLayer } from "./ip-layer.ts";

export interface EchoReply {
  readonly from: Ip;
  readonly sequence: number;
  readonly ttl: number;
  /** ICMP header and data. */
  readonly size: number;
}

export class Echo {
  readonly #listeners = new Map<number, (reply: EchoReply) => void>();

  constructor(ip: IpLayer) {
    const receive = ({ src, ttl, payload }: Inbound): boolean => {
      this.#listeners.get(readU16(payload, 4))?.({ from: src, sequence: readU16(payload, 6), ttl, size: payload.length });
      return true;
    };
    ip.onProtocol(ipProtocol.icmp, receive);
    ip.onProtocol(ipProtocol.icmpv6, receive);
  }

  onReply(identifier: number, listen: (reply: EchoReply) => void): () => void {
    this.#listeners.set(identifier, listen);
    return () => this.#listeners.delete(identifier);
  }
}
