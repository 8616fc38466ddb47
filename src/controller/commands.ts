/** The control commands of ovn-controller(8). */
import { type UnixctlCommand, UnixctlError } from "../daemon/index.ts";
import type { ChassisSession } from "./chassis-session.ts";
import { claimOf, interfaceOf, isRelated } from "./claims.ts";
import { injectPacket } from "./inject.ts";
import { LocalDatapath } from "./node.ts";
import { isSwitch, kindOf } from "./ports.ts";

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
    command("inc-engine/clear-stats", "", 0, 0, () => ""),
    command("inc-engine/show-stats", "", 0, 2, () => ""),
    command("lflow-cache/flush", "", 0, 0, () => ""),
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
    command("debug/dump-local-bindings", "", 0, 0, (session) => (session === undefined ? "" : localBindings(session))),
    command("debug/dump-local-datapaths", "", 0, 0, (session) => (session === undefined ? "" : localDatapaths(session))),
    command("debug/dump-related-ports", "", 0, 0, (session) => (session === undefined ? "" : relatedPorts(session))),
  ];
}

function paused(session: ChassisSession | undefined, isPaused: boolean): string {
  session?.setPaused(isPaused);
  return "";
}

function delayReport(session: ChassisSession | undefined, args: readonly string[]): string {
  const text = args[0] ?? "";
  if (!/^\d+$/.test(text)) throw new UnixctlError("unsigned integer required");
  const seconds = Number(text);
  session?.delayReports(seconds * 1000);
  return seconds === 0 ? "no delay for nb_cfg report." : `delay nb_cfg report for ${seconds} seconds.`;
}

function localBindings({ node }: ChassisSession): string {
  const lines = ["Local bindings:"];
  const ids = [...node.interfacesByIfaceId.keys].sort();
  for (const id of ids) {
    const iface = interfaceOf(node, id);
    if (iface === undefined) continue;
    lines.push(`name: [${id}], OVS interface name : [${iface.name}], num binding lports : [${claimedBy(node, id).length}]`);
    for (const [kind, name] of claimedBy(node, id)) lines.push(`${kind} lport : [${name}]`);
    lines.push("----------------------------------------");
  }
  return `${lines.join("\n")}\n`;
}

function claimedBy(node: ChassisSession["node"], id: string): readonly (readonly [kind: string, name: string])[] {
  const own = node.portsByName.first(id);
  const iface = interfaceOf(node, id);
  const children = [...node.sb.tables.Port_Binding].filter((p) => p !== own && claimOf(node, p)?.iface === iface && iface !== undefined);
  return [...(own === undefined ? [] : [["primary", id] as const]), ...children.map((p) => [kindOf(p), p.logical_port] as const)];
}

const localDatapaths = ({ engine }: ChassisSession): string =>
  `Local datapaths:\n${[...engine.facts(LocalDatapath)].map(({ datapath }) =>
    `Datapath: ${datapath.external_ids.get("name") ?? ""}, type: ${isSwitch(datapath) ? "switch" : "router"}\n`).join("")}`;

const relatedPorts = ({ node }: ChassisSession): string =>
  [...node.sb.tables.Port_Binding].filter((p) => isRelated(node, p)).map((p) => p.logical_port).sort().join("\n");
