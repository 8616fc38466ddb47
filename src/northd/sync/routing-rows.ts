/** Which rows of BFD, Advertised_Route, Advertised_MAC_Binding, ECMP_Nexthop and Mirror are northd's, and where the numbers of BFD sessions come from. */
import { untracked } from "../../engine/index.ts";
import type { Projector } from "../../ovsdb/index.ts";
import { BfdFeedback, existingSourcePort, firstSourcePort, sessionKey, SourcePortRequest, WishedBfd } from "../bfd/sessions.ts";
import { identifyAdvertisedMac, WishedAdvertisedMac } from "../dynamic-routing/advertised-mac-bindings.ts";
import { identifyAdvertisedRoute, WishedAdvertisedRoute } from "../dynamic-routing/advertised-routes.ts";
import { WishedMirror } from "../mirroring/mirror-rows.ts";
import { ActiveFunction } from "../network-functions/health.ts";
import type { Nb, Sb, Topology } from "../topology/topology.ts";
import { identifyNexthop, WishedNexthop } from "./ecmp-nexthops.ts";
import { KeyAllocator } from "./key-allocator.ts";

export function projectRoutingRows(p: Projector<Sb>, t: Topology): void {
  p.project("BFD", { relation: WishedBfd, identify: sessionKey });
  p.project("Mirror", { relation: WishedMirror, identify: (row) => row._uuid });
  p.project("ECMP_Nexthop", { relation: WishedNexthop, identify: (row) => identifyNexthop(t, row) });
  p.project("Advertised_Route", { relation: WishedAdvertisedRoute, identify: (row) => identifyAdvertisedRoute(t, row) });
  p.project("Advertised_MAC_Binding", { relation: WishedAdvertisedMac, identify: (row) => identifyAdvertisedMac(t, row) });
}

export function projectRoutingFeedback(p: Projector<Nb>): void {
  p.project("Network_Function_Group", { relation: ActiveFunction, owns: "columns", identify: (row) => row._uuid });
  p.project("BFD", { relation: BfdFeedback, owns: "columns", identify: (row) => row._uuid });
}

export function allocateSourcePorts(t: Topology): void {
  const ports = new KeyAllocator({
    what: "BFD source ports", min: firstSourcePort, policy: "lowest", warn: (text) => t.warn(text), conflict: () => undefined,
    existing: (_, key) => untracked(() => existingSourcePort(t, key)),
  });
  t.engine.sink(SourcePortRequest, ports);
  t.bfdSourcePorts = ports;
}
