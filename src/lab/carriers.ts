/**
 * Which loopback address carries which underlay address. Without root a lab cannot own 192.168.50.102, but the whole of
 * 127.0.0.0/8 is there for everyone: 127.LAB.50.102 carries it, so that `tcpdump -i lo udp port 6081` is still readable.
 */
import type { AddressMap, Datagrams } from "../host/index.ts";
import { formatIpv4, ipv4Of, parseIpv4 } from "../net/index.ts";
import { present } from "../std/index.ts";

/** The UDP port that shows whether a second byte is taken by another lab: Geneve's (RFC 8926). */
const genevePort = 6081;
/** Second bytes below are left to what else uses 127.0.x.x and 127.1.x.x by habit. */
const [firstLabByte, lastLabByte] = [16, 254];

/** `127.LAB.c.d` for `a.b.c.d`; where two addresses share c.d, the later one takes the next free. */
export function carriersFor(addresses: Iterable<string>, labByte: number): AddressMap {
  const taken = new Set<number>();
  const map = new Map<string, string>();
  for (const address of addresses) {
    let low = present(parseIpv4(address), `address ${address}`) & 0xffff;
    // 127.x.255.255 is a broadcast address on Linux's loopback, and a host part of zero names the network.
    while (taken.has(low) || low === 0 || low === 0xffff) low = (low + 1) & 0xffff;
    taken.add(low);
    map.set(address, formatIpv4(ipv4Of((127 << 24) | (labByte << 16) | low)));
  }
  return map;
}

/** Carriers that no other lab on this machine is using, starting from a place that `seed` (the lab's folder) decides. */
export async function findCarriers(addresses: readonly string[], seed: string, datagrams: Datagrams): Promise<AddressMap> {
  const span = lastLabByte - firstLabByte + 1;
  let start = 0;
  for (const character of seed) start = (start * 31 + character.charCodeAt(0)) % span;
  for (let i = 0; i < span; i++) {
    const map = carriersFor(addresses, firstLabByte + ((start + i) % span));
    const first = [...map.values()][0];
    if (first === undefined || (await isFree(first, datagrams))) return map;
  }
  throw new Error(`every loopback network from 127.${firstLabByte}.0.0 to 127.${lastLabByte}.0.0 is in use: take other labs down first`);
}

async function isFree(address: string, datagrams: Datagrams): Promise<boolean> {
  try {
    (await datagrams.bind(address, genevePort)).close();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return false;
    throw error;
  }
}

/** The map as one node sees it: what listens on every address listens on the node's own. */
export function carriersOf(address: string, map: AddressMap): AddressMap {
  return new Map([...map, ["0.0.0.0", present(map.get(address), `carrier of ${address}`)]]);
}
