/**
 * A machine of the underlay with the kernel of this one, in a network namespace: its cards and internal ports are devices whose
 * far ends are in the lab. The lab's switches cannot open sockets there, so tunnels do not end on such a machine.
 */
import type { DeviceEnd, Machine, Machines } from "../../host/index.ts";
import type { RunningCommand } from "../sim-host/index.ts";
import type { UnderlayInterface, UnderlayMachine } from "../topology/underlay.ts";
import type { DevicePlug, FabricMachine } from "./fabric-machine.ts";

/** Folders that tools write to, each machine its own. */
const ownFolders = ["/var/log/frr", "/etc/frr"];

interface Door {
  readonly end: DeviceEnd;
  take: ((frame: Uint8Array) => void) | undefined;
  readonly taps: Set<(frame: Uint8Array, direction: "in" | "out") => void>;
}

export class NetnsMachine implements FabricMachine {
  readonly name: string;
  readonly datagrams = undefined;
  readonly #machine: Machine;
  readonly #options: UnderlayMachine;
  readonly #interfaces: readonly UnderlayInterface[];
  readonly #doors = new Map<string, Door>();

  private constructor(machine: Machine, options: UnderlayMachine, interfaces: readonly UnderlayInterface[]) {
    this.name = options.name;
    this.#machine = machine;
    this.#options = options;
    this.#interfaces = interfaces;
  }

  static async start(machines: Machines, options: UnderlayMachine, interfaces: readonly UnderlayInterface[]): Promise<NetnsMachine> {
    const made = new NetnsMachine(await machines.start({ name: options.name, emptyFolders: ownFolders }), options, interfaces);
    try {
      for (const i of interfaces) if (i.of === undefined) await made.#open(i);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  async #open({ name, mac, mtu }: UnderlayInterface): Promise<void> {
    const taps: Door["taps"] = new Set();
    const end = await this.#machine.openDevice({ name, mac, mtu }, (frame) => {
      for (const see of taps) see(frame, "out");
      this.#doors.get(name)?.take?.(frame);
    });
    this.#doors.set(name, { end, take: undefined, taps });
  }

  get entry(): readonly string[] {
    return this.#machine.entry;
  }

  plug(interfaceName: string): DevicePlug | undefined {
    const door = this.#doors.get(interfaceName);
    if (door === undefined) return undefined;
    return {
      attach: (take) => {
        door.take = take;
      },
      send: (frame) => {
        for (const see of door.taps) see(frame, "in");
        door.end.send(frame);
      },
    };
  }

  exec(argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void): RunningCommand {
    return this.#machine.start(argv, output);
  }

  tap(interfaceName: string, see: (frame: Uint8Array, direction: "in" | "out") => void): (() => void) | undefined {
    const door = this.#doors.get(interfaceName);
    door?.taps.add(see);
    return door && (() => door.taps.delete(see));
  }

  async configure(): Promise<void> {
    await this.#must(["ip", "link", "set", "lo", "up"]);
    for (const { name, of, vlan } of this.#interfaces) {
      if (of !== undefined) await this.#must(["ip", "link", "add", "link", of, "name", name, "type", "vlan", "id", String(vlan)]);
      await this.#must(["ip", "link", "set", name, "up"]);
    }
    // Linux chooses among equal routes by addresses alone, unless it is told to look at ports too.
    const settings = new Map([["net.ipv4.fib_multipath_hash_policy", "1"], ...this.#options.sysctl]);
    for (const { name, addresses } of this.#interfaces) {
      for (const address of addresses) await this.#must(["ip", "addr", "replace", address, "dev", name, ...(address.includes(":") ? ["nodad"] : [])]);
    }
    for (const [key, value] of settings) {
      // Not every kernel lets itself be seeded; what depends on it is chance then.
      if (key === "net.ipv4.fib_multipath_hash_seed") await this.#machine.execute(["sysctl", "-q", "-w", `${key}=${value}`]);
      else await this.#must(["sysctl", "-q", "-w", `${key}=${value}`]);
    }
    for (const route of this.#options.routes) await this.#must(["ip", "route", "replace", ...route.split(/\s+/).filter((w) => w !== "")]);
  }

  async #must(argv: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#machine.execute(argv);
    if (code === 0) return;
    const [program = ""] = argv;
    throw new Error(`${this.name}: ${argv.join(" ")}: ${code === 126 || code === 127 ? `this machine has no ${program}: install it` : (stderr.trim().split("\n").at(-1) ?? "")}`);
  }

  /** The kernel cannot be switched off; its devices can. */
  async power(isOn: boolean): Promise<void> {
    for (const { name } of this.#interfaces) await this.#must(["ip", "link", "set", name, isOn ? "up" : "down"]);
    if (isOn) for (const route of this.#options.routes) await this.#must(["ip", "route", "replace", ...route.split(/\s+/).filter((w) => w !== "")]);
  }

  async stop(): Promise<void> {
    for (const { end } of this.#doors.values()) end.close();
    await this.#machine.stop();
  }
}
