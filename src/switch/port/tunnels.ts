/**
 * Geneve tunnels over UDP sockets: one that receives on each local address, and a few beside it whose ports give the outer
 * source port its variety (it is chosen by a hash over the inner flow, so that routers between spread flows over their paths).
 *
 * Packets are given to the tunnel port whose options fit them best, as OVS finds it: key, then local, then remote address.
 */
import type { Clock, Datagrams, DatagramSocket, Log } from "../../host/index.ts";
import type { Bridge } from "../bridge.ts";
import type { TunnelOutput } from "../packet/datapath-action.ts";
import { hashOfConnection } from "../flow/flow-group.ts";
import { W } from "../flow/flow-key.ts";
import { readOptions } from "./geneve.ts";
import { outerFrame } from "./outer-frame.ts";
import type { Packet } from "../packet/packet.ts";
import type { PortTaps } from "./port-taps.ts";
import { canonicalAddress, putAddresses } from "./tunnel-address.ts";
import type { SwitchPort, TunnelKind, TunnelSettings } from "./switch-port.ts";
import { type TunnelType, tunnelProtocols } from "./tunnel-protocol.ts";

export interface TunnelEvents {
  receive(port: SwitchPort, frame: Uint8Array, words: Uint32Array): void;
  /** Whether tunnels have the address and port they receive on has changed: see `errorOf`. */
  bound(): void;
  /** The device by which packets to this address leave, as far as that is known. */
  egress(remote: string): string | undefined;
}

/** How many outer source ports a local address has. */
const sourcePorts = 16;
const maxWaiting = 64;
const bindRetryMs = 1000;

/** An outer source port: a socket, or packets that wait for it. */
interface SourceSocket {
  socket: DatagramSocket | undefined;
  readonly waiting: (() => void)[];
}

interface Endpoint {
  readonly local: string;
  readonly port: number;
  socket: DatagramSocket | undefined;
  error: string | undefined;
  users: number;
  isClosed: boolean;
  readonly sources: (SourceSocket | undefined)[];
}

/** Whence a datagram came, and where to. */
export interface DatagramFacts {
  readonly remote: string;
  readonly sourcePort: number;
  readonly local: string;
  readonly port: number;
  readonly tos: number;
  readonly ttl: number;
}

interface Tunnel {
  readonly port: SwitchPort;
  readonly bridge: Bridge;
  readonly type: TunnelType;
  readonly settings: TunnelSettings;
  readonly endpoint: Endpoint;
}

export class Tunnels {
  readonly #datagrams: Datagrams | undefined;
  readonly #clock: Clock;
  readonly #taps: PortTaps;
  readonly #events: TunnelEvents;
  readonly #log: Log;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #byPort = new Map<SwitchPort, Tunnel>();
  /** What tunnels there are on a UDP port; the last to come says. */
  readonly #typeOfPort = new Map<number, TunnelType>();
  readonly #byAddress = new Map<string, Tunnel>();
  /** Datagrams that were no Geneve, or for no tunnel. */
  malformed = 0;
  unknown = 0;

  constructor(datagrams: Datagrams | undefined, clock: Clock, taps: PortTaps, events: TunnelEvents, log: Log) {
    this.#datagrams = datagrams;
    this.#clock = clock;
    this.#taps = taps;
    this.#events = events;
    this.#log = log;
  }

  /** `local`: the address to receive on, where the tunnel's own options do not say. */
  add(bridge: Bridge, port: SwitchPort, kind: TunnelKind, local: string): void {
    const { type, tunnel: settings } = kind;
    const address = settings.local === "" ? local : settings.local;
    const endpoint = this.#endpoint(this.#datagrams === undefined ? "" : address, settings.destinationPort);
    endpoint.users++;
    const tunnel: Tunnel = { port, bridge, type, settings, endpoint };
    this.#byPort.set(port, tunnel);
    this.#typeOfPort.set(settings.destinationPort, type);
    this.#byAddress.set(keyOf(kind), tunnel);
  }

  remove(port: SwitchPort): void {
    const tunnel = this.#byPort.get(port);
    if (tunnel === undefined) return;
    this.#byPort.delete(port);
    const key = keyOf({ type: tunnel.type, tunnel: tunnel.settings });
    if (this.#byAddress.get(key) === tunnel) this.#byAddress.delete(key);
    if (![...this.#byPort.values()].some((t) => t.settings.destinationPort === tunnel.settings.destinationPort)) this.#typeOfPort.delete(tunnel.settings.destinationPort);
    if (--tunnel.endpoint.users === 0) this.#closeEndpoint(tunnel.endpoint);
  }

  close(): void {
    for (const endpoint of this.#endpoints.values()) this.#closeEndpoint(endpoint);
    this.#byPort.clear();
    this.#byAddress.clear();
  }

  /** Another port with the same options (an error in the configuration: which would get a packet?). */
  sameOptions(kind: TunnelKind): SwitchPort | undefined {
    return this.#byAddress.get(keyOf(kind))?.port;
  }

  tunnelsOn(udpPort: number): TunnelType | undefined {
    return this.#typeOfPort.get(udpPort);
  }

  /** The device that the tunnel's packets leave by. */
  egressOf(port: SwitchPort): string | undefined {
    const tunnel = this.#byPort.get(port);
    return tunnel === undefined ? undefined : this.#events.egress(tunnel.settings.remote);
  }

  errorOf(port: SwitchPort): string | undefined {
    return this.#byPort.get(port)?.endpoint.error;
  }

  /** A line for each, as ofproto/list-tunnels has them. */
  describe(): string[] {
    return [...this.#byPort.values()].map(({ port, type, settings, endpoint }) => {
      const key = settings.key === undefined ? "key=flow" : `key=${settings.key}`;
      const remote = settings.remote === "" ? "flow" : settings.remote;
      return `port ${port.datapathNumber}: ${port.name} (${type}: ${endpoint.local === "" ? settings.local : endpoint.local}->${remote}, ${key}, dp port=${port.datapathNumber}, ttl=${settings.ttl}${settings.csum === true ? ", csum=true" : ""})`;
    });
  }

  send(action: TunnelOutput, packet: Packet): void {
    const tunnel = this.#byPort.get(action.port);
    const { counters } = action.port;
    if (tunnel === undefined || tunnel.endpoint.isClosed) {
      counters.txDropped++;
      return;
    }
    let frame = packet.share();
    if (frame.length > action.maxLength) frame = frame.subarray(0, action.maxLength);
    if (this.#taps.isWatching) this.#taps.show(action.port.name, "out", frame);
    const bytes = tunnelProtocols[tunnel.type].encapsulate(frame, action.vni, action.words, tunnel.bridge.tlvs);
    counters.txPackets++;
    counters.txBytes += frame.length;
    const slot = hashOfConnection(packet.key, undefined) & (sourcePorts - 1);
    this.#sendFrom(tunnel, slot, bytes, action.remote);
  }

  #sendFrom(tunnel: Tunnel, slot: number, bytes: Uint8Array, remote: string): void {
    const { endpoint, settings } = tunnel;
    const send = (socket: DatagramSocket): void => {
      if (endpoint.isClosed) return;
      this.#show("out", tunnel, bytes, socket.address, remote, socket.port, settings.destinationPort);
      socket.send(bytes, remote, settings.destinationPort);
    };
    let source = endpoint.sources[slot];
    if (source === undefined) {
      source = { socket: undefined, waiting: [] };
      endpoint.sources[slot] = source;
      this.#openSource(endpoint, slot, source);
    }
    if (source.socket !== undefined) send(source.socket);
    else if (source.waiting.length < maxWaiting) {
      const own = source;
      own.waiting.push(() => {
        const socket = own.socket ?? endpoint.socket;
        if (socket !== undefined) send(socket);
      });
    } else tunnel.port.counters.txDropped++;
  }

  #openSource(endpoint: Endpoint, slot: number, source: SourceSocket): void {
    const opened = (socket: DatagramSocket | undefined): void => {
      if (endpoint.isClosed) return socket?.close();
      source.socket = socket;
      for (const send of source.waiting.splice(0)) send();
      // The next packet tries again.
      if (socket === undefined) endpoint.sources[slot] = undefined;
    };
    void this.#datagrams?.bind(endpoint.local, 0).then((socket) => {
      // Nobody has reason to answer to this port; what comes is not for us.
      socket.attach(() => this.unknown++);
      opened(socket);
    }, () => opened(undefined));
  }

  #endpoint(local: string, port: number): Endpoint {
    const name = `${local}:${port}`;
    const known = this.#endpoints.get(name);
    if (known !== undefined) return known;
    const endpoint: Endpoint = { local, port, socket: undefined, error: undefined, users: 0, isClosed: false, sources: [] };
    this.#endpoints.set(name, endpoint);
    this.#bind(endpoint);
    return endpoint;
  }

  /** Until it succeeds: the address may come later, or whoever has the port may go. */
  #bind(endpoint: Endpoint): void {
    const { local, port } = endpoint;
    void this.#datagrams?.bind(local, port).then(
      (socket) => {
        if (endpoint.isClosed) return socket.close();
        endpoint.socket = socket;
        socket.attach((bytes, address, sourcePort) => this.receive({ local, port, remote: address, sourcePort, tos: 0, ttl: 64 }, bytes));
        this.#say(endpoint, undefined);
      },
      (error: NodeJS.ErrnoException) => {
        if (endpoint.isClosed) return;
        this.#say(endpoint, `could not bind UDP port ${port} of ${local}: ${error.code ?? error.message}`);
        this.#clock.after(bindRetryMs, () => {
          if (!endpoint.isClosed) this.#bind(endpoint);
        });
      },
    );
  }

  #say(endpoint: Endpoint, error: string | undefined): void {
    if (endpoint.error === error) return;
    endpoint.error = error;
    if (error !== undefined) this.#log.warn(error);
    this.#events.bound();
  }

  #closeEndpoint(endpoint: Endpoint): void {
    endpoint.isClosed = true;
    endpoint.socket?.close();
    for (const source of endpoint.sources) if (source?.socket !== endpoint.socket) source?.socket?.close();
    this.#endpoints.delete(`${endpoint.local}:${endpoint.port}`);
  }

  /** A datagram from the underlay. */
  receive(from: DatagramFacts, bytes: Uint8Array): void {
    const { local, port, tos, ttl } = from;
    const remote = from.remote.includes(":") ? (canonicalAddress(from.remote) ?? from.remote) : from.remote;
    const kind = this.#typeOfPort.get(port);
    const inner = kind === undefined ? undefined : tunnelProtocols[kind].decapsulate(bytes);
    if (inner === undefined) {
      this.malformed++;
      return;
    }
    const tunnel = this.#find(port, remote, local, inner.vni);
    if (tunnel === undefined) {
      this.unknown++;
      this.#log.dbg(() => `receive tunnel port not found (${remote}->${local}, key=${inner.vni})`);
      return;
    }
    this.#show("in", tunnel, bytes, remote, local, from.sourcePort, port);
    if (this.#taps.isWatching) this.#taps.show(tunnel.port.name, "in", inner.frame);
    const words = new Uint32Array(W.ethDst - W.tunId);
    words[1] = inner.vni;
    putAddresses(words, remote, local);
    words[W.tunMisc - W.tunId] = (tos << 8) | ttl;
    readOptions(inner.options, tunnel.bridge.tlvs, words);
    // A datagram's bytes may be the socket's buffer: the frame outlives it.
    this.#events.receive(tunnel.port, new Uint8Array(inner.frame), words);
  }

  #find(udpPort: number, remote: string, local: string, vni: number): Tunnel | undefined {
    for (const key of [vni, undefined]) {
      for (const l of [local, ""]) {
        for (const r of [remote, ""]) {
          const found = this.#byAddress.get(addressKey(udpPort, r, l, key));
          if (found !== undefined) return found;
        }
      }
    }
    return undefined;
  }

  #show(direction: "in" | "out", { port, settings }: Tunnel, bytes: Uint8Array, source: string, destination: string, sourcePort: number, destinationPort: number): void {
    if (!this.#taps.watches("tunnel")) return;
    const frame = outerFrame(
      {
        source, destination, sourcePort, destinationPort, hasChecksum: settings.csum === true,
        dontFragment: settings.dontFragment, ttl: settings.ttl, tos: settings.tos ?? 0,
      },
      bytes,
    );
    this.#taps.show("tunnel", direction, frame, port.name);
  }
}

const addressKey = (udpPort: number, remote: string, local: string, key: number | undefined): string => `${udpPort}/${remote}/${local}/${key ?? "flow"}`;
const keyOf = ({ tunnel: t }: TunnelKind): string => addressKey(t.destinationPort, t.remote, t.local, t.key);
