/** `isthmus graph`: the logical network of a running lab, drawn from its databases: SVG, or Mermaid for a Markdown page. */
import { mappedHost } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import { carriersOf } from "../carriers.ts";
import type { Box, Graph } from "../graph/graph.ts";
import { graphMermaid } from "../graph/mermaid.ts";
import { readZone } from "../graph/read-zone.ts";
import { graphSvg } from "../graph/svg.ts";
import { nodeEnvironment } from "../layout.ts";
import { absolute, findLab, type FoundLab } from "./find-lab.ts";
import type { Terminal } from "./terminal.ts";

export interface GraphOptions {
  readonly dir?: string | undefined;
  readonly format: string;
  readonly output?: string | undefined;
}

export async function graphCommand(terminal: Terminal, options: GraphOptions): Promise<void> {
  const graph = await readGraph(terminal, findLab(terminal, options.dir));
  const text = options.format === "mermaid" ? graphMermaid(graph) : graphSvg(graph);
  if (options.output === undefined) terminal.process.out(text);
  else terminal.host.disk.write(absolute(terminal, options.output), text);
}

async function readGraph(terminal: Terminal, lab: FoundLab): Promise<Graph> {
  const { topology, folder, record } = lab;
  const carriers = new Map(record.carriers);
  const centrals = [...topology.nodes.values()].filter((node) => node.roles.has("central"));
  const zones = await Promise.all(centrals.map((node) => {
    const environment = nodeEnvironment(folder, topology, node, carriers);
    const remote = (name: string): string => present(environment.get(name), name);
    return readZone({ zone: node.zone ?? "", host: mappedHost(terminal.host, carriersOf(node.address, carriers)), northbound: remote("OVN_NB_DB"), southbound: remote("OVN_SB_DB") });
  }));
  // What is between the zones, every zone tells of.
  const boxes = new Map<string, Box>(zones.flatMap((z) => z.boxes).map((box) => [box.id, box]));
  return { title: topology.name, boxes: [...boxes.values()], lines: zones.flatMap((z) => z.lines) };
}
