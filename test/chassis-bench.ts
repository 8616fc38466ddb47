/**
 * A chassis on the workbench, all of our own parts: a southbound and an Open_vSwitch database, the embedded switch, and a
 * controller that can be exchanged for a fresh one. For tests and measurements; everything lives in one folder and process.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Controller, startController } from "../src/controller/index.ts";
import { type Log, memoryRouting, silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { decodeMessage, encodeMessage, type FlowStats, Match, MessageFramer, of15, ports } from "../src/openflow/index.ts";
import { DatabaseFile, openReplica, type Replica, startOvsdbServer, type Transaction } from "../src/ovsdb/index.ts";
import { openVSwitch, southbound } from "../src/schemas/index.ts";
import { startSwitch, type Switch } from "../src/switch/index.ts";

export const chassisName = "hv1";

export class ChassisBench {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-chassis-"));
  readonly host;
  /** The kernel of this chassis. */
  readonly routing = memoryRouting();
  readonly sb: Replica<typeof southbound>;
  readonly ovs: Replica<typeof openVSwitch>;
  readonly switch: Switch;
  controller: Controller | undefined;
  readonly #servers;

  private constructor(log: Log) {
    this.host = { ...nodeHost(log), routing: this.routing };
    const { folder, host } = this;
    DatabaseFile.create(host.disk, `${folder}/sb.db`, southbound);
    DatabaseFile.create(host.disk, `${folder}/conf.db`, openVSwitch);
    this.#servers = ["sb", "conf"].map((name) => startOvsdbServer(host, { files: [`${folder}/${name}.db`], remotes: [`punix:${folder}/${name}.sock`] }));
    this.sb = openReplica(host, southbound, `unix:${folder}/sb.sock`, { minBackoffMs: 10 });
    this.ovs = openReplica(host, openVSwitch, `unix:${folder}/conf.sock`, { minBackoffMs: 10 });
    this.switch = startSwitch(host, { database: `unix:${folder}/conf.sock`, runFolder: folder });
  }

  static async open(log: Log = silentLog, externalIds: { readonly [key: string]: string } = {}): Promise<ChassisBench> {
    const bench = new ChassisBench(log);
    await Promise.all([bench.sb.synced, bench.ovs.synced]);
    await bench.inSb((txn) => txn.insert("SB_Global", { nb_cfg: 0 }));
    await bench.inOvs((txn) => txn.insert("Open_vSwitch", {
      external_ids: {
        "system-id": chassisName, hostname: chassisName, "ovn-remote": `unix:${bench.folder}/sb.sock`, "ovn-encap-type": "geneve",
        "ovn-encap-ip": "127.99.0.1", "ovn-bridge-datapath-type": "netdev", ...externalIds,
      },
    }));
    await bench.switch.ready;
    bench.startController();
    return bench;
  }

  startController(): void {
    this.controller = startController(this.host, { database: `unix:${this.folder}/conf.sock`, ovsRunFolder: this.folder, hostname: chassisName });
  }

  async stopController(): Promise<void> {
    await this.controller?.stop();
    this.controller = undefined;
  }

  async close(): Promise<void> {
    await this.stopController();
    await this.switch.stop();
    this.sb.close();
    this.ovs.close();
    for (const server of this.#servers) await server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async inSb<T>(build: (txn: Transaction<typeof southbound>) => T): Promise<T> {
    const txn = this.sb.transaction();
    const made = build(txn);
    const result = await txn.commit();
    if (result.kind !== "committed" && result.kind !== "unchanged") throw new Error(JSON.stringify(result));
    return made;
  }

  async inOvs<T>(build: (txn: Transaction<typeof openVSwitch>) => T): Promise<T> {
    const txn = this.ovs.transaction();
    const made = build(txn);
    const result = await txn.commit();
    if (result.kind !== "committed" && result.kind !== "unchanged") throw new Error(JSON.stringify(result));
    return made;
  }

  /** Resolves when `holds` does; looked at after every change of either database. */
  async until(what: string, holds: () => boolean, patienceMs = 10_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Plugs an interface into the integration bridge, as a hypervisor does. */
  async plug(name: string, ifaceId: string): Promise<void> {
    await this.until("integration bridge", () => this.bridge !== undefined);
    this.switch.attachPort(name, () => {});
    const bridge = this.bridge;
    if (bridge === undefined) return;
    await this.inOvs((txn) => {
      const iface = txn.insert("Interface", { name, external_ids: { "iface-id": ifaceId } });
      txn.mutate(bridge, "ports", "insert", [txn.insert("Port", { name, interfaces: [iface] })]);
    });
  }

  get bridge() {
    return [...this.ovs.tables.Bridge].find((b) => b.name === "br-int");
  }

  /** Everything written so far has reached the switch's tables: the controller has said so. */
  async settle(): Promise<void> {
    await this.until("SB_Global", () => this.sb.tables.SB_Global.size > 0);
    const [global] = this.sb.tables.SB_Global;
    if (global === undefined) return;
    const sequence = Number(global.nb_cfg) + 1;
    await this.inSb((txn) => txn.update(global, { nb_cfg: sequence }));
    await this.until(`nb_cfg ${sequence}`, () => [...this.sb.tables.Chassis_Private].some((c) => c.nb_cfg === sequence));
  }

  /** All flows of the integration bridge, as the switch tells them. */
  flows(): Promise<readonly FlowStats[]> {
    return dumpFlows(this.host, `${this.folder}/br-int.mgmt`);
  }
}

async function dumpFlows(host: ReturnType<typeof nodeHost>, path: string): Promise<readonly FlowStats[]> {
  const stream = await host.streams.connect({ kind: "unix", path });
  const framer = new MessageFramer();
  const flows: FlowStats[] = [];
  const sizes = (index: number): number | undefined => (index === 0 ? 4 : undefined);
  return new Promise((resolve, reject) => {
    stream.attach({
      data: (bytes) => {
        for (const frame of framer.push(bytes)) {
          const decoded = decodeMessage(frame, sizes);
          if ("error" in decoded) reject(new Error(String(decoded.error)));
          else if (decoded.message.kind === "flow_stats_reply") {
            flows.push(...decoded.message.flows);
            if (decoded.message.more !== true) {
              stream.close();
              resolve(flows);
            }
          }
        }
      },
      closed: () => reject(new Error("the switch hung up")),
    });
    stream.write(encodeMessage(of15, 1, { kind: "hello", versions: 1 << of15 }));
    stream.write(encodeMessage(of15, 2, {
      kind: "flow_stats_request", table: 0xff, outPort: ports.none, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: Match.any,
    }, sizes));
  });
}
