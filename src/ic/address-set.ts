/**
 * Address sets across zones: a set with `options:ic-adv` is announced where NB_Global has `ic-as-adv`; with `ic-as-learn` the
 * sets of the other zones are learned, those of one name as one set. A set of the zone's own is left as it is.
 */
import { type Index, rule } from "../engine/index.ts";
import { entries } from "../ovsdb/index.ts";
import { LearnedAddressSet, ownZone, WantedIcAddressSet } from "./wishes.ts";
import { type IcSb, isOn, isOwn, type Nb, type Zone, zoneName, zoneOptions } from "./zone.ts";

export interface AddressSets {
  readonly zone: Zone;
  readonly remote: Index<string, IcSb<"Address_Set">>;
  readonly local: Index<string, Nb<"Address_Set">>;
}

const isLearned = (row: Nb<"Address_Set">): boolean => isOn(row.external_ids, "ic-learnt");

export const indexAddressSets = (zone: Zone): AddressSets => ({
  zone,
  remote: zone.engine.index("remote address sets", zone.icSb.tables.Address_Set, (row) => (isOwn(zone, row) ? [] : [row.name])),
  local: zone.engine.index("local address sets", zone.nb.tables.Address_Set, (row) => (isLearned(row) ? [] : [row.name])),
});

export const announcedAddressSet = rule("announced-address-set", ({ zone }: AddressSets) => zone.sb.tables.Address_Set, function* ({ zone }, { name, addresses, options }) {
  if (zoneName(zone) === "" || !isOn(zoneOptions(zone), "ic-as-adv") || !isOn(options, "ic-adv")) return;
  yield WantedIcAddressSet({ key: name, initial: { name, availability_zone: ownZone }, columns: { addresses } });
});

export const learnedAddressSet = rule("learned-address-set", ({ remote }: AddressSets) => remote.keys, function* ({ zone, remote, local }, name) {
  if (zoneName(zone) === "" || !isOn(zoneOptions(zone), "ic-as-learn") || local.first(name) !== undefined) return;
  const addresses = new Set<string>();
  for (const row of remote.get(name)) for (const address of row.addresses) addresses.add(address);
  yield LearnedAddressSet({ key: name, initial: { name }, columns: { addresses, external_ids: entries({ "ic-learnt": "true" }) } });
});

export const identifyIcAddressSet = (zone: Zone) => (row: IcSb<"Address_Set">): string | undefined => (isOwn(zone, row) ? row.name : undefined);

export const identifyLearnedAddressSet = (row: Nb<"Address_Set">): string | undefined => (isLearned(row) ? row.name : undefined);
