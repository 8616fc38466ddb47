/** What the explanation of a route stands on: a zone's databases, and commands on its nodes and routers. */
import type { Replica } from "../../ovsdb/index.ts";
import type { northbound, southbound } from "../../schemas/index.ts";
import type { CommandResult } from "../script/run.ts";
import type { Topology } from "../topology/topology.ts";

export type Northbound = Replica<typeof northbound>["tables"];
export type Southbound = Replica<typeof southbound>["tables"];

export interface RoutePlace {
  readonly topology: Topology;
  readonly nb: Northbound;
  readonly sb: Southbound;
  /** A command line of ovn-nbctl or ovn-sbctl. */
  runCtl(argv: readonly string[]): Promise<CommandResult>;
  /** A command on a node or router. */
  runOn(name: string, argv: readonly string[]): Promise<CommandResult>;
}
