/** Limits of conntrack zones, as the datapath's rows have them; those that a command has set stay. */
import type { Replica, RowOf } from "../ovsdb/index.ts";
import type { openVSwitch } from "../schemas/index.ts";
import type { ZoneLimits } from "./conntrack/zone-limits.ts";

type Schema = typeof openVSwitch;

export class ZoneLimitRows {
  readonly #replica: Replica<Schema>;
  readonly #limits: ZoneLimits;
  #zones: ReadonlySet<number> = new Set();
  #hasDefault = false;

  constructor(replica: Replica<Schema>, limits: ZoneLimits) {
    this.#replica = replica;
    this.#limits = limits;
  }

  apply({ datapaths }: RowOf<Schema, "Open_vSwitch">): void {
    const { tables } = this.#replica;
    const wanted = new Map<number, number>();
    let byDefault: number | undefined;
    for (const uuid of datapaths.values()) {
      const datapath = tables.Datapath.get(uuid);
      byDefault ??= datapath?.ct_zone_default_limit;
      for (const [zone, row] of datapath?.ct_zones ?? []) {
        const limit = tables.CT_Zone.get(row)?.limit;
        if (limit !== undefined) wanted.set(zone, limit);
      }
    }
    for (const zone of this.#zones) if (!wanted.has(zone)) this.#limits.delete(zone);
    for (const [zone, limit] of wanted) this.#limits.set(zone, limit);
    if (byDefault !== undefined || this.#hasDefault) this.#limits.default = byDefault;
    this.#zones = new Set(wanted.keys());
    this.#hasDefault = byDefault !== undefined;
  }
}
