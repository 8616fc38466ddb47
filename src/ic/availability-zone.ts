/**
 * Availability_Zone: a zone with a name has a row in IC-SB. A zone that changes its name renames its row, and one that loses
 * it takes the row away, with everything that refers to it: no other rule wishes for anything then, and all goes at once.
 */
import { rule } from "../engine/index.ts";
import { self, WantedZone } from "./wishes.ts";
import { type IcSb, type Zone, zoneName } from "./zone.ts";

export const availabilityZone = rule("availability-zone", (zone: Zone) => zone.nb.tables.NB_Global, function* (_, global) {
  if (global.name !== "") yield WantedZone({ key: self, columns: { name: global.name } });
});

export const identifyZone = (zone: Zone) => (row: IcSb<"Availability_Zone">): string | undefined =>
  row._uuid === zone.self.get() || (zone.self.get() === undefined && row.name === zoneName(zone)) ? self : undefined;

/** Which row is the zone's own: the one of its name, or the one it had before its name changed. */
export function adoptOwnRow(zone: Zone): void {
  const own = zone.self.get();
  const name = zoneName(zone);
  const stillThere = zone.icSb.tables.Availability_Zone.get(own);
  // A row of another name stays ours only for as long as it takes to rename it.
  if (stillThere !== undefined && (name === "" || stillThere.name === name || zone.zoneByName.first(name) === undefined)) return;
  zone.self.set(name === "" ? undefined : zone.zoneByName.first(name)?._uuid);
}
