/** The flows that northd has made: lflow-list, dump-flows, count-flows. */
import { type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { findRecord, readsToName } from "../record.ts";
import { datapathNames, type Sb, type SbContext, type SbRow } from "./chassis.ts";

type Datapath = SbRow<"Datapath_Binding">;

const reads = [
  "Logical_Flow", "Logical_DP_Group:datapaths", "Datapath_Binding:external_ids", ...readsToName("Datapath_Binding", datapathNames),
];
const virtualReads = [
  "Port_Binding:logical_port,tunnel_key,datapath", "MAC_Binding:datapath,logical_port,ip,mac", "Multicast_Group:datapath,name,tunnel_key,ports",
  "Chassis:name", "Load_Balancer",
];

const listing = {
  usage: "[DATAPATH] [LFLOW...]", minArgs: 0, maxArgs: Infinity, options: "--uuid,--ovs?,--stats,--vflows?", writes: false, reads,
  readsOf: ({ options }: Pick<SbContext, "options">) => (options.has("--vflows") ? virtualReads : []),
};

export const logicalFlowCommands: readonly Command<Sb>[] = commands<Sb>("Logical flows", [
  { ...listing, name: "lflow-list", help: "print the logical flows, of one datapath or those given", run: list },
  { ...listing, name: "dump-flows", help: "the same", run: list },
  {
    name: "count-flows", usage: "[DATAPATH]", minArgs: 0, maxArgs: 1, options: "", help: "print how many flows there are", writes: false, reads, run: count,
  },
]);

/** A flow in one of the datapaths that it is for, with what it is sorted by. */
interface Placed {
  readonly flow: SbRow<"Logical_Flow">;
  readonly datapath: Datapath;
  readonly pipeline: string;
  readonly table: number;
  readonly priority: number;
  readonly match: string;
  readonly actions: string;
  readonly stage: string;
}

interface Choice {
  readonly datapath: Datapath | undefined;
  /** What is left of the arguments. */
  readonly words: readonly string[];
}

function choose({ db, args }: SbContext): Choice {
  const [given, ...rest] = args;
  if (given === undefined) return { datapath: undefined, words: [] };
  const datapath = db.row("Datapath_Binding", findRecord(db, datapathNames, "Datapath_Binding", given)?._uuid);
  return datapath === undefined ? { datapath, words: args } : { datapath, words: rest };
}

function placedFlows({ db }: SbContext, only: Datapath | undefined): readonly Placed[] {
  const placed: Placed[] = [];
  const groups = new Map(db.rows("Logical_DP_Group").map((row) => [row._uuid, db.those("Datapath_Binding", row.datapaths)]));
  for (const flow of db.rows("Logical_Flow")) {
    const own = db.row("Datapath_Binding", flow.logical_datapath);
    const group = flow.logical_dp_group === undefined ? [] : (groups.get(flow.logical_dp_group) ?? []);
    const all = own === undefined ? group : [own, ...group];
    const datapaths = only === undefined ? all : all.some((d) => d._uuid === only._uuid) ? [only] : [];
    if (datapaths.length === 0) continue;
    const { pipeline, table_id: table, priority, match, actions } = flow;
    const stage = flow.external_ids.get("stage-name") ?? "";
    for (const datapath of datapaths) placed.push({ flow, datapath, pipeline, table, priority, match, actions, stage });
  }
  const names = new Map(db.rows("Datapath_Binding").map((row) => [row._uuid, row.external_ids.get("name") ?? ""]));
  const nameOf = (p: Placed): string => names.get(p.datapath._uuid) ?? "";
  return placed.sort((a, b) => compare(nameOf(a), nameOf(b)) || compare(a.datapath._uuid, b.datapath._uuid) || compareFlows(a, b));
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
const pipelineRank = (pipeline: string): number => (pipeline === "ingress" ? 0 : 1);
const compareFlows = (a: Placed, b: Placed): number =>
  pipelineRank(a.pipeline) - pipelineRank(b.pipeline) || a.table - b.table || b.priority - a.priority || compare(a.match, b.match) || compare(a.actions, b.actions);

/** `"net"`, or with another name of it. */
function datapathName(row: Datapath | undefined): string {
  const [name, name2] = [row?.external_ids.get("name"), row?.external_ids.get("name2")];
  if (name !== undefined && name2 !== undefined) return `"${name}" aka "${name2}"`;
  const only = name ?? name2;
  return only === undefined ? "" : `"${only}"`;
}

const startsGroup = (flow: Placed, before: Placed | undefined): boolean =>
  before === undefined || before.datapath._uuid !== flow.datapath._uuid || before.pipeline !== flow.pipeline;
const heading = ({ datapath, pipeline }: Placed): string => `Datapath: ${datapathName(datapath)} (${datapath._uuid})  Pipeline: ${pipeline}\n`;
const uuidPart = (uuid: string, show: boolean): string => (show ? `uuid=0x${uuid.slice(0, 8)}, ` : "");

/** The beginning of a UUID, perhaps after `0x` as OpenFlow cookies have it; undefined for anything else. */
function uuidBeginning(word: string): string | undefined {
  const text = word.replace(/^0[xX]/, "");
  // Cookies lose leading zeros, which count.
  const digits = text === word ? text : text.padStart(8, "0");
  const shaped = [...digits].every((c, i) => ([8, 13, 18, 23].includes(i) ? c === "-" : /[0-9a-fA-F]/.test(c)));
  return text !== "" && shaped && digits.length <= 36 ? digits.toLowerCase() : undefined;
}

function list(context: SbContext): void {
  const { options } = context;
  if (options.has("--ovs")) fail("--ovs (printing the OpenFlow flows behind logical flows) is not supported yet: use ovs-ofctl dump-flows with the flow's cookie");
  const { datapath, words } = choose(context);
  const beginnings = words.map((word) => uuidBeginning(word) ?? fail(`${word} is not a UUID or the beginning of a UUID`));
  const showUuid = options.has("--uuid");
  const out: string[] = [];
  let before: Placed | undefined;
  for (const placed of placedFlows(context, datapath)) {
    const { flow, table, stage, priority, match, actions } = placed;
    if (beginnings.length > 0 && !beginnings.some((b) => flow._uuid.startsWith(b))) continue;
    if (startsGroup(placed, before)) out.push(heading(placed));
    out.push(
      `  ${uuidPart(flow._uuid, showUuid)}table=${String(table).padEnd(2)}(${stage.padEnd(19)}), priority=${String(priority).padEnd(5)}, ` +
        `match=(${match}), action=(${actions})\n`,
    );
    before = placed;
  }
  context.output = out.join("") + (options.has("--vflows") ? virtualFlows(context, datapath, showUuid) : "");
}

/** What else becomes OpenFlow: ports, bindings of addresses, groups, chassis, load balancers. */
function virtualFlows({ db }: SbContext, only: Datapath | undefined, showUuid: boolean): string {
  const section = (title: string, lines: readonly string[]): string => (lines.length === 0 ? "" : `\n${title}:\n${lines.join("")}`);
  const here = <R extends { readonly datapath: string }>(rows: readonly R[]): readonly R[] => rows.filter((r) => only === undefined || r.datapath === only._uuid);
  const prefix = (row: { readonly _uuid: string; readonly datapath: string }): string => {
    const where = only === undefined ? `datapath=${datapathName(db.row("Datapath_Binding", row.datapath))}, ` : "";
    return `  ${uuidPart(row._uuid, showUuid)}${where}`;
  };
  const groupLine = (row: SbRow<"Multicast_Group">): string => {
    const ports = db.those("Port_Binding", row.ports).map((p) => p.logical_port);
    return `${prefix(row)}name=${row.name}, tunnel_key=${String(row.tunnel_key).padEnd(5)}, ports=(${ports.join(", ")})\n`;
  };
  return (
    section("Port Bindings", here(db.rows("Port_Binding")).map((r) => `${prefix(r)}logical_port=${r.logical_port}, tunnel_key=${String(r.tunnel_key).padEnd(5)}\n`)) +
    section("MAC Bindings", here(db.rows("MAC_Binding")).map((r) => `${prefix(r)}logical_port=${r.logical_port}, ip=${r.ip}, mac=${r.mac}\n`)) +
    section("MC Groups", here(db.rows("Multicast_Group")).map(groupLine)) +
    section("Chassis", db.rows("Chassis").map((r) => `  ${uuidPart(r._uuid, showUuid)}name=${r.name}\n`)) +
    section("Load Balancers", loadBalancerLines(db, only, showUuid))
  );
}

function loadBalancerLines(db: SbContext["db"], only: Datapath | undefined, showUuid: boolean): readonly string[] {
  const groups = new Map(db.rows("Logical_DP_Group").map((row) => [row._uuid, row.datapaths]));
  return db.rows("Load_Balancer").flatMap((row) => {
    const inGroups = [row.datapath_group, row.ls_datapath_group].flatMap((g) => (g === undefined ? [] : [...(groups.get(g) ?? [])]));
    const datapaths = [...row.datapaths, ...inGroups];
    if (only !== undefined && !datapaths.includes(only._uuid)) return [];
    const where = only === undefined ? datapaths.map((d) => `datapath=${datapathName(db.row("Datapath_Binding", d))}, `).join("") : "";
    const vips = [...row.vips].sort(([a], [b]) => compare(a, b)).map(([vip, backends]) => `    ${vip} = ${backends}\n`).join("");
    return [`  ${uuidPart(row._uuid, showUuid)}name="${row.name}", protocol="${row.protocol ?? ""}", ${where}\n  vips:\n${vips}\n`];
  });
}

function count(context: SbContext): void {
  const { datapath, words } = choose(context);
  const flows = words.length > 0 ? [] : placedFlows(context, datapath);
  const out: string[] = [];
  let inTable = 0;
  let inPipeline = 0;
  flows.forEach((flow, i) => {
    if (startsGroup(flow, flows[i - 1])) out.push(heading(flow));
    inTable++;
    inPipeline++;
    const next = flows[i + 1];
    const groupEnds = next === undefined || startsGroup(next, flow);
    if (groupEnds || next.table !== flow.table) {
      out.push(`  table=${String(flow.table).padEnd(2)}(${flow.stage.padEnd(19)}) lflows=${inTable}\n`);
      inTable = 0;
    }
    if (!groupEnds) return;
    out.push(`Total number of logical flows in the datapath ${datapathName(flow.datapath)} (${flow.datapath._uuid}) Pipeline: ${flow.pipeline} = ${inPipeline}\n\n`);
    inPipeline = 0;
  });
  context.output = `${out.join("")}Total number of logical flows = ${flows.length}\n`;
}
