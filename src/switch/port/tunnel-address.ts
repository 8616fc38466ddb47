/**
 * Addresses of tunnel ends. Settings and actions have them as text, in the one form that `formatIp` gives, or "" where each flow
 * says; the flow key has words for IPv4 and for IPv6, of which one kind is zero (ovs-fields(7), "Tunnel Fields").
 */
import { formatIpv4, formatIpv6, ipv4Of, ipv6Of, parseIpv4, parseIpv6 } from "../../net/index.ts";
import { W } from "../flow/flow-key.ts";

/** undefined: no address. A scope (`%eth0`) is left out. */
export function canonicalAddress(text: string): string | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return formatIpv4(v4);
  const v6 = parseIpv6(text.split("%")[0] ?? "");
  return v6 === undefined ? undefined : formatIpv6(v6);
}

export const isMulticastAddress = (address: string): boolean => (address.includes(":") ? address.startsWith("ff") : (parseIpv4(address) ?? 0) >>> 28 === 0xe);

/** The address in a key's words, read one by one; "": none. */
export function addressInKey(read: (word: number) => number, word4: number, word6: number): string {
  const v4 = read(word4);
  if (v4 !== 0) return formatIpv4(ipv4Of(v4));
  const v6 = [0, 1, 2, 3].reduce((value, i) => (value << 32n) | BigInt(read(word6 + i)), 0n);
  return v6 === 0n ? "" : formatIpv6(ipv6Of(v6));
}

/** What a packet's outer addresses are in the tunnel words of its key (from W.tunId on). */
export function putAddresses(words: Uint32Array, source: string, destination: string): void {
  putAddress(words, source, W.tunSrc - W.tunId, W.tunIpv6Src - W.tunId);
  putAddress(words, destination, W.tunDst - W.tunId, W.tunIpv6Dst - W.tunId);
}

function putAddress(words: Uint32Array, address: string, at4: number, at6: number): void {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) {
    words[at4] = v4;
    return;
  }
  const v6 = parseIpv6(address) ?? 0n;
  for (let i = 0; i < 4; i++) words[at6 + i] = Number((v6 >> BigInt(96 - 32 * i)) & 0xffff_ffffn);
}
