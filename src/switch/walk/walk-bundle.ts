/**
 * The `bundle` action (ovs-actions(7)): one of several ports, the first that lives or the one that a hash picks among those.
 * OVN sends packets for a gateway this way, so that they change to the next one when BFD says that a tunnel is dead.
 */
import { type HashFields, ports as reserved } from "../../openflow/index.ts";
import { hashOfConnection } from "../flow/flow-group.ts";
import { W } from "../flow/flow-key.ts";
import { finish, mix } from "../flow/minimask.ts";
import type { BundleStep } from "./program.ts";
import type { Walk } from "./walk.ts";

/** The member chosen; OFPP_NONE if none lives. */
export function bundleMember(walk: Walk, { algorithm, members, fields, basis }: BundleStep): number {
  const isLive = (member: number): boolean => walk.isPortLive(member);
  if (algorithm === "active_backup") return members.find(isLive) ?? reserved.none;
  const hash = mix(hashOf(walk, fields), basis);
  let best: number = reserved.none;
  let bestScore = -1;
  for (const [i, member] of members.entries()) {
    if (!isLive(member)) continue;
    const score = finish(mix(mix(0, i), hash)) >>> 0;
    if (score > bestScore) [best, bestScore] = [member, score];
  }
  return best;
}

function hashOf(walk: Walk, fields: HashFields): number {
  switch (fields) {
    case "eth_src":
      return mix(walk.read(W.ethSrc), walk.read(W.ethSrc + 1));
    case "nw_src":
      return walk.read(W.nwSrc);
    case "nw_dst":
      return walk.read(W.nwDst);
    default:
      return hashOfConnection(walk.key, walk.wildcards);
  }
}
