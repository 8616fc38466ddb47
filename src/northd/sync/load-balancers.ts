/** Load_Balancer of the southbound database: a row of the same UUID for each load balancer that a switch or router has. */
import { rule, type Sink } from "../../engine/index.ts";
import { type CommitResult, type Replica, type ReplicaTables, type Transaction, type Uuid, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { type BalancerUse, routerBalancers, switchBalancers } from "../balancing/balancer-use.ts";
import { balancerSettings, servicesOf } from "../balancing/load-balancers.ts";
import type { Datapath, LoadBalancer, Sb, Topology } from "../topology/topology.ts";
import { type DatapathGroup, type DatapathGroups, type DatapathUuid, type Members, noMembers } from "./datapath-groups.ts";

export const WishedBalancer = wishRelation(southbound, "Load_Balancer");

const isUsed = (balancer: LoadBalancer): boolean =>
  switchBalancers(balancer.topology).isOwned(balancer) || routerBalancers(balancer.topology).isOwned(balancer);

export const balancerRows = rule("load-balancers", (t: Topology) => t.loadBalancers, function* (_, balancer) {
  if (!isUsed(balancer)) return;
  const { _uuid, name, protocol, options } = balancer.row;
  yield WishedBalancer({ key: _uuid, columns: { name, protocol, options, vips: vipsOf(balancer), datapaths: [] }, uuid: _uuid as string as Uuid<"Load_Balancer"> });
});

/** Controllers want variables that stand for IPv6 addresses in brackets. */
function vipsOf(balancer: LoadBalancer): ReadonlyMap<string, string> {
  const services = servicesOf(balancer);
  if (!balancerSettings(balancer).isTemplate || !services.some((vip) => vip.family === 6)) return balancer.row.vips;
  return new Map(services.map(({ ip, port, value }) => [`${ip.startsWith("^") ? `[${ip}]` : ip}${port === undefined ? "" : `:${port}`}`, value]));
}

interface Entry {
  readonly uuid: Uuid<"Load_Balancer">;
  readonly switches: Members;
  readonly routers: Members;
  switchGroup: DatapathGroup | undefined;
  routerGroup: DatapathGroup | undefined;
}

/** The groups of datapaths that the rows name: kept as switches and routers come and go, one by one. */
export class BalancerGroups implements Sink<BalancerUse<Datapath>> {
  readonly #groups: DatapathGroups;
  readonly #rows: ReplicaTables<Sb>["Load_Balancer"];
  readonly #entries = new Map<string, Entry>();
  readonly #moved = new Set<Entry>();
  #dirty = new Set<Entry>();
  #inFlight = new Set<Entry>();

  constructor(replica: Replica<Sb>, groups: DatapathGroups) {
    this.#groups = groups;
    const touch = ({ _uuid }: { readonly _uuid: string }): void => {
      const entry = this.#entries.get(_uuid);
      if (entry !== undefined) this.#dirty.add(entry);
    };
    const { Load_Balancer: rows } = replica.tables;
    this.#rows = rows;
    rows.watch({ added: touch, removed: touch });
    rows.watchColumns(touch);
    groups.watch((group) => {
      for (const entry of this.#entries.values()) if (entry.switchGroup === group || entry.routerGroup === group) this.#dirty.add(entry);
    });
  }

  added({ owner, balancer }: BalancerUse<Datapath>): void {
    const entry = this.#entryOf(balancer);
    this.#groups.add(owner.kind === "switch" ? entry.switches : entry.routers, owner.row._uuid);
    this.#moved.add(entry);
  }

  removed({ owner, balancer }: BalancerUse<Datapath>): void {
    const entry = this.#entryOf(balancer);
    this.#groups.remove(owner.kind === "switch" ? entry.switches : entry.routers, owner.row._uuid);
    this.#moved.add(entry);
  }

  settle(): void {
    for (const entry of this.#moved) {
      entry.switchGroup = this.#groups.regroup(entry.switches, entry.switchGroup);
      entry.routerGroup = this.#groups.regroup(entry.routers, entry.routerGroup);
      if (entry.switchGroup === undefined && entry.routerGroup === undefined) {
        // Its row goes with the wish for it.
        this.#entries.delete(entry.uuid);
        this.#dirty.delete(entry);
      } else this.#dirty.add(entry);
    }
    this.#moved.clear();
  }

  get isSettled(): boolean {
    return this.#dirty.size + this.#inFlight.size === 0;
  }

  compareAll(): void {
    for (const entry of this.#entries.values()) this.#dirty.add(entry);
  }

  /** After the rows themselves have been seen to. */
  write(transaction: Transaction<Sb>, uuidOf: DatapathUuid): void {
    for (const { uuid, switchGroup, routerGroup } of this.#dirty) {
      const row = this.#rows.get(uuid);
      const find = (group: DatapathGroup | undefined, present: Uuid<"Logical_DP_Group"> | undefined) =>
        (group === undefined ? undefined : this.#groups.uuidOf(group, present, transaction, uuidOf));
      const [switches, routers] = [find(switchGroup, row?.ls_datapath_group), find(routerGroup, row?.lr_datapath_group)];
      transaction.update({ _table: "Load_Balancer", _uuid: uuid }, { ls_datapath_group: switches, lr_datapath_group: routers, datapath_group: undefined });
    }
    this.#inFlight = transaction.isEmpty ? new Set() : this.#dirty;
    this.#dirty = new Set();
  }

  finished(result: CommitResult): void {
    const isDone = result.kind === "committed" || result.kind === "unchanged";
    if (!isDone) for (const entry of this.#inFlight) if (this.#entries.get(entry.uuid) === entry) this.#dirty.add(entry);
    this.#inFlight = new Set();
  }

  #entryOf({ row }: LoadBalancer): Entry {
    let entry = this.#entries.get(row._uuid);
    if (entry === undefined) {
      entry = { uuid: row._uuid as string as Uuid<"Load_Balancer">, switches: noMembers(), routers: noMembers(), switchGroup: undefined, routerGroup: undefined };
      this.#entries.set(row._uuid, entry);
    }
    return entry;
  }
}
