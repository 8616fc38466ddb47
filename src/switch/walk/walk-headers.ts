/** Actions that change headers in other ways than setting fields: VLAN tags, TTLs, addresses seen through a connection. */
import { ctStateBit, W } from "../flow/flow-key.ts";
import { ethType } from "../packet/packet.ts";
import type { Walk } from "./walk.ts";
import { toController } from "./walk-output.ts";

/** `resubmit(,T,ct)`: the lookup sees the addresses of the connection's original direction; afterwards the packet's own are back. */
export function byOriginalTuple(walk: Walk, body: () => void): void {
  const type = walk.read(W.ethType);
  const pairs: (readonly [number, number])[] = type === ethType.ipv4
    ? [[W.nwSrc, W.ctNwSrc], [W.nwDst, W.ctNwDst], [W.tpPorts, W.ctPorts]]
    : type === ethType.ipv6
      ? [...Array.from({ length: 8 }, (_, i) => [W.ipv6Src + i, W.ctIpv6Src + i] as const), [W.tpPorts, W.ctPorts]]
      : [];
  if ((walk.read(W.ctState) & ctStateBit.trk) === 0 || pairs.length === 0) return body();
  const swap = (): void => {
    for (const [own, original] of pairs) {
      walk.look(own, 0xffffffff);
      walk.look(original, 0xffffffff);
      [walk.key[own], walk.key[original]] = [walk.key[original] ?? 0, walk.key[own] ?? 0];
    }
  };
  swap();
  body();
  swap();
}

export function setVlan(walk: Walk, mask: number, value: number): void {
  const before = walk.read(W.vlan);
  const after = (before & ~mask) | (value & mask);
  // Taking the tag's presence bit away takes the tag away; anything else written makes sure there is one.
  const isRemoval = (mask & 0x1000) !== 0 && (value & 0x1000) === 0;
  walk.write(W.vlan, 0xffff, isRemoval ? 0 : after | 0x1000);
}

export function pushVlan(walk: Walk, tpid: number): void {
  const before = walk.read(W.vlan);
  // As OVS has it: a new tag says nothing, though OpenFlow 1.5.1 (section 5.9.2) would copy the priority of the one below.
  const tci = 0x1000;
  // The first tag is sent with what is written to it later; one on top of another is a tag of its own.
  const isFirst = (before & 0x1000) === 0 && tpid === ethType.vlan;
  if (!isFirst) {
    walk.commit();
    walk.emit({ kind: "push_vlan", tci, tpid });
  }
  walk.write(W.vlan, 0xffff, tci);
  if (!isFirst) walk.pending[W.vlan] = 0;
}

export function decrementTtl(walk: Walk, controllers: readonly number[]): boolean {
  const type = walk.read(W.ethType);
  if (type !== ethType.ipv4 && type !== ethType.ipv6) return true;
  const ttl = (walk.read(W.nwMisc, 0xff00) >>> 8) & 0xff;
  if (ttl > 1) {
    walk.write(W.nwMisc, 0xff00, (ttl - 1) << 8);
    return true;
  }
  walk.tracer?.note("warning", `IPv${type === ethType.ipv4 ? 4 : 6} decrement TTL exception`);
  for (const controllerId of controllers) {
    toController(walk, { reason: "invalid_ttl", maxLength: 0xffff, controllerId, userdata: undefined, meter: undefined });
  }
  return false;
}
