/** Meters by name (ovn-nb(5), Meter). */
import { perZone } from "./per-zone.ts";
import type { NbRow, Topology } from "./topology.ts";

const metersByName = perZone((t: Topology) => t.engine.index("meters by name", t.nb.Meter, (meter: NbRow<"Meter">) => [meter.name]));

export const meterNamed = (t: Topology, name: string): NbRow<"Meter"> | undefined => metersByName(t).first(name);

/** What shares a fair meter gets a meter of its own, of the same bands: this is what it is called. */
export const shareOf = (meter: string, user: { readonly _uuid: string }): string => `${meter}__${user._uuid}`;
