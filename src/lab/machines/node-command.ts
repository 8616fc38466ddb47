/**
 * `isthmus exec NODE COMMAND`: commands on a node. A node with a kernel of its own runs the machine's real programs; where its
 * VRFs are network namespaces, `vrf NAME` in an ip command means that namespace. Any other node knows its routing tables, and
 * how `ip route` and `ip link` show them.
 */
import type { KernelRoute, Machine, MemoryRouting } from "../../host/index.ts";

/** `ip route show vrf X` as it has to be said where X is a namespace; `ip vrf exec X ...` and `ip link show X` too. */
export async function nodeCommand(machine: Machine, argv: readonly string[]): Promise<readonly string[]> {
  const [program = "", ...args] = argv;
  if (program !== "ip") return argv;
  const isNamespace = async (name: string | undefined): Promise<boolean> => name !== undefined && (await machine.routing.vrfKind(name)) === "namespace";
  if (args[0] === "vrf" && args[1] === "exec" && (await isNamespace(args[2]))) return ["ip", "netns", ...args.slice(1)];
  const at = args.indexOf("vrf");
  const vrf = args[at + 1];
  if (at < 0 || vrf === undefined || !(await isNamespace(vrf))) return argv;
  // A table's number is its VRF's, and the namespace's main table stands in for it.
  const rest = [...args.slice(0, at), ...args.slice(at + 2)].filter((word, i, all) => word !== "table" && all[i - 1] !== "table");
  return ["ip", "-n", vrf, ...rest];
}

export interface MemoryCommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `ip route show vrf X`, `ip route show table N`, `ip link show type vrf` on a node whose tables are in memory. */
export function memoryCommand(routing: MemoryRouting, node: string, argv: readonly string[]): MemoryCommandResult {
  const words = argv.filter((word) => !/^-(4|6|c|color|d|details)$/.test(word));
  const [program, object = "", ...rest] = words;
  if (program === "ip" && ["route", "r", "ro"].includes(object)) return showRoutes(routing, rest);
  if (program === "ip" && ["link", "l"].includes(object)) return { exitCode: 0, stdout: [...routing.vrfs.keys()].map((vrf) => `${vrf}: <NOARP,MASTER,UP,LOWER_UP>\n`).join(""), stderr: "" };
  return { exitCode: 127, stdout: "", stderr: `${node} has no kernel of its own, only routing tables: ip route show [vrf NAME | table NUMBER], ip link show type vrf\n` };
}

function showRoutes(routing: MemoryRouting, words: readonly string[]): MemoryCommandResult {
  const value = (key: string): string | undefined => (words.includes(key) ? words[words.indexOf(key) + 1] : undefined);
  const vrf = value("vrf");
  const id = vrf === undefined ? Number(value("table") ?? 254) : routing.vrfs.get(vrf)?.id;
  if (id === undefined) return { exitCode: 255, stdout: "", stderr: `Error: argument "${vrf ?? ""}" is wrong: Invalid VRF\n\n` };
  return { exitCode: 0, stdout: (routing.tables.get(id) ?? []).map((route) => `${routeText(route)} \n`).join(""), stderr: "" };
}

const protocols: ReadonlyMap<number, string> = new Map([[2, "kernel"], [3, "boot"], [4, "static"], [186, "bgp"]]);

function routeText({ kind, destination, protocol, metric, nextHops }: KernelRoute): string {
  const plain = destination === "0.0.0.0/0" || destination === "::/0" ? "default" : destination.replace(/\/(32|128)$/, "");
  const hops = nextHops.map(({ address, device }) => [
    ...(address === undefined ? [] : ["via", ...(address.includes(":") && !destination.includes(":") ? ["inet6"] : []), address]),
    ...(device === undefined ? [] : ["dev", device]),
  ].join(" "));
  return [...(kind === "blackhole" ? ["blackhole"] : []), plain, ...hops, "proto", protocols.get(protocol) ?? String(protocol), "metric", String(metric)].join(" ");
}
