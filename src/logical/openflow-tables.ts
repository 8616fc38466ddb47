/**
 * The OpenFlow tables of an integration bridge, as OVN's main branch numbers them (ovn-architecture(7); controller/lflow.h).
 *
 * A packet enters at `phyToLog`, runs the logical ingress pipeline from `logIngressPipeline`, passes the output section
 * (`outputLargePktDetect` to `checkLoopback`), runs the egress pipeline from `logEgressPipeline` and leaves at
 * `logToPhy`. The tables above are subroutines: actions resubmit to them and come back.
 */
export const openflowTables = {
  phyToLog: 0,
  logIngressPipeline: 8,
  outputLargePktDetect: 52,
  outputLargePktProcess: 53,
  remoteOutput: 54,
  remoteVtepOutput: 55,
  localOutput: 56,
  checkLoopback: 57,
  logEgressPipeline: 62,
  saveInport: 88,
  logToPhy: 89,
  macBinding: 90,
  macLookup: 91,
  chkLbHairpin: 92,
  chkLbHairpinReply: 93,
  ctSnatHairpin: 94,
  getFdb: 95,
  lookupFdb: 96,
  chkInPortSec: 97,
  chkInPortSecNd: 98,
  chkOutPortSec: 99,
  ecmpNhMac: 100,
  ecmpNh: 101,
  chkLbAffinity: 102,
  macCacheUse: 103,
  ctZoneLookup: 104,
  ctOrigNwDstLoad: 105,
  ctOrigIp6DstLoad: 106,
  ctOrigTpDstLoad: 107,
  floodRemoteChassis: 108,
  ctStateSave: 109,
  ctOrigProtoLoad: 110,
  getRemoteFdb: 111,
  learnRemoteFdb: 112,
  evpnArpLookup: 113,
} as const;

/** Where an action's `output;` resubmits to. */
export const outputInit = openflowTables.outputLargePktDetect;
