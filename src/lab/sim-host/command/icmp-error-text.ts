/** ICMP errors in ping's words. */
import { formatIpv4, ipv4Of } from "../../../net/index.ts";
import type { DeliveryError } from "../ip-core.ts";

const unreachable4 = [
  "Destination Net Unreachable", "Destination Host Unreachable", "Destination Protocol Unreachable", "Destination Port Unreachable", "",
  "Source Route Failed", "Destination Net Unknown", "Destination Host Unknown", "Source Host Isolated", "Destination Net Prohibited",
  "Destination Host Prohibited", "Destination Net Unreachable for Type of Service", "Destination Host Unreachable for Type of Service",
  "Packet filtered", "Precedence Violation", "Precedence Cutoff",
];
const redirects = ["Redirect Network", "Redirect Host", "Redirect Type of Service and Network", "Redirect Type of Service and Host"];
const unreachable6 = ["No route", "Administratively prohibited", "Beyond scope of source address", "Address unreachable", "Port unreachable"];
const problems6 = ["Wrong header field ", "Unknown header ", "Unknown option "];

export function describeIcmpError({ from, type, code, word }: DeliveryError): string {
  return from.family === 4 ? describe4(type, code, word) : describe6(type, code, word);
}

function describe4(type: number, code: number, word: number): string {
  switch (type) {
    case 3:
      return code === 4 ? `Frag needed and DF set (mtu = ${word & 0xffff})` : (unreachable4[code] ?? `Dest Unreachable, Bad Code: ${code}`);
    case 5:
      return `${redirects[code] ?? `Redirect, Bad Code: ${code}`}(New nexthop: ${formatIpv4(ipv4Of(word))})`;
    case 11:
      return code === 0 ? "Time to live exceeded" : code === 1 ? "Frag reassembly time exceeded" : `Time exceeded, Bad Code: ${code}`;
    case 12:
      return `Parameter problem: pointer = ${word >>> 24}`;
    default:
      return `Bad ICMP type: ${type}`;
  }
}

function describe6(type: number, code: number, word: number): string {
  switch (type) {
    case 1:
      return `Destination unreachable: ${unreachable6[code] ?? `Unknown code ${code}`}`;
    case 2:
      return `Packet too big: mtu=${word}${code === 0 ? "" : `, code=${code}`}`;
    case 3:
      return `Time exceeded: ${code === 0 ? "Hop limit" : code === 1 ? "Defragmentation failure" : `code ${code}`}`;
    case 4:
      return `Parameter problem: ${problems6[code] ?? `code ${code} `}at ${word}`;
    default:
      return `unknown icmp type: ${type}`;
  }
}
