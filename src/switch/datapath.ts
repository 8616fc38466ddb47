/**
 * The datapath: takes packets in, finds out (in the cache, else by a walk) what is to be done with them, and does it.
 * One for all bridges, as in OVS: a patch port is passed while walking and costs nothing afterwards.
 */
import { type FlowMod, ports as reserved } from "../openflow/index.ts";
import type { Bridge } from "./bridge.ts";
import type { ConnectionAction, DatapathAction, FrozenState, ToController, TunnelOutput } from "./packet/datapath-action.ts";
import { CacheEntry, FlowCache } from "./flow/flow-cache.ts";
import { firstPacketWord, fragAny, W } from "./flow/flow-key.ts";
import { FrozenStates } from "./openflow/frozen-states.ts";
import type { NativeTunnels } from "./native/native-tunnels.ts";
import { pushHeader } from "./native/outer-header.ts";
import { pushVlan, writeHeaders, writeVlan } from "./packet/header-writer.ts";
import { minimask } from "./flow/minimask.ts";
import { ethType, Packet } from "./packet/packet.ts";
import { type PlacedPort, PortRegistry } from "./port/port-registry.ts";
import type { PortTaps } from "./port/port-taps.ts";
import { runPipeline, runSteps } from "./walk/steps.ts";
import { isTunnel, type SwitchPort } from "./port/switch-port.ts";
import { type Surroundings, Walk, type WalkTracer } from "./walk/walk.ts";

/** What the datapath hands on. */
export interface DatapathEvents {
  nowMs(): number;
  toController(action: ToController, packet: Packet): void;
  throughTunnel(action: TunnelOutput, packet: Packet): void;
  /** Runs the packet through the connection tracker: may write to packet and key; false: drop it. */
  track(action: ConnectionAction, packet: Packet): boolean;
  /** The same for a fragment: it goes on when its datagram is whole and tracked, in time of its own. */
  trackFragment(action: ConnectionAction, fragment: Packet, goOn: (fragment: Packet) => void): void;
  learn(bridge: Bridge, flow: FlowMod): void;
  /** Whether the packet was for the switch itself (a port that BFD watches). */
  takes(port: SwitchPort, packet: Packet): boolean;
  warn(text: string): void;
}

/** A packet may go around this often (OVS's user-space datapath allows fewer at once, but queues the rest). */
const maxRecirculations = 64;
const maxQueued = 4096;

interface Queued {
  readonly port: SwitchPort;
  readonly bytes: Uint8Array;
  readonly tunnel: TunnelWords | undefined;
}

/** The tunnel words of a packet's key, from W.tunId to W.tunMetadataPresent. */
export type TunnelWords = Uint32Array;

export class Datapath implements Surroundings {
  readonly cache: FlowCache;
  readonly taps: PortTaps;
  readonly #events: DatapathEvents;
  readonly ports = new PortRegistry();
  native: NativeTunnels | undefined;
  readonly #frozen = new FrozenStates();
  readonly #queue: Queued[] = [];
  readonly #spare: Packet[] = [];
  #isBusy = false;
  #recirculations = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;
  dropped = 0;

  constructor(events: DatapathEvents, taps: PortTaps, cache = new FlowCache()) {
    this.#events = events;
    this.taps = taps;
    this.cache = cache;
  }

  /** A packet enters through a port. Frames that come while another is on its way wait for their turn. */
  receive(port: SwitchPort, bytes: Uint8Array, tunnel?: TunnelWords): void {
    if (this.#isBusy) {
      if (this.#queue.length < maxQueued) this.#queue.push({ port, bytes, tunnel });
      else port.counters.rxDropped++;
      return;
    }
    this.#isBusy = true;
    try {
      this.#receiveNow(port, bytes, tunnel);
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#receiveNow(next.port, next.bytes, next.tunnel);
    } finally {
      this.#isBusy = false;
    }
  }

  #receiveNow(port: SwitchPort, bytes: Uint8Array, tunnel: TunnelWords | undefined): void {
    const { counters } = port;
    counters.rxPackets++;
    counters.rxBytes += bytes.length;
    if (bytes.length < 14) {
      counters.rxErrors++;
      return;
    }
    if (this.taps.isWatching && tunnel === undefined) this.taps.show(port.name, "in", bytes);
    if ((port.config & 5) !== 0) {
      counters.rxDropped++;
      return;
    }
    const packet = this.#spare.pop() ?? new Packet(bytes);
    packet.reset(bytes);
    packet.key[W.inPort] = port.datapathNumber;
    if (tunnel !== undefined) packet.key.set(tunnel, W.tunId);
    packet.readHeaders();
    if (!port.isMonitored || !this.#events.takes(port, packet)) this.#process(packet, undefined);
    if (this.#spare.length < 64) this.#spare.push(packet);
  }

  /** What is to be done with a packet, by cache or by walk; and does it. */
  #process(packet: Packet, state: FrozenState | undefined): void {
    const nowMs = this.#events.nowMs();
    let entry = this.cache.find(packet.key);
    if (entry === undefined) {
      const made = this.#walkFor(packet, state, nowMs);
      if (made === undefined) {
        this.dropped++;
        return;
      }
      entry = made;
      entry.firstBytes = packet.bytes.length;
    } else if (entry.effects.length > 0 && nowMs - entry.effectsMs > 500) {
      entry.effectsMs = nowMs;
      for (const effect of entry.effects) effect();
    }
    entry.packets++;
    entry.bytes += packet.bytes.length;
    entry.usedMs = nowMs;
    if (entry.actions.length === 0) this.dropped++;
    else this.execute(entry.actions, packet);
  }

  #walkFor(packet: Packet, state: FrozenState | undefined, nowMs: number): CacheEntry | undefined {
    const walk = this.#walkOf(packet, state);
    if (walk === undefined) return undefined;
    const { mask } = walk.wildcards;
    // Ports, recirculations, protocols and fragments are told apart always.
    mask.fill(0, 0, firstPacketWord);
    mask[W.inPort] = 0xffffffff;
    mask[W.recircId] = 0xffffffff;
    mask[W.ethType] = 0xffffffff;
    if (packet.key[W.ethType] === ethType.ipv4 || packet.key[W.ethType] === ethType.ipv6) mask[W.nwMisc] = (mask[W.nwMisc] ?? 0) | 0xff;
    const mini = minimask(mask);
    const values = new Uint32Array(mini.words.length);
    for (let i = 0; i < values.length; i++) values[i] = (packet.key[mini.words[i] ?? 0] ?? 0) & (mini.masks[i] ?? 0);
    const entry = new CacheEntry(mini, values, walk.actions, walk.rules, walk.buckets, walk.effects, walk.passed, nowMs);
    this.cache.insert(entry, packet.key, nowMs);
    for (const effect of walk.effects) effect();
    return entry;
  }

  #walkOf(packet: Packet, state: FrozenState | undefined): Walk | undefined {
    const from = state === undefined ? this.ports.get(packet.key[W.inPort] ?? 0) : undefined;
    const bridge = state?.bridge ?? from?.bridge;
    if (bridge === undefined) return undefined;
    return this.walkFrom(bridge, from?.port.number ?? 0, packet, state);
  }

  /** Walks the tables of `bridge` for a packet, from the beginning or from where it was frozen. */
  walkFrom(bridge: Bridge, inPort: number, packet: Packet, state: FrozenState | undefined, tracer?: WalkTracer): Walk {
    const walk = new Walk(this, state?.bridge ?? bridge, tracer);
    walk.key.set(packet.key);
    if (state !== undefined) walk.thaw(state);
    else {
      walk.key[W.inPort] = inPort;
      walk.key[W.actsetOutput] = reserved.unset;
    }
    walk.table = state?.table ?? 0;
    runPipeline(walk, walk.table, state === undefined ? bridge.portsByNumber.get(inPort) : undefined);
    if (walk.error !== undefined) {
      this.#warn(`over limit on bridge ${bridge.name}: ${walk.error}`);
      walk.actions = [];
    }
    trimLast(walk.actions);
    return walk;
  }

  /** Does `actions` to the packet. */
  execute(actions: readonly DatapathAction[], packet: Packet): void {
    for (let i = 0; i < actions.length; i++) {
      const action = actions[i] as DatapathAction;
      switch (action.kind) {
        case "output":
          this.#output(action.port, packet, action.maxLength);
          break;
        case "set":
          writeHeaders(packet, action.words, action.masks, action.values);
          break;
        case "tunnel":
          this.#events.throughTunnel(action, packet);
          break;
        case "tunnel_push":
          pushHeader(packet, action);
          break;
        case "tunnel_pop":
          this.native?.unwrap(packet);
          break;
        case "vlan":
          writeVlan(packet, action.tci, action.tpid);
          break;
        case "push_vlan":
          pushVlan(packet, action.tci, action.tpid);
          break;
        case "clone":
          this.execute(action.actions, packet.clone());
          break;
        case "recirculate":
          this.#recirculate(i === actions.length - 1 ? packet : packet.clone(), action.state);
          break;
        case "ct":
          if ((packet.key[W.nwMisc] ?? 0) & fragAny && isIp(packet)) return this.#trackFragment(action, packet, actions.slice(i + 1));
          if (!this.#events.track(action, packet)) return;
          break;
        case "ct_clear":
          packet.key.fill(0, W.ctState, W.tunId);
          break;
        case "controller":
          this.#events.toController(action, packet);
          break;
        case "meter": {
          const meter = action.bridge.meters.get(action.meter);
          if (meter !== undefined && !meter.passes(packet.bytes.length, this.#events.nowMs())) return;
          break;
        }
        case "check_length":
          this.execute(packet.bytes.length > action.size ? action.larger : action.notLarger, packet);
          break;
      }
    }
  }

  #trackFragment(action: ConnectionAction, packet: Packet, rest: readonly DatapathAction[]): void {
    this.#events.trackFragment(action, packet.clone(), (fragment) => this.#whileBusy(() => this.execute(rest, fragment)));
  }

  /** Does OpenFlow steps to a packet that comes from a controller (packet-out, or a packet resumed). Not cached. */
  inject(packet: Packet, state: FrozenState): string | undefined {
    const walk = new Walk(this, state.bridge);
    walk.key.set(packet.key);
    walk.thaw(state);
    for (const { table, cookie, steps } of state.rest) {
      walk.table = table;
      walk.cookie = cookie;
      runSteps(walk, steps, 0);
    }
    walk.finishPause();
    if (walk.error !== undefined) return walk.error;
    for (const effect of walk.effects) effect();
    for (const rule of walk.rules) {
      rule.packets++;
      rule.bytes += packet.bytes.length;
      rule.usedMs = this.#events.nowMs();
    }
    this.#whileBusy(() => this.execute(walk.actions, packet));
    return undefined;
  }

  /** Sends a frame of the switch's own out of a port. */
  sendOut(port: SwitchPort, frame: Uint8Array): void {
    const packet = new Packet(frame);
    packet.readHeaders();
    const { kind } = port;
    if (kind.type === "patch") return;
    if (!isTunnel(kind)) return this.#output(port, packet, frame.length);
    const bridge = this.ports.get(port.datapathNumber)?.bridge;
    if (this.native !== undefined && bridge !== undefined) return this.#emerge(bridge, reserved.none, packet, port.number);
    const words = new Uint32Array(W.ethDst - W.tunMetadata);
    this.#events.throughTunnel({ kind: "tunnel", port, remote: kind.tunnel.remote, local: kind.tunnel.local, vni: kind.tunnel.key ?? 0, words, maxLength: frame.length }, packet);
  }

  /** A frame of the switch's own goes through the tables as if it had come in by this port. */
  enter({ bridge, port }: PlacedPort, frame: Uint8Array): void {
    const packet = new Packet(frame);
    packet.readHeaders();
    packet.key[W.inPort] = port.datapathNumber;
    this.#emerge(bridge, port.number, packet, reserved.table);
  }

  #emerge(bridge: Bridge, inPort: number, packet: Packet, output: number): void {
    const pipeline = packet.key.slice(0, W.ethDst);
    pipeline[W.actsetOutput] = reserved.unset;
    const rest = [{ table: 0, cookie: 0n, steps: [{ kind: "output", port: output }] }] as const;
    this.inject(packet, { id: 0, bridge, table: undefined, pipeline, inPort, stack: [], actionSet: [], rest });
  }

  peerOf(bridge: Bridge, port: SwitchPort): PlacedPort | undefined {
    return this.ports.peerOf(bridge, port);
  }

  freeze(state: Omit<FrozenState, "id">): FrozenState {
    return this.#frozen.freeze(state);
  }

  learn(bridge: Bridge, flow: FlowMod): void {
    this.#events.learn(bridge, flow);
  }

  nowMs(): number {
    return this.#events.nowMs();
  }

  /** At most a line a second: a loop of packets is not to become a flood of lines. */
  #warn(text: string): void {
    const nowMs = this.#events.nowMs();
    if (nowMs - this.#warnedMs < 1000) return;
    this.#warnedMs = nowMs;
    this.#events.warn(text);
  }

  #whileBusy(body: () => void): void {
    if (this.#isBusy) return body();
    this.#isBusy = true;
    try {
      body();
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#receiveNow(next.port, next.bytes, next.tunnel);
    } finally {
      this.#isBusy = false;
    }
  }

  #output(port: SwitchPort, packet: Packet, maxLength: number): void {
    const { counters } = port;
    const deliver = port.deliver;
    let bytes = packet.share();
    if (bytes.length > maxLength) bytes = bytes.subarray(0, maxLength);
    if (this.taps.isWatching) this.taps.show(port.name, "out", bytes);
    if (deliver === undefined) {
      counters.txDropped++;
      return;
    }
    counters.txPackets++;
    counters.txBytes += bytes.length;
    deliver(bytes);
  }

  #recirculate(packet: Packet, state: FrozenState): void {
    if (this.#recirculations >= maxRecirculations) {
      this.dropped++;
      return;
    }
    this.#recirculations++;
    packet.key[W.recircId] = state.id;
    packet.readHeaders();
    this.#process(packet, state);
    this.#recirculations--;
  }
}

const isIp = ({ key }: Packet): boolean => key[W.ethType] === ethType.ipv4 || key[W.ethType] === ethType.ipv6;

/** What is done last need not be done to a copy. */
function trimLast(actions: DatapathAction[]): void {
  for (let last = actions.at(-1); last?.kind === "clone"; last = actions.at(-1)) {
    actions.pop();
    actions.push(...last.actions);
  }
}
