/** Who relies on a BFD session: facts of static routes and of policies. */
import { relation } from "../../engine/index.ts";
import { perZone } from "../topology/per-zone.ts";
import type { Topology } from "../topology/topology.ts";

export interface BfdUse {
  /** Row of BFD. */
  readonly session: string;
  /** Row of Logical_Router_Static_Route or Logical_Router_Policy. */
  readonly user: string;
}

export const BfdUse = relation<BfdUse>("users of BFD", ({ session, user }) => `${session} ${user}`);

export const users = perZone((t: Topology) => t.engine.index("users of BFD by session", t.engine.facts(BfdUse), (use: BfdUse) => [use.session]));

export const hasUser = (t: Topology, session: string): boolean => users(t).first(session) !== undefined;
