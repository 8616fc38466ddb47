/** One entry of Port_Binding.port_security: `[VRRPv3 ]MAC [VRRP-MAC[/N]]... [IP[/N]]...` (ovn-nb(5)). */
import { type Ipv4, ipv4Mask, ipv4Of, type Ipv6, ipv6Mask, type Mac, macOf, parseMac, parsePrefix } from "../net/index.ts";

export interface MaskedMac {
  readonly mac: Mac;
  readonly mask: Mac;
  readonly prefixLength: number;
}

export interface Entry {
  readonly mac: Mac;
  readonly vrrp4: readonly MaskedMac[];
  readonly vrrp6: readonly MaskedMac[];
  /** `broadcast` is 0 where a whole network is allowed. */
  readonly ip4: readonly { readonly address: Ipv4; readonly mask: Ipv4; readonly broadcast: number }[];
  readonly ip6: readonly { readonly address: Ipv6; readonly mask: Ipv6 }[];
}

const vrrp4Base = 0x00005e000100;
const vrrp6Base = 0x00005e000200;
/** The last byte is the virtual router's number. */
const vrrpPrefixLength = 40;

const anyVrrp = (base: number): MaskedMac => ({ mac: macOf(base), mask: macOf(0xffffffffff00), prefixLength: vrrpPrefixLength });

/** What does not belong, and why; the whole entry is then of no use. */
export interface Misfit {
  readonly text: string;
  readonly reason: "No MAC address found" | "Invalid VRRPv3 MAC" | "Invalid IP or MAC";
}

export const isMisfit = (result: Entry | Misfit): result is Misfit => "reason" in result;

export function parsePortSecurity(text: string): Entry | Misfit {
  const words = text.split(" ").filter((word) => word !== "");
  const isVrrp = words[0] === "VRRPv3";
  const [first, ...rest] = isVrrp ? words.slice(1) : words;
  const mac = parseMac(first ?? "");
  if (mac === undefined) return { text, reason: "No MAC address found" };
  const [vrrp4, vrrp6]: [MaskedMac[], MaskedMac[]] = [[], []];
  const ip4: { address: Ipv4; mask: Ipv4; broadcast: number }[] = [];
  const ip6: { address: Ipv6; mask: Ipv6 }[] = [];
  for (const word of rest) {
    const masked = isVrrp ? parseMaskedMac(word) : undefined;
    const vrrp = masked && vrrpMac(masked);
    const prefix = parsePrefix(word);
    if (vrrp !== undefined) (vrrp.family === 4 ? vrrp4 : vrrp6).push(vrrp);
    else if (masked !== undefined) return { text: word, reason: "Invalid VRRPv3 MAC" };
    else if (prefix === undefined) return { text: word, reason: "Invalid IP or MAC" };
    else if (prefix.family === 4) ip4.push(hostOrNetwork4(prefix.address, prefix.length));
    else ip6.push(hostOrNetwork6(prefix.address, prefix.length));
  }
  if (isVrrp && vrrp4.length + vrrp6.length === 0) {
    vrrp4.push(anyVrrp(vrrp4Base));
    vrrp6.push(anyVrrp(vrrp6Base));
  }
  return { mac, vrrp4, vrrp6, ip4, ip6 };
}

/** With host bits, that one address (and the network's broadcast); without, all of the network. */
function hostOrNetwork4(address: Ipv4, length: number): { address: Ipv4; mask: Ipv4; broadcast: number } {
  const mask = ipv4Mask(length);
  const isHost = (address & ~mask) !== 0;
  return { address, mask: isHost ? ipv4Mask(32) : mask, broadcast: isHost ? ipv4Of(address | ~mask) : 0 };
}

function hostOrNetwork6(address: Ipv6, length: number): { address: Ipv6; mask: Ipv6 } {
  const mask = ipv6Mask(length);
  return { address, mask: (address & ~mask) !== 0n ? ipv6Mask(128) : mask };
}

function parseMaskedMac(word: string): MaskedMac | undefined {
  const match = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(word);
  const mac = parseMac(match?.[1] ?? "");
  const prefixLength = Number(match?.[2] ?? 48);
  return mac === undefined || prefixLength > 48 ? undefined : { mac, mask: macOf(2 ** 48 - 2 ** (48 - prefixLength)), prefixLength };
}

function vrrpMac({ mac, mask, prefixLength }: MaskedMac): (MaskedMac & { readonly family: 4 | 6 }) | undefined {
  const router = mac % 0x100;
  if (prefixLength < vrrpPrefixLength || mac % 2 ** (48 - prefixLength) !== 0 || (prefixLength === 48 && router === 0)) return undefined;
  const base = mac - router;
  const family = base === vrrp4Base ? 4 : base === vrrp6Base ? 6 : undefined;
  return family === undefined ? undefined : { mac, mask, prefixLength, family };
}
