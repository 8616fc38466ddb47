/** The control commands of ovn-controller(8). */
import { type UnixctlCommand, UnixctlError } from "../daemon/index.ts";
import type { ChassisSession } from "./chassis-session.ts";
import { conjunctionIds, localBindings, localDatapaths, localNeighbors, peerPorts, relatedPorts, templateVariables } from "./dumps.ts";
import { injectPacket } from "./inject.ts";

export interface CommandPlace {
  /** Undefined until the southbound database is known. */
  session(): ChassisSession | undefined;
  exit(restarts: boolean): Promise<void>;
}

type Handler = (session: ChassisSession | undefined, args: readonly string[]) => string | Promise<string>;

export function commandsOf(place: CommandPlace): readonly UnixctlCommand[] {
  const command = (name: string, usage: string, minArgs: number, maxArgs: number, handle: Handler): UnixctlCommand =>
    ({ name, usage, minArgs, maxArgs, run: (args) => handle(place.session(), args) });
  return [
    command("exit", "[--restart]", 0, 1, async (_session, args) => {
      const [flag] = args;
      if (flag !== undefined && flag !== "--restart") throw new UnixctlError(`unknown argument: ${flag}`);
      await place.exit(flag !== undefined);
      return "";
    }),
    command("connection-status", "", 0, 0, (session) => (session?.isConnected === true ? "connected\n" : "not connected\n")),
    // Nothing is ever recomputed from scratch: what stands is what would come out.
    command("recompute", "", 0, 0, () => ""),
    command("inc-engine/recompute", "", 0, 0, () => ""),
    command("inc-engine/clear-stats", "", 0, 0, (session) => {
      if (session !== undefined) session.passes = 0;
      return "";
    }),
    command("inc-engine/show-stats", "[NODE [COUNTER]]", 0, 2, (session, args) => statistics(session?.passes ?? 0, args)),
    command("inc-engine/compute-log-timeout", "MSECS", 1, 1, () => ""),
    command("lflow-cache/flush", "", 0, 0, () => ""),
    command("flush-lflow-cache", "[deprecated]", 0, 0, () => ""),
    command("sb-cluster-state-reset", "", 0, 0, (session) => {
      session?.reconnectSouthbound();
      return "";
    }),
    command("lflow-cache/show-stats", "", 0, 0, () => "Enabled: false\n"),
    command("debug/pause", "", 0, 0, (session) => paused(session, true)),
    command("debug/resume", "", 0, 0, (session) => paused(session, false)),
    command("debug/status", "", 0, 0, (session) => (session?.isPaused === true ? "paused\n" : "running\n")),
    command("debug/delay-nb-cfg-report", "SECONDS", 1, 1, delayReport),
    command("inject-pkt", "MICROFLOW", 1, 1, (session, [microflow = ""]) => {
      const refusal = session === undefined ? "OpenFlow channel not ready." : injectPacket(session, microflow);
      if (refusal !== undefined) throw new UnixctlError(refusal);
      return "";
    }),
    command("ct-zone-list", "", 0, 0, (session) => session?.node.zones.list() ?? ""),
    command("group-table-list", "", 0, 0, (session) => session?.node.groups.list() ?? ""),
    command("meter-table-list", "", 0, 0, (session) => session?.node.meters.list() ?? ""),
    ...dumps.map(([name, dump]) => command(`debug/dump-${name}`, "", 0, 0, (session) => (session === undefined ? "" : dump(session)))),
  ];
}

const dumps: readonly (readonly [name: string, dump: (session: ChassisSession) => string])[] = [
  ["local-bindings", localBindings], ["local-datapaths", localDatapaths], ["related-ports", relatedPorts], ["peer-ports", peerPorts],
  ["mac-bindings", localNeighbors], ["local-template-vars", templateVariables], ["lflow-conj-ids", conjunctionIds],
];

function paused(session: ChassisSession | undefined, isPaused: boolean): string {
  session?.setPaused(isPaused);
  return "";
}

function delayReport(session: ChassisSession | undefined, args: readonly string[]): string {
  const text = args[0] ?? "";
  if (!/^\d+$/.test(text)) throw new UnixctlError("unsigned integer required");
  const seconds = Number(text);
  if (session !== undefined) session.reportDelayMs = seconds * 1000;
  return seconds === 0 ? "no delay for nb_cfg report." : `delay nb_cfg report for ${seconds} seconds.`;
}

/** There is one node: every change runs what it concerns, and nothing is ever run for want of knowing better. */
function statistics(passes: number, [node, counter]: readonly string[]): string {
  const counts: ReadonlyMap<string, number> = new Map([["recompute", 0], ["compute", passes], ["cancel", 0]]);
  if (node !== undefined && node !== outputNode) return "";
  if (counter !== undefined) return String(counts.get(counter) ?? `Invalid stat type : ${counter}`);
  return [`Node: ${outputNode}\n`, ...[...counts].map(([name, count]) => `- ${`${name}:`.padEnd(11)}${String(count).padStart(12)}\n`)].join("");
}

const outputNode = "controller_output";
