/** All rules, in the order of work: what others wait for first. Each of them is a file of its own, named for its stage or its table. */
import type { Rule } from "../engine/index.ts";
import { accessRules, accessUses } from "./access/rules.ts";
import { balancerUsesRules, balancingRules } from "./balancing/rules.ts";
import { bfdRules } from "./bfd/rules.ts";
import { dynamicRoutingRules } from "./dynamic-routing/rules.ts";
import { addressUseOfPort, macUseOfRouterPort } from "./ipam/address-use.ts";
import { mirrorPorts, mirrors } from "./mirroring/mirror-rows.ts";
import { joinedGroupRules } from "./multicast/joined-groups.ts";
import { membershipRules } from "./multicast/memberships.ts";
import { activeFunctions, monitorsOfFunctions } from "./network-functions/health.ts";
import { gatewayFeedback, portFeedback, tagRequests } from "./nb-feedback/port-feedback.ts";
import { admissionOfPort, admissionOfRouter } from "./router/lr-admission.ts";
import { dhcpRelayRules } from "./router/lr-dhcp-relay.ts";
import { arpRequests } from "./router/lr-arp-request.ts";
import { arpResolveDefaults, neighbouringRouters, neighboursOnSwitches } from "./router/lr-arp-resolve.ts";
import { bfdPackets } from "./router/lr-bfd.ts";
import { packetLengthDefaults, packetLengths } from "./router/lr-chk-pkt-len.ts";
import { delivery, deliveryDefaults } from "./router/lr-delivery.ts";
import { gatewayRedirect, redirectDefaults } from "./router/lr-gw-redirect.ts";
import { ipInputOfRouter, ownDestinations } from "./router/lr-ip-input.ts";
import { ipv4Input } from "./router/lr-ip-input-v4.ts";
import { ipv6Input } from "./router/lr-ip-input-v6.ts";
import { connectedRoutes, learnedRoutes, routeTables, type RoutingContext, routingDefaults, staticRoutes } from "./router/lr-ip-routing.ts";
import { neighborsOfPort, neighborsOfRouter } from "./router/lr-learn-neighbor.ts";
import { commitAll } from "./router/lr-commit-all.ts";
import { forcedPortAddresses, forcedSources } from "./router/lr-force-snat.ts";
import { addressTranslation, natDefaults } from "./router/lr-nat.ts";
import { filteredRedirects } from "./router/lr-nat-filters.ts";
import { routesToGateways, routesToTranslations } from "./router/lr-nat-routes.ts";
import { untranslatedDestinations } from "./router/lr-undnat.ts";
import { raDefaults, routerAdvertisements } from "./router/lr-nd-ra.ts";
import { networkIdDefaults, networkIds } from "./router/lr-network-id.ts";
import { policyRules } from "./router/lr-policy.ts";
import { arpDefaults, arpResponder } from "./switch/ls-arp-rsp.ts";
import { portSecurityOfPort, portSecurityOfSwitch, tooBigErrors } from "./switch/ls-check-port-sec.ts";
import { dhcpDefaults, dhcpResponder } from "./switch/ls-dhcp.ts";
import { dnsResponder } from "./switch/ls-dns.ts";
import { externalPortDefaults, externalPorts } from "./switch/ls-external-port.ts";
import { fdbDefaults, fdbLearning } from "./switch/ls-fdb.ts";
import { broadcastAndMulticast, unicastDestinations, unknownDestinations } from "./switch/ls-l2-lkup.ts";
import { forwardingGroups } from "./switch/ls-forwarding-group.ts";
import { mirrorFlows } from "./switch/ls-mirror.ts";
import { qosRules } from "./switch/ls-qos.ts";
import { translatedAddresses } from "./switch/ls-nat.ts";
import { networkFunctionRules } from "./switch/ls-network-function.ts";
import { addressSets, monitorAddressSet, portGroupAddressSets } from "./sync/address-sets.ts";
import { type CopyContext, dns, meters, staticMacBindings, templates } from "./sync/copied-rows.ts";
import { boundRouters, boundSwitches } from "./sync/datapath-bindings.ts";
import { type GlobalContext, northboundGlobals, southboundGlobals } from "./sync/globals.ts";
import { agingRules } from "./sync/aging.ts";
import { nexthopRules } from "./sync/ecmp-nexthops.ts";
import { type GroupContext, groupReferences, groupRows, groupsOfExternalPorts, groupsOfGateways } from "./sync/ha-chassis-groups.ts";
import { ipMulticast, routerGroups, switchGroups } from "./sync/multicast-groups.ts";
import { rbac } from "./sync/rbac.ts";
import { routerPortBindings } from "./sync/router-port-bindings.ts";
import { staleFdb, staleIgmpGroups, staleMacBindings, type StaleContext } from "./sync/stale-rows.ts";
import { dhcpOptions } from "./sync/supported-options.ts";
import { switchPortBindings } from "./sync/switch-port-bindings.ts";
import { policyFacts } from "./topology/policies.ts";
import { routedThings } from "./topology/route-numbers.ts";
import { zoneSettings } from "./topology/settings.ts";
import type { Topology } from "./topology/topology.ts";

/** Numbers and addresses first, since flows and rows have them in them. */
export const bindingRules: readonly Rule<Topology>[] = [
  zoneSettings, ...bfdRules, boundSwitches, boundRouters, addressUseOfPort, macUseOfRouterPort, tagRequests, groupsOfGateways, groupsOfExternalPorts,
  ...accessUses, ...balancerUsesRules, mirrors, switchPortBindings, mirrorPorts, routerPortBindings, ...membershipRules, ...joinedGroupRules, switchGroups, routerGroups, ipMulticast, ...routedThings, ...policyFacts, ...dynamicRoutingRules, ...nexthopRules, ...agingRules,
  addressSets, monitorAddressSet, portGroupAddressSets, dhcpOptions, rbac, portFeedback, gatewayFeedback, activeFunctions, monitorsOfFunctions,
];

export const switchRules: readonly Rule<Topology>[] = [
  portSecurityOfSwitch, portSecurityOfPort, tooBigErrors, fdbDefaults, fdbLearning, ...accessRules, ...balancingRules,
  ...qosRules, ...mirrorFlows, forwardingGroups, ...networkFunctionRules, arpDefaults, arpResponder, dhcpDefaults, dhcpResponder, dnsResponder,
  externalPortDefaults, externalPorts, broadcastAndMulticast, unicastDestinations, unknownDestinations, translatedAddresses,
];

export const routerRules: readonly Rule<Topology>[] = [
  admissionOfRouter, admissionOfPort, neighborsOfRouter, neighborsOfPort, ipInputOfRouter, ownDestinations, ipv4Input, ipv6Input, natDefaults,
  addressTranslation, untranslatedDestinations, commitAll, forcedSources, forcedPortAddresses, filteredRedirects, routesToTranslations, routesToGateways,
  raDefaults, routerAdvertisements, routingDefaults, connectedRoutes, bfdPackets, ...dhcpRelayRules, ...policyRules, arpResolveDefaults, neighbouringRouters,
  neighboursOnSwitches, packetLengthDefaults, packetLengths, redirectDefaults, gatewayRedirect, networkIdDefaults, networkIds, arpRequests,
  deliveryDefaults, delivery,
];

export type ZoneContext = RoutingContext & GroupContext & CopyContext & StaleContext & GlobalContext;

/** Those that look things up in indexes of their own. */
export const zoneRules: readonly Rule<ZoneContext>[] = [
  groupReferences, groupRows, routeTables, staticRoutes, learnedRoutes, dns, staticMacBindings, meters, templates, staleMacBindings, staleFdb, staleIgmpGroups,
  southboundGlobals, northboundGlobals,
];
