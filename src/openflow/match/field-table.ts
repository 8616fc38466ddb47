/**
 * Every field that Open vSwitch can match or change, declared once, in the order of ovs-fields(7) (which is also the order
 * of ids). One row: name, other name, width, mask, notation, prerequisite, access, and the code points it has on the wire.
 *
 * `width` is the bytes on the wire, with the significant bits after a colon where fewer. A code point is written as in
 * ovs-fields(7): its name, and its number in parentheses; the name's prefix gives the class (see `oxmClasses` in field.ts).
 * "@1.5" after a code point: it exists only since that OpenFlow version.
 */
export type Notation =
  | "decimal" | "hexadecimal" | "ethernet" | "ipv4" | "ipv6" | "port" | "frag" | "ct-state" | "tcp-flags" | "tunnel-flags"
  | "packet-type";

/** What a packet must be for the field to exist. */
export type Prerequisite =
  | "none" | "ethernet" | "vlan" | "mpls" | "ipv4" | "ipv6" | "ip" | "arp" | "nsh" | "tcp" | "udp" | "sctp" | "icmpv4"
  | "icmpv6" | "nd" | "nd-solicit" | "nd-advert" | "ct";

type Row = readonly [
  name: string, alias: string, width: string, mask: "bitwise" | "exact", notation: Notation, prerequisite: Prerequisite,
  access: "rw" | "ro", codePoints: string,
];

const tunnelRows = [
  ["dp_hash", "", "4", "bitwise", "hexadecimal", "none", "ro", "NXM_NX_DP_HASH(35) NXOXM_ET_DP_HASH(0)"],
  ["recirc_id", "", "4", "exact", "decimal", "none", "ro", "NXM_NX_RECIRC_ID(36)"],
  ["packet_type", "", "4", "exact", "packet-type", "none", "ro", "OXM_OF_PACKET_TYPE(44)@1.5"],
  ["conj_id", "", "4", "exact", "decimal", "none", "ro", "NXM_NX_CONJ_ID(37)"],
  ["tun_id", "tunnel_id", "8", "bitwise", "hexadecimal", "none", "rw", "NXM_NX_TUN_ID(16) OXM_OF_TUNNEL_ID(38)@1.3"],
  ["tun_src", "", "4", "bitwise", "ipv4", "none", "rw", "NXM_NX_TUN_IPV4_SRC(31)"],
  ["tun_dst", "", "4", "bitwise", "ipv4", "none", "rw", "NXM_NX_TUN_IPV4_DST(32)"],
  ["tun_ipv6_src", "", "16", "bitwise", "ipv6", "none", "rw", "NXM_NX_TUN_IPV6_SRC(109)"],
  ["tun_ipv6_dst", "", "16", "bitwise", "ipv6", "none", "rw", "NXM_NX_TUN_IPV6_DST(110)"],
  ["tun_flags", "", "2:1", "bitwise", "tunnel-flags", "none", "rw", "NXM_NX_TUN_FLAGS(104)"],
  ["tun_ttl", "", "1", "exact", "decimal", "none", "ro", ""],
  ["tun_tos", "", "1", "exact", "decimal", "none", "ro", ""],
  ["tun_gbp_id", "", "2", "bitwise", "decimal", "none", "rw", "NXM_NX_TUN_GBP_ID(38)"],
  ["tun_gbp_flags", "", "1", "bitwise", "hexadecimal", "none", "rw", "NXM_NX_TUN_GBP_FLAGS(39)"],
  ["tun_erspan_idx", "", "4:20", "bitwise", "hexadecimal", "none", "rw", "NXOXM_ET_ERSPAN_IDX(11)"],
  ["tun_erspan_ver", "", "1:4", "bitwise", "decimal", "none", "rw", "NXOXM_ET_ERSPAN_VER(12)"],
  ["tun_erspan_dir", "", "1:1", "bitwise", "decimal", "none", "rw", "NXOXM_ET_ERSPAN_DIR(13)"],
  ["tun_erspan_hwid", "", "1:6", "bitwise", "hexadecimal", "none", "rw", "NXOXM_ET_ERSPAN_HWID(14)"],
  ["tun_gtpu_flags", "", "1", "bitwise", "hexadecimal", "none", "ro", "NXOXM_ET_GTPU_FLAGS(15)"],
  ["tun_gtpu_msgtype", "", "1", "bitwise", "decimal", "none", "ro", "NXOXM_ET_GTPU_MSGTYPE(16)"],
] as const satisfies readonly Row[];

const metadataRows = [
  ["metadata", "", "8", "bitwise", "hexadecimal", "none", "rw", "OXM_OF_METADATA(2)@1.2"],
  // The 16-bit port of OpenFlow 1.0; `in_port_oxm` is the same port as 32 bits. Matches hold it under `in_port`.
  ["in_port", "", "2", "exact", "port", "none", "rw", "NXM_OF_IN_PORT(0)"],
  ["in_port_oxm", "", "4", "exact", "port", "none", "rw", "OXM_OF_IN_PORT(0)@1.2"],
  ["actset_output", "", "4", "exact", "port", "none", "ro", "ONFOXM_ET_ACTSET_OUTPUT(43)@1.3 OXM_OF_ACTSET_OUTPUT(43)@1.5"],
  ["skb_priority", "", "4", "exact", "hexadecimal", "none", "ro", ""],
  ["pkt_mark", "", "4", "bitwise", "hexadecimal", "none", "rw", "NXM_NX_PKT_MARK(33)"],
  ["ct_state", "", "4:8", "bitwise", "ct-state", "none", "ro", "NXM_NX_CT_STATE(105)"],
  ["ct_zone", "", "2", "exact", "hexadecimal", "none", "ro", "NXM_NX_CT_ZONE(106)"],
  ["ct_mark", "", "4", "bitwise", "hexadecimal", "none", "rw", "NXM_NX_CT_MARK(107)"],
  ["ct_label", "", "16", "bitwise", "hexadecimal", "none", "rw", "NXM_NX_CT_LABEL(108)"],
  ["ct_nw_proto", "", "1", "exact", "decimal", "ct", "ro", "NXM_NX_CT_NW_PROTO(119)"],
  ["ct_nw_src", "", "4", "bitwise", "ipv4", "ct", "ro", "NXM_NX_CT_NW_SRC(120)"],
  ["ct_nw_dst", "", "4", "bitwise", "ipv4", "ct", "ro", "NXM_NX_CT_NW_DST(121)"],
  ["ct_ipv6_src", "", "16", "bitwise", "ipv6", "ct", "ro", "NXM_NX_CT_IPV6_SRC(122)"],
  ["ct_ipv6_dst", "", "16", "bitwise", "ipv6", "ct", "ro", "NXM_NX_CT_IPV6_DST(123)"],
  ["ct_tp_src", "", "2", "bitwise", "decimal", "ct", "ro", "NXM_NX_CT_TP_SRC(124)"],
  ["ct_tp_dst", "", "2", "bitwise", "decimal", "ct", "ro", "NXM_NX_CT_TP_DST(125)"],
] as const satisfies readonly Row[];

const packetRows = [
  ["eth_src", "dl_src", "6", "bitwise", "ethernet", "ethernet", "rw", "NXM_OF_ETH_SRC(2) OXM_OF_ETH_SRC(4)@1.2"],
  ["eth_dst", "dl_dst", "6", "bitwise", "ethernet", "ethernet", "rw", "NXM_OF_ETH_DST(1) OXM_OF_ETH_DST(3)@1.2"],
  ["eth_type", "dl_type", "2", "exact", "hexadecimal", "ethernet", "ro", "NXM_OF_ETH_TYPE(3) OXM_OF_ETH_TYPE(5)@1.2"],
  ["vlan_tci", "", "2", "bitwise", "hexadecimal", "ethernet", "rw", "NXM_OF_VLAN_TCI(4)"],
  ["dl_vlan", "", "2:12", "exact", "decimal", "ethernet", "rw", ""],
  ["vlan_vid", "", "2:12", "bitwise", "decimal", "ethernet", "rw", "OXM_OF_VLAN_VID(6)@1.2"],
  ["dl_vlan_pcp", "", "1:3", "exact", "decimal", "ethernet", "rw", ""],
  ["vlan_pcp", "", "1:3", "exact", "decimal", "vlan", "rw", "OXM_OF_VLAN_PCP(7)@1.2"],
  ["mpls_label", "", "4:20", "exact", "decimal", "mpls", "rw", "OXM_OF_MPLS_LABEL(34)@1.2"],
  ["mpls_tc", "", "1:3", "exact", "decimal", "mpls", "rw", "OXM_OF_MPLS_TC(35)@1.2"],
  ["mpls_bos", "", "1:1", "exact", "decimal", "mpls", "ro", "OXM_OF_MPLS_BOS(36)@1.3"],
  ["mpls_ttl", "", "1", "exact", "decimal", "mpls", "rw", "NXM_NX_MPLS_TTL(30)"],
  ["ip_src", "nw_src", "4", "bitwise", "ipv4", "ipv4", "rw", "NXM_OF_IP_SRC(7) OXM_OF_IPV4_SRC(11)@1.2"],
  ["ip_dst", "nw_dst", "4", "bitwise", "ipv4", "ipv4", "rw", "NXM_OF_IP_DST(8) OXM_OF_IPV4_DST(12)@1.2"],
  ["ipv6_src", "", "16", "bitwise", "ipv6", "ipv6", "rw", "NXM_NX_IPV6_SRC(19) OXM_OF_IPV6_SRC(26)@1.2"],
  ["ipv6_dst", "", "16", "bitwise", "ipv6", "ipv6", "rw", "NXM_NX_IPV6_DST(20) OXM_OF_IPV6_DST(27)@1.2"],
  ["ipv6_label", "", "4:20", "bitwise", "hexadecimal", "ipv6", "rw", "NXM_NX_IPV6_LABEL(27) OXM_OF_IPV6_FLABEL(28)@1.2"],
  ["nw_proto", "ip_proto", "1", "exact", "decimal", "ip", "ro", "NXM_OF_IP_PROTO(6) OXM_OF_IP_PROTO(10)@1.2"],
  // The DSCP in the upper six bits of the byte (nw_tos), or by itself (ip_dscp). Matches hold it under `nw_tos`.
  ["nw_tos", "", "1", "exact", "decimal", "ip", "rw", "NXM_OF_IP_TOS(5)"],
  ["ip_dscp", "", "1:6", "exact", "decimal", "ip", "rw", "OXM_OF_IP_DSCP(8)@1.2"],
  ["nw_ecn", "ip_ecn", "1:2", "exact", "decimal", "ip", "rw", "NXM_NX_IP_ECN(28) OXM_OF_IP_ECN(9)@1.2"],
  ["nw_ttl", "", "1", "exact", "decimal", "ip", "rw", "NXM_NX_IP_TTL(29)"],
  ["ip_frag", "nw_frag", "1:2", "bitwise", "frag", "ip", "ro", "NXM_NX_IP_FRAG(26)"],
  ["arp_op", "", "2", "exact", "decimal", "arp", "rw", "NXM_OF_ARP_OP(15) OXM_OF_ARP_OP(21)@1.2"],
  ["arp_spa", "", "4", "bitwise", "ipv4", "arp", "rw", "NXM_OF_ARP_SPA(16) OXM_OF_ARP_SPA(22)@1.2"],
  ["arp_tpa", "", "4", "bitwise", "ipv4", "arp", "rw", "NXM_OF_ARP_TPA(17) OXM_OF_ARP_TPA(23)@1.2"],
  ["arp_sha", "", "6", "bitwise", "ethernet", "arp", "rw", "NXM_NX_ARP_SHA(17) OXM_OF_ARP_SHA(24)@1.2"],
  ["arp_tha", "", "6", "bitwise", "ethernet", "arp", "rw", "NXM_NX_ARP_THA(18) OXM_OF_ARP_THA(25)@1.2"],
  ["tcp_src", "tp_src", "2", "bitwise", "decimal", "tcp", "rw", "NXM_OF_TCP_SRC(9) OXM_OF_TCP_SRC(13)@1.2"],
  ["tcp_dst", "tp_dst", "2", "bitwise", "decimal", "tcp", "rw", "NXM_OF_TCP_DST(10) OXM_OF_TCP_DST(14)@1.2"],
  ["tcp_flags", "", "2:12", "bitwise", "tcp-flags", "tcp", "ro", "NXM_NX_TCP_FLAGS(34) ONFOXM_ET_TCP_FLAGS(42)@1.3 OXM_OF_TCP_FLAGS(42)@1.5"],
  ["udp_src", "", "2", "bitwise", "decimal", "udp", "rw", "NXM_OF_UDP_SRC(11) OXM_OF_UDP_SRC(15)@1.2"],
  ["udp_dst", "", "2", "bitwise", "decimal", "udp", "rw", "NXM_OF_UDP_DST(12) OXM_OF_UDP_DST(16)@1.2"],
  ["sctp_src", "", "2", "bitwise", "decimal", "sctp", "rw", "OXM_OF_SCTP_SRC(17)@1.2"],
  ["sctp_dst", "", "2", "bitwise", "decimal", "sctp", "rw", "OXM_OF_SCTP_DST(18)@1.2"],
  ["icmp_type", "", "1", "exact", "decimal", "icmpv4", "rw", "NXM_OF_ICMP_TYPE(13) OXM_OF_ICMPV4_TYPE(19)@1.2"],
  ["icmp_code", "", "1", "exact", "decimal", "icmpv4", "rw", "NXM_OF_ICMP_CODE(14) OXM_OF_ICMPV4_CODE(20)@1.2"],
  ["icmpv6_type", "", "1", "exact", "decimal", "icmpv6", "rw", "NXM_NX_ICMPV6_TYPE(21) OXM_OF_ICMPV6_TYPE(29)@1.2"],
  ["icmpv6_code", "", "1", "exact", "decimal", "icmpv6", "rw", "NXM_NX_ICMPV6_CODE(22) OXM_OF_ICMPV6_CODE(30)@1.2"],
  ["nd_target", "", "16", "bitwise", "ipv6", "nd", "rw", "NXM_NX_ND_TARGET(23) OXM_OF_IPV6_ND_TARGET(31)@1.2"],
  ["nd_sll", "", "6", "bitwise", "ethernet", "nd-solicit", "rw", "NXM_NX_ND_SLL(24) OXM_OF_IPV6_ND_SLL(32)@1.2"],
  ["nd_tll", "", "6", "bitwise", "ethernet", "nd-advert", "rw", "NXM_NX_ND_TLL(25) OXM_OF_IPV6_ND_TLL(33)@1.2"],
  ["nd_reserved", "", "4", "exact", "decimal", "nd", "rw", "ERICOXM_OF_ICMPV6_ND_RESERVED(1)"],
  ["nd_options_type", "", "1", "exact", "decimal", "nd", "rw", "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE(2)"],
  ["nsh_flags", "", "1", "bitwise", "decimal", "nsh", "rw", "NXOXM_NSH_FLAGS(1)"],
  ["nsh_mdtype", "", "1", "exact", "decimal", "nsh", "ro", "NXOXM_NSH_MDTYPE(2)"],
  ["nsh_np", "", "1", "exact", "decimal", "nsh", "ro", "NXOXM_NSH_NP(3)"],
  ["nsh_spi", "nsp", "4:24", "exact", "hexadecimal", "nsh", "rw", "NXOXM_NSH_SPI(4)"],
  ["nsh_si", "nsi", "1", "exact", "decimal", "nsh", "rw", "NXOXM_NSH_SI(5)"],
  ["nsh_c1", "nshc1", "4", "bitwise", "hexadecimal", "nsh", "rw", "NXOXM_NSH_C1(6)"],
  ["nsh_c2", "nshc2", "4", "bitwise", "hexadecimal", "nsh", "rw", "NXOXM_NSH_C2(7)"],
  ["nsh_c3", "nshc3", "4", "bitwise", "hexadecimal", "nsh", "rw", "NXOXM_NSH_C3(8)"],
  ["nsh_c4", "nshc4", "4", "bitwise", "hexadecimal", "nsh", "rw", "NXOXM_NSH_C4(9)"],
  ["nsh_ttl", "", "1", "exact", "decimal", "nsh", "rw", "NXOXM_NSH_TTL(10)"],
] as const satisfies readonly Row[];

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type Below16 = Digit | 10 | 11 | 12 | 13 | 14 | 15;
type Below32 = Digit | `1${Digit}` | `2${Digit}` | 30 | 31;
type Below64 = Digit | `${1 | 2 | 3 | 4 | 5}${Digit}` | `6${0 | 1 | 2 | 3}`;

export type FieldName =
  | (typeof tunnelRows)[number][0]
  | (typeof metadataRows)[number][0]
  | (typeof packetRows)[number][0]
  | `tun_metadata${Below64}` | `reg${Below32}` | `xreg${Below16}` | `xxreg${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

const times = (count: number, row: (n: number) => Row): Row[] => Array.from({ length: count }, (_, n) => row(n));

export const fieldRows: readonly Row[] = [
  ...tunnelRows,
  ...times(64, (n) => [`tun_metadata${n}`, "", "124", "bitwise", "hexadecimal", "none", "rw", `NXM_NX_TUN_METADATA${n}(${40 + n})`]),
  ...metadataRows,
  ...times(32, (n) => [`reg${n}`, "", "4", "bitwise", "hexadecimal", "none", "rw", n < 16 ? `NXM_NX_REG${n}(${n})` : `NXOXM_ET_REG${n}(${n + 1})`]),
  ...times(16, (n) => [`xreg${n}`, "", "8", "bitwise", "hexadecimal", "none", "rw", `OXM_OF_PKT_REG${n}(${n})@1.3`]),
  ...times(8, (n) => [`xxreg${n}`, "", "16", "bitwise", "hexadecimal", "none", "rw", n < 4 ? `NXM_NX_XXREG${n}(${111 + n})` : `NXOXM_ET_XXREG${n}(${29 + n})`]),
  ...packetRows,
];
