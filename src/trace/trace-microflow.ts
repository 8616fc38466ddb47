/** From a microflow's text to the tree of what happens to it. */
import { findInport, parseExpression, parseMicroflow } from "../logical/index.ts";
import { field } from "../openflow/index.ts";
import { append, type TraceNode } from "./node.ts";
import type { TraceDatapath, TraceFlow, TraceModel } from "./model.ts";
import { PacketFlow } from "./packet-flow.ts";
import { formatPacket } from "./packet-text.ts";
import { Tracer } from "./tracer.ts";
import type { TraceOptions } from "./walk.ts";

export type TraceResult =
  | {
    readonly kind: "traced";
    /** The packet, as a comment: `# icmp,reg14=0x1,...`. */
    readonly header: string;
    readonly root: TraceNode[];
    /** The flow that each table node stands for. */
    readonly flowOf: ReadonlyMap<TraceNode, TraceFlow>;
  }
  /** The text that the C program prints instead, and exits with 0. */
  | { readonly kind: "refused"; readonly text: string };

/** Another zone of an interconnection. */
export interface TracedZone {
  readonly name: string;
  readonly model: TraceModel;
}

/** `datapathName` undefined: the datapath of the microflow's input port. `zones`: where to go on beyond transit switches. */
export function traceMicroflow(model: TraceModel, datapathName: string | undefined, microflow: string, options: TraceOptions, zones: readonly TracedZone[] = []): TraceResult {
  const tracer = new Tracer(model, options);
  tracer.follow(zones);
  const found = datapathName === undefined ? datapathOfInport(tracer, microflow) : findDatapath(model, datapathName, options);
  if (typeof found === "string") return { kind: "refused", text: found };
  const context = { symbols: tracer.symbols, ...tracer.sets(0) };
  const parsed = parseMicroflow(microflow, context, (name) => tracer.lookupPort(found, name));
  if (parsed.kind === "error") return { kind: "refused", text: `error parsing flow: ${parsed.message}\n` };
  const flow = PacketFlow.of(parsed.value);
  const key = Number(flow.read(field("reg14")));
  if (key === 0) return { kind: "refused", text: "microflow does not specify ingress port" };
  const header = `# ${formatPacket(flow)}\n`;
  const root: TraceNode[] = [];
  const inport = found.portsByKey.get(key)?.friendlyName ?? "(unnamed)";
  const { children } = append(root, "pipeline", `ingress(dp="${found.friendlyName}", inport="${inport}")`);
  tracer.trace(found, flow, 0, "ingress", children);
  return { kind: "traced", header, root, flowOf: tracer.flowOf };
}

function datapathOfInport(tracer: Tracer, microflow: string): TraceDatapath | string {
  const expression = parseExpression(microflow, { symbols: tracer.symbols, ...tracer.sets(0) });
  if (expression.kind === "error") return `error parsing flow: ${expression.message}\n`;
  const search = findInport(expression.value);
  if (search.kind === "error") return `error parsing flow: ${search.message}\n`;
  return tracer.model.ports.get(search.inport)?.datapath ?? `unknown port "${search.inport}"\n`;
}

/** By name, or by at least four digits of its UUID in either database. */
function findDatapath(model: TraceModel, name: string, { warn }: TraceOptions): TraceDatapath | string {
  const all = [...model.datapaths.values()];
  const named = all.find((dp) => dp.name === name || dp.name2 === name);
  if (named !== undefined) return named;
  const prefix = name.toLowerCase();
  const matches = /^[0-9a-fA-F-]{4,36}$/.test(name) ? all.filter((dp) => dp.uuid.startsWith(prefix) || dp.northboundUuid.startsWith(prefix)) : [];
  const [only] = matches;
  if (matches.length > 1) warn(`name "${name}" matches multiple datapaths`);
  return only === undefined || matches.length > 1 ? `unknown datapath "${name}"\n` : only;
}
