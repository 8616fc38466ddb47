/** Packets on their way to a controller and back (OpenFlow 1.5, sections 7.3.6 and 7.4.1). */
import type { Action, PacketInReason } from "../action/action.ts";
import type { Match } from "../match/match.ts";

/** No buffering in a switch: packets travel whole. */
export const noBuffer = 0xffffffff;

/** A packet for the controller; NXT_PACKET_IN2 carries all of it, OFPT_PACKET_IN no userdata and no continuation. */
export interface PacketIn {
  readonly kind: "packet_in";
  readonly extended: boolean;
  readonly packet: Uint8Array;
  /** The packet's whole length where `packet` is cut short. */
  readonly totalLength: number;
  readonly bufferId: number;
  readonly reason: PacketInReason;
  readonly table: number;
  readonly cookie: bigint;
  /** in_port, registers, metadata, tunnel and connection-tracking fields at that time. */
  readonly metadata: Match;
  readonly userdata?: Uint8Array;
  /** Where the packet was: opaque to controllers, the switch's own to write and read. Properties of NXT_PACKET_IN2 as they stand. */
  readonly continuation?: Uint8Array;
}

/** NXT_RESUME: a packet-in with a continuation on its way back. */
export interface Resume {
  readonly kind: "resume";
  readonly packetIn: Omit<PacketIn, "kind" | "extended">;
}

export interface PacketOut {
  readonly kind: "packet_out";
  readonly bufferId: number;
  /** At least in_port. Other fields travel only in OpenFlow 1.5. */
  readonly metadata: Match;
  readonly actions: readonly Action[];
  readonly packet: Uint8Array;
}
