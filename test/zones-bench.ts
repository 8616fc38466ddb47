/**
 * Availability zones on the workbench, all of our own parts in one process: IC databases, and for each zone its two databases
 * and an ovn-ic. What northd and the chassis would write is written by hand, so that a test says what it depends on.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Daemon } from "../src/daemon/index.ts";
import { type Host, type Log, silentLog } from "../src/host/index.ts";
import { nodeHost } from "../src/host/node/index.ts";
import { startIc } from "../src/ic/index.ts";
import { type CommitResult, type Database, DatabaseFile, type DatabaseSchema, openReplica, type Replica, startOvsdbServer, type Transaction, type Uuid } from "../src/ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, southbound } from "../src/schemas/index.ts";

async function commit<D extends Database>(replica: Replica<D>, build: (txn: Transaction<D>) => void): Promise<CommitResult> {
  const txn = replica.transaction();
  build(txn);
  const result = await txn.commit();
  if (result.kind !== "committed" && result.kind !== "unchanged") throw new Error(JSON.stringify(result));
  return result;
}

export class ZonesBench {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-zones-"));
  readonly host: Host;
  readonly zones: readonly BenchZone[];
  readonly #servers: { stop(): Promise<void> }[] = [];
  readonly icNb: Replica<typeof icNorthbound>;
  readonly icSb: Replica<typeof icSouthbound>;

  private constructor(names: readonly string[], log: Log) {
    this.host = nodeHost(log);
    this.serve("ic-nb", icNorthbound);
    this.serve("ic-sb", icSouthbound);
    this.icNb = openReplica(this.host, icNorthbound, this.remote("ic-nb"), { minBackoffMs: 10 });
    this.icSb = openReplica(this.host, icSouthbound, this.remote("ic-sb"), { minBackoffMs: 10 });
    this.zones = names.map((name, i) => new BenchZone(this, name, i + 1));
  }

  static async open(names: readonly string[], log: Log = silentLog): Promise<ZonesBench> {
    const bench = new ZonesBench(names, log);
    await Promise.all([bench.icNb.synced, bench.icSb.synced, ...bench.zones.flatMap(({ nb, sb }) => [nb.synced, sb.synced])]);
    for (const zone of bench.zones) await zone.inNb((txn) => txn.insert("NB_Global", { name: zone.name }));
    return bench;
  }

  remote(name: string): string {
    return `unix:${this.folder}/${name}.sock`;
  }

  serve(name: string, schema: DatabaseSchema): void {
    DatabaseFile.create(this.host.disk, `${this.folder}/${name}.db`, schema);
    this.#servers.push(startOvsdbServer(this.host, { files: [`${this.folder}/${name}.db`], remotes: [`punix:${this.folder}/${name}.sock`] }));
  }

  zone(i: number): BenchZone {
    const zone = this.zones[i];
    if (zone === undefined) throw new Error(`no zone ${i}`);
    return zone;
  }

  inIcNb(build: (txn: Transaction<typeof icNorthbound>) => void): Promise<CommitResult> {
    return commit(this.icNb, build);
  }
  inIcSb(build: (txn: Transaction<typeof icSouthbound>) => void): Promise<CommitResult> {
    return commit(this.icSb, build);
  }

  async until(what: string, holds: () => boolean, patienceMs = 5000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async close(): Promise<void> {
    for (const zone of this.zones) await zone.close();
    this.icNb.close();
    this.icSb.close();
    for (const server of this.#servers) await server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class BenchZone {
  readonly name: string;
  readonly number: number;
  readonly nb: Replica<typeof northbound>;
  readonly sb: Replica<typeof southbound>;
  readonly #bench: ZonesBench;
  readonly #ics = new Set<Daemon>();

  constructor(bench: ZonesBench, name: string, number: number) {
    this.#bench = bench;
    this.name = name;
    this.number = number;
    bench.serve(`${name}-nb`, northbound);
    bench.serve(`${name}-sb`, southbound);
    this.nb = openReplica(bench.host, northbound, bench.remote(`${name}-nb`), { minBackoffMs: 10 });
    this.sb = openReplica(bench.host, southbound, bench.remote(`${name}-sb`), { minBackoffMs: 10 });
  }

  startIc(): Daemon {
    const { name } = this;
    const at = (database: string): string => this.#bench.remote(database);
    const ic = startIc(this.#bench.host, { nb: at(`${name}-nb`), sb: at(`${name}-sb`), icNb: at("ic-nb"), icSb: at("ic-sb") });
    this.#ics.add(ic);
    return ic;
  }

  async stopIc(): Promise<void> {
    for (const ic of this.#ics) await ic.stop();
    this.#ics.clear();
  }

  inNb(build: (txn: Transaction<typeof northbound>) => void): Promise<CommitResult> {
    return commit(this.nb, build);
  }
  inSb(build: (txn: Transaction<typeof southbound>) => void): Promise<CommitResult> {
    return commit(this.sb, build);
  }

  /** A chassis that is a gateway to other zones. */
  async addGateway(name = `gw${this.number}`, ip = `10.0.0.${this.number}`): Promise<void> {
    await this.inSb((txn) => {
      const encap = txn.insert("Encap", { type: "geneve", ip, chassis_name: name, options: { csum: "true" } });
      txn.insert("Chassis", { name, hostname: `host-${name}`, encaps: [encap], other_config: { "is-interconn": "true" } });
    });
  }

  get transit() {
    return [...this.nb.tables.Logical_Switch].find((row) => row.other_config.get("interconn-ts") !== undefined);
  }

  /** A router with a port on the transit switch, and what northd and the gateway chassis make of it. */
  async addRouter(name = `lr${this.number}`, address = `169.254.100.${this.number}/24`): Promise<Uuid<"Logical_Router">> {
    await this.#bench.until("the transit switch is here", () => this.transit !== undefined);
    const { transit } = this;
    if (transit === undefined) throw new Error("no transit switch");
    const mac = `aa:aa:aa:aa:aa:0${this.number}`;
    let made: Uuid<"Logical_Router"> | undefined;
    const result = await this.inNb((txn) => {
      const port = txn.insert("Logical_Router_Port", { name: `${name}-ts1`, mac, networks: [address] });
      made = txn.insert("Logical_Router", { name, ports: [port] });
      const onSwitch = txn.insert("Logical_Switch_Port", { name: `ts1-${name}`, type: "router", addresses: ["router"], options: { "router-port": `${name}-ts1` } });
      txn.mutate(transit, "ports", "insert", [onSwitch]);
    });
    if (result.kind !== "committed" || made === undefined) throw new Error(result.kind);
    const router = result.uuidOf(made);
    await this.inSb((txn) => {
      const [lr, ts] = [1, 2].map((i) => txn.insert("Datapath_Binding", { tunnel_key: this.number * 100 + [...this.sb.tables.Datapath_Binding].length + i }));
      if (lr === undefined || ts === undefined) return;
      const chassis = [...this.sb.tables.Chassis].find((row) => row.other_config.get("is-interconn") === "true")?._uuid;
      txn.update({ _table: "Datapath_Binding", _uuid: lr }, { external_ids: { "logical-router": router }, nb_uuid: router });
      txn.insert("Port_Binding", { logical_port: `ts1-${name}`, type: "patch", datapath: ts, tunnel_key: 1, options: { peer: `${name}-ts1` } });
      txn.insert("Port_Binding", { logical_port: `${name}-ts1`, type: "patch", datapath: lr, tunnel_key: 1, mac: [`${mac} ${address}`], options: { peer: `ts1-${name}` } });
      txn.insert("Port_Binding", { logical_port: `cr-${name}-ts1`, type: "chassisredirect", datapath: lr, tunnel_key: 2, chassis });
    });
    return router;
  }

  get remotePorts(): readonly string[] {
    return [...this.nb.tables.Logical_Switch_Port].filter((row) => row.type === "remote").map((row) => row.name).sort();
  }

  get learned(): readonly string[] {
    return [...this.nb.tables.Logical_Router_Static_Route].filter((row) => row.external_ids.has("ic-learned-route")).map((row) => `${row.ip_prefix} ${row.nexthop}`).sort();
  }

  async setOptions(options: { readonly [key: string]: string }): Promise<void> {
    await this.inNb((txn) => {
      for (const row of this.nb.tables.NB_Global) txn.update(row, { options });
    });
  }

  async close(): Promise<void> {
    await this.stopIc();
    this.nb.close();
    this.sb.close();
  }
}
