/** Addresses: values, parsing, arithmetic. Knows nothing of packets or sockets. */
export { formatIpv4, type Ipv4, ipv4Mask, ipv4MaskLength, ipv4Of, isLinkLocalIpv4, isMulticastIpv4, parseIpv4 } from "./ipv4.ts";
export {
  eui64, formatIpv6, type Ipv6, ipv6Mask, ipv6MaskLength, ipv6Of, isLinkLocalIpv6, isMulticastIpv6, linkLocalOf,
  multicastMacOf, parseIpv6, readIpv6, solicitedNode, writeIpv6,
} from "./ipv6.ts";
export { formatMac, isMulticastMac, type Mac, macBroadcast, macOf, macZero, parseMac, readMac, writeMac } from "./mac.ts";
export { contains, formatIp, formatPrefix, type Ip, networkOf, type Prefix, parseIp, parsePrefix } from "./prefix.ts";
