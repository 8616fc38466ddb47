/**
 * Which prefixes may be advertised and learned: ovn-nb(5), NB_Global options ic-route-*, and the lists on routers and their
 * transit ports. Lists add up; an empty list of what is allowed allows everything.
 */
import { derived } from "../engine/index.ts";
import { contains, parsePrefix, type Prefix } from "../net/index.ts";
import { isLinkLocal } from "./transit-port.ts";
import { isOn, type Nb, type Zone, zoneOptions } from "./zone.ts";

export type Direction = "adv" | "learn";

export interface Lists {
  readonly allowed: readonly Prefix[];
  readonly hasAllowed: boolean;
  readonly denied: readonly Prefix[];
}

const split = (list: string | undefined): readonly string[] => (list ?? "").split(",").map((item) => item.trim()).filter((item) => item !== "");

const prefixes = (items: readonly string[]): readonly Prefix[] => items.map(parsePrefix).filter((p) => p !== undefined);

/** The lists in force for one router behind one of its transit ports. */
export const listsOf = derived(
  "route lists",
  (router: Nb<"Logical_Router">, port: Nb<"Logical_Router_Port"> | undefined, zone: Zone, direction: Direction): Lists => {
    const both = (key: string): string[] => [...split(port?.options.get(key)), ...split(router.options.get(key))];
    const global = zoneOptions(zone);
    const denied = [...both(`ic-route-deny-${direction}`), ...split(global.get("ic-route-denylist") || global.get("ic-route-blacklist"))];
    const allowed = both(`ic-route-filter-${direction}`);
    return { allowed: prefixes(allowed), hasAllowed: allowed.length > 0, denied: prefixes(denied) };
  },
);

/** 192.168.0.0/17 belongs to 192.168.0.0/16, not the other way round. */
const belongs = (prefix: Prefix, list: readonly Prefix[]): boolean => list.some((item) => prefix.length >= item.length && contains(item, prefix));

/** What holds in both directions, and the switches of NB_Global. */
export function isWanted(
  zone: Zone, direction: Direction, prefix: Prefix, router: Nb<"Logical_Router">, port: Nb<"Logical_Router_Port"> | undefined,
): boolean {
  const options = zoneOptions(zone);
  if (!isOn(options, `ic-route-${direction}`)) return false;
  if (prefix.length === 0 && !isOn(options, `ic-route-${direction}-default`)) return false;
  if (isLinkLocal(prefix)) return false;
  const { allowed, hasAllowed, denied } = listsOf(router, port, zone, direction);
  return !belongs(prefix, denied) && (!hasAllowed || belongs(prefix, allowed));
}
