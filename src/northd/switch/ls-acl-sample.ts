/** ls_in_acl_sample, ls_in_acl_after_lb_sample, ls_out_acl_sample: samples of what access control lists have decided. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut, type Stage } from "../../logical/index.ts";
import { type Collector, collectorsOf, observationStage, type Sample, sampleOf, samplingDomain } from "../access/acl-sample.ts";
import { type Acl, type AclPlace, hasStatefulAcls, placeOf } from "../access/acl-use.ts";
import { type Actions, actions, match } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { reg } from "../registers.ts";
import { chassisFeatures } from "../topology/settings.ts";
import type { LogicalSwitch, Topology } from "../topology/topology.ts";

const stageAt: { readonly [place in AclPlace]: Stage } = {
  "from-lport": lsIn.aclSample, "from-lport-after-lb": lsIn.aclAfterLbSample, "to-lport": lsOut.aclSample,
};

/** Replies pass through the other pipeline, with the zone of the same port. */
const replyStage = (stage: Stage): Stage => (stage === lsOut.aclSample ? lsIn.aclSample : lsOut.aclSample);

export const aclSampleDefaults = rule("ls-acl-sample-defaults", (t: Topology) => t.switches, function* (_, owner) {
  for (const stage of Object.values(stageAt)) yield passByDefault(owner, stage);
});

/** The flows of one list. */
export function* samplesOf(t: Topology, owner: LogicalSwitch, acl: Acl) {
  const fresh = sampleOf(t, acl, "new");
  const established = sampleOf(t, acl, "established");
  const isStateful = hasStatefulAcls(owner);
  if (fresh === undefined && !(isStateful && established !== undefined && acl.action === "allow-related")) return;
  const isTracked = isStateful && acl.action !== "allow-stateless";
  const single = (sample: Sample | undefined): Collector | undefined => {
    const [only, another] = sample === undefined || !chassisFeatures(t).sample_with_reg ? [] : collectorsOf(t, sample);
    return another === undefined ? only : undefined;
  };
  const [freshOnly, establishedOnly] = [single(fresh), single(established)];
  if (freshOnly !== undefined) yield newByRegisters(t, owner, acl, freshOnly, isTracked);
  else if (fresh !== undefined) yield newOfList(t, owner, acl, fresh, isTracked);
  if (!isTracked) return;
  if (establishedOnly !== undefined) yield* establishedByMark(t, owner, acl, establishedOnly);
  else if (established !== undefined) yield* establishedOfList(t, owner, acl, established);
}

/** A packet to a port may have lost what the tracker said of it: it counts as new. */
const newConnections = (stage: Stage, isTracked: boolean): string =>
  !isTracked ? "ip" : stage === lsOut.aclSample ? "ip && (ct.new || !ct.trk)" : "ip && ct.new";

/** Serves all lists with this collector: the point is in a register. */
function newByRegisters(t: Topology, owner: LogicalSwitch, acl: Acl, collector: Collector, isTracked: boolean) {
  const place = placeOf(acl);
  const stage = stageAt[place];
  const seen = match`${newConnections(stage, isTracked)} && ${reg.obsCollectorNew} == ${collector.id} && ${reg.obsStage} == ${observationStage[place]}`;
  return lflow(owner, stage, isTracked ? 1000 : 900, seen, sampled(collector, samplingDomain(t, "acl-new"), reg.obsPointNew));
}

function* establishedByMark(t: Topology, owner: LogicalSwitch, acl: Acl, collector: Collector) {
  const place = placeOf(acl);
  const stage = stageAt[place];
  const known = "flags.pkt_sampled == 0 && ip && ct.trk && (ct.est || ct.rel) && ct_label.obs_unused == 0 && ";
  const take = sampled(collector, samplingDomain(t, "acl-est"), "ct_label.obs_point_id");
  const request = match`${known}!ct.rpl && ct_mark.obs_collector_id == ${collector.id} && ct_mark.obs_stage == ${observationStage[place]}`;
  yield lflow(owner, stage, 1000, request, take);
  yield lflow(owner, replyStage(stage), 1000, match`${known}ct.rpl && ct_mark.obs_collector_id == ${collector.id}`, take);
}

const sampled = ({ probability, set_id: set }: Collector, domain: number, point: string): Actions =>
  actions`flags.pkt_sampled = 1; sample(probability=${probability},collector_set=${set},obs_domain=${domain},obs_point=${point}); next;`;

function newOfList(t: Topology, owner: LogicalSwitch, acl: Acl, sample: Sample, isTracked: boolean) {
  const stage = stageAt[placeOf(acl)];
  const seen = match`${newConnections(stage, isTracked)} && ${reg.obsPointNew} == ${pointOf(acl, sample)}`;
  return lflow(owner, stage, 1100, seen, sampledByAll(t, acl, sample, samplingDomain(t, "acl-new")));
}

function* establishedOfList(t: Topology, owner: LogicalSwitch, acl: Acl, sample: Sample) {
  const stage = stageAt[placeOf(acl)];
  const take = sampledByAll(t, acl, sample, samplingDomain(t, "acl-est"));
  // The whole label is matched: hardware may not look at part of it.
  const label = `ct_label.obs_point_id == ${pointOf(acl, sample)} && ct_label.obs_unused == 0`;
  const known = "flags.pkt_sampled == 0 && ip && ct.trk && (ct.est || ct.rel) && ";
  yield lflow(owner, stage, 1200, match`${known}!ct.rpl && ${label}`, take);
  yield lflow(owner, replyStage(stage), 1200, match`${known}ct.rpl && ${label}`, take);
}

const pointOf = (acl: Acl, sample: Sample): number => (acl.label !== 0 ? acl.label : sample.metadata);

function sampledByAll(t: Topology, acl: Acl, sample: Sample, domain: number): Actions {
  // Without an application there is no domain to sample in, and nothing is done with the packet.
  if (domain === 0) return actions``;
  const collectors = collectorsOf(t, sample);
  const samples = collectors.map(({ probability, set_id: set }) =>
    `sample(probability=${probability},collector_set=${set},obs_domain=${acl.label !== 0 ? 0 : domain},obs_point=${pointOf(acl, sample)});`);
  return actions`${collectors.length > 0 ? "flags.pkt_sampled = 1; " : ""}${samples.join("")} next;`;
}
