/** Random northbound databases made of what northd knows, from a seed: rows as OVSDB inserts, with fixed UUIDs. */
import { SeededRandom } from "../../src/std/index.ts";
import { type JsonValue, map, ref, refs, set } from "./columns.ts";

export interface Insert {
  readonly table: string;
  readonly uuid: string;
  readonly row: { readonly [column: string]: JsonValue };
}

export interface Network {
  readonly nb: readonly Insert[];
  readonly sb: readonly Insert[];
}


interface Router {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly isGateway: boolean;
  readonly ports: string[];
  readonly portNames: string[];
  readonly routes: string[];
  readonly nextHops: { readonly ip: string; readonly port: string }[];
  gateways: number;
  readonly options: { [key: string]: string };
}

interface Switch {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly ports: string[];
  readonly config: { [key: string]: string };
  readonly dns: string[];
  hasLocalnet: boolean;
  hasDynamic: boolean;
}

const routeTables = ["rtb-1", "rtb-2", "blue", "red", ""];

export class NetworkGenerator {
  readonly #random: SeededRandom;
  readonly #nb: Insert[] = [];
  readonly #sb: Insert[] = [];
  readonly #chassis: string[] = [];
  readonly #remoteChassis: string[] = [];
  readonly #haGroups: string[] = [];
  readonly #dhcp4: string[] = [];
  readonly #dhcp6: string[] = [];
  #hosts = 10;
  #hasBareMac = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  generate(): Network {
    const random = this.#random;
    this.#globals();
    this.#makeChassis();
    for (let i = random.below(3); i > 0; i--) this.#haGroup();
    this.#makeDhcp();
    const routers = Array.from({ length: random.below(4) }, (_, i) => this.#router(i));
    const switches = Array.from({ length: 1 + random.below(4) }, (_, i) => this.#switch(i));
    for (const s of switches) if (random.chance(0.3)) this.#localnets(s);
    for (const s of switches) for (const r of routers) if (random.chance(0.5)) this.#attach(s, r);
    for (const s of switches) for (let i = random.below(5); i > 0; i--) this.#port(s);
    if (routers.length >= 2 && random.chance(0.4)) this.#join(routers[0], routers[1]);
    for (const r of routers) for (let i = random.pick([0, 2, 4, 6, 12]); i > 0; i--) this.#route(r);
    const meters = this.#makeMeters();
    for (const s of switches) this.#finishSwitch(s, meters);
    for (const r of routers) this.#finishRouter(r, meters);
    this.#extras(routers, switches);
    return { nb: this.#nb, sb: this.#sb };
  }

  #insert(table: string, row: Insert["row"], uuid = this.#random.uuid()): string {
    this.#nb.push({ table, uuid, row });
    return uuid;
  }

  #maybe(probability: number, entries: { readonly [key: string]: string | number }): { readonly [key: string]: string | number } {
    return this.#random.chance(probability) ? entries : {};
  }

  #globals(): void {
    const options = {
      mac_prefix: "0a:0b:0c", svc_monitor_mac: "0e:00:00:00:00:01", svc_monitor_mac_dst: "0e:00:00:00:00:02",
      ...this.#maybe(0.1, { ignore_lsp_down: "false" }), ...this.#maybe(0.1, { ignore_chassis_features: "true" }),
      ...this.#maybe(0.1, { debug_drop_collector_set: 7, debug_drop_domain_id: 3 }),
    };
    this.#insert("NB_Global", { name: "zone", options: map(options) });
  }

  #makeChassis(): void {
    for (let i = 0; i < 4; i++) {
      const isRemote = i === 3;
      const uuid = this.#random.uuid();
      const encap = this.#random.uuid();
      const name = `ch${i}`;
      this.#sb.push({ table: "Encap", uuid: encap, row: { type: this.#random.chance(0.05) ? "vxlan" : "geneve", ip: `192.168.50.${10 + i}`, chassis_name: name } });
      const features = this.#random.chance(0.7) ? { "ct-state-save": "true", "ct-commit-nat-v2": "true", "ct-commit-to-zone": "true" } : {};
      this.#sb.push({
        table: "Chassis", uuid,
        row: { name, hostname: `host${i}`, encaps: ref(encap), other_config: map({ ...features, ...(isRemote ? { "is-remote": "true" } : {}) }) },
      });
      (isRemote ? this.#remoteChassis : this.#chassis).push(name);
    }
  }

  #haGroup(): void {
    const name = `ha${this.#haGroups.length}`;
    const members = Array.from({ length: 1 + this.#random.below(3) }, (_, i) =>
      this.#insert("HA_Chassis", { chassis_name: i === 2 ? "absent" : `ch${i}`, priority: 10 + i }));
    this.#haGroups.push(this.#insert("HA_Chassis_Group", { name, ha_chassis: refs(members) }));
  }

  #makeDhcp(): void {
    for (let i = 0; i < 4; i++) {
      const options = {
        server_id: `10.${i}.0.1`, server_mac: "c0:ff:ee:00:00:01", lease_time: "3600", router: `10.${i}.0.1`,
        ...this.#maybe(0.5, { dns_server: "{8.8.8.8, 7.7.7.7}" }), ...this.#maybe(0.3, { mtu: 1400 }), ...this.#maybe(0.3, { domain_name: '"ovn.org"' }),
      };
      const incomplete = this.#random.chance(0.1) ? { router: "10.0.0.1" } : options;
      this.#dhcp4.push(this.#insert("DHCP_Options", { cidr: `10.${i}.0.0/24`, options: map(incomplete) }));
      const v6 = { server_id: "c0:ff:ee:00:00:02", ...this.#maybe(0.4, { dns_server: "fd00::53" }), ...this.#maybe(0.3, { dhcpv6_stateless: "true" }) };
      this.#dhcp6.push(this.#insert("DHCP_Options", { cidr: `fd00:${i}::/64`, options: map(v6) }));
    }
  }

  #router(index: number): Router {
    const random = this.#random;
    const isGateway = random.chance(0.25);
    return {
      uuid: random.uuid(), index, name: `lr${index}`, isGateway, ports: [], portNames: [], routes: [], nextHops: [], gateways: 0,
      options: {
        ...(isGateway ? { chassis: "ch0" } : {}), ...strings(this.#maybe(0.2, { always_learn_from_arp_request: "false" })),
        ...strings(this.#maybe(0.2, { dynamic_neigh_routers: "true" })), ...strings(this.#maybe(0.25, { mcast_relay: "true" })),
        ...strings(this.#maybe(0.15, { "requested-tnl-key": 500 + index })), ...strings(this.#maybe(0.1, { "snat-ct-zone": 666 })),
        ...strings(this.#maybe(0.1, { mac_binding_age_threshold: "10.0.0.0/8:30;60" })),
      },
    };
  }

  #switch(index: number): Switch {
    const random = this.#random;
    const config = strings({
      ...this.#maybe(0.4, { subnet: `10.${index}.0.0/24`, ...this.#maybe(0.5, { exclude_ips: `10.${index}.0.2..10.${index}.0.4 10.${index}.0.9` }) }),
      ...this.#maybe(0.3, { ipv6_prefix: `fd00:${index}::` }),
      ...this.#maybe(0.1, { mac_only: "true" }),
      ...this.#maybe(0.2, { mcast_snoop: "true", ...this.#maybe(0.5, { mcast_flood_unregistered: "true" }) }),
      ...this.#maybe(0.15, { "broadcast-arps-to-all-routers": "false" }),
      ...this.#maybe(0.1, { "vlan-passthru": "true" }),
      ...this.#maybe(0.2, { "interconn-ts": `ts${index}`, "requested-tnl-key": 16711681 + index }),
      ...this.#maybe(0.1, { "ct-zone-limit": 100 }), ...this.#maybe(0.1, { fdb_age_threshold: 20 }),
      ...this.#maybe(0.05, { "dynamic-routing-vni": 100 + index, "dynamic-routing-bridge-ifname": "br", "dynamic-routing-vxlan-ifname": "vx" }),
    });
    return { uuid: random.uuid(), index, name: `ls${index}`, ports: [], config, dns: [], hasLocalnet: false, hasDynamic: false };
  }

  #localnets(s: Switch): void {
    for (let i = 0; i < 1 + this.#random.below(2); i++) {
      s.hasLocalnet = true;
      const tag = this.#random.chance(0.5) ? { tag_request: 100 + i } : {};
      this.#switchPort(s, `${s.name}-ln${i}`, {
        type: "localnet", addresses: set(["unknown"]),
        options: map({ network_name: `phys${i}`, ...this.#maybe(0.3, { localnet_learn_fdb: "true" }), ...this.#maybe(0.2, { qos_max_rate: 1000 }) }), ...tag,
      });
    }
  }

  #switchPort(s: Switch, name: string, row: Insert["row"]): void {
    s.ports.push(this.#insert("Logical_Switch_Port", { name, ...row }));
  }

  #mac(): string {
    const n = this.#hosts++;
    return `02:00:00:00:${(n >> 8).toString(16).padStart(2, "0")}:${(n & 255).toString(16).padStart(2, "0")}`;
  }

  #attach(s: Switch, r: Router): void {
    const random = this.#random;
    const name = `${r.name}-${s.name}`;
    const octet = 1 + r.index;
    const networks = [`10.${s.index}.0.${octet}/24`, ...(random.chance(0.3) ? [`172.16.${s.index}.${octet}/24`] : []), ...(random.chance(0.5) ? [`fd00:${s.index}::${octet}/64`] : [])];
    const isGatewayPort = random.chance(0.35) && (r.gateways === 0 || random.chance(0.3));
    const gateway = isGatewayPort ? this.#gateway(r, name) : {};
    const options = {
      ...this.#maybe(0.2, { gateway_mtu: 1400, ...this.#maybe(0.4, { gateway_mtu_bypass: "tcp" }) }), ...this.#maybe(0.1, { "redirect-type": "bridged" }),
      ...this.#maybe(0.2, { "reside-on-redirect-chassis": "true" }), ...this.#maybe(0.3, { route_table: random.pick(routeTables) }), ...this.#maybe(0.15, { mcast_flood: "true" }),
      ...this.#maybe(0.1, { "requested-tnl-key": 300 + s.index }), ...this.#maybe(0.1, { "requested-chassis": random.pick(["ch0", "ch3"]) }),
      ...this.#maybe(0.1, { prefix_delegation: "true" }), ...this.#maybe(0.1, { prefix: "true" }),
    };
    const ra = this.#maybe(0.35, {
      address_mode: random.pick(["slaac", "dhcpv6_stateful", "dhcpv6_stateless", "nonsense"]), ...this.#maybe(0.5, { send_periodic: "true" }),
      ...this.#maybe(0.4, { mtu: 1450 }), ...this.#maybe(0.3, { rdnss: "fd00::53" }), ...this.#maybe(0.3, { dnssl: "ovn.org" }),
      ...this.#maybe(0.3, { router_preference: "HIGH" }), ...this.#maybe(0.3, { max_interval: 5, min_interval: 100 }), ...this.#maybe(0.2, { route_info: "HIGH-fd01::/64" }),
    });
    r.portNames.push(name);
    r.nextHops.push({ ip: `10.${s.index}.0.200`, port: name }, ...(networks.some((n) => n.includes(":")) ? [{ ip: `fd00:${s.index}::200`, port: name }] : []));
    r.ports.push(this.#insert("Logical_Router_Port", {
      name, mac: `0a:0b:0c:${r.index.toString().padStart(2, "0")}:00:${s.index.toString().padStart(2, "0")}`, networks: set(random.chance(0.05) ? [] : networks), options: map(options), ipv6_ra_configs: map(ra),
      ...gateway, ...(random.chance(0.06) ? { enabled: false } : {}), ...(random.chance(0.1) ? { external_ids: map({ note: "x" }) } : {}),
    }));
    const hasSeveral = r.gateways > 1;
    const portOptions = {
      "router-port": name, ...this.#maybe(0.15, { arp_proxy: random.pick(["0a:58:a9:fe:01:01 169.254.239.254 10.0.0.0/8", "169.254.0.0/16 fd7b:6b4d:7b25:d22d::/64"]) }),
      ...(hasSeveral ? {} : this.#maybe(0.3, { "nat-addresses": random.pick(["router", `${this.#mac()} 10.9.9.9`]) })),
      ...this.#maybe(0.15, { "exclude-router-ips-from-garp": "true" }), ...this.#maybe(0.1, { mcast_flood: "true" }), ...this.#maybe(0.1, { mcast_flood_reports: "true" }),
      ...this.#maybe(0.1, { enable_router_port_acl: "true" }),
    };
    this.#switchPort(s, `${s.name}-${r.name}`, {
      type: "router", addresses: set(["router"]), options: map(portOptions), ...(random.chance(0.05) ? { enabled: false } : {}),
      ...(random.chance(0.1) ? { external_ids: map({ "neutron:port_name": "nice" }) } : {}),
    });
  }

  #gateway(r: Router, name: string): Insert["row"] {
    const random = this.#random;
    if (!r.isGateway) r.gateways++;
    if (this.#haGroups.length > 0 && random.chance(0.4)) return { ha_chassis_group: ref(random.pick(this.#haGroups)) };
    const members = Array.from({ length: 1 + random.below(2) }, (_, i) =>
      this.#insert("Gateway_Chassis", { name: `${name}-ch${i}`, chassis_name: `ch${i}`, priority: 20 - i }));
    return { gateway_chassis: refs(members) };
  }

  #join(a: Router | undefined, b: Router | undefined): void {
    if (a === undefined || b === undefined) return;
    for (const [r, other, n] of [[a, b, 1], [b, a, 2]] as const) {
      r.portNames.push(`${r.name}-to-${other.name}`);
      r.nextHops.push({ ip: `20.0.0.${3 - n}`, port: `${r.name}-to-${other.name}` });
      r.ports.push(this.#insert("Logical_Router_Port", {
        name: `${r.name}-to-${other.name}`, peer: `${other.name}-to-${r.name}`, mac: `00:00:00:00:20:0${n}`, networks: set([`20.0.0.${n}/24`, `fd20::${n}/64`]),
      }));
    }
  }

  #port(s: Switch): void {
    const random = this.#random;
    const name = `${s.name}-p${s.ports.length}`;
    const type = random.pick(["", "", "", "", "", "localport", "remote", "external", "virtual", "vtep", "l2gateway"]);
    const host = s.ports.length + 20;
    const options = {
      ...this.#maybe(0.15, { "requested-chassis": random.pick(["ch0", "ch1,ch2", "host1", "ch3", "nobody"]) }), ...this.#maybe(0.1, { qos_max_rate: 5000 }),
      ...this.#maybe(0.08, { mcast_flood: "true" }), ...this.#maybe(0.08, { receive_multicast: "false" }), ...this.#maybe(0.1, { hostname: '"h"' }),
      ...this.#maybe(0.1, { disable_arp_nd_rsp: "true" }), ...this.#maybe(0.1, { force_fdb_lookup: "true" }), ...this.#maybe(0.1, { pkt_clone_type: "mc_unknown" }),
      ...this.#maybe(0.1, { lsp_learn_fdb: "false" }), ...this.#maybe(0.1, { "requested-tnl-key": 100 + host }), ...this.#maybe(0.08, { "requested-encap-ip": "192.168.50.11" }),
      ...(type === "remote" ? { "requested-chassis": random.pick(["ch3", "ch0"]) } : {}),
      ...(type === "virtual" ? { "virtual-ip": random.pick([`10.${s.index}.0.99`, `fd00:${s.index}::99`]), "virtual-parents": `${s.name}-p0,${s.name}-p1,${s.name}-p2,absent` } : {}),
    };
    const security = random.chance(0.3) ? { port_security: set([random.pick([`02:00:00:00:00:01 10.${s.index}.0.5`, "nonsense", "VRRPv3 02:00:00:00:00:09"])]) } : {};
    this.#switchPort(s, name, {
      type, addresses: set(this.#addresses(s, host, type)), options: map(options), ...security,
      ...(random.chance(0.08) ? { enabled: random.chance(0.3) } : {}), ...(random.chance(0.1) ? { up: true } : {}),
      ...(random.chance(0.4) ? { dhcpv4_options: ref(this.#dhcp4[s.index] ?? "") } : {}), ...(random.chance(0.3) ? { dhcpv6_options: ref(this.#dhcp6[s.index] ?? "") } : {}),
      ...(type === "external" && this.#haGroups.length > 0 && random.chance(0.7) ? { ha_chassis_group: ref(random.pick(this.#haGroups)) } : {}),
      ...(type === "" && random.chance(0.1) ? { parent_name: `${s.name}-p0`, tag_request: random.pick([7, 42]) } : {}),
    });
  }

  #addresses(s: Switch, host: number, type: string): readonly string[] {
    const random = this.#random;
    const mac = this.#mac();
    const fixed = `${mac} 10.${s.index}.0.${host}`;
    if (type === "virtual") return [];
    // MACs without an address to be made from are given out in any order: one at most.
    if (!s.hasDynamic && random.chance(0.25) && ("subnet" in s.config || !this.#hasBareMac)) {
      s.hasDynamic = true;
      this.#hasBareMac ||= !("subnet" in s.config);
      return [random.pick(["dynamic", `${mac} dynamic`, `dynamic 10.${s.index}.0.77`, `dynamic 10.${s.index}.0.78 fd00:${s.index}::78`, `dynamic fd00:${s.index}::79`])];
    }
    switch (random.below(8)) {
      case 0:
        return ["unknown"];
      case 1:
        return [fixed, "unknown"];
      case 2:
        return [`${fixed} fd00:${s.index}::${host}`];
      case 3:
        return [`${fixed} 10.${s.index}.0.${host + 100} 172.16.${s.index}.${host}`, `${this.#mac()} fd00:${s.index}::${host}`];
      case 4:
        return [mac];
      case 5:
        return ["rubbish"];
      default:
        return [fixed];
    }
  }

  #route(r: Router): void {
    const random = this.#random;
    const prefix = random.pick(["0.0.0.0/0", "30.0.0.0/8", "30.1.0.0/16", "30.1.2.3", "30.0.0.5/8", "::/0", "fd30::/64", "fe80::/64", "bad"]);
    const wantsV6 = prefix.includes(":");
    const hops = r.nextHops.filter((h) => h.ip.includes(":") === wantsV6 || random.chance(0.2));
    const hop = hops.length === 0 ? { ip: "9.9.9.9", port: "none" } : random.pick(hops);
    const nexthop = random.chance(0.1) ? random.pick(["discard", "", "nonsense", "10.0.0.0/24"]) : hop.ip;
    const options = {
      ...this.#maybe(0.2, { ecmp_symmetric_reply: "true" }), ...this.#maybe(0.15, { origin: random.pick(["connected", "connected-dynamic", "static"]) }),
      ...this.#maybe(0.1, { "override-connected": "true" }), ...this.#maybe(0.2, { "ic-learned-route": "00000000-0000-0000-0000-000000000001" }),
    };
    const needsPort = nexthop === "" || random.chance(0.3);
    r.routes.push(this.#insert("Logical_Router_Static_Route", {
      ip_prefix: prefix, nexthop, options: map(options), ...(needsPort ? { output_port: random.chance(0.9) ? hop.port : "absent" } : {}),
      ...(random.chance(0.2) ? { policy: random.pick(["src-ip", "dst-ip"]) } : {}), ...(random.chance(0.3) ? { route_table: random.pick(routeTables) } : {}),
      ...(random.chance(0.2) ? { selection_fields: set(random.pick([["ip_src"], ["ip_src", "tp_dst"], ["eth_src", "ip_proto"], ["tp_src", "tp_dst"]])) } : {}),
    }));
  }

  #makeMeters(): readonly string[] {
    if (!this.#random.chance(0.3)) return [];
    return ["m1", "m2"].map((name, i) => {
      const band = this.#insert("Meter_Band", { action: "drop", rate: 100 + i, burst_size: 10 });
      this.#insert("Meter", { name, unit: "pktps", bands: ref(band), ...(this.#random.chance(0.3) ? { fair: true } : {}) });
      return name;
    });
  }

  /** Control-plane protection: which meter for which protocol. */
  #copp(owner: string, meters: readonly string[]): Insert["row"] {
    const random = this.#random;
    if (meters.length === 0 || random.chance(0.4)) return {};
    const protocols = ["arp", "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "icmp4-error", "icmp6-error", "nd-na", "nd-ns", "nd-ns-resolve", "nd-ra-opts", "reject", "tcp-reset", "igmp", "dns", "event-elb"];
    const limits = Object.fromEntries(protocols.filter(() => random.chance(0.5)).map((protocol) => [protocol, random.pick([...meters, "absent"])]));
    return { copp: ref(this.#insert("Copp", { name: `copp-${owner}`, meters: map(limits) })) };
  }

  #finishSwitch(s: Switch, meters: readonly string[]): void {
    if (this.#random.chance(0.15)) {
      s.dns.push(this.#insert("DNS", { records: map({ "a.example": "10.0.0.1 FD00::1" }), ...(this.#random.chance(0.5) ? { options: map({ "ovn-owned": "true" }) } : {}) }));
    }
    this.#insert("Logical_Switch", { name: s.name, ports: refs(s.ports), other_config: map(s.config), dns_records: refs(s.dns), ...this.#copp(s.name, meters) }, s.uuid);
  }

  #finishRouter(r: Router, meters: readonly string[]): void {
    this.#insert("Logical_Router", {
      name: r.name, ports: refs(r.ports), static_routes: refs(r.routes), options: map(r.options), ...(this.#random.chance(0.05) ? { enabled: false } : {}), ...this.#copp(r.name, meters),
    }, r.uuid);
  }

  #extras(routers: readonly Router[], switches: readonly Switch[]): void {
    const random = this.#random;
    const ports = switches.flatMap((s) => s.ports);
    for (let i = random.below(3); i > 0; i--) {
      this.#insert("Port_Group", { name: `pg${i}`, ports: refs(ports.filter(() => random.chance(0.4))) });
      this.#insert("Address_Set", { name: `as${i}`, addresses: set(["10.0.0.1", "10.0.0.2"]) });
    }
    for (const r of routers) {
      const [port] = r.portNames;
      if (port !== undefined && random.chance(0.2)) {
        this.#insert("Static_MAC_Binding", { logical_port: port, ip: "10.0.0.250", mac: "02:00:00:00:ff:01", override_dynamic_mac: random.chance(0.5) });
      }
    }
  }
}

const strings = (entries: { readonly [key: string]: string | number }): { [key: string]: string } =>
  Object.fromEntries(Object.entries(entries).map(([k, v]) => [k, String(v)]));
