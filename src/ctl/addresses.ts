/** Addresses as logical switch ports list them: `MAC [IP[/LENGTH]]...` (ovn-nb(5), "addresses"). */
import { formatIp, formatPrefix, type Ip, networkOf, parsePrefix } from "../net/index.ts";

const mac = /^[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}/;

/** Whether C takes the text for an address at all; what follows the beginning is not looked at. */
export const isPortAddress = (text: string): boolean =>
  ["unknown", "dynamic", "router"].includes(text) || mac.test(text) || /^dynamic\s*[0-9a-fA-F:.]+/.test(text);

/** The IP addresses after a MAC; up to the first word that is none. Undefined without a MAC. */
export function ipsOf(address: string): readonly Ip[] | undefined {
  const match = mac.exec(address.trimStart());
  if (match === null) return undefined;
  const ips: Ip[] = [];
  for (const word of address.trimStart().slice(match[0].length).split(/\s+/).filter((w) => w !== "")) {
    const prefix = parsePrefix(word);
    if (prefix === undefined) break;
    ips.push(prefix);
  }
  return ips;
}

export const isDynamic = (address: string): boolean => address.startsWith("dynamic") || (mac.test(address) && /^\S+\s+dynamic$/.test(address));

/** The first address that both list, as a complaint names it. */
export function sharedAddress(ours: readonly Ip[], theirs: readonly Ip[]): string | undefined {
  const others = new Set(theirs.map(formatIp));
  const shared = [...ours.filter((ip) => ip.family === 4), ...ours.filter((ip) => ip.family === 6)].find((ip) => others.has(formatIp(ip)));
  return shared === undefined ? undefined : `duplicate IPv${shared.family} address '${formatIp(shared)}'`;
}

/** Networks in one form and order and without host bits, to compare them; undefined if one is malformed. */
export function normalizedNetworks(networks: readonly string[]): string | undefined {
  const prefixes = networks.map(parsePrefix);
  const texts = prefixes.flatMap((p) => (p === undefined ? [] : formatPrefix(networkOf(p))));
  return texts.length < networks.length ? undefined : [...new Set(texts)].sort().join(" ");
}

/** `[NETWORK]... [COLUMN[:KEY]=VALUE]...`, as commands that add router ports take them. */
export function splitSettings(words: readonly string[]): { readonly networks: readonly string[]; readonly settings: readonly string[] } {
  const first = words.findIndex((word) => word.includes("="));
  return first < 0 ? { networks: words, settings: [] } : { networks: words.slice(0, first), settings: words.slice(first) };
}
