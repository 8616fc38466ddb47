/** A tunnel port that the integration bridge ought to have. */
import { relation } from "../engine/index.ts";
import { sharedTunnelId, tunnelIdKey, tunnelTypeKey } from "./tunnel.ts";
import type { Port } from "./rows.ts";

export interface WishedTunnel {
  /** What the port bears in external_ids:ovn-chassis-id. */
  readonly id: string;
  /** By which older controllers knew it. */
  readonly oldId: string;
  /** Where its name comes from; undefined: it is called after its type. */
  readonly chassis: string | undefined;
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  readonly isVtep: boolean;
}

export const WishedTunnel = relation<WishedTunnel>("WishedTunnel", (w) => JSON.stringify([w.id, w.type, [...w.options], w.isVtep]));

/** By what a wish and its port know each other: there is a shared port of each type, all with one id. */
export const tunnelKeyOf = (id: string, type: string | undefined): string => (id === sharedTunnelId ? `${id} ${type ?? ""}` : id);
export const keyOfPort = (port: Port): string => tunnelKeyOf(port.external_ids.get(tunnelIdKey) ?? "", port.external_ids.get(tunnelTypeKey));

export const externalIdsOf = ({ id, type }: WishedTunnel): { readonly [key: string]: string } =>
  (id === sharedTunnelId ? { [tunnelIdKey]: id, [tunnelTypeKey]: type } : { [tunnelIdKey]: id });
