/** An IP packet that the controller sends of its own accord: IPv4 is not to be fragmented, as OVN's own are not. */
import type { Ip } from "../../net/index.ts";
import { ipPacket, ipv4Packet } from "../../packet/index.ts";

export const ownIpPacket = (src: Ip, dst: Ip, protocol: number, payload: Uint8Array, ttl: number): Uint8Array =>
  (src.family === 4 && dst.family === 4
    ? ipv4Packet({ src: src.address, dst: dst.address, protocol, ttl, dontFragment: true }, payload)
    : ipPacket(src, dst, protocol, payload, ttl));
