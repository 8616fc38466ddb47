/** A switch here on which IGMP and MLD are listened to, and how. */
import { relation } from "../../engine/index.ts";
import type { Ipv4, Ipv6, Mac } from "../../net/index.ts";
import type { DatapathBinding } from "../rows.ts";

export interface Querier {
  readonly mac: Mac;
  readonly ip4: Ipv4 | undefined;
  readonly ip6: Ipv6 | undefined;
}

export interface SnoopedSwitch {
  readonly datapath: DatapathBinding;
  readonly tableSize: number;
  readonly idleMs: number;
  readonly queryIntervalMs: number;
  readonly queryMaxResponseSeconds: number;
  /** Another number: forget what was learned. */
  readonly sequence: number;
  /** Undefined: asks nobody. */
  readonly querier: Querier | undefined;
}

export const SnoopedSwitch = relation<SnoopedSwitch>("SnoopedSwitch", (s) => [
  s.datapath._uuid, s.datapath.tunnel_key, s.tableSize, s.idleMs, s.queryIntervalMs, s.queryMaxResponseSeconds, s.sequence, s.querier?.mac, s.querier?.ip4, s.querier?.ip6,
].join(" "));
