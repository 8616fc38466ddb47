/**
 * MAC bindings and FDB entries that age: northd takes away those whose timestamp is older than their datapath allows. The
 * chassis that still sees packets that bear them out renews the timestamp; the switch counts the packets
 * (controller/mac-cache.c, statctrl.c).
 */
import { relation, rule, type Sink } from "../engine/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { openflowTables } from "../logical/index.ts";
import { type Action, field, type FlowStats } from "../openflow/index.ts";
import { formatIp, formatMac, ipv4Of, ipv6Of, macOf } from "../net/index.ts";
import { describeNeighbor } from "./describe-neighbor.ts";
import { probeOf } from "./neighbor-probe.ts";
import { LocalDatapath, type Node } from "./node.ts";
import type { DatapathBinding, Fdb, MacBinding } from "./rows.ts";

interface AgingThreshold {
  readonly datapath: DatapathBinding;
  readonly ms: number;
}

export const AgingThreshold = relation<AgingThreshold>("AgingThreshold", ({ datapath, ms }) => `${datapath._uuid} ${ms}`);

export const agingThresholds = rule("aging-thresholds", (node: Node) => node.engine.facts(LocalDatapath), function* (_node, { datapath }) {
  const ms = thresholdOf(datapath);
  if (ms > 0) yield AgingThreshold({ datapath, ms });
});

/** 0: nothing ages. */
function thresholdOf({ external_ids }: DatapathBinding): number {
  const [neighbors, addresses] = ["mac_binding_age_threshold", "fdb_age_threshold"].map((key) => Number(external_ids.get(key) ?? 0) || 0);
  return 1000 * (neighbors || addresses || 0);
}

/** Of the threshold: looking this often, and renewing no more often than this, a binding in use is always renewed in time. */
const share = 3 / 16;

/** What get_arp or get_nd was asked for: reg0, or xxreg1, which a match keeps as the four registers that it is. */
export function addressIn({ match }: Pick<FlowStats, "match">): string {
  const [narrow, ...wide] = (["reg0", "reg4", "reg5", "reg6", "reg7"] as const).map((name) => match.exact(name));
  return narrow === undefined
    ? formatIp({ family: 6, address: ipv6Of(wide.reduce((sum: bigint, word) => (sum << 32n) | BigInt(word ?? 0), 0n)) })
    : formatIp({ family: 4, address: ipv4Of(narrow) });
}

export class AgingWatch implements Sink<AgingThreshold> {
  readonly #host: Host;
  readonly #node: Node;
  readonly #count: (table: number) => void;
  readonly #send: (packet: Uint8Array, actions: readonly Action[]) => void;
  readonly #thresholds = new Set<AgingThreshold>();
  /** What is on its way into the database: who has just been heard is not asked. */
  readonly #seenAt = new WeakMap<MacBinding | Fdb, number>();
  #periodMs = 0;
  #timer: Timer | undefined;

  /** `count` asks the switch for a table's statistics; they are to be handed to `counted`. */
  constructor(host: Host, node: Node, count: (table: number) => void, send: (packet: Uint8Array, actions: readonly Action[]) => void) {
    this.#host = host;
    this.#node = node;
    this.#count = count;
    this.#send = send;
  }

  added(threshold: AgingThreshold): void {
    this.#thresholds.add(threshold);
    this.#arrange();
  }

  removed(threshold: AgingThreshold): void {
    this.#thresholds.delete(threshold);
    this.#arrange();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arrange(): void {
    const periodMs = this.#thresholds.size === 0 ? 0 : Math.min(...[...this.#thresholds].map(({ ms }) => ms * share));
    if (periodMs === this.#periodMs) return;
    this.#periodMs = periodMs;
    this.#timer?.cancel();
    if (periodMs > 0) this.#wait();
  }

  #wait(): void {
    this.#timer = this.#host.clock.after(this.#periodMs, () => {
      this.#count(openflowTables.macCacheUse);
      this.#count(openflowTables.lookupFdb);
      this.#count(openflowTables.macBinding);
      this.#wait();
    });
  }

  counted(flows: readonly FlowStats[]): void {
    for (const flow of flows) {
      if (flow.table === openflowTables.macBinding) {
        this.#countedUse(flow);
        continue;
      }
      // One that was never used has been idle since it was made.
      const { idleAge } = flow;
      if (idleAge === undefined || idleAge === Number(flow.durationNs / 1_000_000_000n)) continue;
      const row = this.#rowOf(flow);
      const datapath = row && ("dp_key" in row ? this.#node.datapathsByKey.first(row.dp_key) : this.#node.sb.tables.Datapath_Binding.get(row.datapath));
      if (row === undefined || datapath === undefined) continue;
      const threshold = thresholdOf(datapath);
      const now = Math.floor(this.#host.clock.wall());
      if (1000 * idleAge < threshold && now - row.timestamp >= threshold * share) {
        this.#seenAt.set(row, now);
        this.#node.learning.saw({ row, at: now });
      }
    }
  }

  /** Packets went to the neighbor. Whether it still hears them, its answer tells. */
  #countedUse(flow: FlowStats): void {
    if (flow.idleAge === undefined) return;
    const ip = addressIn(flow);
    for (const row of this.#node.neighborsByCookie.get(Number(flow.cookie))) {
      const datapath = this.#node.sb.tables.Datapath_Binding.get(row.datapath);
      if (datapath === undefined || row.ip !== ip) continue;
      const threshold = thresholdOf(datapath);
      const age = Math.floor(this.#host.clock.wall()) - Math.max(row.timestamp, this.#seenAt.get(row) ?? 0);
      if (threshold === 0 || 1000 * flow.idleAge > threshold || age < threshold * share) continue;
      const probe = probeOf(this.#node, row);
      if (probe === undefined) continue;
      this.#host.log.module("mac_cache").dbg(() => `Sending ARP/ND request for active MAC binding (${describeNeighbor(row, datapath)}), ` +
        `last update: ${age}ms ago, idle age: ${1000 * (flow.idleAge ?? 0)}ms, threshold: ${threshold}ms.`);
      this.#send(probe.frame, probe.actions);
    }
  }

  #rowOf(flow: FlowStats): MacBinding | Fdb | undefined {
    const cookie = Number(flow.cookie);
    const mac = formatMac(macOf(Number(flow.match.get(field("eth_src"))?.value ?? 0)));
    const rows = flow.table === openflowTables.macCacheUse ? this.#node.neighborsByCookie.get(cookie) : this.#node.fdbByCookie.get(cookie);
    for (const row of rows) if (row.mac.toLowerCase() === mac) return row;
    return undefined;
  }
}
