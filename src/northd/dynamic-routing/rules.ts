/** The rules of dynamic routing: what is told to routers outside, and what was learned from them. */
import type { Rule } from "../../engine/index.ts";
import type { Topology } from "../topology/topology.ts";
import { advertisedMacRules } from "./advertised-mac-bindings.ts";
import { advertisedRouteRules } from "./advertised-routes.ts";
import { learnedRouteRules } from "./learned-routes.ts";
import { protocolRedirects } from "./protocol-redirect.ts";

export const dynamicRoutingRules: readonly Rule<Topology>[] = [...learnedRouteRules, ...advertisedRouteRules, ...advertisedMacRules, protocolRedirects];
