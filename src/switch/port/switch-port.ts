/** A port of a bridge: what it is, what is behind it, what went through it. */
import type { Mac } from "../../net/index.ts";
import { type TunnelType, tunnelTypes } from "./tunnel-protocol.ts";

/** VLAN handling of a Port row, for the NORMAL action (vswitchd.conf.db(5), "VLAN Configuration"). */
export interface VlanMode {
  readonly mode: "access" | "trunk" | "native-tagged" | "native-untagged" | "dot1q-tunnel";
  readonly tag: number;
  /** Undefined: all. */
  readonly trunks: ReadonlySet<number> | undefined;
}

/** A tunnel interface's options; "" for an address that each flow sets. */
export interface TunnelSettings {
  readonly remote: string;
  readonly local: string;
  /** undefined: the flow's tun_id (`key=flow`). */
  readonly key: number | undefined;
  /** undefined: as the protocol of the underlay wants it. */
  readonly csum: boolean | undefined;
  readonly dontFragment: boolean;
  readonly ttl: number;
  /** undefined: inherit from the inner packet. */
  readonly tos: number | undefined;
  readonly destinationPort: number;
}

export type PortKind =
  | { readonly type: "system" | "internal" | "dummy" }
  | { readonly type: "patch"; readonly peer: string }
  | TunnelKind;

export interface TunnelKind {
  readonly type: TunnelType;
  readonly tunnel: TunnelSettings;
}

const tunnelNames: ReadonlySet<string> = new Set(tunnelTypes);
export const isTunnel = (kind: PortKind): kind is TunnelKind => tunnelNames.has(kind.type);

export interface PortCounters {
  rxPackets: number;
  rxBytes: number;
  rxDropped: number;
  rxErrors: number;
  txPackets: number;
  txBytes: number;
  txDropped: number;
}

export class SwitchPort {
  readonly name: string;
  /** The OpenFlow port number. */
  readonly number: number;
  /** The number in the cache's keys: one for each port of the whole switch, never used again. */
  readonly datapathNumber: number;
  readonly kind: PortKind;
  mac: Mac;
  readonly createdMs: number;
  vlan: VlanMode;
  /** OFPPC_ bits that a controller has set. */
  config = 0;
  mtu: number;
  isUp = true;
  /** BFD watches it, and says that packets come through; true where nothing watches. */
  isMonitored = false;
  isForwarding = true;
  /** What takes frames sent out of it; undefined: nobody, they are dropped. */
  deliver: ((frame: Uint8Array) => void) | undefined;
  readonly counters: PortCounters = { rxPackets: 0, rxBytes: 0, rxDropped: 0, rxErrors: 0, txPackets: 0, txBytes: 0, txDropped: 0 };

  constructor(
    name: string, number: number, datapathNumber: number, kind: PortKind, mac: Mac, mtu: number, vlan: VlanMode, createdMs: number,
  ) {
    this.name = name;
    this.number = number;
    this.datapathNumber = datapathNumber;
    this.kind = kind;
    this.mac = mac;
    this.mtu = mtu;
    this.vlan = vlan;
    this.createdMs = createdMs;
  }
}
