/**
 * The seeds' two zones built from the real programs in network namespaces (user-space datapath, no kernel modules), any part
 * of which can be taken from `bin/` instead. For tests as root on Debian with the OVN packages; see `cLabMissing`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { schemaToJson } from "../../src/ovsdb/index.ts";
import { icNorthbound, icSouthbound, northbound, southbound } from "../../src/schemas/index.ts";

export const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();

/** Which part stands where; a missing entry is the real program. Keys: `ovn-ic`, or for one zone or chassis `ovn-ic@west`. */
export type Parts = Readonly<Record<string, string>>;

const needed = ["ovsdb-server", "ovsdb-tool", "ovn-northd", "ovn-ic", "ovn-controller", "ovs-vswitchd", "ovn-nbctl", "ovn-sbctl", "ovn-ic-nbctl", "ovs-vsctl", "ip", "ping", "ethtool"];

/** Why the lab cannot run here; undefined if it can. */
export function cLabMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const missing = needed.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(", ")} (Debian: ovn-central ovn-host ovn-ic ovn-ic-db iproute2 iputils-ping ethtool)`;
  return spawnSync("ip", ["link", "add", "isthmusprobe", "type", "bridge"]).status === 0 && spawnSync("ip", ["link", "del", "isthmusprobe"]).status === 0
    ? undefined
    : "may not make network links here";
}

interface Chassis {
  readonly name: string;
  readonly zone: string;
  readonly address: string;
}

const chassisList: readonly Chassis[] = [
  { name: "worker_east", zone: "east", address: "192.168.50.100" },
  { name: "gw_east", zone: "east", address: "192.168.50.102" },
  { name: "worker_west", zone: "west", address: "192.168.50.101" },
  { name: "gw_west", zone: "west", address: "192.168.50.103" },
];

let made = 0;

/** A folder with the schemas of OVN's main branch, which its northd and ovn-ic need; whoever asked removes it. */
export function mainSchemas(): string {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-schemas-"));
  const files = { "ovn-nb": northbound, "ovn-sb": southbound, "ovn-ic-nb": icNorthbound, "ovn-ic-sb": icSouthbound };
  for (const [name, schema] of Object.entries(files)) writeFileSync(join(folder, `${name}.ovsschema`), JSON.stringify(schemaToJson(schema)));
  return folder;
}

export class CLab {
  readonly folder = mkdtempSync(join(tmpdir(), "isthmus-clab-"));
  /** Short, since it prefixes interface names of at most 15 characters; the process id keeps two runs apart. */
  readonly prefix = `i${(process.pid % 46656).toString(36)}${(made++).toString(36)}`;
  readonly #parts: Parts;
  readonly #schemas: string;

  /** `schemas` is the folder of OVN's schemas, for parts of another release than the installed one. */
  constructor(parts: Parts = {}, schemas = "/usr/share/ovn") {
    this.#parts = parts;
    this.#schemas = schemas;
  }

  /** Runs to its end; throws with what it said if it fails. */
  run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}, input?: string): string {
    const [program = "", ...args] = argv;
    const result = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...environment }, input, timeout: 60_000 });
    if (result.status !== 0) throw new Error(`${argv.join(" ")}: exit ${result.status ?? result.signal}\n${result.stdout}${result.stderr}${result.error ?? ""}`);
    return result.stdout;
  }

  part(program: string, place: string): string {
    return this.#parts[`${program}@${place}`] ?? this.#parts[program] ?? program;
  }

  namespace(name: string): string {
    return `${this.prefix}-${name.replaceAll("_", "-")}`;
  }

  inside(name: string, argv: readonly string[]): string[] {
    const own = `${this.folder}/${name}`;
    return ["ip", "netns", "exec", this.namespace(name), "env", `OVS_RUNDIR=${own}`, `OVN_RUNDIR=${own}`, ...argv];
  }

  nbctl(zone: string, ...args: string[]): string {
    return this.run([this.part("ovn-nbctl", zone), `--db=unix:${this.folder}/${zone}/nb.sock`, "--timeout=20", ...args]);
  }

  sbctl(zone: string, ...args: string[]): string {
    return this.run([this.part("ovn-sbctl", zone), `--db=unix:${this.folder}/${zone}/sb.sock`, "--timeout=20", ...args]);
  }

  vsctl(chassis: string, ...args: string[]): string {
    return this.run(this.inside(chassis, [this.part("ovs-vsctl", chassis), `--db=unix:${this.folder}/${chassis}/db.sock`, "--timeout=20", ...args]));
  }

  up(): void {
    this.#databases();
    this.#centrals();
    this.run(["ip", "link", "add", `${this.prefix}f`, "type", "bridge"]);
    this.run(["ip", "link", "set", `${this.prefix}f`, "up"]);
    for (const [i, chassis] of chassisList.entries()) this.#chassis(chassis, i);
    this.#vm("vm1", "worker_east", "40:44:00:00:00:01", "192.168.1.11", "192.168.1.1");
    this.#vm("vm2", "worker_west", "40:44:00:00:00:02", "192.168.2.12", "192.168.2.1");
    this.#zone("east", "vm1", "40:44:00:00:00:01 192.168.1.11", "40:44:00:00:00:04", "192.168.1.1", "aa:aa:aa:aa:aa:01", "169.254.100.1", "192.168.2.0/24", "169.254.100.2");
    this.#zone("west", "vm2", "40:44:00:00:00:02 192.168.2.12", "40:44:00:00:00:10", "192.168.2.1", "aa:aa:aa:aa:aa:02", "169.254.100.2", "192.168.1.0/24", "169.254.100.1");
  }

  /** The output of three pings from vm1 to vm2, once the first has come back; throws if none does within 20 s. */
  ping(): string {
    const ping = (count: number, wait: string): string[] => ["ip", "netns", "exec", this.namespace("vm1"), "ping", "-c", String(count), "-i", "0.2", "-W", wait, "192.168.2.12"];
    const end = Date.now() + 20_000;
    while (spawnSync("ip", ping(1, "0.3").slice(1)).status !== 0) {
      if (Date.now() > end) throw new Error(`no ping across zones\n${this.logs()}`);
    }
    return this.run(ping(3, "2"));
  }

  /** The last lines of every log, for a failure's message. */
  logs(): string {
    return this.#files(".log").map((f) => `== ${f}\n${readFileSync(f, "utf8").split("\n").slice(-15).join("\n")}`).join("\n");
  }

  down(): void {
    for (const file of this.#files(".pid")) {
      const pid = Number(readFileSync(file, "utf8"));
      // A process that has gone already needs no signal.
      if (pid > 1 && existsSync(`/proc/${pid}`)) process.kill(pid, "SIGTERM");
    }
    for (const name of [...chassisList.map((c) => c.name), "vm1", "vm2"]) spawnSync("ip", ["netns", "del", this.namespace(name)]);
    spawnSync("ip", ["link", "del", `${this.prefix}f`]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #files(ending: string): string[] {
    const folders = readdirSync(this.folder, { withFileTypes: true }).filter((e) => e.isDirectory());
    return folders.flatMap((d) => readdirSync(join(this.folder, d.name)).filter((f) => f.endsWith(ending)).map((f) => join(this.folder, d.name, f)));
  }

  #daemon(place: string, name: string, argv: readonly string[]): void {
    const own = `${this.folder}/${place}`;
    this.run([...argv.slice(0, -1), "--detach", "--no-chdir", `--pidfile=${own}/${name}.pid`, `--log-file=${own}/${name}.log`, ...argv.slice(-1)]);
  }

  #database(place: string, name: string, schema: string, prefix: readonly string[] = []): void {
    const own = `${this.folder}/${place}`;
    mkdirSync(own, { recursive: true });
    this.run([this.part("ovsdb-tool", place), "create", `${own}/${name}.db`, schema]);
    this.#daemon(place, name, [...prefix, this.part("ovsdb-server", place), `--unixctl=${own}/${name}.ctl`, `--remote=punix:${own}/${name}.sock`, `${own}/${name}.db`]);
  }

  #databases(): void {
    this.#database("ic", "nb", `${this.#schemas}/ovn-ic-nb.ovsschema`);
    this.#database("ic", "sb", `${this.#schemas}/ovn-ic-sb.ovsschema`);
    this.run([this.part("ovn-ic-nbctl", "ic"), `--db=unix:${this.folder}/ic/nb.sock`, "ts-add", "ts1"]);
    for (const zone of ["east", "west"]) {
      this.#database(zone, "nb", `${this.#schemas}/ovn-nb.ovsschema`);
      this.#database(zone, "sb", `${this.#schemas}/ovn-sb.ovsschema`);
    }
  }

  #centrals(): void {
    for (const zone of ["east", "west"]) {
      const own = `${this.folder}/${zone}`;
      const databases = [`--ovnnb-db=unix:${own}/nb.sock`, `--ovnsb-db=unix:${own}/sb.sock`];
      this.#daemon(zone, "northd", [this.part("ovn-northd", zone), `--unixctl=${own}/northd.ctl`, ...databases]);
      this.nbctl(zone, "set", "NB_Global", ".", `name=${zone}`);
      const ic = [`--ic-nb-db=unix:${this.folder}/ic/nb.sock`, `--ic-sb-db=unix:${this.folder}/ic/sb.sock`];
      this.#daemon(zone, "ic", [this.part("ovn-ic", zone), `--unixctl=${own}/ic.ctl`, ...databases, ...ic]);
    }
  }

  #chassis({ name, zone, address }: Chassis, i: number): void {
    const own = `${this.folder}/${name}`;
    const space = this.namespace(name);
    mkdirSync(own, { recursive: true });
    this.run(["ip", "netns", "add", space]);
    this.run(["ip", "-n", space, "link", "set", "lo", "up"]);
    this.run(["ip", "link", "add", `${this.prefix}u${i}`, "type", "veth", "peer", "name", "p", "netns", space]);
    this.run(["ip", "link", "set", `${this.prefix}u${i}`, "master", `${this.prefix}f`, "up"]);
    // The underlay address sits on br-phys; without this the kernel would also answer ARP for it on p.
    this.run(["ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.p.arp_ignore=1", "net.ipv6.conf.all.disable_ipv6=1"]);
    this.run(["ip", "-n", space, "link", "set", "p", "up"]);
    this.#database(name, "db", "/usr/share/openvswitch/vswitch.ovsschema", this.inside(name, []));
    this.vsctl(name, "--no-wait", "init");
    this.#daemon(name, "vswitchd", [...this.inside(name, [this.part("ovs-vswitchd", name)]), `--unixctl=${own}/vswitchd.ctl`, `unix:${own}/db.sock`]);
    const gateway = name.startsWith("gw_") ? ["external-ids:ovn-is-interconn=true", "external-ids:ovn-cms-options=enable-chassis-as-gw"] : [];
    this.vsctl(
      name, "add-br", "br-phys", "--", "set", "bridge", "br-phys", "datapath_type=netdev", "--", "add-port", "br-phys", "p", "--", "set", "open", ".",
      `external-ids:system-id=${name}`, `external-ids:hostname=${name.replaceAll("_", "-")}`, `external-ids:ovn-remote=unix:${this.folder}/${zone}/sb.sock`,
      "external-ids:ovn-encap-type=geneve", `external-ids:ovn-encap-ip=${address}`, "external-ids:ovn-bridge-datapath-type=netdev", ...gateway,
    );
    this.run(["ip", "-n", space, "addr", "add", `${address}/24`, "dev", "br-phys"]);
    this.run(["ip", "-n", space, "link", "set", "br-phys", "up"]);
    this.#startController(name, this.part("ovn-controller", name));
  }

  #startController(chassis: string, program: string): void {
    this.#daemon(chassis, "controller", [...this.inside(chassis, [program]), `unix:${this.folder}/${chassis}/db.sock`]);
  }

  /** Another program takes over, while the switch goes on with the flows it has. */
  replaceController(chassis: string, program: string): void {
    const pidFile = `${this.folder}/${chassis}/controller.pid`;
    const pid = readFileSync(pidFile, "utf8").trim();
    // `exit --restart` leaves the registration as it is.
    this.run(this.inside(chassis, [this.part("ovn-appctl", chassis), "-t", `${this.folder}/${chassis}/ovn-controller.${pid}.ctl`, "exit", "--restart"]));
    const end = Date.now() + 10_000;
    while (existsSync(`/proc/${pid}`)) {
      if (Date.now() > end) throw new Error(`${chassis}'s controller does not exit`);
      spawnSync("sleep", ["0.05"]);
    }
    this.#startController(chassis, program);
  }

  #vm(name: string, chassis: string, mac: string, address: string, gateway: string): void {
    const space = this.namespace(name);
    this.run(["ip", "netns", "add", space]);
    this.run(["ip", "-n", space, "link", "add", name, "address", mac, "type", "veth", "peer", "name", `tap${name}`, "netns", this.namespace(chassis)]);
    this.run(["ip", "-n", this.namespace(chassis), "link", "set", `tap${name}`, "up"]);
    this.run(["ip", "-n", space, "link", "set", "lo", "up"]);
    this.run(["ip", "-n", space, "link", "set", name, "mtu", "1400", "up"]);
    // The user-space datapath does not complete checksums that the kernel left to the card.
    this.run(["ip", "netns", "exec", space, "ethtool", "-K", name, "tx", "off"]);
    this.run(["ip", "-n", space, "addr", "add", `${address}/24`, "dev", name]);
    this.run(["ip", "-n", space, "route", "add", "default", "via", gateway]);
    this.vsctl(chassis, "wait-until", "bridge", "br-int", "name=br-int");
    this.vsctl(chassis, "add-port", "br-int", `tap${name}`, "--", "set", "interface", `tap${name}`, `external-ids:iface-id=${name}`);
  }

  #zone(zone: string, vm: string, addresses: string, mac: string, ip: string, transitMac: string, transitIp: string, peerNet: string, peerIp: string): void {
    const [net, router] = [`net_${zone}`, `router_${zone}`];
    this.nbctl(zone, "wait-until", "Logical_Switch", "ts1", "name=ts1");
    this.nbctl(zone, "ls-add", net, "--", "lsp-add", net, vm, "--", "lsp-set-addresses", vm, addresses, "--", "lr-add", router, "--", "lrp-add", router, `${router}-${net}`, mac, `${ip}/24`);
    this.nbctl(
      zone, "lsp-add", net, `${net}-${router}`, "--", "lsp-set-type", `${net}-${router}`, "router", "--", "lsp-set-addresses", `${net}-${router}`, "router",
      "--", "lsp-set-options", `${net}-${router}`, `router-port=${router}-${net}`,
    );
    this.nbctl(zone, "lrp-add", router, `lrp-${router}-ts1`, transitMac, `${transitIp}/24`);
    const port = `lsp-ts1-${router}`;
    this.nbctl(zone, "lsp-add", "ts1", port, "--", "lsp-set-addresses", port, "router", "--", "lsp-set-type", port, "router", "--", "lsp-set-options", port, `router-port=lrp-${router}-ts1`);
    this.nbctl(zone, "lrp-set-gateway-chassis", `lrp-${router}-ts1`, `gw_${zone}`, "1");
    this.nbctl(zone, "lr-route-add", router, peerNet, peerIp);
  }
}

