/**
 * The BFD sessions of logical routers whose gateway is here: table BFD says which, the pipeline carries their packets, and
 * what comes of them goes into BFD.status, from where northd takes routes out that lead nowhere (ovn-nb(5), table BFD).
 */
import { relation, rule, type Sink } from "../../engine/index.ts";
import type { Host, Timer } from "../../host/index.ts";
import { openflowTables } from "../../logical/index.ts";
import { formatIp, type Ip, type Mac, macBroadcast, parseIp } from "../../net/index.ts";
import { type Action, ports } from "../../openflow/index.ts";
import { type Bfd, bfdPort, bfdSize, emitBfd, ethernetFrame, etherType, ipProtocol, parseBfd, parseUdp, udpDatagram, udpSize } from "../../packet/index.ts";
import { datapathField, inportField, load } from "../flow.ts";
import type { Node } from "../node.ts";
import type { Headers } from "../packet-in/headers.ts";
import { upperLayer } from "../packet-in/headers.ts";
import { ownIpPacket } from "../packet-in/own-packet.ts";
import { bareIp, portAddresses } from "../port-addresses.ts";
import { datapathOf, isResident, ourChassis, portNamed } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";
import type { BfdRow, PortBinding } from "../rows.ts";
import { BfdSession, type BfdState, type BfdTiming } from "./bfd-session.ts";
import type { StateByRow } from "./state-by-row.ts";

interface WatchedPeer {
  readonly row: BfdRow;
  readonly datapathKey: number;
  readonly portKey: number;
  readonly mac: Mac;
  readonly src: Ip;
  readonly dst: Ip;
  readonly srcPort: number;
  readonly discriminator: number;
  readonly timing: BfdTiming;
  readonly isAllowed: boolean;
}

export const WatchedPeer = relation<WatchedPeer>("WatchedPeer", (w) => [
  w.row._uuid, w.datapathKey, w.portKey, w.mac, formatIp(w.src), formatIp(w.dst), w.srcPort, w.discriminator, w.timing.minTxMs, w.timing.minRxMs,
  w.timing.multiplier, w.isAllowed,
].join(" "));

export const watchedPeers = rule("watched-peers", (node: Node) => node.sb.tables.BFD, function* (node, row) {
  const port = portNamed(node, row.logical_port);
  const datapath = port && datapathOf(node, port);
  if (port === undefined || datapath === undefined || portNamed(node, port.options.get("peer") ?? "") === undefined || !isServedHere(node, port)) return;
  const dst = parseIp(row.dst_ip);
  const source = dst && sourceFor(port, dst);
  if (dst === undefined || source === undefined) return;
  yield WatchedPeer({
    row, datapathKey: datapath.tunnel_key, portKey: port.tunnel_key, mac: source.mac, src: source.ip, dst, srcPort: row.src_port, discriminator: row.disc,
    timing: { minTxMs: row.min_tx, minRxMs: row.min_rx, multiplier: row.detect_mult }, isAllowed: row.status !== "admin_down",
  });
});

function isServedHere(node: Node, port: PortBinding): boolean {
  const own = ourChassis(node);
  if (own === undefined) return false;
  if (port.type === "l3gateway") return port.chassis === own._uuid;
  const redirect = portNamed(node, `cr-${port.logical_port}`);
  return redirect !== undefined && isResident(node, redirect);
}

function sourceFor(port: PortBinding, dst: Ip): { readonly mac: Mac; readonly ip: Ip } | undefined {
  for (const { mac, ips } of portAddresses(port.mac)) {
    const ip = ips.find(({ family }) => family === dst.family);
    if (ip !== undefined) return { mac, ip: bareIp(ip) };
  }
  return undefined;
}

/** Only what changed here is known: a gateway that takes over does not begin with bad news. */
export const bfdReports = rule("bfd-reports", (node: Node) => node.engine.facts(WatchedPeer), function* (node, { row, isAllowed }) {
  const state = node.bfdStates.of(row._uuid);
  if (!isAllowed || state === undefined || state === row.status) return;
  yield SouthboundRepair({ key: `BFD ${row._uuid} ${state}`, apply: (txn) => txn.update(row, { status: state }) });
});

interface Watch {
  peer: WatchedPeer;
  readonly session: BfdSession;
  told: BfdState;
  timer: Timer | undefined;
}

export class BfdSessions implements Sink<WatchedPeer> {
  readonly #host: Host;
  readonly #states: StateByRow<BfdState>;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #changed: () => void;
  readonly #watches = new Map<string, Watch>();
  #isStopped = false;

  /** `changed`: a state is another now. */
  constructor(host: Host, states: StateByRow<BfdState>, send: (packet: Uint8Array, actions: readonly Action[]) => void, changed: () => void) {
    this.#host = host;
    this.#states = states;
    this.#send = send;
    this.#changed = changed;
  }

  added(peer: WatchedPeer): void {
    const known = this.#watches.get(peer.row._uuid);
    if (known === undefined || known.peer.discriminator !== peer.discriminator) {
      known?.timer?.cancel();
      const session = new BfdSession(peer.timing, peer.discriminator, () => this.#host.random.next32() / 2 ** 32, this.#host.clock.now());
      session.allow(peer.isAllowed);
      const watch: Watch = { peer, session, told: session.state, timer: undefined };
      this.#watches.set(peer.row._uuid, watch);
      this.#arrange(watch);
      return;
    }
    known.peer = peer;
    known.session.timing = peer.timing;
    known.session.allow(peer.isAllowed);
    // What the database says is no news to it.
    if (!peer.isAllowed || known.told === "admin_down") {
      known.told = known.session.state;
      this.#states.forget(peer.row._uuid);
    }
    this.#arrange(known);
  }

  removed(peer: WatchedPeer): void {
    const known = this.#watches.get(peer.row._uuid);
    if (known?.peer !== peer) return;
    known.timer?.cancel();
    this.#watches.delete(peer.row._uuid);
    this.#states.forget(peer.row._uuid);
  }

  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#watches.values()) timer?.cancel();
  }

  /** A packet that the pipeline took for BFD. */
  received(headers: Headers, datapathKey: number): void {
    const { ip } = headers;
    const upper = ip?.protocol === ipProtocol.udp ? upperLayer(headers, ip) : undefined;
    const bfd = upper && parseUdp(upper)?.dstPort === bfdPort ? parseBfd(upper.subarray(udpSize)) : undefined;
    if (ip === undefined || bfd === undefined || (bfd.poll && bfd.final)) return;
    const src = formatIp(ip.family === 4 ? { family: 4, address: ip.src } : { family: 6, address: ip.src });
    for (const watch of this.#watches.values()) {
      // Who does not know us yet names no session (RFC 5880, section 6.3).
      const isOurs = bfd.yourDiscriminator === 0 || bfd.yourDiscriminator === watch.peer.discriminator;
      if (!isOurs || formatIp(watch.peer.dst) !== src || watch.peer.datapathKey !== datapathKey) continue;
      const answer = watch.session.receive(bfd, this.#host.clock.now());
      if (answer !== undefined) this.#transmit(watch, answer);
      this.#report(watch);
      this.#arrange(watch);
      return;
    }
  }

  #arrange(watch: Watch): void {
    watch.timer?.cancel();
    const wakes = watch.session.wakesMs;
    watch.timer = wakes === undefined ? undefined : this.#host.clock.after(Math.max(0, wakes - this.#host.clock.now()), () => this.#run(watch));
  }

  #run(watch: Watch): void {
    if (this.#isStopped) return;
    const packet = watch.session.run(this.#host.clock.now());
    if (packet !== undefined) this.#transmit(watch, packet);
    this.#report(watch);
    this.#arrange(watch);
  }

  #report(watch: Watch): void {
    const { state } = watch.session;
    if (state === watch.told) return;
    watch.told = state;
    this.#states.set(watch.peer.row._uuid, state);
    this.#changed();
  }

  #transmit({ peer }: Watch, bfd: Bfd): void {
    const payload = new Uint8Array(bfdSize);
    emitBfd(bfd, payload);
    const datagram = udpDatagram(peer.src, peer.dst, peer.srcPort, bfdPort, payload);
    const frame = ethernetFrame(
      { src: peer.mac, dst: macBroadcast }, peer.src.family === 4 ? etherType.ipv4 : etherType.ipv6, ownIpPacket(peer.src, peer.dst, ipProtocol.udp, datagram, 255),
    );
    this.#send(frame, [
      load(datapathField, peer.datapathKey), load(inportField, peer.portKey), { kind: "resubmit", port: ports.controller, table: openflowTables.logIngressPipeline },
    ]);
  }
}
