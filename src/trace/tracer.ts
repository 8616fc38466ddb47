/**
 * The walk of a packet through logical pipelines (ovn-trace(8)): in each table the flow of highest priority that matches,
 * and its actions one after the other. Nothing is sent, nothing learned.
 */
import {
  evaluate, formatAction, type LogicalAction, ovnSymbols, type Pipeline, pipelineLength, type ReadFlow, readLogicalFlow,
} from "../logical/index.ts";
import { append, type TraceNode } from "./node.ts";
import { friendlyText } from "./friendly-names.ts";
import type { TraceDatapath, TraceFlow, TraceModel, TracePort } from "./model.ts";
import { ctState, type PacketFlow } from "./packet-flow.ts";
import { perform } from "./perform.ts";
import type { LoadBalancerChoice, OtherZone, Place, TraceOptions, Walk } from "./walk.ts";

/** Further than this a packet goes only in circles; C's program would go on until its stack ends. */
const maxDepth = 4096;

/** How far a trace has come, in all its zones. */
interface Progress {
  ctStatesUsed: number;
  depth: number;
}

export class Tracer implements Walk {
  readonly model: TraceModel;
  readonly options: TraceOptions;
  readonly loadBalancer: LoadBalancerChoice;
  readonly symbols = ovnSymbols();
  readonly #read = new Map<TraceFlow, Map<TraceDatapath, ReadFlow | undefined>>();
  /** Which flow a table node stands for. */
  readonly flowOf: Map<TraceNode, TraceFlow>;
  readonly otherZones: OtherZone[] = [];
  readonly #progress: Progress;

  /** `first`: the tracer of the zone where the packet starts, with which one of another zone shares what is used up. */
  constructor(model: TraceModel, options: TraceOptions, first?: Tracer) {
    this.model = model;
    this.options = options;
    this.loadBalancer = first?.loadBalancer ?? { wanted: options.loadBalancerDestination };
    this.flowOf = first?.flowOf ?? new Map();
    this.#progress = first === undefined ? { ctStatesUsed: 0, depth: 0 } : first.#progress;
  }

  /** Lets packets that leave for another of `zones` go on there, and come back. */
  follow(zones: readonly { readonly name: string; readonly model: TraceModel }[]): void {
    const all = zones.map(({ name, model }) => ({ name, walk: new Tracer(model, this.options, this) }));
    this.otherZones.push(...all);
    for (const { walk } of all) walk.otherZones.push(...all.filter((other) => other.walk !== walk), { name: "home", walk: this });
  }

  trace(datapath: TraceDatapath, flow: PacketFlow, start: number, pipeline: Pipeline, out: TraceNode[]): void {
    if (this.#progress.depth >= maxDepth) {
      append(out, "error", "*** packet goes in circles");
      return;
    }
    let table = start;
    let found = this.#lookup(datapath, flow, table, pipeline);
    while (found !== undefined && isPassedOver(found.read, table)) found = this.#lookup(datapath, flow, ++table, pipeline);
    const node = append(out, "table", `${String(table).padStart(2)}. ${this.#describe(datapath, pipeline, table, found?.flow)}`);
    if (found === undefined) return;
    this.flowOf.set(node, found.flow);
    this.#progress.depth++;
    this.run(found.read.actions, { datapath, flow, table, pipeline, out: node.children });
    this.#progress.depth--;
  }

  #describe(datapath: TraceDatapath, pipeline: Pipeline, table: number, flow: TraceFlow | undefined): string {
    if (flow === undefined) {
      const stage = datapath.flows(pipeline, table)[0]?.stageName;
      return `${stage === undefined ? "" : `${stage}: `}no match (implicit drop)`;
    }
    const { stageName, source } = flow;
    const place = stageName !== undefined ? `${stageName}${source !== undefined ? ` (${source})` : ""}: ` : source !== undefined ? `(${source}): ` : "";
    return `${place}${this.friendly(flow.match)}, priority ${flow.priority}, uuid ${flow.uuid.slice(0, 8)}`;
  }

  /** `text` with ports by the names that people gave them. */
  friendly(text: string): string {
    return this.options.friendlyNames ? friendlyText(text, this.model.ports) : text;
  }

  #lookup(datapath: TraceDatapath, flow: PacketFlow, table: number, pipeline: Pipeline): { readonly flow: TraceFlow; readonly read: ReadFlow } | undefined {
    const context = { read: flow.read.bind(flow), lookupPort: (name: string) => this.lookupPort(datapath, name), isChassisResident: (port: string) => this.#isResident(port) };
    for (const candidate of datapath.flows(pipeline, table)) {
      const read = this.#readFlow(datapath, candidate);
      if (read !== undefined && evaluate(read.match, context)) return { flow: candidate, read };
    }
    return undefined;
  }

  /** A trace stands for all chassis: every port that exists is at home. */
  #isResident(name: string): boolean {
    if (name === "" || this.model.ports.has(name)) return true;
    this.options.warn(`${name}: unknown logical port\n`);
    return false;
  }

  #readFlow(datapath: TraceDatapath, flow: TraceFlow): ReadFlow | undefined {
    let byDatapath = this.#read.get(flow);
    if (byDatapath === undefined) this.#read.set(flow, (byDatapath = new Map()));
    if (byDatapath.has(datapath)) return byDatapath.get(datapath);
    const parameters = {
      symbols: this.symbols, dhcpOptions: this.model.dhcpOptions, dhcpv6Options: this.model.dhcpv6Options,
      pipeline: flow.pipeline, table: flow.table, tables: pipelineLength[flow.pipeline],
    };
    const read = readLogicalFlow(flow.match, flow.actions, parameters, this.sets(datapath.tunnelKey));
    if (read.kind === "error") this.options.warn(read.message);
    const value = read.kind === "parsed" ? read.value : undefined;
    byDatapath.set(datapath, value);
    return value;
  }

  /** Address sets, and port groups as a datapath sees them. */
  sets(datapathKey: number) {
    return {
      addressSet: (name: string) => this.model.addressSet(name),
      portGroup: (name: string) => this.model.portGroup(`${datapathKey}_${name}`),
    };
  }

  lookupPort(datapath: TraceDatapath, name: string): number | undefined {
    if (name === "" || name === "none") return 0;
    const port = this.#findPort(name);
    // Of another datapath: port groups name such.
    if (port !== undefined) return port.datapath === datapath ? port.tunnelKey : undefined;
    const group = datapath.groups.find((g) => g.name === name);
    if (group === undefined) this.options.warn(`${name}: unknown logical port`);
    return group?.tunnelKey;
  }

  /** By name, by the name that its owner gave it, or by at least four digits of a UUID. */
  #findPort(name: string): TracePort | undefined {
    const exact = this.model.ports.get(name);
    if (exact !== undefined) return exact;
    const isPrefix = /^[0-9a-fA-F-]{4,36}$/.test(name);
    let match: TracePort | undefined;
    for (const port of this.model.ports.values()) {
      const named = port.name2 === name || (isPrefix && (port.uuid.startsWith(name.toLowerCase()) || (isUuid(port.name) && port.name.startsWith(name.toLowerCase()))));
      if (!named || port === match) continue;
      if (match !== undefined) {
        this.options.warn(`name "${name}" matches multiple ports`);
        return undefined;
      }
      match = port;
    }
    return match;
  }

  run(actions: readonly LogicalAction[], place: Place): void {
    if (actions.length === 0) {
      append(place.out, "action", "drop;");
      return;
    }
    const stack: bigint[] = [];
    for (const action of actions) {
      append(place.out, "action", this.friendly(formatAction(action)));
      perform(this, place, action, stack);
    }
  }

  nextCtState(): { readonly state: bigint; readonly comment: string } {
    const state = this.options.ctStates[this.#progress.ctStatesUsed];
    if (state === undefined) return { state: ctState.established | ctState.tracked, comment: " /* default (use --ct to customize) */" };
    this.#progress.ctStatesUsed++;
    return { state, comment: "" };
  }
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** A flow that lets everything on to the next table says nothing. */
function isPassedOver({ match, actions }: ReadFlow, table: number): boolean {
  const [only] = actions;
  return match.kind === "boolean" && match.value && actions.length === 1 && only?.kind === "next" && only.table === table + 1;
}
