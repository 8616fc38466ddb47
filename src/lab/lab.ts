/**
 * A running lab: brings a topology up, answers what is asked of it, takes it down. One object for one folder.
 *
 * Order: databases, with the interfaces of hosts; then the set-up scripts (each node's in order, all nodes at once) and ovn-ic;
 * northd, switches and controllers when the scripts are through, or wait for something; then the hosts and their configuration.
 * Whatever is in the databases by the time a daemon starts, it works out once; what comes later, it works in bit by bit.
 */
import { timedOutCode } from "../ctl/index.ts";
import type { AddressMap, Host, Machines } from "../host/index.ts";
import { mappedHost } from "../host/index.ts";
import { type Ip, isLinkLocalIpv6, parsePrefix } from "../net/index.ts";
import { present } from "../std/index.ts";
import type { CapturedFrame, DistantTap } from "../switch/index.ts";
import { carriersOf } from "./carriers.ts";
import { type DaemonPlan, planDaemons } from "./daemon-plan.ts";
import { firstCommands } from "./first-commands.ts";
import { LabError } from "./lab-error.ts";
import type { DaemonLauncher, LaunchedDaemon } from "./launcher.ts";
import { type LabHost, SimulatedLabHost } from "./lab-host.ts";
import { nodeEnvironment, nodeFolder } from "./layout.ts";
import { isMachineCommand } from "./machine-command.ts";
import type { CommandPlace, CommandRunner } from "./command-runner.ts";
import { NetnsHost } from "./netns-host/netns-host.ts";
import type { CommandResult } from "./script/run.ts";
import { SetUp } from "./set-up.ts";
import { LabMachines } from "./machines/lab-machines.ts";
import { memoryCommand, nodeCommand } from "./machines/node-command.ts";
import type { RunningCommand } from "./sim-host/index.ts";
import type { TopologyHost } from "./topology/hosts.ts";
import { isChassis, type TopologyNode } from "./topology/nodes.ts";
import type { Topology } from "./topology/topology.ts";
import type { LabUnderlay, LinkReport } from "./underlay/lab-underlay.ts";

export interface LabOptions {
  readonly host: Host;
  readonly topology: Topology;
  /** Absolute. */
  readonly folder: string;
  readonly carriers: AddressMap;
  readonly launcher: DaemonLauncher;
  readonly commands: CommandRunner;
  /** For hosts of kind netns, and for nodes and routers where FRR runs. */
  readonly machines: Machines;
  /** False leaves the databases as empty as a fresh installation's. */
  readonly runsSetup: boolean;
  /** Told as work gets done. */
  progress(step: string): void;
}

/** A command of a set-up script that waits for what never comes must not make the lab wait for ever. */
const commandLimitS = 30;

const asLabError = (error: unknown): never => {
  throw new LabError(error instanceof Error ? error.message : String(error));
};

export class Lab {
  readonly #options: LabOptions;
  readonly #nodeHosts = new Map<string, Host>();
  readonly #daemons = new Map<string, LaunchedDaemon>();
  readonly hosts = new Map<string, LabHost>();
  #underlay: LabUnderlay | undefined;
  readonly machines: LabMachines;
  readonly #setUp: SetUp;
  /** Nodes whose network stacks are off. */
  readonly #off = new Set<string>();

  constructor(options: LabOptions) {
    this.#options = options;
    for (const node of options.topology.nodes.values()) {
      this.#nodeHosts.set(node.name, mappedHost(options.host, carriersOf(node.address, options.carriers)));
    }
    const { clock, random } = options.host;
    this.#setUp = new SetUp({ clock, random, execute: (node, argv) => this.#execute(present(options.topology.nodes.get(node)), argv) });
    this.machines = new LabMachines({
      host: options.host, topology: options.topology, machines: options.machines, progress: options.progress,
      command: (node, argv) => this.#command(node, argv),
      switchOf: (node) => this.#switchOf(node),
    });
  }

  get topology(): Topology {
    return this.#options.topology;
  }

  async up(): Promise<void> {
    const { topology, host, folder, runsSetup, progress } = this.#options;
    const nodes = [...topology.nodes.values()];
    for (const node of nodes) host.disk.makeFolder(nodeFolder(folder, node.name));
    const plans = nodes.flatMap((node) => planDaemons(folder, topology, node).map((plan) => ({ node, plan })));
    const start = (wanted: (plan: DaemonPlan) => boolean): Promise<unknown> =>
      Promise.all(plans.filter(({ plan }) => wanted(plan)).map(({ node, plan }) => this.#launch(node, plan)));

    await this.#startUnderlay();
    await Promise.all([start((plan) => plan.kind === "database"), this.machines.start().catch(asLabError)]);
    await Promise.all(nodes.map((node) => this.#prepareDatabases(node)));
    progress(`${plans.filter(({ plan }) => plan.kind === "database").length} databases`);
    const scripts = runsSetup ? topology.setup : [];
    const setUp = this.#setUp.run(scripts).then(() => scripts.length > 0 && progress(`${scripts.length} set-up scripts`));
    // A failure is reported where it is waited for, below; until then it must not pass for one that nobody handles.
    setUp.catch(() => undefined);
    await start((plan) => plan.kind === "ic");
    await Promise.race([setUp.catch(() => undefined), this.#setUp.untilItWaits()]);
    await start((plan) => plan.kind !== "database" && plan.kind !== "ic");
    progress("northd, ovn-ic, switches and controllers");
    await Promise.all([...[...topology.hosts.values()].map((wanted) => this.#plug(wanted)), this.machines.plug()]);
    if (topology.hosts.size > 0) progress(`${topology.hosts.size} hosts plugged in`);
    await setUp;
    await Promise.all([...this.hosts.values()].map((h) => h.configure()));
  }

  /** Nodes with a place in the underlay open their UDP sockets there; it is loaded only where it is wanted. */
  async #startUnderlay(): Promise<void> {
    const { host, machines, topology } = this.#options;
    if (topology.underlay === undefined) return;
    const { LabUnderlay } = await import("./underlay/lab-underlay.ts");
    try {
      this.#underlay = await LabUnderlay.start(host, machines, topology.underlay, (name, family) => this.#addressOf(name, family));
    } catch (error) {
      throw new LabError(error instanceof Error ? error.message : String(error));
    }
    for (const [name, nodeHost] of this.#nodeHosts) this.#nodeHosts.set(name, { ...nodeHost, datagrams: this.#underlay.datagramsOf(name, nodeHost.datagrams) });
  }

  async down(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((labHost) => labHost.stop()));
    // Controllers leave before what they talk to, so that they can take their chassis out of the databases.
    const order: readonly DaemonPlan["kind"][] = ["controller", "ic", "northd", "switch", "database"];
    for (const kind of order) {
      await Promise.all([...this.#daemons.values()].filter((d) => d.plan.kind === kind).map((d) => d.stop()));
    }
    this.#daemons.clear();
    await this.machines.stop();
    await this.#underlay?.stop();
  }

  /** Ends the daemon if it still runs, and starts it on the same state; without a name, all of the node's that do not run. */
  async restart(nodeName: string, daemonName: string | undefined): Promise<readonly LaunchedDaemon[]> {
    if (this.topology.routers.has(nodeName)) {
      this.machines.power(nodeName, true);
      return [];
    }
    const { node, plans } = this.#plansOf(nodeName, daemonName);
    if (this.#off.delete(nodeName)) await this.#underlay?.power(nodeName, true);
    const wanted = daemonName === undefined ? plans.filter((p) => this.#daemons.get(`${nodeName}/${p.name}`)?.isRunning !== true) : plans;
    const started: LaunchedDaemon[] = [];
    for (const plan of wanted) {
      await this.#daemons.get(`${nodeName}/${plan.name}`)?.stop();
      const daemon = await this.#launch(node, plan);
      if (plan.kind === "switch") this.machines.replug(nodeName, daemon);
      if (plan.kind === "switch") for (const labHost of this.hosts.values()) if (labHost.topology.node === nodeName) labHost.plugInto(daemon);
      started.push(daemon);
    }
    return started;
  }

  /** Ends the daemon without a word, as SIGKILL does; without a name, all of the node's, as a power cut does. The names of those it ended. */
  kill(nodeName: string, daemonName: string | undefined): readonly string[] {
    if (this.topology.routers.has(nodeName)) {
      this.machines.power(nodeName, false);
      return ["all of it"];
    }
    const { plans } = this.#plansOf(nodeName, daemonName);
    const running = plans.flatMap((p) => this.#daemons.get(`${nodeName}/${p.name}`) ?? []).filter((d) => d.isRunning);
    for (const daemon of running) daemon.kill();
    if (daemonName === undefined && this.#underlay !== undefined) {
      this.#off.add(nodeName);
      void this.#underlay.power(nodeName, false);
    }
    return running.map((d) => d.plan.name);
  }

  #plansOf(nodeName: string, daemonName: string | undefined): { readonly node: TopologyNode; readonly plans: readonly DaemonPlan[] } {
    const { topology, folder } = this.#options;
    const node = topology.nodes.get(nodeName);
    if (node === undefined) throw new LabError(`no node ${nodeName}; there are ${[...topology.nodes.keys()].join(", ")}`);
    const plans = planDaemons(folder, topology, node);
    const wanted = plans.filter((p) => daemonName === undefined || p.name === daemonName);
    if (wanted.length === 0) throw new LabError(`${nodeName} runs no ${daemonName ?? "daemon"}; it runs ${plans.map((p) => p.name).join(", ")}`);
    return { node, plans: wanted };
  }

  daemons(): readonly LaunchedDaemon[] {
    return [...this.#daemons.values()];
  }

  daemon(node: string, name: string): LaunchedDaemon | undefined {
    return this.#daemons.get(`${node}/${name}`);
  }

  host(name: string): LabHost {
    const found = this.hosts.get(name);
    if (found === undefined) throw new LabError(`no host ${name}; there are ${[...this.hosts.keys()].join(", ") || "none"}`);
    return found;
  }

  /** A host, or a machine of the underlay: what commands can be run on. */
  machine(name: string): Pick<LabHost, "exec" | "entry"> {
    return this.#underlay?.machine(name) ?? this.host(name);
  }

  /** Runs a command on a host, a router or a node. */
  exec(name: string, argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand {
    const memory = this.machines.memory(name);
    if (memory !== undefined && this.#underlay?.machine(name) === undefined) {
      const { exitCode, stdout, stderr } = memoryCommand(memory, name, argv);
      output("stdout", new TextEncoder().encode(stdout));
      output("stderr", new TextEncoder().encode(stderr));
      return { exitCode: Promise.resolve(exitCode), interrupt: () => undefined };
    }
    if (!this.machines.has(name)) return this.machine(name).exec(argv, output);
    const machine = this.machines.machine(name);
    const running = nodeCommand(machine, argv).then((command) => machine.start(command, output));
    return { exitCode: running.then((command) => command.exitCode), interrupt: () => void running.then((command) => command.interrupt()) };
  }

  /** What to run here so that it runs there, with the caller's own terminal; undefined: it has to be asked for by `exec`. */
  async realCommand(name: string, argv: readonly string[]): Promise<readonly string[] | undefined> {
    if (this.machines.has(name)) {
      const machine = this.machines.machine(name);
      return [...machine.entry, ...(await nodeCommand(machine, argv))];
    }
    const isMemory = this.machines.memory(name) !== undefined && this.#underlay?.machine(name) === undefined;
    const entry = isMemory ? undefined : this.machine(name).entry;
    return entry === undefined ? undefined : [...entry, ...argv];
  }

  /** The frames of a port of a node's switch, of a switch of the underlay, or of a machine's interface. */
  tap(on: string, port: string, see: (frame: CapturedFrame) => void): DistantTap {
    const below = this.#underlay?.tap(on, port, see);
    const daemon = this.daemon(on, "ovs-vswitchd");
    if (below === undefined && daemon === undefined) throw new LabError(`${on} has no switch to capture on`);
    return below === undefined ? present(daemon).tap(port, see) : { attached: Promise.resolve(), stop: below };
  }

  links(): readonly LinkReport[] {
    return this.#underlay?.links() ?? [];
  }

  changeLink(name: string, direction: "both" | "out" | "in", words: readonly string[]): void {
    const wrong = this.#underlay === undefined ? `the topology file has no "underlay": there are no links` : this.#underlay.changeLink(name, direction, words);
    if (wrong !== undefined) throw new LabError(wrong);
  }

  async #launch(node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
    const host = { ...present(this.#nodeHosts.get(node.name), `host of ${node.name}`), routing: this.machines.routing(node.name) };
    const daemon = await this.#options.launcher.launch(host, node, plan);
    this.#daemons.set(`${node.name}/${plan.name}`, daemon);
    if (plan.kind === "switch") this.#underlay?.plugInto(node.name, daemon);
    return daemon;
  }

  async #prepareDatabases(node: TopologyNode): Promise<void> {
    for (const command of firstCommands(this.topology, node)) await this.#command(node, command);
    if (isChassis(node)) for (const command of this.#underlay?.bridgeCommandsOf(node.name) ?? []) await this.#command(node, command);
  }

  async #plug(wanted: TopologyHost): Promise<void> {
    const node = present(this.topology.nodes.get(wanted.node));
    const labHost = await this.#makeHost(wanted);
    this.hosts.set(wanted.name, labHost);
    labHost.plugInto(this.#switchOf(node.name));
  }

  async #makeHost(wanted: TopologyHost): Promise<LabHost> {
    const { host, machines, topology } = this.#options;
    if (wanted.kind === "simulated") return new SimulatedLabHost(host, wanted, (other, family) => this.#addressOf(other, family));
    try {
      return await NetnsHost.start(host, machines, wanted, topology.hosts);
    } catch (error) {
      throw new LabError(`host ${wanted.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Hosts know one another by name. */
  #addressOf(name: string, family: 4 | 6 | undefined): Ip | undefined {
    const prefixes = this.hosts.get(name)?.addresses().map((text) => parsePrefix(text)) ?? [];
    return prefixes.find((p) => p !== undefined && (family === undefined || p.family === family) && !isLocal(p)) ?? this.#underlay?.addressOf(name, family);
  }

  #switchOf(node: string): LaunchedDaemon {
    return present(this.#daemons.get(`${node}/ovs-vswitchd`), `switch of ${node}`);
  }

  async #execute(node: TopologyNode, argv: readonly string[]): Promise<CommandResult> {
    const machine = this.#underlay?.machine(node.name);
    if (machine !== undefined && isMachineCommand(argv)) return this.#executeOn(machine, argv);
    const result = await this.#options.commands.run(this.#place(node), argv);
    return result.exitCode === timedOutCode ? { ...result, stderr: `${result.stderr}gave up after ${commandLimitS} s` } : result;
  }

  async #executeOn(machine: Pick<LabHost, "exec">, argv: readonly string[]): Promise<CommandResult> {
    const text = { stdout: "", stderr: "" };
    const exitCode = await machine.exec(argv, (to, bytes) => void (text[to] += new TextDecoder().decode(bytes))).exitCode;
    return { exitCode, ...text };
  }

  async #command(node: TopologyNode, argv: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#execute(node, argv);
    if (exitCode !== 0) throw new LabError(`${node.name}: ${argv.join(" ")}: ${stderr.trim()}`);
  }

  #place(node: TopologyNode): CommandPlace {
    const { folder, carriers } = this.#options;
    const environment = nodeEnvironment(folder, this.topology, node, carriers);
    environment.set("OVS_CTL_TIMEOUT", String(commandLimitS));
    return { node, host: present(this.#nodeHosts.get(node.name)), environment };
  }
}

/** Addresses that mean something only on the host itself or on its link. */
const isLocal = (ip: Ip): boolean => (ip.family === 4 ? ip.address >>> 24 === 127 : ip.address === 1n || isLinkLocalIpv6(ip.address));
