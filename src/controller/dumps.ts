/** What the debug/dump-* commands show of a chassis (ovn-controller(8)). */
import type { ChassisSession } from "./chassis-session.ts";
import { claimOf, interfaceOf, isRelated } from "./claims.ts";
import { describeNeighbor } from "./describe-neighbor.ts";
import { peerPortsOf } from "./local-datapaths.ts";
import { LocalDatapath, type Node } from "./node.ts";
import { datapathOf, isSwitch, kindOf, portNamed } from "./ports.ts";
import type { Interface, PortBinding } from "./rows.ts";
import { systemIdOf } from "./settings.ts";

/** Interfaces by the ports they are for, and ports that others share, be their interface here or not. */
export function localBindings({ node }: Pick<ChassisSession, "node">): string {
  const containers = new Map<string, PortBinding[]>();
  for (const port of node.sb.tables.Port_Binding) {
    if (kindOf(port) === "container") containers.set(port.parent_port ?? "", [...containers.get(port.parent_port ?? "") ?? [], port]);
  }
  const parts = ["Local bindings:\n"];
  for (const id of [...new Set([...node.interfacesByIfaceId.keys, ...containers.keys()])].sort()) {
    const iface = interfaceOf(node, id);
    const shared = containers.get(id) ?? [];
    if (iface !== undefined || shared.length > 0) parts.push(bindingsOf(node, id, iface, shared), "----------------------------------------\n");
  }
  return parts.join("");
}

/** The port that the interface is for, and those that share it. */
function bindingsOf(node: Node, id: string, iface: Interface | undefined, containers: readonly PortBinding[]): string {
  const named = portNamed(node, id);
  const own = named !== undefined && isPrimary(node, named, iface) ? named : undefined;
  const others = iface === undefined ? [] : [...node.sb.tables.Port_Binding].filter((p) => p !== own && kindOf(p) !== "container" && claimOf(node, p)?.iface === iface);
  const children = [...containers, ...others].sort((a, b) => (a.logical_port < b.logical_port ? -1 : 1));
  const count = children.length + (own === undefined ? 0 : 1);
  const lines = [`name: [${id}], OVS interface name : [${iface?.name ?? "NULL"}], num binding lports : [${count}]`];
  if (own !== undefined) lines.push(`${kindOf(own) === "localport" ? "localport" : "primary"} lport : [${id}]`);
  else if (count > 0) lines.push("no primary lport");
  for (const [i, child] of children.entries()) lines.push(`child lport[${i + 1}] : [${child.logical_port}], type : [${kindOf(child).toUpperCase()}]`);
  return `${lines.join("\n")}\n`;
}

/** One that is meant for another interface, or needs none, is none of this one's. */
function isPrimary(node: Node, port: PortBinding, iface: Interface | undefined): boolean {
  const kind = kindOf(port);
  if (iface === undefined) return kind === "vif";
  return kind === "localport" || (kind !== "container" && claimOf(node, port)?.iface === iface);
}

export const localDatapaths = ({ engine }: ChassisSession): string =>
  `Local datapaths:\n${[...engine.facts(LocalDatapath)].map(({ datapath }) =>
    `Datapath: ${datapath.external_ids.get("name") ?? ""}, type: ${isSwitch(datapath) ? "switch" : "router"}\n`).join("")}`;

export const relatedPorts = ({ node }: ChassisSession): string =>
  [...node.sb.tables.Port_Binding].filter((p) => isRelated(node, p)).map((p) => p.logical_port).sort().join("\n");

export const peerPorts = ({ engine, node }: ChassisSession): string =>
  [...engine.facts(LocalDatapath)].flatMap(({ datapath }) => peerPortsOf(node, datapath._uuid).map(({ local, remote }) =>
    `dp ${datapath.external_ids.get("name") ?? "unknown"} : local = ${local.logical_port}, remote = ${remote.logical_port}\n`)).sort().join("");

export function localNeighbors({ node }: ChassisSession): string {
  const lines: string[] = [];
  for (const binding of node.sb.tables.MAC_Binding) {
    const port = portNamed(node, binding.logical_port);
    const datapath = port && datapathOf(node, port);
    if (port === undefined || datapath === undefined || !node.isLocalDatapath(datapath._uuid)) continue;
    lines.push(`${describeNeighbor(binding, datapath)}\n`);
  }
  return `Local MAC bindings:\n${lines.sort().join("")}`;
}

export const templateVariables = ({ node }: ChassisSession): string =>
  `Local template vars:\n${[...node.templatesByChassis.first(systemIdOf(node) ?? "")?.variables ?? []].map(([name, value]) => `name: '${name}' value: '${value}'\n`).sort().join("")}`;

export const conjunctionIds = ({ node }: ChassisSession): string => node.conjunctions.list();
