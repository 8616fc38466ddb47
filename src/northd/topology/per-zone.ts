/** What there is one of in a zone and who needs it makes for himself: collections and indexes over the topology. */
import type { Topology } from "./topology.ts";

/** A function like `make` that makes one for each zone. To be asked by the source of a rule first: there nothing is computed yet. */
export function perZone<V>(make: (t: Topology) => V): (t: Topology) => V {
  const made = new WeakMap<Topology, { readonly value: V }>();
  return (t) => {
    let one = made.get(t);
    if (one === undefined) {
      one = { value: make(t) };
      made.set(t, one);
    }
    return one.value;
  };
}
