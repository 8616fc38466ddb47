/** A tunnel port as the switch has it. */
import { relation } from "../engine/index.ts";

/** In a Port's external_ids: `CHASSIS@REMOTE%LOCAL`. */
export const tunnelIdKey = "ovn-chassis-id";

/** What stands there on a port that serves all chassis; and the type of such a port. */
export const sharedTunnelId = "flow";
export const tunnelTypeKey = "ovn-tunnel-type";

export type TunnelType = "geneve" | "vxlan";

export interface TunnelId {
  readonly chassis: string;
  readonly remoteIp: string;
  /** Undefined where an older controller left it out. */
  readonly localIp: string | undefined;
}

export interface Tunnel extends TunnelId {
  readonly id: string;
  readonly type: TunnelType;
  readonly ofport: number;
  /** Leads to a VTEP, which knows nothing of logical ports. */
  readonly isRamp: boolean;
  /** Its port serves all chassis: what is sent says between which addresses. */
  readonly isShared: boolean;
}

export const TunnelUp = relation<Tunnel>("TunnelUp", (t) => `${t.id} ${t.type} ${t.ofport} ${t.isRamp}`);

/** A chassis to which a tunnel leads whose BFD session is up. */
export const AliveChassis = relation<{ readonly name: string }>("AliveChassis", ({ name }) => name);

export function parseTunnelId(id: string): TunnelId | undefined {
  const match = /^([^@]+)@([^%]+)(?:%(.+))?$/.exec(id);
  return match === null ? undefined : { chassis: match[1] ?? "", remoteIp: match[2] ?? "", localIp: match[3] };
}
