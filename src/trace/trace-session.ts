/** A southbound database at hand, and traces over it. */
import { describeError } from "../daemon/index.ts";
import type { Host, Log } from "../host/index.ts";
import { formatTarget, parseActiveTarget } from "../host/index.ts";
import { openReplica } from "../ovsdb/index.ts";
import { southbound } from "../schemas/index.ts";
import { present } from "../std/index.ts";
import type { TraceModel } from "./model.ts";
import { printDetailed, printMinimal, printSummary } from "./node.ts";
import { addOpenflow } from "./openflow-flows.ts";
import { readModel, tracedTables } from "./read-model.ts";
import { type TracedZone, traceMicroflow } from "./trace-microflow.ts";
import type { TraceOptions } from "./walk.ts";

export interface TraceSettings extends Pick<TraceOptions, "ctStates" | "loadBalancerDestination" | "selectId" | "friendlyNames"> {
  /** `unix:..., tcp:...` */
  readonly database: string;
  readonly leaderOnly: boolean;
  /** Where to ask for OpenFlow flows; undefined: do not. */
  readonly switchRemote: string | undefined;
  /** Southbound databases of other zones, in which packets go on that leave by a transit switch. */
  readonly follow: readonly { readonly name: string; readonly database: string }[];
  readonly log: Log;
}

/** In which forms a trace is printed. */
export interface Forms {
  readonly detailed: boolean;
  readonly summary: boolean;
  readonly minimal: boolean;
}

export interface TraceSession {
  trace(datapath: string | undefined, microflow: string, forms: Forms): Promise<string>;
  close(): void;
}

/** The database that could not be reached, and why. */
export class DatabaseUnreachable extends Error {
  override name = "DatabaseUnreachable";
  readonly database: string;

  constructor(database: string, cause: unknown) {
    super(describeError(cause), { cause });
    this.database = database;
  }
}

/** Rejects with DatabaseUnreachable: a trace does not wait for a database to appear. */
export async function openTraceSession(host: Host, settings: TraceSettings): Promise<TraceSession> {
  // As in the C program, a trace is over the databases as they were when the program started.
  const [model, ...others] = await Promise.all([settings.database, ...settings.follow.map((zone) => zone.database)].map((database) => readDatabase(host, database, settings)));
  const zones = settings.follow.flatMap(({ name }, i) => {
    const other = others[i];
    return other === undefined ? [] : [{ name, model: other }];
  });
  return {
    trace: (datapath, microflow, forms) => traceOnce(host, settings, present(model), zones, datapath, microflow, forms),
    close: () => {},
  };
}

async function readDatabase(host: Host, database: string, { leaderOnly, friendlyNames, log }: TraceSettings): Promise<TraceModel> {
  await checkReachable(host, database);
  const monitor = Object.fromEntries(tracedTables.map((table) => [table, true] as const));
  const replica = openReplica({ ...host, log: quiet(host.log) }, southbound, database, { monitor, leaderOnly });
  await replica.synced;
  const model = readModel(replica.tables, { friendlyNames, warn: (text) => log.warn(text) });
  replica.close();
  return model;
}

/** One connection, made once: nothing to tell unless it fails. */
const quiet = (log: Log): Log => ({ ...log, module: (name) => (name === "reconnect" ? { ...log.module(name), info: () => {} } : log.module(name)) });

async function checkReachable(host: Host, database: string): Promise<void> {
  let reason: unknown = Object.assign(new Error(`${database}: no remote`), { code: "EAFNOSUPPORT" });
  for (const text of database.split(",")) {
    const target = parseActiveTarget(text.trim());
    if (target === undefined) continue;
    try {
      const stream = await host.streams.connect(target);
      stream.attach({ data: () => {}, closed: () => {} });
      stream.close();
      return;
    } catch (error) {
      host.log.dbg(() => `${formatTarget(target)}: cannot be reached`);
      reason = error;
    }
  }
  throw new DatabaseUnreachable(database, reason);
}

async function traceOnce(host: Host, settings: TraceSettings, model: TraceModel, zones: readonly TracedZone[], datapath: string | undefined, microflow: string, forms: Forms): Promise<string> {
  const { log, switchRemote } = settings;
  const result = traceMicroflow(model, datapath, microflow, {
    ...settings, warn: (text) => log.warn(text), random: (limit) => host.random.next32() % limit,
  }, zones);
  if (result.kind === "refused") return result.text;
  if (switchRemote !== undefined) await addOpenflow(host, switchRemote, result.flowOf, log);
  const several = Number(forms.detailed) + Number(forms.summary) + Number(forms.minimal) > 1;
  const form = (wanted: boolean, title: string, print: () => string): string => (wanted ? `${several ? `# ${title} trace.\n` : ""}${print()}` : "");
  const { header, root } = result;
  return `${header}${form(forms.detailed, "Detailed", () => printDetailed(root))}${form(forms.summary, "Summary", () => printSummary(root))}${form(forms.minimal, "Minimal", () => printMinimal(root))}`;
}
