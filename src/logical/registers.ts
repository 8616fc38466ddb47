/**
 * What OVN keeps in the switch's registers, by name (ovn-architecture(7), "Logical Fields"; include/ovn/logical-fields.h).
 * Names are those of `openflow`'s fields.
 */
export const logicalRegisters = {
  /** The logical datapath's tunnel key. */
  datapath: "metadata",
  /** The bits of `flagBits`. */
  flags: "reg10",
  dnatZone: "reg11",
  snatZone: "reg12",
  /** Bits 0..15: the conntrack zone of the logical port. */
  ctZone: "reg13",
  /** Bits 16..31: which encapsulation the port's packets leave by. */
  encapId: "reg13",
  inport: "reg14",
  outport: "reg15",
  /** Bits 16..31: the OpenFlow port of a tunnel. */
  tunOfport: "reg5",
  lbOrigDipIpv4: "reg4",
  lbOrigTpDport: "reg2",
  lbOrigDipIpv6: "xxreg1",
  lbAffMatchIp4Addr: "reg4",
  lbAffMatchIp6Addr: "xxreg1",
  lbAffMatchPort: "reg2",
  result: "xxreg1",
  ctSavedState: "reg4",
  remoteOutport: "reg1",
} as const;

/** reg0 to reg9 are the logical pipeline's own. */
export const logicalRegisterCount = 10;

/** The bits of `logicalRegisters.flags` (MLF_*). */
export const flagBits = {
  allowLoopback: 0,
  rcvFromRamp: 1,
  forceSnatForDnat: 2,
  forceSnatForLb: 3,
  localOnly: 4,
  nestedContainer: 5,
  lookupMac: 6,
  lookupLbHairpin: 7,
  lookupFdb: 8,
  skipSnatForLb: 9,
  localport: 10,
  useSnatZone: 11,
  checkPortSec: 12,
  lookupCommitEcmpNh: 13,
  useLbAffSession: 14,
  localnet: 15,
  rxFromTunnel: 16,
  icmpSnat: 17,
  overrideLocalOnly: 18,
  fromCtrl: 19,
  unsnatNew: 20,
  unsnatNotTracked: 21,
  igmpSnoopInject: 22,
  pktSampled: 23,
  recirc: 24,
  evpnLookup: 25,
  /** 28..31 hold a number, not flags. */
  networkIdStart: 28,
  networkIdEnd: 31,
} as const;

/** The highest number that `flags.network_id` can hold. */
export const maxNetworkId = 15;

/** In a port key: the port is a remote VTEP of an EVPN, not a logical port. */
export const evpnKeyFlag = 31;

/** The bits of ct_mark and ct_label that OVN gives a meaning (OVN_CT_*). */
export const ctMarkBits = {
  blocked: 0,
  natted: 1,
  lbSkipSnat: 2,
  lbForceSnat: 3,
  obsStageFirst: 4,
  obsStageEnd: 5,
  allowEstablished: 6,
  nf: 7,
  tunIf: 8,
} as const;
