/**
 * Sampling of what access control lists decide (ovn-nb(5), Sample, Sample_Collector, Sampling_App). A packet carries the point
 * of observation in registers to the stages that sample; a connection carries it in its label.
 */
import { derived } from "../../engine/index.ts";
import { bit, reg } from "../registers.ts";
import type { NbRow, Topology } from "../topology/topology.ts";
import { type Acl, type AclPlace, placeOf } from "./acl-use.ts";

export type Sample = NbRow<"Sample">;
export type Collector = NbRow<"Sample_Collector">;

/** As ct_mark.obs_stage has it. */
export const observationStage: { readonly [place in AclPlace]: number } = { "from-lport": 0, "from-lport-after-lb": 1, "to-lport": 2 };

export const sampleOf = (t: Topology, acl: Acl, which: "new" | "established"): Sample | undefined =>
  t.nb.Sample.get(which === "new" ? acl.sample_new : acl.sample_est);

export function collectorsOf(t: Topology, { collectors }: Sample): readonly Collector[] {
  return [...collectors].sort().flatMap((uuid) => t.nb.Sample_Collector.get(uuid) ?? []);
}

/** The observation domain of an application: 0 where it has none. */
export const samplingDomain = derived("sampling domain", (t: Topology, type: "acl-new" | "acl-est"): number => {
  for (const app of t.nb.Sampling_App) if (app.type === type) return app.id;
  return 0;
});

/** The only collector's number: a collector alone can be named by the flows that serve all lists. */
const collectorIdOf = (t: Topology, sample: Sample | undefined): number => {
  const [only, another] = sample === undefined ? [] : collectorsOf(t, sample);
  return only === undefined || another !== undefined ? 0 : only.id;
};

/** Puts into registers what is to be sampled: of new connections alone, or of established ones too. */
export function noteObservation(t: Topology, acl: Acl, which: "new" | "both"): string {
  const fresh = sampleOf(t, acl, "new");
  const established = which === "both" ? sampleOf(t, acl, "established") : undefined;
  if (acl.label === 0 && fresh === undefined && established === undefined) return "";
  const isLabelled = acl.label !== 0;
  const point = (sample: Sample | undefined): number => (isLabelled ? acl.label : (sample?.metadata ?? 0));
  const collector = (sample: Sample | undefined): number => (isLabelled ? 0 : collectorIdOf(t, sample));
  return [
    `${bit.aclLabel} = 1; ${reg.obsPointNew} = ${point(fresh)}; ${reg.obsPointEstablished} = ${point(established)}; `,
    `${reg.obsCollectorNew} = ${collector(fresh)}; ${reg.obsCollectorEstablished} = ${collector(established)}; ${reg.obsStage} = ${observationStage[placeOf(acl)]}; `,
  ].join("");
}
