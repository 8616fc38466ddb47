/** What the pipelines keep in registers between stages (ovn-northd(8); northd.c, "OVS register usage"). */

/** Bits of a switch's pipeline. */
export const bit = {
  conntrackDefrag: "reg0[0]",
  conntrackCommit: "reg0[1]",
  conntrackNat: "reg0[2]",
  dhcpResult: "reg0[3]",
  dnsResult: "reg0[4]",
  raResult: "reg0[5]",
  hairpin: "reg0[6]",
  // What an access control list may still find: nothing about the connection that would make it look further.
  hintAllowNew: "reg0[7]",
  hintAllow: "reg0[8]",
  hintDrop: "reg0[9]",
  hintBlock: "reg0[10]",
  hairpinReply: "reg0[12]",
  fdbHit: "reg0[11]",
  aclLabel: "reg0[13]",
  fromRamp: "reg0[14]",
  portSecurityDrop: "reg0[15]",
  aclStateless: "reg0[16]",
  hintAllowRelated: "reg0[17]",
  fromRouterPort: "reg0[18]",
  ipFragment: "reg0[19]",
  aclPersistId: "reg0[20]",
  hintAllowPersisted: "reg0[21]",
  verdictAllow: "reg8[16]",
  verdictDrop: "reg8[17]",
  verdictReject: "reg8[18]",
  nfEnabled: "reg8[21]",
  nfOriginalDirection: "reg8[22]",
  nfEgressLoopback: "reg8[23]",
  // Of a router's.
  egressLoopback: "reg9[0]",
  packetLarger: "reg9[1]",
  neighborKnown: "reg9[2]",
  neighborIpKnown: "reg9[3]",
  dnatLocal: "reg9[4]",
  evpnMacFound: "reg9[5]",
  knownBalancerSession: "reg9[6]",
  relayRequest: "reg9[7]",
  relayResponse: "reg9[8]",
  nextHopIsIpv4: "reg9[9]",
  needsEcmpCommit: "reg9[10]",
} as const;

export const reg = {
  inportMac: "xreg0[0..47]",
  ecmpGroup: "reg8[0..15]",
  ecmpMember: "reg8[16..31]",
  policyChain: "reg9[16..31]",
  relayDestination: "reg2",
  nextHop4: "reg0",
  nextHop6: "xxreg0",
  source4: "reg5",
  source6: "xxreg1",
  routeTable: "reg7",
  nfId: "reg0[22..29]",
  tunnelPort: "reg5[16..31]",
  aclId: "reg2[16..31]",
  aclTier: "reg8[30..31]",
  /** What a packet was addressed to before it was balanced. */
  lbIpv4: "reg4",
  lbIpv6: "xxreg1",
  lbPort: "reg2[0..15]",
  /** Out of the connection tracker, since a fragment has no ports. */
  ctDestinationPort: "reg1[0..15]",
  ctProtocol: "reg1[16..23]",
  /** The backend that a balancer without connection tracking has chosen. */
  lbStatelessIndex: "reg1[0..15]",
  obsPointNew: "reg3",
  obsCollectorNew: "reg8[0..7]",
  obsStage: "reg8[19..20]",
  obsCollectorEstablished: "reg8[8..15]",
  obsPointEstablished: "reg9",
  ctState: "reg4[0..7]",
} as const;

/** Names of multicast groups, quoted, as outports. */
export const group = {
  flood: '"_MC_flood"',
  floodL2: '"_MC_flood_l2"',
  unknown: '"_MC_unknown"',
  mrouterFlood: '"_MC_mrouter_flood"',
  static: '"_MC_static"',
} as const;

/** An ICMP error that tells of a packet too big for a link. */
export const tooBig = {
  /** With a blank after "||", as most stages write it. */
  spaced: "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))",
  tight: "((ip4 && icmp4.type == 3 && icmp4.code == 4) ||(ip6 && icmp6.type == 2 && icmp6.code == 0))",
} as const;
