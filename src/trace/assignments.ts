/** Assignments, exchanges and the stack. */
import type { Field, Subfield } from "../openflow/index.ts";
import { formatAction, formatFieldReference, formatHex, type LogicalActionOf, resolveField } from "../logical/index.ts";
import { append } from "./node.ts";
import { formatFieldValue } from "./packet-text.ts";
import type { PacketFlow } from "./packet-flow.ts";
import type { Place, Walk } from "./walk.ts";

/** Registers are the pipeline's own: what is put there cannot be seen from outside. */
export const isRegister = ({ name }: Field): boolean => /^x{0,2}reg\d+$/.test(name);

export function load(walk: Walk, { datapath, flow, out }: Place, action: LogicalActionOf<"load">): void {
  const to = resolveField(action.destination);
  const { constant } = action;
  if (!isRegister(to.field)) append(out, "modify", formatAction(action).slice(0, -1));
  if (!flow.has(to.field)) return;
  if (constant.kind === "string") flow.writeBits(to, BigInt(walk.lookupPort(datapath, constant.text) ?? 0));
  else if (constant.mask === undefined) flow.writeBits(to, constant.value);
  else flow.write(to.field, constant.value << BigInt(to.offset), constant.mask << BigInt(to.offset));
}

/** `field = value`, for a value that comes from another field. */
function note({ flow, out }: Place, text: string, to: Subfield, from: Subfield): void {
  if (isRegister(to.field)) return;
  const value = flow.readBits(from);
  const whole = from.offset === 0 && from.bits >= from.field.bits;
  append(out, "modify", `${text} = ${whole ? formatFieldValue(from.field, value) : formatHex(value)}`);
}

export function move(place: Place, { kind, left, right }: LogicalActionOf<"move">): void {
  const { flow } = place;
  const a = resolveField(left);
  const b = resolveField(right);
  note(place, formatFieldReference(left), a, b);
  if (kind === "move") {
    flow.writeBits(a, flow.readBits(b));
    return;
  }
  note(place, formatFieldReference(right), b, a);
  const held = flow.readBits(a);
  flow.writeBits(a, flow.readBits(b));
  flow.writeBits(b, held);
}

export function push({ flow, out }: Place, stack: bigint[], { field }: LogicalActionOf<"push">): void {
  const value = flow.readBits(resolveField(field));
  append(out, "modify", `push(${formatFieldReference(field)}) -> ${formatHex(value)}`);
  stack.push(value);
}

export function pop({ flow, out }: Place, stack: bigint[], { field }: LogicalActionOf<"pop">): void {
  const value = stack.pop();
  if (value !== undefined) flow.writeBits(resolveField(field), value);
  append(out, "modify", `pop(${formatFieldReference(field)}) <- ${value === undefined ? "/* empty stack */" : formatHex(value)}`);
}

/** Sets a one-bit result to 1, saying so where it can be seen. */
export function succeed({ flow, out }: Place, destination: LogicalActionOf<"put_dhcp_opts">["destination"]): void {
  const to = resolveField(destination);
  if (!isRegister(to.field)) append(out, "modify", `${formatFieldReference(destination)} = 1`);
  flow.writeBits(to, 1n);
}

export function decrementTtl({ flow, out }: { readonly flow: PacketFlow; readonly out: Place["out"] }): void {
  if (!flow.isIp) append(out, "error", "*** TTL decrement of non-IP packet");
  else if (flow.get("nw_ttl") === 0n) append(out, "error", "*** TTL underflow");
  else {
    flow.set("nw_ttl", flow.get("nw_ttl") - 1n);
    append(out, "modify", "ip.ttl--");
  }
}
