/**
 * Availability zones made of real databases and real northds, with an ovn-ic of one's choice in each: what they write is
 * looked at with UUIDs replaced by names, so that two runs can be compared.
 *
 * ISTHMUS_OVN names a built source tree of OVN; without it the installed programs are used.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Daemon } from "../../src/daemon/index.ts";
import { type Host, silentLog } from "../../src/host/index.ts";
import { nodeHost } from "../../src/host/node/index.ts";
import { startIc } from "../../src/ic/index.ts";
import { type Database, openReplica, type Replica } from "../../src/ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, southbound } from "../../src/schemas/index.ts";

const source = process.env["ISTHMUS_OVN"];
const program = (inTree: string, installed: string): string => (source === undefined ? installed : join(source, inTree));
export const programs = {
  server: process.env["OVSDB_SERVER"] ?? "/usr/sbin/ovsdb-server",
  tool: "/usr/bin/ovsdb-tool",
  northd: program("northd/ovn-northd", "/usr/bin/ovn-northd"),
  ic: program("ic/ovn-ic", "/usr/bin/ovn-ic"),
  nbctl: program("utilities/ovn-nbctl", "/usr/bin/ovn-nbctl"),
  sbctl: program("utilities/ovn-sbctl", "/usr/bin/ovn-sbctl"),
  icNbctl: program("utilities/ovn-ic-nbctl", "/usr/bin/ovn-ic-nbctl"),
};
const schemaFolder = source ?? "/usr/share/ovn";
const missing = [...Object.values(programs), join(schemaFolder, "ovn-ic-sb.ovsschema")].filter((path) => !existsSync(path));
export const skip = missing.length > 0 ? `not here: ${missing.join(", ")}` : false;
/** Whether the real programs are those of the main branch, as the schemas of this project are. */
export const isMainBranch = source !== undefined;

export type Kind = "ours" | "real" | "none";
const host: Host = nodeHost(silentLog);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Zones {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-ic-"));
  readonly #children: ChildProcess[] = [];
  readonly #ours = new Map<string, Daemon>();
  readonly #real = new Map<string, ChildProcess>();
  readonly #replicas: { close(): void }[] = [];
  readonly #kinds: { readonly [zone: string]: Kind };
  host = host;

  constructor(kinds: { readonly [zone: string]: Kind }) {
    this.#kinds = kinds;
  }

  get names(): readonly string[] {
    return Object.keys(this.#kinds);
  }

  remotes(zone: string) {
    const at = (path: string): string => `unix:${this.folder}/${path}.sock`;
    return { nb: at(`${zone}-nb`), sb: at(`${zone}-sb`), icNb: at("ic-nb"), icSb: at("ic-sb") };
  }

  async start(): Promise<void> {
    const databases = [["ic-nb", "ovn-ic-nb"], ["ic-sb", "ovn-ic-sb"], ...this.names.flatMap((z) => [[`${z}-nb`, "ovn-nb"], [`${z}-sb`, "ovn-sb"]])];
    for (const [name, schema] of databases) {
      execFileSync(programs.tool, ["create", join(this.folder, `${name}.db`), join(schemaFolder, `${schema}.ovsschema`)]);
      this.#spawn(programs.server, [`--remote=punix:${this.folder}/${name}.sock`, `--unixctl=${this.folder}/${name}.ctl`, `${this.folder}/${name}.db`]);
    }
    for (const [name] of databases) while (!existsSync(join(this.folder, `${name}.sock`))) await pause(5);
    for (const zone of this.names) {
      const { nb, sb } = this.remotes(zone);
      mkdirSync(join(this.folder, zone));
      this.#spawn(programs.northd, [`--ovnnb-db=${nb}`, `--ovnsb-db=${sb}`, `--unixctl=${this.folder}/${zone}/northd.ctl`]);
      this.nb(zone, "init");
      this.nb(zone, "set", "NB_Global", ".", `name=${zone}`);
      this.startIc(zone);
    }
  }

  startIc(zone: string): void {
    const { nb, sb, icNb, icSb } = this.remotes(zone);
    if (this.#kinds[zone] === "ours") this.#ours.set(zone, startIc(this.host, { nb, sb, icNb, icSb }));
    else if (this.#kinds[zone] === "real") {
      const args = [`--ovnnb-db=${nb}`, `--ovnsb-db=${sb}`, `--ic-nb-db=${icNb}`, `--ic-sb-db=${icSb}`, `--unixctl=${this.folder}/${zone}/ic.ctl`];
      this.#real.set(zone, this.#spawn(programs.ic, args));
    }
  }

  async stopIc(zone: string): Promise<void> {
    await this.#ours.get(zone)?.stop();
    this.#real.get(zone)?.kill();
  }

  ours(zone: string): Daemon {
    const daemon = this.#ours.get(zone);
    assert.ok(daemon !== undefined);
    return daemon;
  }

  #spawn(path: string, args: readonly string[]): ChildProcess {
    const child = spawn(path, [...args, "-vconsole:off"], { stdio: "ignore", cwd: this.folder });
    this.#children.push(child);
    return child;
  }

  nb(zone: string, ...args: string[]): string {
    return run(programs.nbctl, [`--db=${this.remotes(zone).nb}`, ...args]);
  }
  sb(zone: string, ...args: string[]): string {
    return run(programs.sbctl, [`--db=${this.remotes(zone).sb}`, ...args]);
  }
  icNb(...args: string[]): string {
    return run(programs.icNbctl, [`--db=unix:${this.folder}/ic-nb.sock`, ...args]);
  }

  /** Every line is a command of ovn-nbctl for `zone`. */
  script(zone: string, lines: string): void {
    for (const line of lines.split("\n").map((l) => l.trim()).filter((l) => l !== "")) this.nb(zone, ...line.split(/\s+/));
  }

  /** Waits until nothing has changed for a while, and shows everything. */
  async settled(): Promise<string> {
    let before = "";
    let quiet = 0;
    for (let i = 0; i < 200; i++) {
      await pause(50);
      const now = await this.picture();
      quiet = now === before ? quiet + 1 : 0;
      if (quiet >= 6) return now;
      before = now;
    }
    return assert.fail("the zones do not come to rest");
  }

  #open: { readonly zone: string; readonly replica: Replica<Database>; readonly shown: readonly string[] }[] = [];

  async picture(): Promise<string> {
    if (this.#open.length === 0) await this.#openAll();
    const names = new Map<string, string>();
    for (const { zone, replica } of this.#open) {
      for (const table of Object.keys(replica.tables)) {
        for (const row of replica.tables[table] ?? []) {
          const text = (column: string): string => String(Reflect.get(row, column) ?? "");
          const name = ["name", "logical_port", "ip_prefix", "ip", "transit_switch"].map(text).find((t) => t !== "") ?? "";
          names.set(row._uuid, `<${zone} ${table} ${name}>`);
        }
      }
    }
    const named = (value: unknown): string =>
      String(value ?? "").replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uuid) => names.get(uuid) ?? "<?>");
    const plain = (value: unknown): string => {
      if (value instanceof Map) return [...value].map(([k, v]) => `${named(k)}=${named(v)}`).sort().join(" ");
      return value instanceof Set ? [...value].map(named).sort().join(" ") : named(value);
    };
    const lines: string[] = [];
    for (const { zone, replica, shown } of this.#open) {
      for (const item of shown) {
        const [table = "", ...columns] = item.split(" ");
        for (const row of replica.tables[table] ?? []) lines.push(`${zone} ${table}: ${columns.map((c) => `${c}=${plain(Reflect.get(row, c))}`).join(", ")}`);
      }
    }
    return lines.sort().join("\n");
  }

  async #openAll(): Promise<void> {
    const open = (zone: string, schema: Database, remote: string, shown: readonly string[]) => {
      const replica = openReplica(host, schema, remote, { monitor: Object.fromEntries(Object.keys(schema.tables).filter((t) => t !== "Logical_Flow").map((t) => [t, true])) });
      this.#replicas.push(replica);
      this.#open.push({ zone, replica, shown });
      return replica.synced;
    };
    const { icNb, icSb } = this.remotes("");
    await open("ic", icNorthbound, icNb, ["Transit_Switch name"]);
    await open("ic", icSouthbound, icSb, [
      "Availability_Zone name", "Gateway name availability_zone hostname encaps external_ids", "Encap type ip options gateway_name",
      "Datapath_Binding transit_switch type nb_ic_uuid tunnel_key external_ids",
      "Port_Binding logical_port transit_switch availability_zone gateway encap address type nb_ic_uuid external_ids",
      "Route transit_switch availability_zone route_table ip_prefix nexthop origin options external_ids", "Address_Set name addresses availability_zone",
      "Service_Monitor type ip port protocol logical_port src_ip status target_availability_zone source_availability_zone options",
    ]);
    for (const zone of this.names) {
      const { nb, sb } = this.remotes(zone);
      await open(zone, northbound, nb, [
        "Logical_Switch name other_config external_ids ports", "Logical_Switch_Port name type addresses up peer enabled external_ids",
        "Logical_Router_Static_Route ip_prefix nexthop route_table options external_ids policy output_port", "Logical_Router name options static_routes ports", "Logical_Router_Port name mac networks", "Address_Set name addresses external_ids",
      ]);
      await open(zone, southbound, sb, ["Chassis name hostname other_config encaps", "Encap type ip options chassis_name", "Port_Binding logical_port type chassis mac", "Service_Monitor type ip port protocol logical_port src_ip chassis_name status ic_learned remote options"]);
    }
  }

  async stop(): Promise<void> {
    for (const replica of this.#replicas) replica.close();
    for (const daemon of this.#ours.values()) await daemon.stop();
    await Promise.all(this.#children.map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(undefined);
      child.once("exit", resolve);
      child.kill();
    })));
    rmSync(this.folder, { recursive: true });
  }
}

function run(path: string, args: readonly string[]): string {
  return execFileSync(path, ["--timeout=10", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
