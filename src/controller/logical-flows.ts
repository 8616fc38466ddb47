/**
 * Logical flows to OpenFlow: one instance of a rule for each Logical_Flow on each local datapath. It reads the ports, groups
 * and address sets that the flow names and no others, so that a change translates anew only what it concerns
 * (ovn-architecture(7); controller/lflow.c).
 */
import { relation, rule } from "../engine/index.ts";
import {
  type EncodeContext, encodeActions, evaluateConditions, evpnKeyFlag, type FlowMatch, type FlowMatches, normalize, openflowTables, outputInit, toMatches,
  withConjunctionId,
} from "../logical/index.ts";
import { type Action, field } from "../openflow/index.ts";
import { claimOf, isRelated } from "./claims.ts";
import { GroupUse, MeterUse } from "./extension-tables.ts";
import { datapathField, Flow, inportField, outportField } from "./flow.ts";
import { type DatapathUuid, type Node, portKey } from "./node.ts";
import { parsedFlow, type ParsedFlow } from "./parsed-flow.ts";
import { isResident, isSwitch, ourChassis, portNamed } from "./ports.ts";
import { cookieOf, type DatapathBinding, type LogicalFlow } from "./rows.ts";
import { tunnelTo } from "./tunnels.ts";

interface LocalFlow {
  readonly flow: LogicalFlow;
  readonly datapath: DatapathBinding;
}

export const LocalFlow = relation<LocalFlow>("LocalFlow", ({ flow, datapath }) => `${flow._uuid} ${datapath._uuid}`);

export const localFlows = rule("local-flows", (node: Node) => node.sb.tables.Logical_Flow, function* (node, flow) {
  if (ourChassis(node) === undefined) return;
  for (const uuid of datapathsOf(node, flow)) {
    const datapath = node.isLocalDatapath(uuid) ? node.sb.tables.Datapath_Binding.get(uuid) : undefined;
    if (datapath !== undefined) yield LocalFlow({ flow, datapath });
  }
});

function datapathsOf(node: Node, flow: LogicalFlow): Iterable<DatapathUuid> {
  const group = node.sb.tables.Logical_DP_Group.get(flow.logical_dp_group);
  if (group !== undefined) return group.datapaths;
  return flow.logical_datapath === undefined ? [] : [flow.logical_datapath];
}

export const logicalFlows = rule("logical-flows", (node: Node) => node.engine.facts(LocalFlow), function* (node, { flow, datapath }) {
  const named = flow.tags.get("in_out_port");
  if (named !== undefined && !isLocalPortName(node, named)) return;
  const parsed = parsedFlow(node, flow, datapath);
  if (parsed === undefined) return;
  const { matches, conjunctionIds } = matchesOf(node, parsed, datapath);
  const local = isSwitch(datapath) ? matches.filter((m) => isLocalMatch(node, flow, datapath, m)) : matches;
  if (local.length === 0) return;
  const uses: Uses = { groups: [], meters: new Set() };
  const actions = encodeActions(parsed.actions, encodeContext(node, flow, datapath, uses));
  const offset = conjunctionIds === 0 ? 0 : node.conjunctions.start(flow._uuid, datapath._uuid, conjunctionIds) - 1;
  const table = firstTableOf(flow) + flow.table_id;
  const datapathKey = BigInt(datapath.tunnel_key);
  for (const found of local) {
    const match = withConjunctionId(found, offset).with(field(datapathField), datapathKey);
    if (found.conjunctions.length === 0) yield Flow({ table, priority: flow.priority, cookie: cookieOf(flow), match, actions });
    else yield Flow({ table, priority: flow.priority, cookie: 0, match, actions: statements(found, offset) });
  }
  for (const use of uses.groups) yield GroupUse(use);
  for (const name of uses.meters) yield MeterUse({ name, number: node.meters.numberOf(name) });
});

/** Conjunctions are stated under the numbers that the flow has been given. */
const statements = (match: FlowMatch, offset: number): readonly Action[] =>
  match.conjunctions.map(({ id, clause, clauses }) => ({ kind: "conjunction", id: id + offset, clause, clauses }));

const firstTableOf = (flow: LogicalFlow): number =>
  flow.pipeline === "ingress" ? openflowTables.logIngressPipeline : openflowTables.logEgressPipeline;

/** northd names the port of flows that matter only where it is. */
function isLocalPortName(node: Node, name: string): boolean {
  const port = portNamed(node, name);
  return port !== undefined && isRelated(node, port);
}

function matchesOf(node: Node, { expression, hasConditions, matches }: ParsedFlow, datapath: DatapathBinding): FlowMatches {
  if (matches !== undefined) return matches;
  const decided = hasConditions ? normalize(evaluateConditions(expression, (name) => {
    const port = portNamed(node, name);
    return port !== undefined && isResident(node, port);
  })) : expression;
  return toMatches(decided, (name) => lookupPort(node, datapath, name));
}

/** The key of a port or multicast group of the datapath. */
function lookupPort(node: Node, datapath: DatapathBinding, name: string): number | undefined {
  if (name === "none") return 0;
  const port = portNamed(node, name);
  if (port?.datapath === datapath._uuid) return port.tunnel_key;
  return node.groupsByName.first(`${datapath._uuid} ${name}`)?.tunnel_key;
}

const inport = field(inportField);
const outport = field(outportField);

/** On a switch, a flow for one port is of use only where packets of that port pass. */
function isLocalMatch(node: Node, flow: LogicalFlow, datapath: DatapathBinding, { match }: FlowMatch): boolean {
  const key = Number(match.get(flow.pipeline === "ingress" ? inport : outport)?.value ?? 0);
  if (key === 0 || key >= 2 ** evpnKeyFlag) return true;
  const port = node.portsByKey.first(portKey(datapath._uuid, key));
  return port !== undefined && isRelated(node, port);
}

interface Uses {
  readonly groups: GroupUse[];
  readonly meters: Set<string>;
}

function encodeContext(node: Node, flow: LogicalFlow, datapath: DatapathBinding, uses: Uses): EncodeContext {
  const meterId = (name: string): number => {
    uses.meters.add(name);
    return node.meters.numberOf(name);
  };
  return {
    lookupPort: (name) => lookupPort(node, datapath, name),
    isLocalPort: (name) => {
      const port = portNamed(node, name);
      return port !== undefined && claimOf(node, port) !== undefined;
    },
    tunnelPort: (name) => {
      const port = portNamed(node, name);
      const chassis = port?.datapath === datapath._uuid ? node.sb.tables.Chassis.get(port.chassis) : undefined;
      return chassis && tunnelTo(node, chassis.name)?.ofport;
    },
    isSwitch: isSwitch(datapath),
    pipeline: flow.pipeline,
    outputTable: flow.pipeline === "ingress" ? outputInit : openflowTables.saveInport,
    groupId: (name, group) => {
      const number = node.groups.numberOf(name);
      uses.groups.push({ name, number, group: group() });
      return number;
    },
    meterId,
    controllerMeter: flow.controller_meter === undefined ? undefined : meterId(flow.controller_meter),
    hasCollectorSet: (id) => node.collectorSets.first(id) !== undefined,
    flowUuid: flow._uuid,
    datapathKey: datapath.tunnel_key,
    // Who asks for a certain zone for source translation wants that one used.
    commonNatZone: datapath.external_ids.has("snat-ct-zone") ? "reg12" : "reg11",
    features: { ctZeroSnat: true, meters: true, hashL4Symmetric: true },
  };
}

/** Numbers of conjunctions go back when their flow does. */
export const releaseConjunctions = (node: Node): { added(): void; removed(local: LocalFlow): void } => ({
  added: () => {},
  removed: ({ flow, datapath }) => node.conjunctions.release(flow._uuid, datapath._uuid),
});

