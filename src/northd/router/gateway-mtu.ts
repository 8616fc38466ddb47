/** options:gateway_mtu of a router port: packets too big for what is behind it are marked as they pass. */
import { type Actions, actions, type Match, match } from "../flow-text.ts";
import { intOption } from "../options.ts";
import { bit } from "../registers.ts";
import { switchPeerOf } from "../topology/router-ports.ts";
import { switchOf } from "../topology/port-membership.ts";
import { localnetPortsOf } from "../topology/switches.ts";
import type { RouterPort } from "../topology/topology.ts";

export const gatewayMtuOf = (port: RouterPort): number => Math.max(0, intOption(port.row.options, "gateway_mtu", 0));

const ethernetHeaderSize = 14;
const taggedHeaderSize = 18;

/** The link-layer header counts too: with a tag where the network behind the port is a VLAN. */
function headerSize(port: RouterPort): number {
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  if (owner === undefined) return ethernetHeaderSize;
  for (const { row } of localnetPortsOf(owner)) {
    if (row.tag_request === undefined) continue;
    if (row.tag_request !== 0 || (row.parent_name ?? "") !== "") return taggedHeaderSize;
  }
  return ethernetHeaderSize;
}

export interface MtuFlow {
  readonly raise: number;
  readonly match: Match;
  readonly actions: Actions;
}

/** The flow itself, measuring where there is an MTU, and one above it for what is never measured. `raise` adds to the priority. */
export function* measured(port: RouterPort, matches: Match, acts: Actions): Iterable<MtuFlow> {
  const mtu = gatewayMtuOf(port);
  if (mtu === 0) {
    yield { raise: 0, match: matches, actions: acts };
    return;
  }
  yield { raise: 0, match: matches, actions: actions`${bit.packetLarger} = check_pkt_larger(${mtu + headerSize(port)}); ${acts}` };
  const bypass = port.row.options.get("gateway_mtu_bypass");
  yield { raise: 5, match: match`${matches} && (arp${bypass === undefined ? "" : ` || ${bypass}`})`, actions: acts };
}
