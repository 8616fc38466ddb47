/** All rules of a chassis, in the order in which they are worked off. */
import type { Rule } from "../engine/index.ts";
import { agingThresholds } from "./aging.ts";
import { announcements } from "./announcements.ts";
import { aliveChassis, bfdSettings, watchedChassis } from "./bfd.ts";
import { bindings, interfaceMarks } from "./bindings.ts";
import { delegationReports, wantedPrefixes } from "./delegation/wanted-prefixes.ts";
import { wantedMeters } from "./extension-tables.ts";
import { datapathInterest, interfaceInterest, standingInterest } from "./interest.ts";
import { addressWrites, neighborWrites, timestampWrites } from "./learning.ts";
import { hairpinFlows } from "./load-balancers.ts";
import { localDatapaths } from "./local-datapaths.ts";
import { localFlows, logicalFlows } from "./logical-flows.ts";
import { configurationReport } from "./nb-cfg.ts";
import { fdbFlows, learnedNeighborFlows, staticNeighborFlows } from "./neighbors.ts";
import { staleMirrors, wantedMirrors } from "./mirrors.ts";
import { bfdReports, watchedPeers } from "./monitors/bfd-sessions.ts";
import { monitoredServices, serviceReports } from "./monitors/monitored-service.ts";
import { nextHopRequests } from "./next-hop-requests.ts";
import type { Node } from "./node.ts";
import { eventWrites } from "./packet-in/controller-events.ts";
import { missingPatchPorts, stalePatchPorts, wishedPatchPorts } from "./patch-ports.ts";
import { activationReports } from "./physical/activation.ts";
import { fixedFlows } from "./physical/fixed-flows.ts";
import { chassisMacFlows } from "./physical/localnet.ts";
import { multicastFlows } from "./physical/multicast.ts";
import { portFlows } from "./physical/port-flows.ts";
import { floodFlow, tunnelFlows } from "./physical/tunnel-flows.ts";
import { portQueues, wantedQueues } from "./port-queues.ts";
import { portSecurityFlows } from "./port-security.ts";
import { registration } from "./registration.ts";
import { periodicAdvertisements } from "./router-advertisements.ts";
import { wishedSharedTunnels } from "./shared-tunnels.ts";
import { groupWrites, staleGroups } from "./snooping/igmp-groups.ts";
import { snoopedSwitches } from "./snooping/snooped-switches.ts";
import { aclConnections, balancedConnections, ecmpConnections } from "./tracked-connections.ts";
import { tunnelPorts, tunnelsUp, wishedTunnels } from "./tunnels.ts";
import { wantedRoutes } from "./route-exchange/advertised-routes.ts";
import { exchangeTables } from "./route-exchange/exchange-ports.ts";
import { missingLearnedRoutes, staleLearnedRoutes, wishedLearnedRoutes } from "./route-exchange/learned-routes.ts";
import { virtualBindings } from "./virtual-ports.ts";
import { liftedLimits, zoneLimits } from "./zone-limits.ts";
import { datapathZones, portZones, staleZoneRecords, zoneRanges, zoneRecords } from "./zones-in-bridge.ts";

export const rules: readonly Rule<Node>[] = [
  registration, tunnelsUp, wishedTunnels, wishedSharedTunnels, tunnelPorts, watchedChassis, bfdSettings, aliveChassis, localDatapaths, bindings, interfaceMarks,
  zoneRanges, portZones, datapathZones, zoneRecords, staleZoneRecords, zoneLimits, liftedLimits,
  standingInterest, datapathInterest, interfaceInterest,
  wishedPatchPorts, missingPatchPorts, stalePatchPorts, wantedMirrors, staleMirrors, wantedQueues, portQueues,
  localFlows, logicalFlows, wantedMeters, learnedNeighborFlows, staticNeighborFlows, fdbFlows, portSecurityFlows, hairpinFlows, balancedConnections, ecmpConnections, aclConnections,
  fixedFlows, portFlows, multicastFlows, tunnelFlows, floodFlow, chassisMacFlows,
  watchedPeers, bfdReports, monitoredServices, serviceReports, wantedPrefixes, delegationReports, snoopedSwitches, groupWrites, staleGroups,
  agingThresholds, neighborWrites, addressWrites, timestampWrites, eventWrites, activationReports, virtualBindings, announcements, nextHopRequests, periodicAdvertisements, configurationReport,
  exchangeTables, wantedRoutes, wishedLearnedRoutes, missingLearnedRoutes, staleLearnedRoutes,
];
