/**
 * The options that put_dhcp_opts, put_dhcpv6_opts, put_nd_ra_opts and trigger_event know: name, code and type
 * (ovn-sb(5), DHCP_Options; lib/ovn-l7.h, main). northd writes the DHCP ones into the southbound database; the controller
 * reads them back from there.
 */

export interface GenericOption {
  readonly name: string;
  readonly code: number;
  readonly type: string;
}

export type OptionTable = ReadonlyMap<string, GenericOption>;

const table = (rows: readonly (readonly [name: string, code: number, type: string])[]): OptionTable =>
  new Map(rows.map(([name, code, type]) => [name, { name, code, type }]));

/** Codes above 250 that are not sent as such: they mark what goes elsewhere in the reply. */
export const dhcpCodes = { offerIp: 0, bootfile: 67, nextServer: 253, bootfileAlternative: 254 } as const;

export const dhcpv4Options = table([
  ["offerip", 0, "ipv4"], ["netmask", 1, "ipv4"], ["router", 3, "ipv4"], ["dns_server", 6, "ipv4"],
  ["log_server", 7, "ipv4"], ["lpr_server", 9, "ipv4"], ["hostname", 12, "str"], ["domain_name", 15, "str"],
  ["swap_server", 16, "ipv4"], ["policy_filter", 21, "ipv4"], ["router_solicitation", 32, "ipv4"],
  ["nis_server", 41, "ipv4"], ["ntp_server", 42, "ipv4"], ["server_id", 54, "ipv4"], ["tftp_server", 66, "host_id"],
  ["classless_static_route", 121, "static_routes"], ["ms_classless_static_route", 249, "static_routes"],
  ["ip_forward_enable", 19, "bool"], ["router_discovery", 31, "bool"], ["ethernet_encap", 36, "bool"],
  ["default_ttl", 23, "uint8"], ["tcp_ttl", 37, "uint8"], ["mtu", 26, "uint16"], ["lease_time", 51, "uint32"],
  ["T1", 58, "uint32"], ["T2", 59, "uint32"], ["bootfile_name", 67, "str"], ["wpad", 252, "str"],
  ["path_prefix", 210, "str"], ["tftp_server_address", 150, "ipv4"], ["domain_search_list", 119, "domains"],
  ["broadcast_address", 28, "ipv4"], ["netbios_name_server", 44, "ipv4"], ["netbios_node_type", 46, "uint8"],
  ["bootfile_name_alt", 254, "str"], ["arp_cache_timeout", 35, "uint32"], ["tcp_keepalive_interval", 38, "uint32"],
  ["next_server", 253, "ipv4"],
]);

export const dhcpv6Options = table([
  ["server_id", 2, "mac"], ["ia_addr", 5, "ipv6"], ["dns_server", 23, "ipv6"], ["domain_search", 24, "str"],
  ["bootfile_name", 59, "str"], ["bootfile_name_alt", 254, "str"], ["fqdn", 39, "domain"],
]);

/** Codes of neighbor discovery options (RFC 4861, 4191, 8106), and two of flags in the advertisement itself. */
export const ndRaCodes = {
  addressMode: 0, sourceLinkAddress: 1, prefix: 3, mtu: 5, routeInformation: 24, rdnss: 25, dnssl: 31, preference: 255,
} as const;

export const ndRaOptions = table([
  ["addr_mode", ndRaCodes.addressMode, "str"], ["router_preference", ndRaCodes.preference, "str"],
  ["slla", ndRaCodes.sourceLinkAddress, "mac"], ["prefix", ndRaCodes.prefix, "ipv6"], ["mtu", ndRaCodes.mtu, "uint32"],
  ["rdnss", ndRaCodes.rdnss, "ipv6"], ["dnssl", ndRaCodes.dnssl, "str"], ["route_info", ndRaCodes.routeInformation, "str"],
]);

export const emptyLbBackendsCodes = { vip: 1, protocol: 2, loadBalancer: 3 } as const;

export const emptyLbBackendsOptions = table([["vip", 1, "str"], ["protocol", 2, "str"], ["load_balancer", 3, "str"]]);
