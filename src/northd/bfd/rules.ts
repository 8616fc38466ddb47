/** The rules of BFD sessions. */
import { rule, type Rule } from "../../engine/index.ts";
import type { Topology } from "../topology/topology.ts";
import { sessionOfRoute } from "../topology/routes.ts";
import { sessions } from "./sessions.ts";
import { BfdUse } from "./users.ts";

const usersAmongRoutes = rule("bfd-of-static-route", (t: Topology) => t.staticRoutes, function* (_, route) {
  const session = sessionOfRoute(route);
  if (session !== undefined) yield BfdUse({ session: session._uuid, user: route.row._uuid });
});

export const bfdRules: readonly Rule<Topology>[] = [sessions, usersAmongRoutes];
