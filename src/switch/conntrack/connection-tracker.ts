/**
 * The connection tracker: what OVS's user-space `conntrack` is. Knows connections by zone and tuple, in both directions,
 * says of each packet how it stands to them (ct_state), commits new ones with their marks, and translates addresses.
 * Bounded: beyond `maxConnections`, and beyond a zone's limit, nothing more is committed.
 */
import type { CtFlush, CtTuple } from "../../openflow/index.ts";
import { rewrite, rewriteRelated, translated } from "./connection-nat.ts";
import { advance, begin, type ConnectionState, lifetimeMs } from "./connection-state.ts";
import { canBegin, classify, isIcmpTuple, reverse, type Tuple, tupleKey } from "./connection-tuple.ts";
import { ZoneLimits } from "./zone-limits.ts";
import type { ConnectionAction } from "../packet/datapath-action.ts";
import { ctStateBit as bit, W } from "../flow/flow-key.ts";
import type { Packet } from "../packet/packet.ts";

export interface Connection {
  readonly zone: number;
  readonly original: Tuple;
  /** Of the packets that come back: the reverse of what the original ones are translated to. */
  readonly reply: Tuple;
  readonly state: ConnectionState;
  /** ct_mark, then the four words of ct_label. */
  readonly marks: number[];
  expiresMs: number;
}

export class ConnectionTracker {
  maxConnections: number;
  readonly limits = new ZoneLimits();
  readonly #nowMs: () => number;
  readonly #warn: (text: string) => void;
  /** Both directions. */
  readonly #byTuple = new Map<string, Connection>();
  readonly #all = new Set<Connection>();

  constructor(nowMs: () => number, warn: (text: string) => void, maxConnections = 200_000) {
    this.#nowMs = nowMs;
    this.#warn = warn;
    this.maxConnections = maxConnections;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all.values();
  }

  /** Does a `ct` action to a packet: key and bytes are as they are afterwards. False: drop it. */
  track(action: ConnectionAction, packet: Packet): boolean {
    const { key } = packet;
    // A state from another zone means nothing here.
    let state = (key[W.ctState] ?? 0) !== 0 && key[W.ctZone] !== action.zone ? 0 : (key[W.ctState] ?? 0) & ~bit.trk;
    const found = classify(packet);
    let connection: Connection | undefined;
    let tuple: Tuple | undefined;
    if (found.kind === "invalid") state = bit.inv;
    else if (found.kind === "related") {
      // The quoted packet went the other way than the error comes, and is quoted as it looked where the error was made.
      connection = this.#find(action.zone, reverse(found.inner));
      state = connection === undefined ? bit.inv : this.#related(connection, found.inner, action, packet);
      tuple = connection?.original;
    } else {
      tuple = found.tuple;
      const flags = key[W.tcpFlags] ?? 0;
      const translated = (state & (bit.snat | bit.dnat)) === 0 ? undefined : this.#find(action.zone, reverse(tuple));
      // A packet that was translated in this zone already is known by what its answer looks like: it is the same packet still.
      if (translated !== undefined) tuple = this.#isReply(translated, reverse(tuple)) ? translated.original : translated.reply;
      connection = translated ?? this.#find(action.zone, tuple) ?? this.#beforeTranslation(action, packet, state);
      if (connection !== undefined && action.force && this.#isReply(connection, tuple)) {
        this.#remove(connection);
        connection = undefined;
      }
      if (connection !== undefined) {
        const progress = advance(connection.state, this.#isReply(connection, tuple), flags);
        if (progress === "renew") {
          this.#remove(connection);
          connection = undefined;
        } else state = this.#known(connection, tuple, progress, action, packet, state);
      }
      if (connection === undefined) {
        const made = this.#unknown(tuple, flags, action, packet);
        state = made.state;
        connection = made.connection;
      }
    }
    this.#tell(packet, action, state | bit.trk, connection, tuple);
    return true;
  }

  #isReply(connection: Connection, tuple: Tuple): boolean {
    return tupleKey(0, connection.reply) === tupleKey(0, tuple) && tupleKey(0, connection.original) !== tupleKey(0, tuple);
  }

  #known(connection: Connection, tuple: Tuple, progress: "valid" | "valid-new" | "invalid", action: ConnectionAction, packet: Packet, before: number): number {
    if (progress === "invalid") return bit.inv;
    const isReply = this.#isReply(connection, tuple);
    connection.expiresMs = this.#nowMs() + lifetimeMs(connection.state);
    let state = before & (bit.snat | bit.dnat);
    // A first packet from the other side, too, has no direction yet.
    if (progress === "valid-new") state |= bit.new;
    else state |= isReply ? bit.est | bit.rpl : bit.est;
    return action.nat === undefined ? state : state | this.#translate(connection, isReply, packet);
  }

  /** Translates a packet of a known connection; the ct_state bits that says so. */
  #translate(connection: Connection, isReply: boolean, packet: Packet): number {
    const to = isReply ? reverse(connection.original) : reverse(connection.reply);
    const from = isReply ? connection.reply : connection.original;
    const changed = translationBits(from, to);
    if (changed !== 0) rewrite(packet, to);
    return changed;
  }

  #related(connection: Connection, inner: Tuple, action: ConnectionAction, packet: Packet): number {
    // An error about an original packet comes in reply direction, and the other way round.
    const aboutOriginal = tupleKey(0, reverse(connection.reply)) === tupleKey(0, inner);
    const state = bit.rel | (aboutOriginal ? bit.rpl : 0);
    if (action.nat === undefined) return state;
    const to = aboutOriginal ? connection.original : connection.reply;
    const changed = translationBits(inner, to);
    if (changed !== 0) rewriteRelated(packet, to, to.destination.some((word, i) => word !== inner.destination[i]));
    return state | changed;
  }

  /** A packet that was translated in this zone before, and asks again without `nat`, is known by its original tuple. */
  #beforeTranslation(action: ConnectionAction, { key }: Packet, state: number): Connection | undefined {
    if ((state & (bit.snat | bit.dnat)) === 0 || action.nat !== undefined || (key[W.ctNwProto] ?? 0) === 0) return undefined;
    const isV4 = (key[W.ctNwSrc] ?? 0) !== 0;
    const ports = key[W.ctPorts] ?? 0;
    const tuple: Tuple = {
      family: isV4 ? 4 : 6, protocol: key[W.ctNwProto] ?? 0, sourcePort: ports >>> 16, destinationPort: ports & 0xffff,
      source: isV4 ? [key[W.ctNwSrc] ?? 0] : [...key.subarray(W.ctIpv6Src, W.ctIpv6Src + 4)],
      destination: isV4 ? [key[W.ctNwDst] ?? 0] : [...key.subarray(W.ctIpv6Dst, W.ctIpv6Dst + 4)],
    };
    return this.#find(action.zone, tuple);
  }

  #unknown(tuple: Tuple, tcpFlags: number, action: ConnectionAction, packet: Packet): { readonly state: number; readonly connection: Connection | undefined } {
    const begun = canBegin(tuple) ? begin(tuple.protocol, tcpFlags) : undefined;
    if (begun === undefined) return { state: bit.inv, connection: undefined };
    if (!action.commit || this.#all.size >= this.maxConnections || this.limits.isFull(action.zone)) return { state: bit.new, connection: undefined };
    const { zone, nat } = action;
    const to = nat === undefined ? tuple : translated(tuple, nat, (candidate) => !this.#byTuple.has(tupleKey(zone, reverse(candidate))));
    if (to === undefined) {
      this.#warn("Unable to NAT due to tuple space exhaustion - if DoS attack, use firewalling and/or zone partitioning.");
      return { state: bit.new, connection: undefined };
    }
    const connection: Connection = {
      zone, original: tuple, reply: reverse(to), state: begun, marks: [0, 0, 0, 0, 0], expiresMs: this.#nowMs() + lifetimeMs(begun),
    };
    this.#byTuple.set(tupleKey(zone, connection.original), connection);
    this.#byTuple.set(tupleKey(zone, connection.reply), connection);
    this.#all.add(connection);
    this.limits.came(zone);
    return { state: bit.new | (nat === undefined ? 0 : this.#translate(connection, false, packet)), connection };
  }

  /** Writes the tracker's words of the key, and what the action sets of them into the connection. */
  #tell({ key }: Packet, action: ConnectionAction, state: number, connection: Connection | undefined, tuple: Tuple | undefined): void {
    key.fill(0, W.ctState, W.tunId);
    key[W.ctState] = state;
    key[W.ctZone] = action.zone;
    if (connection !== undefined) {
      if (action.commit && action.marks !== undefined) {
        const { values, masks } = action.marks;
        connection.marks.forEach((mark, i) => {
          connection.marks[i] = ((mark & ~(masks[i] ?? 0)) | (values[i] ?? 0)) >>> 0;
        });
      }
      connection.marks.forEach((mark, i) => {
        key[W.ctMark + i] = mark;
      });
    }
    const told = connection?.original ?? tuple;
    if (told === undefined) return;
    key[W.ctNwProto] = told.protocol;
    key.set(told.source, told.family === 4 ? W.ctNwSrc : W.ctIpv6Src);
    key.set(told.destination, told.family === 4 ? W.ctNwDst : W.ctIpv6Dst);
    const [source, destination] = isIcmpTuple(told) ? [told.destinationPort >>> 8, told.destinationPort & 0xff] : [told.sourcePort, told.destinationPort];
    key[W.ctPorts] = (source << 16) | destination;
  }

  #find(zone: number, tuple: Tuple): Connection | undefined {
    const connection = this.#byTuple.get(tupleKey(zone, tuple));
    if (connection === undefined || connection.expiresMs > this.#nowMs()) return connection;
    this.#remove(connection);
    return undefined;
  }

  #remove(connection: Connection): void {
    if (this.#all.delete(connection)) this.limits.went(connection.zone);
    for (const tuple of [connection.original, connection.reply]) {
      const key = tupleKey(connection.zone, tuple);
      if (this.#byTuple.get(key) === connection) this.#byTuple.delete(key);
    }
  }

  /** Forgets what has had its time. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const connection of this.#all) if (connection.expiresMs <= nowMs) this.#remove(connection);
  }

  flush(zone?: number): void {
    for (const connection of this.#all) if (zone === undefined || connection.zone === zone) this.#remove(connection);
  }

  /** NXT_CT_FLUSH: those of which everything that is given agrees. */
  flushMatching(filter: CtFlush): void {
    for (const connection of this.#all) {
      const { zone, original, reply, marks } = connection;
      if (filter.zone !== undefined && filter.zone !== zone) continue;
      if (filter.family !== 0 && filter.family !== original.family) continue;
      if (filter.protocol !== 0 && filter.protocol !== original.protocol) continue;
      if (filter.mark !== undefined && (((marks[0] ?? 0) ^ filter.mark.value) & filter.mark.mask) !== 0) continue;
      const label = marks.slice(1).reduce((value, word) => (value << 32n) | BigInt(word), 0n);
      if (filter.labels !== undefined && ((label ^ filter.labels.value) & filter.labels.mask) !== 0n) continue;
      if (agrees(filter.original, original) && agrees(filter.reply, reply)) this.#remove(connection);
    }
  }
}

/** Which ct_state bits a change from one tuple to another stands for. */
function translationBits(from: Tuple, to: Tuple): number {
  const isSource = from.source.join() !== to.source.join() || (!isIcmpTuple(from) && from.sourcePort !== to.sourcePort);
  const isDestination = from.destination.join() !== to.destination.join() || (!isIcmpTuple(from) && from.destinationPort !== to.destinationPort);
  return (isSource ? bit.snat : 0) | (isDestination ? bit.dnat : 0);
}

function agrees(wanted: CtTuple, tuple: Tuple): boolean {
  const address = (words: readonly number[]): bigint => words.reduce((value, word) => (value << 32n) | BigInt(word), 0n);
  const isIcmp = isIcmpTuple(tuple);
  const same = (a: number | undefined, b: number | undefined): boolean => a === undefined || a === b;
  return (
    (wanted.source === undefined || wanted.source === address(tuple.source)) &&
    (wanted.destination === undefined || wanted.destination === address(tuple.destination)) &&
    same(wanted.sourcePort, isIcmp ? undefined : tuple.sourcePort) && same(wanted.destinationPort, isIcmp ? undefined : tuple.destinationPort) &&
    same(wanted.icmpId, isIcmp ? tuple.sourcePort : undefined) && same(wanted.icmpType, isIcmp ? tuple.destinationPort >>> 8 : undefined) &&
    same(wanted.icmpCode, isIcmp ? tuple.destinationPort & 0xff : undefined)
  );
}
