/** The kinds of tunnels: all carry Ethernet frames in UDP, each behind a header of its own. */
import type { TlvMapping } from "../../openflow/index.ts";
import { genevePort } from "../../packet/index.ts";
import type { FlowKey } from "../flow/flow-key.ts";
import { decapsulate, type Decapsulated, encapsulate } from "./geneve.ts";
import { decapsulateVxlan, encapsulateVxlan, vxlanPort } from "./vxlan.ts";

export const tunnelTypes = ["geneve", "vxlan"] as const;
export type TunnelType = (typeof tunnelTypes)[number];

export interface TunnelProtocol {
  readonly port: number;
  /** The number that OVS gives the kind (enum ovs_vport_type). */
  readonly vportType: number;
  /** `metadata`: the key's words from W.tunMetadata to W.tunMetadataPresent. */
  encapsulate(frame: Uint8Array, vni: number, metadata: FlowKey, tlvs: ReadonlyMap<number, TlvMapping>): Uint8Array;
  decapsulate(bytes: Uint8Array): Decapsulated | undefined;
}

export const tunnelProtocols: Readonly<Record<TunnelType, TunnelProtocol>> = {
  geneve: { port: genevePort, vportType: 5, encapsulate, decapsulate },
  vxlan: { port: vxlanPort, vportType: 4, encapsulate: encapsulateVxlan, decapsulate: decapsulateVxlan },
};
