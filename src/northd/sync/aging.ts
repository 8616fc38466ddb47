/**
 * Age: what chassis have learned and nobody has used for long enough is deleted, MAC_Binding by Logical_Router
 * options:mac_binding_age_threshold and FDB by Logical_Switch other_config:fdb_age_threshold. So many at a time as NB_Global
 * options:mac_binding_removal_limit and fdb_removal_limit say, with a pause before the next.
 */
import { derived, relation, rule, type Rule, type Sink } from "../../engine/index.ts";
import type { Clock, Timer } from "../../host/index.ts";
import { Heap } from "../../std/index.ts";
import { uintOption } from "../options.ts";
import { ageThresholds, thresholdFor } from "../topology/age-thresholds.ts";
import { perZone } from "../topology/per-zone.ts";
import { globalOptions } from "../topology/settings.ts";
import { northboundUuidOf, type SbRow, type Topology } from "../topology/topology.ts";
import { ValuesByKey } from "../values-by-key.ts";
import { Stale } from "./stale-rows.ts";

type AgingTable = "MAC_Binding" | "FDB";

/** A row is too old from then on. */
interface Expiry {
  readonly table: AgingTable;
  readonly row: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** At a time; 0: no matter how many. */
  readonly limit: number;
}

const Expiry = relation<Expiry>("expiry", ({ row, at, limit }) => `${row} ${at} ${limit}`);

const removalLimit = derived("removal limit", (t: Topology, key: "mac_binding_removal_limit" | "fdb_removal_limit"): number =>
  uintOption(globalOptions(t), key, 0));

const macBindings = rule("aging-of-mac-bindings", (t: Topology) => t.sb.MAC_Binding, function* (t, row) {
  const datapath = t.sb.Datapath_Binding.get(row.datapath);
  const router = datapath === undefined ? undefined : t.nb.Logical_Router.get(northboundUuidOf(datapath) as SbRow<"Datapath_Binding">["nb_uuid"]);
  const owner = router === undefined ? undefined : t.routers.of(router);
  const seconds = owner === undefined ? 0 : thresholdFor(ageThresholds(owner), row.ip);
  if (seconds === 0) return;
  const at = row.timestamp + 1000 * seconds;
  yield Expiry({ table: "MAC_Binding", row: row._uuid, at, limit: removalLimit(t, "mac_binding_removal_limit") });
  if (t.expired.get(row._uuid) === at) yield Stale(row);
});

const datapathsByKey = perZone((t: Topology) => t.engine.index("datapaths by key", t.sb.Datapath_Binding, (row: SbRow<"Datapath_Binding">) => [row.tunnel_key]));

const fdbs = rule("aging-of-fdb", (t: Topology) => {
  datapathsByKey(t);
  return t.sb.FDB;
}, function* (t, row) {
  const datapath = datapathsByKey(t).first(row.dp_key);
  const owner = datapath === undefined ? undefined : t.nb.Logical_Switch.get(northboundUuidOf(datapath) as SbRow<"Datapath_Binding">["nb_uuid"]);
  const seconds = owner === undefined ? 0 : uintOption(owner.other_config, "fdb_age_threshold", 0);
  if (seconds === 0) return;
  const at = row.timestamp + 1000 * seconds;
  yield Expiry({ table: "FDB", row: row._uuid, at, limit: removalLimit(t, "fdb_removal_limit") });
  if (t.expired.get(row._uuid) === at) yield Stale(row);
});

const pauseMs = 5000;

export class Aging implements Sink<Expiry> {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #live = new Map<string, Expiry>();
  readonly #queue = new Heap<Expiry>((a, b) => a.at - b.at);
  readonly #expired = new ValuesByKey<number>("expiry");
  /** By table: how many have been removed since the last pause, and when the next may be. */
  readonly #rounds = new Map<AgingTable, { removed: number; notBefore: number }>();
  #timer: Timer | undefined;

  /** `wake`: something is due. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** When the row expired that is to be deleted. A tracked read. */
  get(row: string): number | undefined {
    return this.#expired.get(row);
  }

  added(expiry: Expiry): void {
    this.#live.set(expiry.row, expiry);
    this.#queue.push(expiry);
  }

  removed(expiry: Expiry): void {
    if (this.#live.get(expiry.row) !== expiry) return;
    this.#live.delete(expiry.row);
    this.#expired.clear(expiry.row);
  }

  settle(): void {
    const now = this.#clock.wall();
    const held: Expiry[] = [];
    for (let next = this.#queue.peek(); next !== undefined && next.at <= now; next = this.#queue.peek()) {
      this.#queue.pop();
      if (this.#live.get(next.row) !== next) continue;
      if (this.#mayRemove(next, now)) this.#expired.set(next.row, next.at);
      else held.push(next);
    }
    for (const each of held) this.#queue.push(each);
    this.#sleep(now);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #mayRemove({ table, limit }: Expiry, now: number): boolean {
    if (limit === 0) return true;
    const round = this.#rounds.get(table) ?? { removed: 0, notBefore: 0 };
    this.#rounds.set(table, round);
    if (now < round.notBefore) return false;
    round.removed++;
    if (round.removed < limit) return true;
    Object.assign(round, { removed: 0, notBefore: now + pauseMs });
    return true;
  }

  #sleep(now: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const next = this.#queue.peek();
    if (next === undefined) return;
    const at = Math.max(next.at, next.limit === 0 ? 0 : (this.#rounds.get(next.table)?.notBefore ?? 0));
    this.#timer = this.#clock.after(Math.min(Math.max(at - now, 1), maxDelayMs), this.#wake);
  }
}

/** What timers can count. */
const maxDelayMs = 0x7fff_ffff;

export function letRowsAge(t: Topology, clock: Clock, wake: () => void): Aging {
  const aging = new Aging(clock, wake);
  t.engine.sink(Expiry, aging);
  t.expired = aging;
  return aging;
}

export const agingRules: readonly Rule<Topology>[] = [macBindings, fdbs];
