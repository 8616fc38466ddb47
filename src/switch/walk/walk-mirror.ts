/**
 * Port mirrors (vswitchd.conf.db(5), "Mirror"): copies of what comes in by some ports, or goes out by some, leave by another. A packet
 * is copied once to each mirror, unless it was changed in between.
 */
import { W } from "../flow/flow-key.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import type { Walk } from "./walk.ts";

type Output = (walk: Walk, port: SwitchPort, maxLength: number) => void;

export function mirrorPacket(walk: Walk, port: SwitchPort, direction: "sources" | "destinations", output: Output): void {
  for (const mirror of walk.bridge.mirrors) {
    if (walk.mirrored.has(mirror) || mirror.output === port || !(mirror.selectsAll || mirror[direction].has(port))) continue;
    if (mirror.vlans.size > 0 && !mirror.vlans.has(walk.read(W.vlan, 0x1fff) & 0xfff)) continue;
    walk.mirrored.add(mirror);
    output(walk, mirror.output, mirror.maxLength);
  }
}

/** Ports that only mirrors send to: NORMAL and FLOOD leave them out. */
export const isMirrorOutput = ({ bridge }: Walk, port: SwitchPort): boolean => bridge.mirrors.some((mirror) => mirror.output === port);
