/** DHCP_Options, DHCPv6_Options: which DHCP options logical flows may name, with their codes and types (RFC 2132, RFC 8415). */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import type { SbRow, Topology } from "../topology/topology.ts";

export const WishedDhcpOption = wishRelation(southbound, "DHCP_Options");
export const WishedDhcpv6Option = wishRelation(southbound, "DHCPv6_Options");

type DhcpType = SbRow<"DHCP_Options">["type"];
type Dhcpv6Type = SbRow<"DHCPv6_Options">["type"];

/** By type: name and code. `offerip` is no option but the address itself; 253 and 254 stand for fields and another 67. */
const dhcp: { readonly [type in DhcpType]: { readonly [name: string]: number } } = {
  ipv4: {
    offerip: 0, netmask: 1, router: 3, dns_server: 6, log_server: 7, lpr_server: 9, swap_server: 16, policy_filter: 21,
    broadcast_address: 28, router_solicitation: 32, nis_server: 41, ntp_server: 42, netbios_name_server: 44, server_id: 54,
    tftp_server_address: 150, next_server: 253,
  },
  static_routes: { classless_static_route: 121, ms_classless_static_route: 249 },
  bool: { ip_forward_enable: 19, router_discovery: 31, ethernet_encap: 36 },
  uint8: { default_ttl: 23, tcp_ttl: 37, netbios_node_type: 46 },
  uint16: { mtu: 26 },
  uint32: { arp_cache_timeout: 35, tcp_keepalive_interval: 38, lease_time: 51, T1: 58, T2: 59 },
  str: { hostname: 12, domain_name: 15, bootfile_name: 67, path_prefix: 210, wpad: 252, bootfile_name_alt: 254 },
  host_id: { tftp_server: 66 },
  domains: { domain_search_list: 119 },
};

const dhcpv6: { readonly [type in Dhcpv6Type]: { readonly [name: string]: number } } = {
  mac: { server_id: 2 },
  ipv6: { ia_addr: 5, dns_server: 23 },
  str: { domain_search: 24, bootfile_name: 59, bootfile_name_alt: 254 },
  domain: { fqdn: 39 },
};

export const dhcpOptions = rule("supported-dhcp-options", (t: Topology) => t.zone, function* () {
  for (const type of Object.keys(dhcp) as DhcpType[]) {
    for (const [name, code] of Object.entries(dhcp[type])) yield WishedDhcpOption({ key: `${name} ${code} ${type}`, columns: { name, code, type } });
  }
  for (const type of Object.keys(dhcpv6) as Dhcpv6Type[]) {
    for (const [name, code] of Object.entries(dhcpv6[type])) yield WishedDhcpv6Option({ key: name, columns: { name, code, type } });
  }
});

export const identifyDhcpOption = (row: { readonly name: string; readonly code: number; readonly type: string }): string => `${row.name} ${row.code} ${row.type}`;
