/**
 * BFD towards the next hops of a machine's routes (RFC 5881, one hop; RFC 5882, section 4): a hop whose session falls is out of every
 * route until it is up again. A session that has never been up says nothing: its neighbor may not speak BFD.
 */
import type { Timer } from "../../host/index.ts";
import { formatIp, type Ip } from "../../net/index.ts";
import { type Bfd, bfdPort, bfdSize, emitBfd, parseBfd } from "../../packet/index.ts";
import { BfdSession, type BfdSettings } from "../../switch/index.ts";
import type { HostServices } from "./host-services.ts";
import { sameIp } from "./network-state.ts";
import type { UdpMessage, UdpSocket } from "./udp-layer.ts";

export interface BfdPeerOptions {
  readonly peer: Ip;
  readonly device: string;
  readonly minRxMs: number;
  readonly minTxMs: number;
  readonly multiplier: number;
}

interface Watched {
  readonly options: BfdPeerOptions;
  readonly session: BfdSession;
  readonly socket: UdpSocket | undefined;
  timer: Timer | undefined;
  isDead: boolean;
  received: number;
}

export class NextHopBfd {
  readonly #host: HostServices;
  readonly #watched: Watched[] = [];
  readonly #tell: (peer: BfdPeerOptions, isDead: boolean) => void;
  #socket: UdpSocket | undefined;

  /** `tell`: a neighbor has fallen silent, or speaks again. */
  constructor(host: HostServices, peers: readonly BfdPeerOptions[], tell: (peer: BfdPeerOptions, isDead: boolean) => void) {
    this.#host = host;
    this.#tell = tell;
    if (peers.length === 0) return;
    this.#socket = host.udp.open(bfdPort, (message) => this.#receive(message));
    for (const options of peers) {
      const settings: BfdSettings = { ...options, decayMinRxMs: 0, isPathDown: false, checksTunnelKey: false };
      const session = new BfdSession(settings, host.random.next32() || 1, () => host.random.next32() / 2 ** 32);
      // Section 4: a source port from 49152 up, one for each session.
      const socket = host.udp.open(49_152 + this.#watched.length, () => undefined);
      this.#watched.push({ options, session, socket, timer: undefined, isDead: false, received: 0 });
    }
  }

  start(): void {
    for (const watched of this.#watched) this.#run(watched);
  }

  stop(): void {
    for (const { timer, socket } of this.#watched) {
      timer?.cancel();
      socket?.close();
    }
    this.#watched.length = 0;
    this.#socket?.close();
  }

  /** A line for each peer. */
  describe(): string {
    return this.#watched.map(({ options, session }) => `peer ${formatIp(options.peer)} interface ${options.device} ${session.state} detection ${options.multiplier} x ${options.minRxMs} ms\n`).join("");
  }

  #receive({ src, ttl, device, payload }: UdpMessage): void {
    const watched = this.#watched.find(({ options }) => options.device === device && sameIp(options.peer, src));
    // Section 5: nobody further away than this link can send with 255.
    const packet = ttl === 255 ? parseBfd(payload) : undefined;
    if (watched === undefined || packet === undefined) return;
    watched.received++;
    watched.session.receive(packet, this.#host.clock.now());
    this.#run(watched);
  }

  #run(watched: Watched): void {
    watched.timer?.cancel();
    const { session, options } = watched;
    const { clock } = this.#host;
    const packet = session.run(clock.now(), watched.received);
    if (packet !== undefined) this.#send(watched, packet);
    const wasUp = watched.received > 0 && session.status().get("flap_count") !== "0";
    const isDead = wasUp && !session.isForwarding;
    if (isDead !== watched.isDead) {
      watched.isDead = isDead;
      this.#tell(options, isDead);
    }
    watched.timer = clock.after(Math.max(1, session.wakesMs - clock.now()), () => this.#run(watched));
  }

  #send({ socket, options }: Watched, packet: Bfd): void {
    const message = new Uint8Array(bfdSize);
    emitBfd(packet, message);
    socket?.send(options.peer, bfdPort, message, { ttl: 255, device: options.device });
  }
}
