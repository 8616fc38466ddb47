/**
 * A machine of the underlay with the kernel of this one, in a network namespace: its cards and internal ports are devices whose
 * far ends are in the lab. The lab's switches cannot open sockets there, so tunnels do not end on such a machine.
 *
 * VLANs are the kernel's where it has them (8021q); where not, each is a device like a card, and the lab puts on its tag and
 * takes it off where the card's cable begins.
 */
import { withoutTag, withTag } from "../../fabric/index.ts";
import type { DeviceEnd, Disk, Machine, Machines } from "../../host/index.ts";
import { frrFolders, frrObstacle, startFrr } from "../machines/frr.ts";
import type { RunningCommand } from "../sim-host/index.ts";
import { realMachine } from "../netns-host/real-machine.ts";
import type { UnderlayInterface, UnderlayMachine } from "../topology/underlay.ts";
import type { DevicePlug, FabricMachine } from "./fabric-machine.ts";

type See = (frame: Uint8Array, direction: "in" | "out") => void;

/** A device's far end. */
class Door {
  end: DeviceEnd | undefined;
  take: ((frame: Uint8Array) => void) | undefined;
  readonly taps = new Set<See>();
  /** VLANs of this card that the lab makes. */
  readonly vlans = new Map<number, Door>();

  out(frame: Uint8Array): void {
    for (const see of this.taps) see(frame, "out");
    this.take?.(frame);
  }

  in(frame: Uint8Array): void {
    for (const see of this.taps) see(frame, "in");
    const tag = this.vlans.size > 0 ? tagOf(frame) : undefined;
    const vlan = tag === undefined ? undefined : this.vlans.get(tag);
    if (vlan === undefined) this.end?.send(frame);
    else vlan.in(withoutTag(frame));
  }
}

export class NetnsMachine implements FabricMachine {
  readonly name: string;
  readonly datagrams = undefined;
  readonly #disk: Disk;
  readonly #machine: Machine;
  readonly #options: UnderlayMachine;
  readonly #interfaces: readonly UnderlayInterface[];
  readonly #doors = new Map<string, Door>();

  private constructor(disk: Disk, machine: Machine, options: UnderlayMachine, interfaces: readonly UnderlayInterface[]) {
    this.name = options.name;
    this.#disk = disk;
    this.#machine = machine;
    this.#options = options;
    this.#interfaces = interfaces;
  }

  static async start(disk: Disk, machines: Machines, options: UnderlayMachine, interfaces: readonly UnderlayInterface[]): Promise<NetnsMachine> {
    const obstacle = options.frr === undefined ? undefined : frrObstacle(disk);
    if (obstacle !== undefined) throw new Error(`${options.name}: ${obstacle}`);
    const wanted = realMachine(options.name, new Map());
    const emptyFolders = options.frr === undefined ? wanted.emptyFolders : [...new Set([...wanted.emptyFolders, ...frrFolders])];
    const made = new NetnsMachine(disk, await machines.start({ ...wanted, emptyFolders }), options, interfaces);
    try {
      for (const i of interfaces) if (i.of === undefined && i.name !== "lo") await made.#open(i);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  async #open({ name, mac, mtu }: UnderlayInterface): Promise<Door> {
    const door = new Door();
    door.end = await this.#machine.openDevice({ name, mac, mtu }, (frame) => door.out(frame));
    this.#doors.set(name, door);
    return door;
  }

  async #makeVlan(i: UnderlayInterface): Promise<void> {
    const { name, mac, of: card = "", vlan = 0 } = i;
    const { code } = await this.#machine.execute(["ip", "link", "add", "link", card, "name", name, "address", mac, "type", "vlan", "id", String(vlan)]);
    if (code === 0) return;
    const below = this.#doors.get(card);
    if (below === undefined) throw new Error(`${this.name}: no interface ${card} to put ${name} on`);
    const door = await this.#open(i);
    door.take = (frame) => below.out(withTag(frame, vlan));
    below.vlans.set(vlan, door);
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
      send: (frame) => door.in(frame),
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
    for (const i of this.#interfaces) {
      if (i.of !== undefined) await this.#makeVlan(i);
      await this.#must(["ip", "link", "set", i.name, "up"]);
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
    if (this.#options.frr !== undefined) await startFrr(this.#machine, this.#disk, this.#options.frr, false);
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
    for (const { end } of this.#doors.values()) end?.close();
    await this.#machine.stop();
  }
}

/** The VLAN that a frame is tagged with. */
const tagOf = (frame: Uint8Array): number | undefined => (frame[12] === 0x81 && frame[13] === 0x00 ? (((frame[14] ?? 0) << 8) | (frame[15] ?? 0)) & 0xfff : undefined);
