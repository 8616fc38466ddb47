/** Meter rows for fair meters: each access control list that logs by one gets a meter of its own, of the same bands. */
import { rule } from "../../engine/index.ts";
import { sharesFairly } from "../access/acl-log.ts";
import { meterNamed, shareOf } from "../topology/meters.ts";
import type { Topology } from "../topology/topology.ts";
import { meterRows } from "./copied-rows.ts";

export const meterShares = rule("meter-shares", (t: Topology) => t.nb.ACL, function* (t, acl) {
  const meter = acl.meter === undefined || !sharesFairly(t, acl) ? undefined : meterNamed(t, acl.meter);
  if (meter !== undefined) yield* meterRows(t, meter, shareOf(meter.name, acl));
});
