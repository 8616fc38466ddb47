/**
 * Gratuitous ARP: what joins a physical network here (a virtual machine, a router's address) tells that network so, a few
 * times at growing intervals, and again when it has moved here (controller/garp_rarp.c).
 */
import { relation, rule, type Sink, type Yield } from "../engine/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { openflowTables } from "../logical/index.ts";
import { formatMac, ipv4Of, type Ipv4, type Mac, macBroadcast, macZero, parseIpv4, parseMac } from "../net/index.ts";
import { type Action, ports } from "../openflow/index.ts";
import { arpFrame, arpOperation, emitArp, arpSize, ethernetFrame, etherType } from "../packet/index.ts";
import { datapathField, inportField, load } from "./flow.ts";
import { localnetPortOf, peerPortsOf } from "./local-datapaths.ts";
import type { Node } from "./node.ts";
import { datapathOf, isResident, kindOf, ourChassis, peerOf, portNamed, portOption } from "./ports.ts";
import type { PortBinding } from "./rows.ts";
import { asBoolean, setting } from "./settings.ts";

interface Announcement {
  readonly port: PortBinding;
  readonly datapathKey: number;
  readonly portKey: number;
  readonly mac: Mac;
  /** Undefined: only where the MAC address is, by RARP. */
  readonly ip: Ipv4 | undefined;
  /** 0: it is said five times, then never again. */
  readonly endlessMs: number;
}

export const Announcement = relation<Announcement>("Announcement", (a) =>
  `${a.port._uuid} ${a.datapathKey} ${a.portKey} ${formatMac(a.mac)} ${a.ip ?? ""} ${a.endlessMs}`);

export const announcements = rule("announcements", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  const own = ourChassis(node);
  const kind = kindOf(port);
  const isGateway = kind === "patch" || kind === "l3gateway";
  if (own === undefined || (!isGateway && kind !== "vif") || (kind !== "patch" && port.chassis !== own._uuid)) return;
  const datapath = node.isLocalDatapath(port.datapath) ? datapathOf(node, port) : undefined;
  if (datapath === undefined || localnetPortOf(node, datapath._uuid) === undefined || isSilent(node, port)) return;
  const common = {
    port, datapathKey: datapath.tunnel_key, portKey: port.tunnel_key, endlessMs: 1000 * (Number(setting(node, "garp-max-timeout-sec") ?? 0) || 0),
  };
  if (isGateway) {
    for (const text of port.nat_addresses) yield* natAnnouncements(node, common, text);
    return;
  }
  for (const text of port.mac) {
    const found = parseAddresses(text);
    if (found === undefined) continue;
    yield Announcement({ ...common, mac: found.mac, ip: found.ips[0] });
    return;
  }
});

function* natAnnouncements(node: Node, common: Omit<Announcement, "mac" | "ip">, text: string): Iterable<Yield> {
  const found = parseAddresses(text);
  if (found === undefined || (found.residence === undefined && kindOf(common.port) === "patch")) return;
  const residence = found.residence === undefined ? undefined : portNamed(node, found.residence);
  if (found.residence !== undefined && (residence === undefined || !isResident(node, residence))) return;
  for (const ip of found.ips.length === 0 ? [undefined] : found.ips) yield Announcement({ ...common, mac: found.mac, ip });
}

function isSilent(node: Node, port: PortBinding): boolean {
  const peer = peerOf(node, port);
  return portOption(port, "disable_garp_rarp") || asBoolean(peer && datapathOf(node, peer)?.external_ids.get("disable_garp_rarp"), false);
}

/** `MAC IP IP is_chassis_resident("PORT")`. */
function parseAddresses(text: string): { readonly mac: Mac; readonly ips: readonly Ipv4[]; readonly residence: string | undefined } | undefined {
  const [first = "", ...rest] = text.trim().split(/\s+/);
  const mac = parseMac(first);
  if (mac === undefined) return undefined;
  return { mac, ips: rest.flatMap((word) => parseIpv4(word) ?? []), residence: /is_chassis_resident\("([^"]*)"\)/.exec(text)?.[1] };
}

const firstPauseMs = 1000;
const longestPauseMs = 16_000;

export class Announcer implements Sink<Announcement> {
  readonly #host: Host;
  readonly #node: Node;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #timers = new Map<Announcement, Timer>();

  constructor(host: Host, node: Node, send: (packet: Uint8Array, actions: readonly Action[]) => void) {
    this.#host = host;
    this.#node = node;
    this.#send = send;
  }

  added(announcement: Announcement): void {
    // Not in the middle of what brought it.
    queueMicrotask(() => this.#tellRouters(announcement));
    this.#wait(announcement, firstPauseMs, firstPauseMs);
  }

  removed(announcement: Announcement): void {
    this.#timers.get(announcement)?.cancel();
    this.#timers.delete(announcement);
  }

  /** The switch is there again: whatever was said meanwhile, nobody has heard. */
  repeat(): void {
    for (const [announcement, timer] of this.#timers) {
      timer.cancel();
      this.added(announcement);
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #wait(announcement: Announcement, pauseMs: number, nextPauseMs: number): void {
    this.#timers.set(announcement, this.#host.clock.after(pauseMs, () => {
      this.#announce(announcement);
      const { endlessMs } = announcement;
      const limit = endlessMs || longestPauseMs;
      if (endlessMs > 0 || nextPauseMs < limit) this.#wait(announcement, nextPauseMs, Math.min(limit, 2 * nextPauseMs));
    }));
  }

  #announce({ datapathKey, portKey, mac, ip }: Announcement): void {
    this.#send(ip === undefined ? rarpFrame(mac) : arpFrame({ src: mac, dst: macBroadcast }, arpOf(mac, ip)), [
      load(datapathField, datapathKey), load(inportField, portKey), { kind: "resubmit", port: ports.controller, table: openflowTables.logIngressPipeline },
    ]);
  }

  /** Routers here on the same switch need not hear it to know. */
  #tellRouters({ port, mac, ip }: Announcement): void {
    if (ip === undefined) return;
    const address = { family: 4, address: ip } as const;
    for (const { local, remote } of peerPortsOf(this.#node, port.datapath)) {
      const datapath = local === port ? undefined : datapathOf(this.#node, remote);
      if (datapath === undefined) continue;
      const isKnown = [...this.#node.macBindingsByPort.get(remote.logical_port)].some((b) => parseIpv4(b.ip) === ip);
      if (!isKnown && !asBoolean(datapath.external_ids.get("always_learn_from_arp_request"), true)) continue;
      this.#node.learning.learnNeighbor({ datapathKey: datapath.tunnel_key, portKey: remote.tunnel_key, ip: address, mac }, false);
    }
  }
}

const arpOf = (mac: Mac, ip: Ipv4) => ({ operation: arpOperation.request, senderMac: mac, senderIp: ip, targetMac: macZero, targetIp: ip });

const reverseRequest = 3;

function rarpFrame(mac: Mac): Uint8Array {
  const body = new Uint8Array(arpSize);
  emitArp({ operation: reverseRequest, senderMac: mac, senderIp: ipv4Of(0), targetMac: mac, targetIp: ipv4Of(0) }, body);
  return ethernetFrame({ src: mac, dst: macBroadcast }, etherType.rarp, body);
}
