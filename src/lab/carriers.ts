/**
 * Which loopback address carries which underlay address. Without root a lab cannot own 192.168.50.102, but the whole of
 * 127.0.0.0/8 is there for everyone: 127.LAB.50.102 carries it, so that `tcpdump -i lo udp port 6081` is still readable.
 */
import type { AddressMap, Datagrams, DatagramSocket } from "../host/index.ts";
import { formatIpv4, ipv4Of, parseIpv4 } from "../net/index.ts";
import { present } from "../std/index.ts";

/** The UDP port that shows whether a second byte is taken by another lab: Geneve's (RFC 8926). */
const genevePort = 6081;
/** 127.LAB.255.254 carries nothing: it is held as long as the lab runs. */
const claimHostPart = 0xfffe;
/** Second bytes below are left to what else uses 127.0.x.x and 127.1.x.x by habit. */
const [firstLabByte, lastLabByte] = [16, 254];

/** `127.LAB.c.d` for `a.b.c.d`; where two addresses share c.d, the later one takes the next free. */
export function carriersFor(addresses: Iterable<string>, labByte: number): AddressMap {
  const taken = new Set<number>();
  const map = new Map<string, string>();
  for (const address of addresses) {
    let low = present(parseIpv4(address), `address ${address}`) & 0xffff;
    // 127.x.255.255 is a broadcast address on Linux's loopback, and a host part of zero names the network.
    while (taken.has(low) || low === 0 || low >= claimHostPart) low = (low + 1) & 0xffff;
    taken.add(low);
    map.set(address, formatIpv4(ipv4Of((127 << 24) | (labByte << 16) | low)));
  }
  return map;
}

/** A lab's own part of the loopback network: whoever holds the socket has it to himself. */
export interface ClaimedCarriers {
  readonly carriers: AddressMap;
  readonly claim: DatagramSocket;
}

/** Carriers that no other lab on this machine is using, starting from a place that `seed` (the lab's folder) decides. */
export async function claimCarriers(addresses: readonly string[], seed: string, datagrams: Datagrams): Promise<ClaimedCarriers> {
  const span = lastLabByte - firstLabByte + 1;
  let start = 0;
  for (const character of seed) start = (start * 31 + character.charCodeAt(0)) % span;
  for (let i = 0; i < span; i++) {
    const labByte = firstLabByte + ((start + i) % span);
    const claim = await bindIfFree(formatIpv4(ipv4Of((127 << 24) | (labByte << 16) | claimHostPart)), datagrams);
    if (claim === undefined) continue;
    const carriers = carriersFor(addresses, labByte);
    // Daemons in processes of their own may have outlived the lab that held the claim.
    if (await areFree(carriers.values(), datagrams)) return { carriers, claim };
    claim.close();
  }
  throw new Error(`every loopback network from 127.${firstLabByte}.0.0 to 127.${lastLabByte}.0.0 is in use: take other labs down first`);
}

async function areFree(addresses: Iterable<string>, datagrams: Datagrams): Promise<boolean> {
  for (const address of addresses) {
    const socket = await bindIfFree(address, datagrams);
    if (socket === undefined) return false;
    socket.close();
  }
  return true;
}

async function bindIfFree(address: string, datagrams: Datagrams): Promise<DatagramSocket | undefined> {
  try {
    return await datagrams.bind(address, genevePort);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}

/** The map as one node sees it: what listens on every address listens on the node's own. */
export function carriersOf(address: string, map: AddressMap): AddressMap {
  return new Map([...map, ["0.0.0.0", present(map.get(address), `carrier of ${address}`)]]);
}
