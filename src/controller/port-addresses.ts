/** `MAC IP IP/LENGTH ...`: what Port_Binding.mac says of a port's addresses; also in front of nat_addresses. */
import { type Ip, type Mac, parseMac, parsePrefix, type Prefix } from "../net/index.ts";

export interface PortAddresses {
  readonly mac: Mac;
  /** Host bits kept; a missing length means the whole address. */
  readonly ips: readonly Prefix[];
}

/** Undefined unless it begins with a MAC address; ends at the first word that is no address. */
export function parsePortAddresses(text: string): PortAddresses | undefined {
  const [first = "", ...rest] = text.trim().split(/\s+/);
  const mac = parseMac(first);
  if (mac === undefined) return undefined;
  const ips: Prefix[] = [];
  for (const word of rest) {
    const ip = parsePrefix(word);
    if (ip === undefined) break;
    ips.push(ip);
  }
  return { mac, ips };
}

/** All addresses of a column with several such texts. */
export const portAddresses = (texts: Iterable<string>): readonly PortAddresses[] => [...texts].flatMap((text) => parsePortAddresses(text) ?? []);

export const bareIp = (ip: Prefix): Ip => (ip.family === 4 ? { family: 4, address: ip.address } : { family: 6, address: ip.address });
