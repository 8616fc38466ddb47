/**
 * The symbols of OVN's logical flows: every name that a match or an action may use (ovn-sb(5); lib/logical-fields.c, main).
 *
 * Order matters: a symbol's parts and predicates come after what they are made of.
 */
import { addControllerFields, addField, addPredicate, addString, addSubfield } from "./define-symbol.ts";
import { ctMarkBits, evpnKeyFlag, flagBits, logicalRegisterCount, logicalRegisters } from "./registers.ts";
import { SymbolTable } from "./symbol-table.ts";

/** A new table of OVN's symbols. */
export function ovnSymbols(): SymbolTable {
  const symbols = new SymbolTable();
  addPorts(symbols);
  addRegisters(symbols);
  addFlags(symbols);
  addConntrack(symbols);
  addEthernet(symbols);
  addIp(symbols);
  addIcmp(symbols);
  addArp(symbols);
  addNeighborDiscovery(symbols);
  addTransport(symbols);
  addField(symbols, "pkt.mark", "pkt_mark");
  addControllerFields(symbols);
  return symbols;
}

function addPorts(symbols: SymbolTable): void {
  addString(symbols, "inport", logicalRegisters.inport);
  addString(symbols, "outport", logicalRegisters.outport);
  // The registers behind them as numbers, for the bit that marks a remote VTEP.
  addField(symbols, "__inport", logicalRegisters.inport);
  addField(symbols, "__outport", logicalRegisters.outport);
  addPredicate(symbols, "from_evpn_vtep", `__inport[${evpnKeyFlag}]`);
  addPredicate(symbols, "to_evpn_vtep", `__outport[${evpnKeyFlag}]`);
  addString(symbols, "remote_outport", logicalRegisters.remoteOutport);
}

const xxregs = ["xxreg0", "xxreg1"] as const;

/** xxreg0 and xxreg1 are whole, xreg4 is what is left; all other registers are parts of these, so that tests of them meet. */
function addRegisters(symbols: SymbolTable): void {
  for (const name of xxregs) addField(symbols, name, name);
  const part = (parent: string, width: number, index: number): string => `${parent}[${width * index}..${width * index + width - 1}]`;
  for (let i = 0; i < logicalRegisterCount / 2; i++) {
    const whole = xxregs[i >> 1];
    if (whole === undefined) addField(symbols, `xreg${i}`, "xreg4");
    else addSubfield(symbols, `xreg${i}`, part(whole, 64, 1 - (i % 2)));
  }
  for (let i = 0; i < logicalRegisterCount; i++) {
    const whole = xxregs[i >> 2];
    addSubfield(symbols, `reg${i}`, whole === undefined ? part("xreg4", 32, 1 - (i % 2)) : part(whole, 32, 3 - (i % 4)));
  }
}

function addFlags(symbols: SymbolTable): void {
  addField(symbols, "flags", logicalRegisters.flags);
  const named: readonly (readonly [name: string, bit: number])[] = [
    ["loopback", flagBits.allowLoopback], ["force_snat_for_dnat", flagBits.forceSnatForDnat],
    ["force_snat_for_lb", flagBits.forceSnatForLb], ["skip_snat_for_lb", flagBits.skipSnatForLb],
    ["use_snat_zone", flagBits.useSnatZone], ["localnet", flagBits.localnet], ["icmp_snat", flagBits.icmpSnat],
    ["tunnel_rx", flagBits.rxFromTunnel], ["unsnat_new", flagBits.unsnatNew],
    ["unsnat_not_tracked", flagBits.unsnatNotTracked], ["from_ctrl", flagBits.fromCtrl],
    ["igmp_loopback", flagBits.igmpSnoopInject], ["pkt_sampled", flagBits.pktSampled],
  ];
  for (const [name, bit] of named) addSubfield(symbols, `flags.${name}`, `flags[${bit}]`);
  addSubfield(symbols, "flags.network_id", `flags[${flagBits.networkIdStart}..${flagBits.networkIdEnd}]`);
}

function addConntrack(symbols: SymbolTable): void {
  // A connection's mark and label are written as it is committed, and only then.
  const options = { scopes: ["ct-commit"] } as const;
  addField(symbols, "ct_mark", "ct_mark", options);
  const bits = ctMarkBits;
  const mark: readonly (readonly [name: string, bits: string])[] = [
    ["blocked", `${bits.blocked}`], ["natted", `${bits.natted}`], ["ecmp_reply_port", "16..31"],
    ["skip_snat", `${bits.lbSkipSnat}`], ["force_snat", `${bits.lbForceSnat}`],
    ["obs_stage", `${bits.obsStageFirst}..${bits.obsStageEnd}`], ["allow_established", `${bits.allowEstablished}`],
    ["obs_collector_id", "16..23"],
  ];
  for (const [name, part] of mark) addSubfield(symbols, `ct_mark.${name}`, `ct_mark[${part}]`, options);
  addField(symbols, "ct_label", "ct_label", options);
  const label: readonly (readonly [name: string, bits: string])[] = [
    ["ecmp_reply_eth", "32..79"], ["label", "96..127"], ["obs_point_id", "96..127"], ["obs_unused", "0..95"],
    ["acl_id", "80..95"], ["nf", `${bits.nf}`], ["nf_id", "17..24"], ["tun_if", `${bits.tunIf}`], ["tun_if_id", "80..95"],
  ];
  for (const [name, part] of label) addSubfield(symbols, `ct_label.${name}`, `ct_label[${part}]`, options);
  addField(symbols, "ct_state", "ct_state");
  for (const [bit, name] of ctStateNames.entries()) {
    addSubfield(symbols, `ct.${name}`, `ct_state[${bit}]`, name === "trk" ? {} : { prerequisites: "ct.trk" });
  }
}

/** The bits of ct_state, lowest first (ovs-fields(7)). */
export const ctStateNames = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"] as const;

function addEthernet(symbols: SymbolTable): void {
  addField(symbols, "eth.src", "eth_src");
  addField(symbols, "eth.dst", "eth_dst");
  addField(symbols, "eth.type", "eth_type", { mustCrossproduct: true });
  addPredicate(symbols, "eth.bcast", "eth.dst == ff:ff:ff:ff:ff:ff");
  addSubfield(symbols, "eth.mcast", "eth.dst[40]");
  addPredicate(symbols, "eth.mcastv6", "eth.dst[32..47] == 0x3333");
  addField(symbols, "vlan.tci", "vlan_tci");
  addPredicate(symbols, "vlan.present", "vlan.tci[12]");
  addSubfield(symbols, "vlan.pcp", "vlan.tci[13..15]", { prerequisites: "vlan.present" });
  addSubfield(symbols, "vlan.vid", "vlan.tci[0..11]", { prerequisites: "vlan.present" });
}

function addIp(symbols: SymbolTable): void {
  const ip = { prerequisites: "ip" };
  const ip4 = { prerequisites: "ip4" };
  const ip6 = { prerequisites: "ip6" };
  addPredicate(symbols, "ip4", "eth.type == 0x800");
  addPredicate(symbols, "ip6", "eth.type == 0x86dd");
  addPredicate(symbols, "ip", "ip4 || ip6");
  addField(symbols, "ip.proto", "nw_proto", { ...ip, mustCrossproduct: true });
  addField(symbols, "ip.dscp", "ip_dscp", ip);
  addField(symbols, "ip.ecn", "nw_ecn", ip);
  addField(symbols, "ip.ttl", "nw_ttl", ip);
  addField(symbols, "ip4.src", "ip_src", ip4);
  addField(symbols, "ip4.dst", "ip_dst", ip4);
  addPredicate(symbols, "ip4.src_mcast", "ip4.src[28..31] == 0xe");
  addPredicate(symbols, "ip4.mcast", "eth.mcast && ip4.dst[28..31] == 0xe");
  addField(symbols, "ip6.src", "ipv6_src", ip6);
  addField(symbols, "ip6.dst", "ipv6_dst", ip6);
  addField(symbols, "ip6.label", "ipv6_label", ip6);
  // The groups of RFC 4291, section 2.7.1.
  addPredicate(symbols, "ip6.mcast_rsvd", "ip6.dst == { ff00::0, ff01::0, ff02::0, ff03::0, ff04::0, ff05::0, ff06::0, ff07::0, ff08::0, ff09::0, ff0a::0, ff0b::0, ff0c::0, ff0d::0, ff0e::0, ff0f::0 }");
  addPredicate(symbols, "ip6.mcast_all_nodes", "ip6.dst == ff01::1 || ip6.dst == ff02::1");
  addPredicate(symbols, "ip6.mcast_all_rtrs", "ip6.dst == ff01::2 || ip6.dst == ff02::2 || ip6.dst == ff05::2");
  addPredicate(symbols, "ip6.mcast_sol_node", "ip6.dst == ff02::1:ff00:0000/104");
  addPredicate(symbols, "ip6.mcast_flood", "eth.mcastv6 && (ip6.mcast_rsvd || ip6.mcast_all_nodes || ip6.mcast_all_rtrs || ip6.mcast_sol_node)");
  addPredicate(symbols, "ip6.mcast", "eth.mcastv6 && ip6.dst[120..127] == 0xff");
  addField(symbols, "ip.frag", "ip_frag", ip);
  addPredicate(symbols, "ip.is_frag", "ip.frag[0]");
  addPredicate(symbols, "ip.later_frag", "ip.frag[1]");
  addPredicate(symbols, "ip.first_frag", "ip.is_frag && !ip.later_frag");
}

function addIcmp(symbols: SymbolTable): void {
  addPredicate(symbols, "icmp4", "ip4 && ip.proto == 1");
  addField(symbols, "icmp4.type", "icmp_type", { prerequisites: "icmp4" });
  addField(symbols, "icmp4.code", "icmp_code", { prerequisites: "icmp4" });
  addPredicate(symbols, "igmp", "ip4.mcast && ip.proto == 2");
  addPredicate(symbols, "icmp6", "ip6 && ip.proto == 58");
  addField(symbols, "icmp6.type", "icmpv6_type", { prerequisites: "icmp6", mustCrossproduct: true });
  addField(symbols, "icmp6.code", "icmpv6_code", { prerequisites: "icmp6", mustCrossproduct: true });
  addPredicate(symbols, "icmp", "icmp4 || icmp6");
}

/** RARP has ARP's layout, and so ARP's fields. */
function addArp(symbols: SymbolTable): void {
  for (const [name, type] of [["arp", "0x806"], ["rarp", "0x8035"]] as const) {
    addPredicate(symbols, name, `eth.type == ${type}`);
    const options = { prerequisites: name };
    addField(symbols, `${name}.op`, "arp_op", options);
    addField(symbols, `${name}.spa`, "arp_spa", options);
    addField(symbols, `${name}.sha`, "arp_sha", options);
    addField(symbols, `${name}.tpa`, "arp_tpa", options);
    addField(symbols, `${name}.tha`, "arp_tha", options);
  }
}

function addNeighborDiscovery(symbols: SymbolTable): void {
  const from = (type: string): string => `icmp6.type == ${type} && icmp6.code == 0 && ip.ttl == 255`;
  addPredicate(symbols, "nd", from("{135, 136}"));
  addPredicate(symbols, "nd_ns", from("135"));
  addPredicate(symbols, "nd_ns_mcast", `ip6.mcast && ${from("135")}`);
  addPredicate(symbols, "nd_na", from("136"));
  addPredicate(symbols, "nd_rs", from("133"));
  addPredicate(symbols, "nd_ra", from("134"));
  addField(symbols, "nd.target", "nd_target", { prerequisites: "nd" });
  addField(symbols, "nd.sll", "nd_sll", { prerequisites: "nd_ns" });
  addField(symbols, "nd.tll", "nd_tll", { prerequisites: "nd_na" });
  // RFC 2710, RFC 3810 (MLDv2 reports go to ff02::16, section 5.2.14).
  addPredicate(symbols, "mldv1", "eth.mcastv6 && ip6.src == fe80::/10 && icmp6.type == {130, 131, 132}");
  addPredicate(symbols, "mldv2", "eth.mcastv6 && ip6.dst == ff02::16 && icmp6.type == 143");
}

function addTransport(symbols: SymbolTable): void {
  addPredicate(symbols, "tcp", "ip.proto == 6");
  addField(symbols, "tcp.src", "tcp_src", { prerequisites: "tcp" });
  addField(symbols, "tcp.dst", "tcp_dst", { prerequisites: "tcp" });
  addField(symbols, "tcp.flags", "tcp_flags", { prerequisites: "tcp" });
  addPredicate(symbols, "udp", "ip.proto == 17");
  addField(symbols, "udp.src", "udp_src", { prerequisites: "udp" });
  addField(symbols, "udp.dst", "udp_dst", { prerequisites: "udp" });
  addPredicate(symbols, "sctp", "ip.proto == 132");
  addField(symbols, "sctp.src", "sctp_src", { prerequisites: "sctp" });
  addField(symbols, "sctp.dst", "sctp_dst", { prerequisites: "sctp" });
}

/**
 * The symbols for ACLs with `acl_ct_translation`: ports and protocols as connection tracking knows them, since only the
 * first fragment of a packet has its ports. What does not differ is shared with `base`.
 */
export function ovnAclCtSymbols(base: SymbolTable = ovnSymbols()): SymbolTable {
  const symbols = new SymbolTable();
  for (const symbol of base) symbols.add(symbol);
  addField(symbols, "ct_proto", "ct_nw_proto", { prerequisites: "ct.trk" });
  for (const [name, number] of [["tcp", 6], ["udp", 17], ["sctp", 132]] as const) {
    addPredicate(symbols, name, `ct.trk && !ct.inv && ct_proto == ${number}`);
    addField(symbols, `${name}.src`, "ct_tp_src", { prerequisites: name });
    addField(symbols, `${name}.dst`, "ct_tp_dst", { prerequisites: name });
  }
  return symbols;
}
