/**
 * Logical flows as facts. Each is yielded by a rule for one datapath; flows of several datapaths that are alike in everything
 * but the datapath become one row of Logical_Flow (sync/logical-flows.ts).
 */
import { relation, type Yield } from "../engine/index.ts";
import type { Stage } from "../logical/index.ts";
import { type Actions, everything, type Match, next } from "./flow-text.ts";
import type { FlowContent } from "./topology/flow-contents.ts";
import { meterNamed } from "./topology/meters.ts";
import { dropActions } from "./topology/settings.ts";
import type { Datapath } from "./topology/topology.ts";

/** What packets to the controller are counted and limited as (ovn-nb(5), Copp). */
export type ControlProtocol =
  | "arp" | "arp-resolve" | "bfd" | "dhcpv4-opts" | "dhcpv4-relay" | "dhcpv6-opts" | "dns" | "event-elb" | "icmp4-error" | "icmp6-error" | "igmp" | "nd-na" | "nd-ns"
  | "nd-ns-resolve" | "nd-ra-opts" | "reject" | "svc-monitor" | "tcp-reset";

export interface FlowDetails {
  /** The port that the match names: lets a chassis skip flows of ports that are not its own. */
  readonly ioPort?: string;
  /** The row of the northbound database behind the flow. */
  readonly hint?: { readonly _uuid: string };
  readonly protocol?: ControlProtocol;
  readonly description?: string;
  /** Ports in the match are those that the connection tracker knows of the packet: a fragment has none itself. */
  readonly matchesTrackedPorts?: boolean;
}

export interface Lflow {
  readonly datapath: Datapath;
  readonly content: FlowContent;
  readonly details: FlowDetails;
}

export const Lflow = relation<Lflow>("Lflow", ({ datapath, content }) => `${content.id} ${datapath.row._uuid}`);

const noDetails: FlowDetails = {};

export function lflow(datapath: Datapath, stage: Stage, priority: number, match: Match, actions: Actions, details: FlowDetails = noDetails): Yield {
  const content = datapath.topology.flowContents.of(stage, priority, match, actions, meterOf(datapath, details.protocol), details.matchesTrackedPorts ?? false);
  return Lflow({ datapath, content, details });
}

/** Lets every packet on that nothing else in the stage has matched. */
export const passByDefault = (datapath: Datapath, stage: Stage): Yield => lflow(datapath, stage, 0, everything, next);

export const dropByDefault = (datapath: Datapath, stage: Stage): Yield => lflow(datapath, stage, 0, everything, dropActions(datapath.topology));

/** The meter that the datapath's control-plane protection names for the protocol, if there is such a meter. */
function meterOf(datapath: Datapath, protocol: ControlProtocol | undefined): string | undefined {
  if (protocol === undefined || datapath.row.copp === undefined) return undefined;
  const { nb } = datapath.topology;
  const name = nb.Copp.get(datapath.row.copp)?.meters.get(protocol);
  return name === undefined || meterNamed(datapath.topology, name) === undefined ? undefined : name;
}
