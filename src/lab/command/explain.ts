/** `isthmus explain route ADDRESS`: how the outside comes to know the way to an address, link by link, from the databases to the last table. */
import { mappedHost, silentLog } from "../../host/index.ts";
import { formatPrefix, networkOf, parsePrefix } from "../../net/index.ts";
import { openReplica } from "../../ovsdb/index.ts";
import { northbound, southbound } from "../../schemas/index.ts";
import { present } from "../../std/index.ts";
import { carriersOf } from "../carriers.ts";
import { ControlError } from "../control.ts";
import { ctlRunner } from "../ctl-runner.ts";
import { type ChainLink, routeChains } from "../explain/route-chain.ts";
import { nodeEnvironment } from "../layout.ts";
import type { CommandResult } from "../script/run.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import { connectLab, findLab, type FoundLab } from "./find-lab.ts";
import { type Terminal, UserError } from "./terminal.ts";

/** Resolves with 0 if every chain is whole, else with 1. */
export async function explainRouteCommand(terminal: Terminal, address: string, options: { readonly dir?: string | undefined }): Promise<number> {
  const prefix = parsePrefix(address);
  if (prefix === undefined) throw new UserError(`${address} is neither an address nor a prefix: 172.16.10.2, 192.168.10.0/24`);
  const lab = findLab(terminal, options.dir);
  const centrals = [...lab.topology.nodes.values()].filter((node) => node.roles.has("central"));
  let isWhole = true;
  for (const central of centrals) isWhole = (await explainZone(terminal, lab, central, networkOf(prefix))) && isWhole;
  return isWhole ? 0 : 1;
}

async function explainZone(terminal: Terminal, lab: FoundLab, central: TopologyNode, target: ReturnType<typeof networkOf>): Promise<boolean> {
  const { topology, folder, record } = lab;
  const carriers = new Map(record.carriers);
  const environment = nodeEnvironment(folder, topology, central, carriers);
  const host = { ...mappedHost(terminal.host, carriersOf(central.address, carriers)), log: silentLog };
  const nb = openReplica(host, northbound, present(environment.get("OVN_NB_DB")), { leaderOnly: false });
  const sb = openReplica(host, southbound, present(environment.get("OVN_SB_DB")), {
    leaderOnly: false, monitor: { Advertised_Route: true, Datapath_Binding: true, Port_Binding: true, Chassis: true },
  });
  const commands = ctlRunner();
  const client = await connectLab(terminal, lab);
  try {
    await Promise.all([nb.synced, sb.synced]);
    const { common, chains } = await routeChains({
      topology, nb: nb.tables, sb: sb.tables,
      runCtl: (argv) => commands.run({ node: central, host, environment }, argv),
      async runOn(name, argv): Promise<CommandResult> {
        const texts = { stdout: "", stderr: "" };
        try {
          const exitCode = await client.request("exec", [name, [...argv]], (to, bytes) => void (texts[to] += Buffer.from(bytes).toString("utf8")));
          return { exitCode: Number(exitCode), ...texts };
        } catch (error) {
          if (!(error instanceof ControlError)) throw error;
          return { exitCode: 1, stdout: "", stderr: error.message };
        }
      },
    }, target);
    terminal.process.out(`${formatPrefix(target)}${central.zone === undefined ? "" : ` in zone ${central.zone}`}\n\n`);
    print(terminal, common);
    for (const [title, links] of chains) {
      terminal.process.out(`${title}:\n\n`);
      print(terminal, links);
    }
    return [...common, ...[...chains.values()].flat()].every((link) => link.broken === undefined);
  } finally {
    client.close();
    commands.close();
    nb.close();
    sb.close();
  }
}

function print(terminal: Terminal, links: readonly ChainLink[]): void {
  for (const { what, command, output, broken } of links) {
    const lines = output.split("\n").filter((line) => line.trim() !== "").map((line) => `     ${line.trimEnd()}\n`);
    terminal.process.out(`  ${what}\n   $ ${command}\n${lines.join("")}${broken === undefined ? "" : `  !! Here the chain breaks: ${broken}\n`}\n`);
  }
}
