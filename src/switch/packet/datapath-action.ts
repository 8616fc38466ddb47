/**
 * What a walk through the tables comes to: the few things that are then done to every packet of the same kind, without
 * walking again. They are OVS's datapath actions, cut to what this switch has.
 */
import type { Nat, PacketInReason } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import type { FlowKey } from "../flow/flow-key.ts";
import type { PortMirror } from "../port/port-mirror.ts";
import type { Step } from "../walk/program.ts";
import type { TunnelType } from "../port/tunnel-protocol.ts";
import type { SwitchPort } from "../port/switch-port.ts";

export type DatapathAction =
  | { readonly kind: "output"; readonly port: SwitchPort; readonly maxLength: number }
  | TunnelOutput
  | TunnelPush
  /** What has come out at a bridge's own port is a tunnel's packet: it comes in again by the tunnel's port, unwrapped. */
  | { readonly kind: "tunnel_pop"; readonly type: TunnelType; readonly udpPort: number }
  | SetHeaders
  /** The tag becomes this; 0: no tag. */
  | { readonly kind: "vlan"; readonly tci: number; readonly tpid: number }
  | { readonly kind: "push_vlan"; readonly tci: number; readonly tpid: number }
  | ToController
  | ConnectionAction
  | { readonly kind: "ct_clear" }
  /** The packet, as it is now, enters the tables again where `state` says. */
  | { readonly kind: "recirculate"; readonly state: FrozenState }
  | { readonly kind: "meter"; readonly meter: number; readonly bridge: Bridge }
  | { readonly kind: "check_length"; readonly size: number; readonly larger: readonly DatapathAction[]; readonly notLarger: readonly DatapathAction[] }
  /** Done to a copy. */
  | { readonly kind: "clone"; readonly actions: readonly DatapathAction[] };

/** Sends the packet through the connection tracker (ovs-actions(7), `ct`). */
export interface ConnectionAction {
  readonly kind: "ct";
  readonly commit: boolean;
  readonly force: boolean;
  readonly zone: number;
  /** Committed to the connection: ct_mark, then the four words of ct_label. */
  readonly marks: { readonly values: readonly number[]; readonly masks: readonly number[] } | undefined;
  readonly nat: Nat | undefined;
}

/** Sets bits of the packet's header words. */
export interface SetHeaders {
  readonly kind: "set";
  /** Of the packets that it is done to: for its text. */
  readonly ethType: number;
  readonly protocol: number;
  readonly words: readonly number[];
  readonly masks: readonly number[];
  readonly values: readonly number[];
}

export interface TunnelOutput {
  readonly kind: "tunnel";
  readonly port: SwitchPort;
  /** The outer destination and source; "": as the port says. */
  readonly remote: string;
  readonly local: string;
  readonly vni: number;
  /** The tunnel words of the key: metadata options go into the header as the bridge's TLV table says. */
  readonly words: FlowKey;
  /** TOS and TTL for the outer header; undefined: the port's. */
  readonly maxLength: number;
}

/** Puts a tunnel's headers before the packet, which goes on as the outer one (native tunnelling). */
export interface TunnelPush {
  readonly kind: "tunnel_push";
  readonly port: SwitchPort;
  readonly header: Uint8Array;
  readonly vportType: number;
  /** By which the outer packet enters its bridge. */
  readonly outPort: SwitchPort;
  readonly maxLength: number;
}

export interface ToController {
  readonly kind: "controller";
  readonly bridge: Bridge;
  readonly reason: PacketInReason;
  readonly maxLength: number;
  readonly controllerId: number;
  readonly userdata: Uint8Array | undefined;
  readonly meter: number | undefined;
  readonly table: number;
  readonly cookie: bigint;
  /** The key at that point; of words that come with the packet only `written` bits count, the rest is the packet's. */
  readonly key: FlowKey;
  readonly written: FlowKey;
  /** Where to go on when the controller resumes the packet. */
  readonly continuation: FrozenState | undefined;
}

/** A walk that stopped on its way: everything it needs to go on, but the packet. */
export interface FrozenState {
  /** The recirc_id; 0 for a continuation. */
  readonly id: number;
  readonly bridge: Bridge;
  /** Look up here first; undefined: only `rest` is to be done. */
  readonly table: number | undefined;
  /** The key up to the header words, of which the pipeline's (registers, metadata) and the tunnel's count; the OpenFlow input port. */
  readonly pipeline: FlowKey;
  readonly inPort: number;
  readonly stack: readonly (readonly number[])[];
  readonly actionSet: readonly Step[];
  readonly rest: readonly RestOfRule[];
  /** Mirrors that have had the packet. */
  readonly mirrored?: ReadonlySet<PortMirror>;
}

/** What was left of one rule's actions. */
export interface RestOfRule {
  readonly table: number;
  readonly cookie: bigint;
  readonly steps: readonly Step[];
}
