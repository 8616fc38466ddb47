/**
 * A packet that the switch has handed up, with what a handler may do about it: send a new packet down with the actions that
 * came along, or let the packet itself go on, changed (ovn/actions.h, action_header).
 */
import type { Log } from "../../host/index.ts";
import {
  type Action, actionsFromBytes, type Field, field, type FieldName, findFieldOnWire, Match, of15, type PacketIn, ports, type Subfield, subfield,
} from "../../openflow/index.ts";
import type { Headers } from "./headers.ts";

/** The way back to the switch. */
export interface PacketSwitch {
  packetOut(packet: Uint8Array, actions: readonly Action[]): void;
  resume(packetIn: PacketIn): void;
}

export interface Arrival {
  readonly packetIn: PacketIn;
  readonly headers: Headers;
  /** What follows the opcode. */
  readonly userdata: Uint8Array;
  readonly log: Log;
  readonly down: PacketSwitch;
}

/** A register of the packet while it was in the pipeline; 0 if it was not set. */
export const register = ({ packetIn }: Arrival, name: FieldName): number => packetIn.metadata.exact(name) ?? 0;

export const datapathKeyOf = ({ packetIn }: Arrival): number => Number(packetIn.metadata.get(field("metadata"))?.value ?? 0n);

/** xxreg0, put together from reg0 to reg3. */
export const wideRegister0 = (arrival: Arrival): bigint =>
  (["reg0", "reg1", "reg2", "reg3"] as const).reduce((value, name) => (value << 32n) | BigInt(register(arrival, name)), 0n);

/** Sends `packet` with the actions in the userdata, and the registers as they were. */
export function sendWithUserdata(arrival: Arrival, packet: Uint8Array): void {
  const decoded = actionsFromBytes(arrival.userdata, of15);
  if ("error" in decoded) {
    arrival.log.warn(`failed to parse actions from userdata (${decoded.error.name})`);
    return;
  }
  arrival.down.packetOut(packet, [...reloadMetadata(arrival.packetIn.metadata), ...decoded.actions]);
}

/** The registers and the metadata, as set_field actions. */
export function reloadMetadata(metadata: Match): readonly Action[] {
  return metadata.terms.flatMap(({ field: f, value }): readonly Action[] =>
    (/^reg\d+$/.test(f.name) || f.name === "metadata" ? [{ kind: "set_field", field: f, value, mask: f.full }] : []));
}

/** A bit in which the pipeline waits for an answer: an OXM header and an offset at the beginning of the userdata. */
export interface ResultBit {
  readonly bit: Subfield;
  readonly rest: Uint8Array;
}

export function pullResultBit(userdata: Uint8Array): ResultBit | undefined {
  if (userdata.length < 8) return undefined;
  const view = new DataView(userdata.buffer, userdata.byteOffset, userdata.length);
  const oxmClass = view.getUint16(0);
  const isExperimenter = oxmClass === 0xffff;
  const headerSize = isExperimenter ? 8 : 4;
  if (userdata.length < headerSize + 4) return undefined;
  const f: Field | undefined = findFieldOnWire(isExperimenter ? view.getUint32(4) : 0, oxmClass, view.getUint8(2) >> 1);
  const offset = view.getUint32(headerSize);
  if (f === undefined || !f.writable || offset >= f.bits) return undefined;
  return { bit: subfield(f, offset, 1), rest: userdata.subarray(headerSize + 4) };
}

/** Lets the packet go on where it was, perhaps as another packet, with the answer in the bit. */
export function resumeWith({ packetIn, down }: Arrival, bit: Subfield | undefined, success: boolean, packet = packetIn.packet, metadata = packetIn.metadata): void {
  down.resume({ ...packetIn, packet, totalLength: packet.length, metadata: bit === undefined ? metadata : withBit(metadata, bit, success) });
}

const withBit = (metadata: Match, { field: f, offset }: Subfield, isSet: boolean): Match => {
  const mask = f.isWide ? 1n << BigInt(offset) : 2 ** offset;
  return metadata.with(f, isSet ? mask : f.isWide ? 0n : 0, mask);
};

export const fromController: Match = Match.of(["in_port", ports.controller]);
