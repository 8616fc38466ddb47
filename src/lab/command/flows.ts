/**
 * `isthmus flows [NODE]`: how the logical flows of a zone are spread over the stages. With `--grow`, how they grow while a
 * command is repeated, as numbers and as a picture.
 */
import { mappedHost } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import { carriersOf } from "../carriers.ts";
import type { CommandPlace } from "../command-runner.ts";
import { ctlRunner } from "../ctl-runner.ts";
import { distributionLines, distributionTable } from "../flows/distribution.ts";
import { type GrowthPoint, growFlows } from "../flows/growth.ts";
import { countFlows, type FlowCounter, totalOf } from "../flows/stage-counts.ts";
import { nodeEnvironment } from "../layout.ts";
import { linePlotSvg, type Series } from "../plot/line-plot.ts";
import { evaluateArithmetic } from "../script/arithmetic.ts";
import { ScriptError } from "../script/syntax.ts";
import { centralOf } from "../topology/topology.ts";
import { absolute, findLab, type FoundLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

export interface FlowsOptions {
  readonly dir?: string | undefined;
  readonly top: number;
  readonly format: string;
  readonly grow?: number | undefined;
  readonly each?: string | undefined;
  readonly stage?: readonly string[] | undefined;
  readonly curve?: readonly string[] | undefined;
  readonly plot?: string | undefined;
  readonly title?: string | undefined;
}

export async function flowsCommand(terminal: Terminal, nodeName: string | undefined, options: FlowsOptions): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const place = placeOf(terminal, lab, nodeName);
  const counter = await countFlows(place.host, present(place.environment.get("OVN_SB_DB")));
  try {
    if (options.grow === undefined) {
      const text = options.format === "lines" ? distributionLines : distributionTable;
      terminal.process.out(text(counter.counts(), options.top));
    } else await grow(terminal, place, counter, options.grow, options);
  } finally {
    counter.close();
  }
}

/** Where a zone's databases are within reach: on any of its nodes. */
function placeOf(terminal: Terminal, lab: FoundLab, nodeName: string | undefined): CommandPlace {
  const { topology } = lab;
  const zones = [...new Set([...topology.nodes.values()].flatMap((n) => n.zone ?? []))];
  if (nodeName === undefined && zones.length !== 1) throw new UserError(`${topology.name} has the zones ${zones.join(", ")}: name a node of the one you mean`);
  const node = nodeName === undefined ? centralOf(topology, zones[0] ?? "") : topology.nodes.get(nodeName);
  if (node?.zone === undefined) throw new UserError(`no node of a zone is called ${nodeName ?? ""}; there are ${[...topology.nodes.values()].flatMap((n) => (n.zone === undefined ? [] : n.name)).join(", ")}`);
  const carriers = new Map(lab.record.carriers);
  return { node, host: mappedHost(terminal.host, carriersOf(node.address, carriers)), environment: nodeEnvironment(lab.folder, topology, node, carriers) };
}

async function grow(terminal: Terminal, place: CommandPlace, counter: FlowCounter, count: number, options: FlowsOptions): Promise<void> {
  const { each, stage: stages = [], curve: curves = [] } = options;
  if (each === undefined) throw new UserError(`--grow ${count} needs --each 'COMMAND', in which $i counts from 1`);
  const formulas = curves.map(formulaOf);
  const commands = ctlRunner();
  const points: GrowthPoint[] = [];
  terminal.process.out(`i total ${stages.join(" ")}`.trimEnd().concat("\n"));
  try {
    await growFlows(place, commands, counter, each, count, (point) => {
      points.push(point);
      terminal.process.out(`${[point.i, totalOf(point.counts), ...stages.map((s) => flowsOf(point, s))].join(" ")}\n`);
    });
  } catch (error) {
    if (error instanceof ScriptError) throw new UserError(error.message);
    throw error;
  } finally {
    commands.close();
  }
  if (options.plot === undefined) return;
  const measured = (label: string, value: (point: GrowthPoint) => number): Series => ({ label, isMeasured: true, points: points.map((p) => [p.i, value(p)]) });
  const svg = linePlotSvg({
    title: options.title ?? "Logical flows",
    xLabel: "repetitions of the command",
    yLabel: "logical flows",
    series: [measured("all stages", (p) => totalOf(p.counts)), ...stages.map((s) => measured(s, (p) => flowsOf(p, s))), ...formulas.map((f) => f(count))],
  });
  terminal.host.disk.write(absolute(terminal, options.plot), svg);
}

const flowsOf = (point: GrowthPoint, stage: string): number => point.counts.find((c) => c.stage === stage)?.flows ?? 0;

/** `LABEL=FORMULA`, the formula in `i`. */
function formulaOf(text: string): (count: number) => Series {
  const at = text.lastIndexOf("=");
  const [label, formula] = [text.slice(0, at), text.slice(at + 1)];
  const valueAt = (i: number): number => {
    const value = evaluateArithmetic(formula, (name) => (name === "i" ? String(i) : ""));
    if (at <= 0 || typeof value !== "number") throw new UserError(`--curve ${text}: expected LABEL=FORMULA, such as "quadratic=i*i"`);
    return value;
  };
  valueAt(1);
  return (count) => ({ label, isMeasured: false, points: Array.from({ length: count }, (_, n) => [n + 1, valueAt(n + 1)]) });
}
