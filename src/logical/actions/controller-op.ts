/**
 * Packets for the controller: `controller` actions whose userdata begins with an opcode (enum action_opcode of
 * include/ovn/actions.h, main), a 32-bit number and 4 bytes of zero; what follows is the action's own.
 */
import type { Action, Field } from "../../openflow/index.ts";
import { of15, oxmOf, type Subfield } from "../../openflow/index.ts";
import { present } from "../../std/index.ts";
import type { EncodeContext } from "./encode-context.ts";

/** By number. Those that only older controllers sent keep their places. */
export const controllerOpcodes = [
  "arp", "put_arp", "put_dhcp_opts", "nd_na", "put_nd", "put_dhcpv6_opts", "dns_lookup", "log", "put_nd_ra_opts", "nd_ns",
  "icmp", "tcp_reset", "nd_na_router", "put_icmp4_frag_mtu", "icmp4_error", "event", "igmp", "bind_vport",
  "handle_svc_check", "dhcp6_server", "icmp6_error", "put_icmp6_frag_mtu", "reject", "bfd_msg", "sctp_abort", "put_fdb",
  "activation_strategy", "split_buf_action", "dhcp_relay_req_chk", "dhcp_relay_resp_chk", "put_icmp4_inner_ip4_src",
] as const;

export type ControllerOpcode = (typeof controllerOpcodes)[number];

const headerSize = 8;

export interface OpOptions {
  /** The rest of the pipeline waits for the controller's answer. */
  readonly pause?: boolean;
  /** Instead of the flow's own. */
  readonly meter?: number | "none";
}

const empty = new Uint8Array();

/** Sends the packet up with `opcode` and `data`. */
export function controllerOp(opcode: ControllerOpcode, context: Pick<EncodeContext, "controllerMeter" | "features">, data: Uint8Array = empty, { pause = false, meter: ownMeter }: OpOptions = {}): Action {
  const meter = ownMeter === "none" ? undefined : (ownMeter ?? context.controllerMeter);
  const userdata = new Uint8Array(headerSize + data.length);
  new DataView(userdata.buffer).setUint32(0, controllerOpcodes.indexOf(opcode));
  userdata.set(data, headerSize);
  return {
    kind: "controller", maxLength: 0xffff, reason: "action", controllerId: 0, userdata, pause,
    ...(meter === undefined || !context.features.meters ? {} : { meterId: meter }),
  };
}

/** What an opcode's userdata holds: the opcode's name (undefined if it is unknown) and its data; undefined if it is too short. */
export function parseControllerOp(userdata: Uint8Array): { readonly opcode: ControllerOpcode | undefined; readonly number: number; readonly data: Uint8Array } | undefined {
  if (userdata.length < headerSize) return undefined;
  const number = new DataView(userdata.buffer, userdata.byteOffset, userdata.length).getUint32(0);
  return { opcode: controllerOpcodes[number], number, data: userdata.subarray(headerSize) };
}

/** Bytes in the making. */
export class Bytes {
  readonly #parts: number[] = [];

  get length(): number {
    return this.#parts.length;
  }

  uint(value: number | bigint, size: number): this {
    const big = BigInt(value);
    for (let i = size - 1; i >= 0; i--) this.#parts.push(Number((big >> BigInt(8 * i)) & 0xffn));
    return this;
  }

  put(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  text(text: string): this {
    return this.put(new TextEncoder().encode(text));
  }

  /** Replaces a byte written before. */
  set(index: number, byte: number): void {
    this.#parts[index] = byte;
  }

  get(index: number): number {
    return present(this.#parts[index], "byte");
  }

  take(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

/** Where the controller puts its one-bit answer: the field's OXM header and the bit's offset. */
export function putResult(bytes: Bytes, { field, offset }: Subfield): Bytes {
  putOxmHeader(bytes, field);
  return bytes.uint(offset, 4);
}

function putOxmHeader(bytes: Bytes, field: Field): void {
  const oxm = present(oxmOf(field, of15), `code point of ${field.name}`);
  const experimenterSize = oxm.oxmClass === 0xffff ? 4 : 0;
  bytes.uint(oxm.oxmClass, 2).uint(oxm.number << 1, 1).uint(field.size + experimenterSize, 1);
  if (experimenterSize > 0) bytes.uint(oxm.experimenter, 4);
}
