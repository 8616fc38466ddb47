/**
 * Sequence numbers: `ovn-ic-nbctl --wait=sb` raises IC_NB_Global.nb_ic_cfg; each zone follows in its own row when what it has
 * to write is written; the zone that finds all others level says so in IC_SB_Global and IC_NB_Global.
 *
 * A zone takes the new number at once, where ovn-ic counts up to it one transaction at a time, and, having forgotten the
 * number when it is restarted, from zero.
 */
import { untracked } from "../engine/index.ts";
import type { Counter, Transaction } from "../ovsdb/index.ts";
import type { icNorthbound, icSouthbound } from "../schemas/index.ts";
import type { IcNb, IcSb, Zone } from "./zone.ts";

const first = <T>(rows: Iterable<T>): T | undefined => {
  for (const row of rows) return row;
  return undefined;
};

interface Standing {
  readonly wanted: Counter;
  readonly own: IcSb<"Availability_Zone"> | undefined;
  readonly north: IcNb<"IC_NB_Global"> | undefined;
  readonly south: IcSb<"IC_SB_Global"> | undefined;
  readonly isLevel: boolean;
}

function standing(zone: Zone): Standing {
  return untracked(() => {
    const north = first(zone.icNb.tables.IC_NB_Global);
    const south = first(zone.icSb.tables.IC_SB_Global);
    const wanted = north?.nb_ic_cfg ?? 0;
    const isLevel = [...zone.icSb.tables.Availability_Zone].every((row) => row.nb_ic_cfg === wanted);
    return { wanted, own: zone.icSb.tables.Availability_Zone.get(zone.self.get()), north, south, isLevel };
  });
}

/** `isSettled`: all that the zone wished for is in the databases. */
export function followInIcSb(zone: Zone, transaction: Transaction<typeof icSouthbound>, isSettled: boolean): void {
  const { wanted, own, north, south, isLevel } = standing(zone);
  if (own === undefined || north === undefined) return;
  if (south === undefined) transaction.insert("IC_SB_Global", {});
  if (own.nb_ic_cfg !== wanted && isSettled) transaction.update(own, { nb_ic_cfg: wanted });
  else if (isLevel && south !== undefined && south.nb_ic_cfg !== wanted) transaction.update(south, { nb_ic_cfg: wanted });
}

export function followInIcNb(zone: Zone, transaction: Transaction<typeof icNorthbound>): void {
  const { wanted, own, north, south, isLevel } = standing(zone);
  if (own === undefined) return;
  if (north === undefined) transaction.insert("IC_NB_Global", {});
  else if (isLevel && south?.nb_ic_cfg === wanted && north.sb_ic_cfg !== wanted) transaction.update(north, { sb_ic_cfg: wanted });
}
