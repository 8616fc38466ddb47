/** A southbound database in which anything may stand that its schema allows, sense or no sense. */
import type { BaseType, ColumnType } from "../src/ovsdb/index.ts";
import { southbound } from "../src/schemas/index.ts";
import { SeededRandom } from "../src/std/index.ts";
import type { ChassisBench } from "./chassis-bench.ts";

type Table = keyof typeof southbound.tables & string;

/** The configuration is counted in SB_Global, and connections are the server's. */
const tables = (Object.keys(southbound.tables) as Table[]).filter((name) => !["SB_Global", "Connection", "SSL"].includes(name));

const names = ["", "vm0", "vm1", "hv1", "hv2", "br-int", "phys", "vip", "x,y,hv1", "_MC_flood", "_MC_unknown", "é\u0000\u{1f600}", "a".repeat(300), '"', "("];
const numbers = ["-5", "3", "99999999999999999999", "true", "false"];
const types = [
  "patch", "l3gateway", "l2gateway", "chassisredirect", "localnet", "localport", "virtual", "external", "remote", "vtep", "router", "geneve", "vxlan", "nonsense", "active-backup", "bridged",
  "overlay", "rarp", "slaac", "dhcpv6_stateless",
];
const addresses = [
  "unknown", "dynamic", "0a:00:00:00:00:01", "0a:00:00:00:00:01 10.0.0.1 fd00::1/64", "0a:00:00:00:00:0", "01:00:00:00:00:00 10.0.0.0/33", "10.0.0.1", "999.1.1.1", "fd00::1", "fd00::1/200",
  "VRRPv3 0a:00:00:00:00:01 00:00:5e:00:01:05 10.0.0.9", '0a:00:00:00:00:01 10.0.0.1 is_chassis_resident("vm0")', "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1:80,10.0.0.2:99999,x", "^vip", "HIGH-aef0::/48,x",
];
const matches = [
  "1", "ip4", 'inport == "vm0"', 'outport == "vm1" && ip6', "ip4.src == $as && (tcp || udp)", "tcp.dst == {1, 2, 3} && ip4.src == {1.2.3.4, 5.6.7.8}", "inport == @pg1", 'is_chassis_resident("vm0")',
  "ct.est && ip4.dst == ^vip", "eth.mcast", "inport == ", "reg0[0..33] == 1", "$as",
];
const actions = [
  "next;", "drop;", "output;", 'outport = "vm1"; output;', 'outport = "_MC_flood"; output;', "ct_lb(backends=10.0.0.1:80,10.0.0.2:80);", "put_arp(inport, arp.spa, arp.sha);", "select(1=50, 2=100);",
  'log(name="x", verdict=drop, severity=info, meter="m");', "reg0[0] = put_dhcp_opts(offerip = 10.0.0.4, router = 10.0.0.1, netmask = 255.255.255.0);", "ct_commit { ct_mark = 1; };",
  "icmp4 { eth.dst <-> eth.src; output; };", "set_meter(100, 50);", "set_queue(3);", "ct_snat(10.0.0.1);", "lookup_fdb(inport, eth.src);", "__string: x kbps bands=type=drop rate=7", "next(9999);",
];
const words = [...names, ...numbers, ...types, ...addresses, ...matches, ...actions];
/** What these columns mostly hold: the rest of the vocabulary would be refused at once. */
const usual: { readonly [column: string]: readonly string[] } = {
  match: matches, actions, type: ["", "", ...types], mac: addresses, port_security: addresses, nat_addresses: addresses, addresses, logical_port: names, name: names, vips: addresses,
};

const keys = [
  "peer", "network_name", "requested-chassis", "l3gateway-chassis", "l2gateway-chassis", "chassis-redirect-port", "distributed-port", "always-redirect", "redirect-type",
  "iface-id-ver", "ipv6_ra_send_periodic", "ipv6_ra_address_mode", "ipv6_ra_src_eth", "ipv6_ra_src_addr", "ipv6_ra_prefixes", "ipv6_ra_max_interval", "mac_binding_age_threshold", "fdb_age_threshold",
  "hairpin_snat_ip", "snat-ct-zone", "requested-encap-ip", "interconn-ts", "logical-switch", "logical-router", "name", "is-remote", "is-interconn", "is-vtep", "in_out_port", "acl_ct_translation",
  "qos_max_rate", "vport-backoff", "virtual-parents", "activation-strategy", "localnet_learn_fdb", "disable_garp_rarp", "vlan-passthru", "vip", "vm1.ovn.org", "10.0.0.1:80", "[fd00::1]:80", "enable_router_port_acl",
  "nat_addresses", "mcast_snoop", "ct-zone-limit", "csum", "is_default", "hostname",
];

/** What rows are found by. */
const identity = ["name", "logical_port", "datapath", "type", "tunnel_key", "parent_port", "encaps", "chassis", "requested_chassis"];

export class GarbledNetwork {
  readonly #bench: ChassisBench;

  readonly #kept: ReadonlySet<string>;

  /** What stands there now stays what it is, so that something is left for the controller to do. */
  constructor(bench: ChassisBench) {
    this.#bench = bench;
    this.#kept = new Set(tables.flatMap((table) => this.#rows(table)).map((row) => row._uuid));
  }

  /** One row comes, changes or goes; what the database refuses is not done. */
  async change(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    const table = random.chance(0.6) ? random.pick(["Port_Binding", "Port_Binding", "Logical_Flow", "Logical_Flow", "Logical_Flow", "Logical_Flow", "Datapath_Binding", "Load_Balancer", "MAC_Binding"] as const) : random.pick(tables);
    const rows = this.#rows(table);
    const row = rows[random.below(Math.max(1, rows.length))];
    const isKept = row !== undefined && this.#kept.has(row._uuid);
    const txn = this.#bench.sb.transaction();
    const what = random.below(10);
    if (row === undefined || what < 5) txn.insert(table, this.#columns(table, random, 0.7) as never);
    else if (what < 9 || isKept) txn.update(row as never, this.#columns(table, random, 0.3, isKept ? identity : []) as never);
    else txn.delete(row as never);
    await txn.commit();
  }

  #rows(table: Table): readonly { readonly _uuid: string }[] {
    return [...this.#bench.sb.tables[table]];
  }

  #columns(table: Table, random: SeededRandom, share: number, untouched: readonly string[] = []): { readonly [column: string]: unknown } {
    const columns: { [column: string]: unknown } = {};
    for (const [name, { type }] of Object.entries<{ readonly type: ColumnType }>(southbound.tables[table].columns)) {
      if (untouched.includes(name)) continue;
      // Columns whose default the schema does not allow.
      const isNeeded = type.min > 0 && (type.key.refTable !== undefined || type.key.enum !== undefined || Number(type.key.minInteger ?? 0) > 0);
      const vocabulary = random.chance(0.8) ? (usual[name] ?? words) : words;
      const value = isNeeded || random.chance(share) ? this.#value(type, vocabulary, random) : undefined;
      if (value !== undefined) columns[name] = value;
    }
    return columns;
  }

  #value(type: ColumnType, vocabulary: readonly string[], random: SeededRandom): unknown {
    const { key, value, min, max } = type;
    if (value !== undefined) {
      const entries = Array.from({ length: random.below(5) }, () => [key.kind === "string" ? random.pick(keys) : this.#atom(key, vocabulary, random), this.#atom(value, vocabulary, random)] as const);
      return new Map(entries.filter(([, v]) => v !== undefined));
    }
    if (max === 1) return this.#atom(key, vocabulary, random);
    const atoms = Array.from({ length: min + random.below(4) }, () => this.#atom(key, vocabulary, random));
    return [...new Set(atoms.filter((atom) => atom !== undefined))];
  }

  #atom(base: BaseType, vocabulary: readonly string[], random: SeededRandom): unknown {
    if (base.enum !== undefined) return random.pick(base.enum);
    switch (base.kind) {
      case "uuid": {
        const rows = base.refTable === undefined ? [] : this.#rows(base.refTable as Table);
        // Most things are about the same few rows.
        return rows[random.chance(0.6) ? 0 : random.below(Math.max(1, rows.length))]?._uuid;
      }
      case "integer": {
        const [low, high] = [Number(base.minInteger ?? 0), Number(base.maxInteger ?? 0x7fffffff)];
        return random.chance(0.9) ? Math.min(high, low + random.below(6)) : random.pick([low, high]);
      }
      case "boolean":
        return random.chance(0.5);
      case "real":
        return random.below(10) / 4;
      case "string":
        return random.pick(vocabulary);
    }
  }
}
