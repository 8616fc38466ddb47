/**
 * `isthmus graph`: the logical network of a running lab, drawn from its databases: SVG, or Mermaid for a Markdown page. With
 * `--view underlay` what lies below it, of a running lab or of a topology file.
 */
import { mappedHost } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import { carriersOf } from "../carriers.ts";
import type { Box, Graph } from "../graph/graph.ts";
import { graphMermaid } from "../graph/mermaid.ts";
import { readZone } from "../graph/read-zone.ts";
import { graphSvg } from "../graph/svg.ts";
import { underlayGraph } from "../graph/underlay-graph.ts";
import { nodeEnvironment } from "../layout.ts";
import { absolute, findLab, type FoundLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";
import { readTopology } from "./up.ts";

export interface GraphOptions {
  readonly dir?: string | undefined;
  readonly format: string;
  readonly view: string;
  readonly output?: string | undefined;
}

export async function graphCommand(terminal: Terminal, file: string | undefined, options: GraphOptions): Promise<void> {
  if (file !== undefined && options.view !== "underlay") throw new UserError(`the logical network is drawn from the databases of a running lab: "isthmus up ${file}" first, or --view underlay`);
  const graph = options.view === "underlay" ? underlayGraph(file === undefined ? findLab(terminal, options.dir).topology : readTopology(terminal, file).topology) : await readGraph(terminal, findLab(terminal, options.dir));
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
