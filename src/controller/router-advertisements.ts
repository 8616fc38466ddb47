/**
 * Router advertisements that nobody asked for: from every chassis to its own virtual machines, at random intervals; onto the
 * physical network from the gateway alone (ovn-nb(5), ipv6_ra_configs:send_periodic).
 */
import { relation, rule, type Sink } from "../engine/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { openflowTables } from "../logical/index.ts";
import { type Ipv6, macOf, networkOf, parseIpv6, parseMac, parsePrefix, type Prefix, writeIpv6 } from "../net/index.ts";
import { type Action, ports } from "../openflow/index.ts";
import { concatenate, emitDnsName, ethernetFrame, etherType, ipProtocol, ipv6Packet, type Nd, ndMessage, type NdOption } from "../packet/index.ts";
import { datapathField, inportField, load, setFlag } from "./flow.ts";
import type { Node } from "./node.ts";
import { datapathOf, isResident, kindOf, portNamed, portOption } from "./ports.ts";
import type { PortBinding } from "./rows.ts";

interface PeriodicAdvertisement {
  /** The switch's port through which it comes in. */
  readonly datapathKey: number;
  readonly portKey: number;
  readonly isGateway: boolean;
  readonly minMs: number;
  readonly maxMs: number;
  readonly frame: Uint8Array;
}

export const PeriodicAdvertisement = relation<PeriodicAdvertisement>("PeriodicAdvertisement", (a) =>
  `${a.datapathKey} ${a.portKey} ${a.isGateway} ${a.minMs} ${a.maxMs} ${Buffer.from(a.frame).toString("hex")}`);

const longestDefault = 600;

export const periodicAdvertisements = rule("periodic-advertisements", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (!portOption(port, "ipv6_ra_send_periodic")) return;
  const peer = portNamed(node, port.options.get("peer") ?? "");
  const datapath = peer && datapathOf(node, peer);
  if (peer === undefined || datapath === undefined || !node.isLocalDatapath(datapath._uuid)) return;
  const frame = advertisementFrame(port);
  if (typeof frame === "string") {
    node.host.log.module("pinctrl").warn(frame);
    return;
  }
  const longest = numberIn(port, "ipv6_ra_max_interval", longestDefault);
  const shortest = numberIn(port, "ipv6_ra_min_interval", longest >= 9 ? Math.floor(longest / 3) : Math.floor((3 * longest) / 4));
  yield PeriodicAdvertisement({
    datapathKey: datapath.tunnel_key, portKey: peer.tunnel_key, isGateway: isGatewayHere(node, port), minMs: 1000 * shortest,
    maxMs: 1000 * Math.max(shortest, longest), frame,
  });
});

const numberIn = (port: PortBinding, key: string, otherwise: number): number => Number(port.options.get(key) ?? otherwise) || 0;

function isGatewayHere(node: Node, port: PortBinding): boolean {
  const kind = kindOf(port);
  if (kind === "l3gateway" || kind === "l2gateway" || kind === "chassisredirect") return isResident(node, port);
  const redirect = portNamed(node, port.options.get("chassis-redirect-port") ?? "");
  return redirect !== undefined && isResident(node, redirect);
}

const allNodes = { mac: macOf(0x333300000001), ip: parseIpv6("ff02::1") };
const forEver = 0xffffffff;
const preferences = new Map([["HIGH", 1], ["LOW", 3]]);

/** What the router port's options say, as a frame; or what is wrong with them. */
export function advertisementFrame({ options }: Pick<PortBinding, "options">): Uint8Array | string {
  const mode = options.get("ipv6_ra_address_mode");
  if (mode === undefined) return "No address mode specified";
  if (!["slaac", "dhcpv6_stateless", "dhcpv6_stateful"].includes(mode)) return `Invalid address mode ${mode}`;
  const src = parseMac(options.get("ipv6_ra_src_eth") ?? "");
  if (src === undefined) return `Invalid ethernet source ${options.get("ipv6_ra_src_eth") ?? "(null)"}`;
  const ip = parseIpv6(options.get("ipv6_ra_src_addr") ?? "");
  if (ip === undefined || allNodes.ip === undefined) return `Invalid IP source ${options.get("ipv6_ra_src_addr") ?? "(null)"}`;
  const servers = options.get("ipv6_ra_rdnss");
  const server = parseIpv6(servers ?? "");
  if (servers !== undefined && server === undefined) return `Invalid RDNSS source ${servers}`;
  const mtu = Number(options.get("ipv6_ra_mtu") ?? 0);
  const ndOptions: readonly NdOption[] = [
    { kind: "source-mac", mac: src },
    ...(mtu > 0 ? [{ kind: "mtu", mtu } as const] : []),
    ...prefixesIn(options.get("ipv6_ra_prefixes") ?? "", / +/).map(({ address, length }) => prefixOption(address, length, mode !== "dhcpv6_stateful")),
    ...(server === undefined ? [] : [{ kind: "dns-servers", lifetime: forEver, servers: [server] } as const]),
    ...searchOption(options.get("ipv6_ra_dnssl")),
    ...(options.get("ipv6_ra_route_info") ?? "").split(",").flatMap(routeOption),
  ];
  const advertisement: Nd = {
    kind: "router-advert", hopLimit: 255, managed: mode === "dhcpv6_stateful", otherConfig: mode === "dhcpv6_stateless",
    preference: preferences.get(options.get("ipv6_ra_prf") ?? "") ?? 0, lifetime: 0xffff, reachableMs: 0, retransmitMs: 0, options: ndOptions,
  };
  const message = ndMessage(advertisement, ip, allNodes.ip);
  const packet = ipv6Packet({ src: ip, dst: allNodes.ip, nextHeader: ipProtocol.icmpv6, hopLimit: 255 }, message);
  return ethernetFrame({ src, dst: allNodes.mac }, etherType.ipv6, packet);
}

type Ipv6Prefix = Extract<Prefix, { family: 6 }>;

const prefixesIn = (text: string, separator: RegExp): readonly Ipv6Prefix[] => text.split(separator).flatMap((word) => {
  const prefix = parsePrefix(word);
  const network = prefix && networkOf(prefix);
  return network?.family === 6 ? [network] : [];
});

const prefixOption = (prefix: Ipv6, length: number, autonomous: boolean): NdOption =>
  ({ kind: "prefix", length, onLink: true, autonomous, validLifetime: forEver, preferredLifetime: forEver, prefix });

const searchOption = (text: string | undefined): readonly NdOption[] => {
  const names = (text ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  return names.length === 0 ? [] : [{ kind: "dns-search", lifetime: forEver, domains: concatenate(...names.map(emitDnsName)) }];
};

/** `HIGH-aef0::11/48`. */
function routeOption(text: string): readonly NdOption[] {
  const [preference = "", ...rest] = text.trim().split("-");
  const [prefix] = prefixesIn(rest.join("-"), /$/);
  if (prefix === undefined) return [];
  const bytes = new Uint8Array(16);
  writeIpv6(prefix.address, bytes, 0);
  const used = 8 * Math.ceil(prefix.length / 64);
  return [{ kind: "route", length: prefix.length, preference: preferences.get(preference) ?? 0, lifetime: forEver, prefix: bytes.subarray(0, used) }];
}

export class Advertiser implements Sink<PeriodicAdvertisement> {
  readonly #host: Host;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #timers = new Map<PeriodicAdvertisement, Timer>();

  constructor(host: Host, send: (packet: Uint8Array, actions: readonly Action[]) => void) {
    this.#host = host;
    this.#send = send;
  }

  added(advertisement: PeriodicAdvertisement): void {
    const { minMs, maxMs, datapathKey, portKey, isGateway, frame } = advertisement;
    const pauseMs = minMs + (this.#host.random.next32() % Math.max(1, maxMs - minMs));
    this.#timers.set(advertisement, this.#host.clock.after(pauseMs, () => {
      this.#send(frame, [
        load(datapathField, datapathKey), load(inportField, portKey), setFlag("localOnly"), ...(isGateway ? [setFlag("overrideLocalOnly")] : []),
        { kind: "resubmit", port: ports.controller, table: openflowTables.logIngressPipeline },
      ]);
      this.added(advertisement);
    }));
  }

  removed(advertisement: PeriodicAdvertisement): void {
    this.#timers.get(advertisement)?.cancel();
    this.#timers.delete(advertisement);
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }
}
