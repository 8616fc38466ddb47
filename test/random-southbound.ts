/** A southbound database that changes at random, within what northd could write: switches, ports, flows, groups, addresses. */
import { SeededRandom } from "../src/std/index.ts";
import type { ChassisBench } from "./chassis-bench.ts";

const macOf = (n: number): string => `0a:00:00:00:00:${(n % 256).toString(16).padStart(2, "0")}`;

/** Templates of logical flows: $P a port's name, $N a small number. */
const matches = [
  'inport == "$P"', 'inport == "$P" && eth.src == 0a:00:00:00:00:01', "eth.dst == 0a:00:00:00:00:$H", "ip4.dst == 10.0.$N.0/24 && udp.dst == {53, 67, 100}",
  'outport == "$P" && arp', "ip4.src == $set1 && tcp.dst == {80, 443, 8080}", "ip6 && icmp6.type == 135", 'is_chassis_resident("$P") && ip4', "ct.est && !ct.rel", "1",
];
const actions = [
  "next;", 'outport = "$P"; output;', "reg0 = $N; next;", "drop;", "ct_next;", "eth.dst <-> eth.src; flags.loopback = 1; output;", 'outport = "_MC_flood"; output;',
  "ip.ttl--; next;", "reg9[1] = check_pkt_larger(1414); next;", "put_arp(inport, arp.spa, arp.sha);",
];

export class RandomNetwork {
  readonly #bench: ChassisBench;
  #nextKey = 1;

  constructor(bench: ChassisBench) {
    this.#bench = bench;
  }

  get #datapaths() {
    return [...this.#bench.sb.tables.Datapath_Binding].sort((a, b) => a.tunnel_key - b.tunnel_key);
  }

  get #ports() {
    return [...this.#bench.sb.tables.Port_Binding].sort((a, b) => (a.logical_port < b.logical_port ? -1 : 1));
  }

  async addSwitch(): Promise<void> {
    const key = this.#nextKey++;
    await this.#bench.inSb((txn) => txn.insert("Datapath_Binding", {
      tunnel_key: key, type: "logical-switch", external_ids: { name: `ls${key}`, "logical-switch": `00000000-0000-0000-0000-00000000000${key}` },
    }));
    await this.#bench.until("switch", () => this.#datapaths.some((d) => d.tunnel_key === key));
  }

  async addPort(at: number, name: string, more: { readonly options?: { readonly [key: string]: string }; readonly type?: string } = {}): Promise<void> {
    const datapath = this.#datapaths[at % this.#datapaths.length];
    if (datapath === undefined || this.#ports.some((p) => p.logical_port === name)) return;
    const key = this.#nextKey++;
    await this.#bench.inSb((txn) => txn.insert("Port_Binding", {
      logical_port: name, datapath: datapath._uuid, tunnel_key: key, type: more.type ?? "", mac: [`${macOf(key)} 10.0.0.${key}`], up: false,
      ...(more.options === undefined ? {} : { options: more.options }),
    }));
    await this.#bench.until(name, () => this.#ports.some((p) => p.logical_port === name));
  }

  /** One random change. */
  async change(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    const kinds = [
      () => this.addPort(random.below(2), `vm${random.below(5)}`), () => this.#addPatch(random), () => this.#deletePort(random), () => this.#changePort(random),
      () => this.#addFlow(random), () => this.#addFlow(random), () => this.#addFlow(random), () => this.#changeFlow(random), () => this.#deleteFlow(random),
      () => this.#changeGroup(random), () => this.#changeChassis(random), () => this.#changeAddressSet(random), () => this.#changeBinding(random),
    ];
    await random.pick(kinds)();
  }

  async #addPatch(random: SeededRandom): Promise<void> {
    const n = random.below(2);
    await this.addPort(0, `to-b${n}`, { type: "patch", options: { peer: `to-a${n}` } });
    await this.addPort(1, `to-a${n}`, { type: "patch", options: { peer: `to-b${n}` } });
  }

  async #deletePort(random: SeededRandom): Promise<void> {
    const port = this.#ports[random.below(8)];
    if (port !== undefined) await this.#bench.inSb((txn) => txn.delete(port));
  }

  async #changePort(random: SeededRandom): Promise<void> {
    const port = this.#ports[random.below(8)];
    if (port === undefined) return;
    const security = random.pick([[], [`${macOf(port.tunnel_key)} 10.0.0.${port.tunnel_key}`], [`${macOf(port.tunnel_key)} fd00::1/64 10.0.0.0/24`]]);
    await this.#bench.inSb((txn) => txn.update(port, random.chance(0.5) ? { port_security: security } : { tunnel_key: 100 + this.#nextKey++ }));
  }

  #flowColumns(random: SeededRandom) {
    const fill = (text: string): string => text.replaceAll("$P", random.pick(["vm0", "vm1", "vm2", "to-b0"])).replaceAll("$N", String(random.below(4)))
      .replaceAll("$H", random.below(16).toString(16).padStart(2, "0"));
    return { match: fill(random.pick(matches)), actions: fill(random.pick(actions)), priority: random.below(3) * 50 + 1, table_id: random.below(4) };
  }

  async #addFlow(random: SeededRandom): Promise<void> {
    const datapaths = this.#datapaths;
    const datapath = datapaths[random.below(datapaths.length)];
    const pipeline = random.pick(["ingress", "egress"] as const);
    const columns = this.#flowColumns(random);
    await this.#bench.inSb((txn) => {
      const logical_dp_group = txn.insert("Logical_DP_Group", { datapaths: datapaths.map((d) => d._uuid) });
      txn.insert("Logical_Flow", { ...columns, pipeline, ...(random.chance(0.3) ? { logical_dp_group } : { logical_datapath: datapath?._uuid }) });
    });
  }

  get #flows() {
    return [...this.#bench.sb.tables.Logical_Flow];
  }

  async #changeFlow(random: SeededRandom): Promise<void> {
    const flow = this.#flows[random.below(10)];
    if (flow !== undefined) await this.#bench.inSb((txn) => txn.update(flow, this.#flowColumns(random)));
  }

  async #deleteFlow(random: SeededRandom): Promise<void> {
    const flow = this.#flows[random.below(10)];
    if (flow !== undefined) await this.#bench.inSb((txn) => txn.delete(flow));
  }

  async #changeGroup(random: SeededRandom): Promise<void> {
    const [datapath] = this.#datapaths;
    if (datapath === undefined) return;
    const ports = this.#ports.filter((p) => p.datapath === datapath._uuid && random.chance(0.7)).map((p) => p._uuid);
    const [group] = this.#bench.sb.tables.Multicast_Group;
    await this.#bench.inSb((txn) => {
      if (group === undefined) txn.insert("Multicast_Group", { datapath: datapath._uuid, name: "_MC_flood", tunnel_key: 32768, ports });
      else txn.update(group, { ports });
    });
  }

  /** Another chassis comes, takes a port, or goes. */
  async #changeChassis(random: SeededRandom): Promise<void> {
    const other = [...this.#bench.sb.tables.Chassis].find((c) => c.name === "hv2");
    await this.#bench.inSb((txn) => {
      if (other === undefined) {
        txn.insert("Chassis", { name: "hv2", hostname: "hv2", encaps: [txn.insert("Encap", { type: "geneve", ip: "127.99.0.2", chassis_name: "hv2", options: { csum: "true" } })] });
      } else if (random.chance(0.3)) txn.delete(other);
      else for (const port of this.#ports) if (port.logical_port === "vm2" || port.logical_port === "vm3") txn.update(port, { chassis: other._uuid });
    });
  }

  async #changeAddressSet(random: SeededRandom): Promise<void> {
    const [set] = this.#bench.sb.tables.Address_Set;
    const addresses = Array.from({ length: random.below(4) }, () => `10.1.0.${random.below(200)}`);
    await this.#bench.inSb((txn) => {
      if (set === undefined) txn.insert("Address_Set", { name: "set1", addresses });
      else txn.update(set, { addresses });
    });
  }

  async #changeBinding(random: SeededRandom): Promise<void> {
    const [binding] = this.#bench.sb.tables.MAC_Binding;
    const port = this.#ports[random.below(6)];
    if (port === undefined) return;
    await this.#bench.inSb((txn) => {
      if (binding !== undefined) txn.update(binding, { mac: macOf(random.below(200)) });
      else txn.insert("MAC_Binding", { logical_port: port.logical_port, ip: "10.0.0.99", mac: macOf(7), datapath: port.datapath, timestamp: 1 });
    });
  }
}
