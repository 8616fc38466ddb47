/**
 * Topology files: which nodes there are, what runs on them, which hosts hang where, and the commands that set them up.
 *
 * A file is YAML. `examples/*.lab.yml` are the reference by example; the schemas in this folder, a file for each noun, are the
 * reference by rule. Every complaint names its place in the file and points at it (see `yaml-source.ts`).
 */
import * as z from "zod";
import { YamlSource } from "../yaml-source.ts";
import { messageOf, type Misfit, pathOf, type TopologyComplaint } from "./complaint.ts";
import { hostMisfits, hostSchema, hostsOf, type TopologyHosts } from "./hosts.ts";
import { name } from "./names.ts";
import { nodeMisfits, nodeSchema, nodesOf, type TopologyNode, type TopologyNodes } from "./nodes.ts";
import { type Probe, probeMisfits, probeSchema } from "./probe.ts";
import { routerMisfits, routerSchema, routersOf, type TopologyRouters } from "./routers.ts";
import { setupMisfits, setupSchema, type SetupStep } from "./setup.ts";
import { type ReadBeside, readTripleo, withTripleo } from "./tripleo.ts";
import { type Underlay, underlayMisfits, underlayOf } from "./underlay.ts";
import { type UnderlayFile, underlaySchema } from "./underlay-schema.ts";
import { validateMisfits, validateSchema, type ValidateStep } from "./validate.ts";

const topologySchema = z.strictObject({
  name,
  description: z.string().optional(),
  nodes: z.record(name, nodeSchema),
  hosts: z.record(name, hostSchema).default({}),
  // Of a schema of its own, which most files do without.
  underlay: z.unknown().optional(),
  routers: z.record(name, routerSchema).default({}),
  setup: z.array(setupSchema).default([]),
  probe: probeSchema.optional(),
  validate: z.array(validateSchema).default([]),
});

export interface Topology {
  readonly name: string;
  readonly description: string | undefined;
  readonly nodes: TopologyNodes;
  readonly hosts: TopologyHosts;
  readonly underlay: Underlay | undefined;
  readonly routers: TopologyRouters;
  readonly setup: readonly SetupStep[];
  readonly probe: Probe | undefined;
  readonly validate: readonly ValidateStep[];
}

/** `readBeside`: for files that the topology file names; none can be read without it. */
export function parseTopology(text: string, fileName: string, readBeside: ReadBeside = () => undefined): Topology | TopologyComplaint {
  const source = YamlSource.parse(text, fileName);
  if ("complaint" in source) return source;
  const checked = topologySchema.safeParse(source.value);
  if (!checked.success) {
    return { complaint: checked.error.issues.map((issue) => source.complain(pathOf(issue), messageOf(issue))).join("\n\n") };
  }
  const file = checked.data;
  const underlay = file.underlay === undefined ? undefined : wholeUnderlay(file.underlay, readBeside, source);
  if (underlay !== undefined && "complaint" in underlay) return underlay;
  const topology: Topology = {
    name: file.name,
    description: file.description,
    nodes: nodesOf(file.nodes),
    hosts: hostsOf(file.hosts),
    underlay: underlay === undefined ? undefined : underlayOf(underlay),
    routers: routersOf(file.routers),
    setup: file.setup.map((step, i) => ({ ...step, line: source.lineOf(["setup", i, "run"]) })),
    probe: file.probe,
    validate: file.validate.map((step, i) => ({ ...step, line: source.lineOf(["validate", i]) })),
  };
  const complaints = [...misfits(topology, file)].map(({ path, message }) => source.complain(path, message));
  return complaints.length > 0 ? { complaint: complaints.join("\n\n") } : topology;
}

/** With what its `tripleo:` stands for. */
function wholeUnderlay(written: unknown, readBeside: ReadBeside, source: YamlSource): UnderlayFile | TopologyComplaint {
  const checked = underlaySchema().safeParse(written);
  if (!checked.success) return { complaint: checked.error.issues.map((issue) => source.complain(["underlay", ...pathOf(issue)], messageOf(issue))).join("\n\n") };
  const file = checked.data;
  if (file.tripleo === undefined) return file;
  const read = readTripleo(file.tripleo, readBeside, (path, message) => source.complain(["underlay", "tripleo", ...path], message));
  return "complaint" in read ? read : withTripleo(file, read);
}

/** What a schema cannot see: names that must exist, addresses that must differ. */
function* misfits(topology: Topology, file: z.infer<typeof topologySchema>): Generator<Misfit> {
  yield* nodeMisfits(topology.nodes);
  yield* hostMisfits(topology.hosts, topology.nodes);
  if (topology.underlay !== undefined) yield* underlayMisfits(topology.underlay, topology.nodes, new Set(topology.hosts.keys()));
  yield* routerMisfits(topology.routers, topology.nodes, file.routers);
  yield* setupMisfits(topology.setup, topology.nodes);
  yield* probeMisfits(topology.probe, topology.hosts);
  yield* validateMisfits(topology.validate, { nodes: new Set(topology.nodes.keys()), routers: new Set(topology.routers.keys()), hosts: new Set([...topology.hosts.keys(), ...topology.routers.keys(), ...machinesOf(topology)]), switches: new Set(topology.underlay?.switches.keys()) });
}

/** Machines of the underlay that commands can be run on: those that are named, and those that hold a switch. */
export function machinesOf({ underlay }: Topology): ReadonlySet<string> {
  return new Set(underlay === undefined ? [] : [...underlay.machines.keys(), ...[...underlay.switches.values()].map((s) => s.on)]);
}

/** The node that runs the databases of `zone`. */
export function centralOf(topology: Topology, zone: string): TopologyNode | undefined {
  return [...topology.nodes.values()].find((node) => node.zone === zone && node.roles.has("central"));
}

/** The node that runs the interconnection databases. */
export function interconnectionOf(topology: Topology): TopologyNode | undefined {
  return [...topology.nodes.values()].find((node) => node.roles.has("interconnection"));
}
