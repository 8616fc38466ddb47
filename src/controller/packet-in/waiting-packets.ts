/** Packets that wait until the MAC address of their next hop is known: a few for each, and not for long. */
import type { Clock } from "../../host/index.ts";
import { formatIp, type Ip, type Mac, parseMac, writeMac } from "../../net/index.ts";
import type { PacketIn } from "../../openflow/index.ts";
import { type Node, portKey } from "../node.ts";
import { portNamed } from "../ports.ts";
import type { PortBinding } from "../rows.ts";

const maxPacketsPerNeighbor = 4;
const maxNeighbors = 1000;
const patienceMs = 10_000;

interface Neighbor {
  readonly datapathKey: number;
  /** The port the packet is to leave by. */
  readonly portKey: number;
  readonly ip: Ip;
}

interface Queue {
  readonly neighbor: Neighbor;
  packets: PacketIn[];
  expiresAt: number;
}

export class WaitingPackets {
  readonly #node: Node;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queue>();
  readonly #stopWatching: () => void;
  #resume: (packetIn: PacketIn) => void = () => {};

  constructor(node: Node) {
    this.#node = node;
    this.#clock = node.host.clock;
    this.#stopWatching = node.sb.tables.MAC_Binding.watch({ added: () => this.#lookAll(), removed: () => {} });
  }

  /** Where packets go when their time has come. */
  onResume(resume: (packetIn: PacketIn) => void): void {
    this.#resume = resume;
  }

  stop(): void {
    this.#stopWatching();
    this.#queues.clear();
  }

  wait(packetIn: PacketIn, neighbor: Neighbor): void {
    this.#expire();
    const key = `${neighbor.datapathKey} ${neighbor.portKey} ${formatIp(neighbor.ip)}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      if (this.#queues.size >= maxNeighbors) return;
      queue = { neighbor, packets: [], expiresAt: 0 };
      this.#queues.set(key, queue);
    }
    queue.expiresAt = this.#clock.now() + patienceMs;
    if (queue.packets.length === maxPacketsPerNeighbor) queue.packets.shift();
    queue.packets.push({ ...packetIn, userdata: new Uint8Array(0) });
    this.#look(key, queue);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [key, queue] of this.#queues) if (queue.expiresAt < now) this.#queues.delete(key);
  }

  #lookAll(): void {
    for (const [key, queue] of this.#queues) this.#look(key, queue);
  }

  #look(key: string, queue: Queue): void {
    const mac = this.#macOf(queue.neighbor);
    if (mac === undefined) return;
    this.#queues.delete(key);
    for (const packetIn of queue.packets) {
      const packet = new Uint8Array(packetIn.packet);
      writeMac(mac, packet, 0);
      this.#resume({ ...packetIn, packet });
    }
  }

  #macOf({ datapathKey, portKey: key, ip }: Neighbor): Mac | undefined {
    const node = this.#node;
    const datapath = node.datapathsByKey.first(datapathKey);
    const port = datapath && node.portsByKey.first(portKey(datapath._uuid, key));
    const name = port && bindingName(node, port);
    if (name === undefined) return undefined;
    const text = formatIp(ip);
    for (const binding of node.sb.tables.MAC_Binding) if (binding.logical_port === name && binding.ip === text) return parseMac(binding.mac);
    return undefined;
  }
}

/** Bindings belong to the distributed port, whatever stands for it on a gateway. */
const bindingName = (node: Node, port: PortBinding): string | undefined =>
  port.type === "chassisredirect" ? portNamed(node, port.options.get("distributed-port") ?? "")?.logical_port : port.logical_port;
