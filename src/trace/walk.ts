/** What the parts of a trace share: where they are, what they may ask, and how they go on. */
import type { LogicalAction, Pipeline } from "../logical/index.ts";
import type { TraceDatapath, TraceModel } from "./model.ts";
import type { TraceNode } from "./node.ts";
import type { PacketFlow } from "./packet-flow.ts";

export interface TraceOptions {
  /** --ct: what the next conntrack lookups say; then "est|trk". */
  readonly ctStates: readonly bigint[];
  /** --lb-dst: which backend the next load balancer takes. */
  readonly loadBalancerDestination: { readonly family: 4 | 6; readonly ip: bigint; readonly port: number } | undefined;
  /** --select-id: which member a `select` takes. */
  readonly selectId: number | undefined;
  /** --friendly-names */
  readonly friendlyNames: boolean;
  /** From 0 to `limit` - 1, for choices that nothing decides. */
  random(limit: number): number;
  /** Something in the database is odd. */
  warn(text: string): void;
}

/** A place in a pipeline, with the packet as it is there. */
export interface Place {
  readonly datapath: TraceDatapath;
  /** Actions change it, and those after them see it so. */
  readonly flow: PacketFlow;
  readonly table: number;
  readonly pipeline: Pipeline;
  /** Where what happens is noted. */
  readonly out: TraceNode[];
}

export interface Walk {
  readonly model: TraceModel;
  readonly options: TraceOptions;
  /** Runs the packet from a table on. */
  trace(datapath: TraceDatapath, flow: PacketFlow, table: number, pipeline: Pipeline, out: TraceNode[]): void;
  run(actions: readonly LogicalAction[], place: Place): void;
  lookupPort(datapath: TraceDatapath, name: string): number | undefined;
  /** What the next conntrack lookup says, and whether that is only assumed. */
  nextCtState(): { readonly state: bigint; readonly comment: string };
  /** --lb-dst, unless it has been used. */
  readonly loadBalancer: LoadBalancerChoice;
  /** --follow: zones in which a packet goes on that leaves by a remote port. */
  readonly otherZones: readonly OtherZone[];
}

export interface OtherZone {
  readonly name: string;
  readonly walk: Walk;
}

export interface LoadBalancerChoice {
  wanted: TraceOptions["loadBalancerDestination"];
}
