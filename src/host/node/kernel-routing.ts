/**
 * The kernel's routing tables by way of iproute2, which every Linux with FRR has: `ip -json` to look, `ip -batch` to change,
 * `ip monitor` to hear of changes. What is heard is only taken as a reason to look again.
 *
 * A VRF is a device of type vrf where the kernel has them. Where it has not, it is a network namespace of the same name (as
 * ip-netns(8) names them), and what would stand in the VRF's table stands in that namespace's main table: FRR takes the one
 * (zebra) for the other (zebra --vrfwnetns), and `ip -n ovnvrf10 route` reads as `ip route show vrf ovnvrf10`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { RouteFailure, RoutingTable } from "../kernel-routing.ts";
import type { Log } from "../log.ts";
import type { MachineRouting } from "../machine.ts";
import { batchFailures, disguise, disguisedNextHops, jsonItems, parseRoutes, reasonOf, routeLine, undisguised } from "./ip-text.ts";

interface IpResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Far more than a table of a million routes takes. */
const maxOutputSize = 1 << 28;
const monitorRestartMs = 1000;

export interface KernelRoutingOptions {
  /** What stands before every command: nothing, or what leads into another network namespace (`nsenter ...`). */
  readonly entry?: readonly string[];
  readonly log: Log;
}

export function nodeKernelRouting(options: KernelRoutingOptions): MachineRouting {
  const entry = options.entry ?? [];
  const log = options.log.module("route_exchange_netlink");
  const ip = (args: readonly string[], input = ""): Promise<IpResult> => run([...entry, "ip", ...args], input);
  /** VRFs known to be namespaces. */
  const namespaces = new Set<string>();

  async function isNamespace(vrf: string): Promise<boolean> {
    if (namespaces.has(vrf)) return true;
    const list = await ip(["-j", "netns", "list"]);
    const found = jsonItems(list.stdout).some((item) => item["name"] === vrf);
    if (found) namespaces.add(vrf);
    return found;
  }

  /** How to speak of the table: in which namespace, and by which number there. */
  async function place(table: RoutingTable): Promise<{ readonly prefix: readonly string[]; readonly id: number | undefined }> {
    return (await isNamespace(table.vrf)) ? { prefix: ["-n", table.vrf], id: undefined } : { prefix: [], id: table.id };
  }

  return {
    entry,

    async createVrf(table) {
      if (await isNamespace(table.vrf)) return;
      const made = await ip(["link", "add", table.vrf, "up", "type", "vrf", "table", String(table.id)]);
      if (made.code === 0 || made.stderr.includes("File exists")) return;
      if (!/Unknown device type|not supported/i.test(made.stderr)) throw new Error(reasonOf(made.stderr));
      const namespace = await ip(["netns", "add", table.vrf]);
      if (namespace.code !== 0 && !namespace.stderr.includes("File exists")) throw new Error(`no VRF devices in this kernel, no namespace in place of one: ${reasonOf(namespace.stderr)}`);
      namespaces.add(table.vrf);
      await ip(["-n", table.vrf, "link", "set", "lo", "up"]);
      log.info(`this kernel has no VRF devices: network namespace ${table.vrf} stands in for one with table ${table.id}`);
    },

    async deleteVrf({ vrf }) {
      const deleted = (await isNamespace(vrf)) ? await ip(["netns", "del", vrf]) : await ip(["link", "del", vrf]);
      namespaces.delete(vrf);
      if (deleted.code !== 0 && !/Cannot find device|No such file/.test(deleted.stderr)) throw new Error(reasonOf(deleted.stderr));
    },

    async routes(table) {
      const { prefix, id } = await place(table);
      const families = await Promise.all(([4, 6] as const).map(async (family) => {
        const shown = await ip([...prefix, "-N", "-j", `-${family}`, "route", "show", "table", id === undefined ? "main" : String(id)]);
        if (shown.code !== 0 && !shown.stderr.includes("table does not exist")) throw new Error(reasonOf(shown.stderr));
        return parseRoutes(shown.stdout, family);
      }));
      const routes = families.flat();
      if (id !== undefined || !routes.some((route) => route.nextHops.some((hop) => hop.address === disguise))) return routes;
      return undisguised(routes, disguisedNextHops((await ip([...prefix, "-j", "neigh", "show"])).stdout));
    },

    async change(table, remove, add) {
      if (remove.length + add.length === 0) return [];
      const { prefix, id } = await place(table);
      const commands = [...remove.map((route) => ({ verb: "del" as const, route })), ...add.map((route) => ({ verb: "add" as const, route }))];
      const input = commands.map(({ verb, route }) => `${routeLine(verb, route, id)}\n`).join("");
      const done = await ip([...prefix, "-force", "-batch", "-"], input);
      const failures = batchFailures(done.stderr);
      if (done.code !== 0 && failures.size === 0) throw new Error(reasonOf(done.stderr));
      return commands.flatMap(({ route }, i): RouteFailure[] => {
        const reason = failures.get(i + 1);
        return reason === undefined ? [] : [{ route, reason }];
      });
    },

    watch(table, changed) {
      let monitor: ChildProcess | undefined;
      let restart: NodeJS.Timeout | undefined;
      let isStopped = false;
      const start = async (): Promise<void> => {
        const { prefix } = await place(table).catch(() => ({ prefix: [] }));
        if (isStopped) return;
        const [command = "ip", ...args] = [...entry, "ip", ...prefix, "monitor", "route"];
        monitor = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
        monitor.stdout?.on("data", changed);
        monitor.on("error", () => undefined);
        monitor.on("close", () => {
          if (isStopped) return;
          restart = setTimeout(() => {
            void start();
            changed();
          }, monitorRestartMs);
        });
        // What changed before it listened has not been heard of.
        monitor.on("spawn", () => void setTimeout(changed, 50));
      };
      void start();
      return () => {
        isStopped = true;
        clearTimeout(restart);
        monitor?.kill("SIGTERM");
      };
    },

    async vrfKind(vrf) {
      if (await isNamespace(vrf)) return "namespace";
      return (await ip(["link", "show", "dev", vrf, "type", "vrf"])).stdout.trim() === "" ? undefined : "device";
    },

    async deviceName(index) {
      const links = jsonItems((await ip(["-j", "link", "show"])).stdout);
      const name = links.find((item) => item["ifindex"] === index)?.["ifname"];
      return typeof name === "string" ? name : undefined;
    },
  };
}

function run([command = "", ...args]: readonly string[], input: string): Promise<IpResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      if (stdout.length < maxOutputSize) stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (stderr.length < maxOutputSize) stderr += chunk;
    });
    child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 128, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
