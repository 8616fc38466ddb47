/**
 * NORMAL: the bridge as a learning switch with VLANs (ovs-actions(7), `normal`; vswitchd.conf.db(5), "VLAN Configuration").
 * Also FLOOD and ALL, which differ only in the ports they leave out.
 */
import { isMulticastMac, macOf } from "../../net/index.ts";
import { W } from "../flow/flow-key.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import type { Walk } from "./walk.ts";
import { isMirrorOutput } from "./walk-mirror.ts";
import { outputToPort, whole } from "./walk-output.ts";

type IntoTable0 = (walk: Walk) => void;

export function outputToAll(walk: Walk, isFlood: boolean, intoTable0: IntoTable0): void {
  for (const port of walk.bridge.portsByNumber.values()) {
    if (port.number === walk.inPort || (isFlood && (port.config & noFlood) !== 0)) continue;
    if (isMirrorOutput(walk, port)) continue;
    outputToPort(walk, port, whole, intoTable0);
  }
}

/** OFPPC_NO_FLOOD, which OpenFlow 1.1 dropped and OVS keeps. */
const noFlood = 1 << 4;

export function outputNormal(walk: Walk, intoTable0: IntoTable0): void {
  const source = walk.bridge.portsByNumber.get(walk.inPort);
  const vlan = vlanOnInput(walk, source);
  if (vlan === undefined) {
    walk.tracer?.note("warning", "disallowed VLAN VID for this input port, dropping");
    return;
  }
  const ethSrc = mac(walk, W.ethSrc);
  const ethDst = mac(walk, W.ethDst);
  const { bridge } = walk;
  // IEEE 802.1D reserved addresses (STP, pause) are not forwarded.
  if (ethDst >= 0x0180c2000000 && ethDst <= 0x0180c200000f) return;
  if (source !== undefined && !isMulticastMac(macOf(ethSrc))) {
    walk.effects.push(() => {
      if (bridge.portsByNumber.get(source.number) !== source) return;
      if (bridge.macs.learn(vlan, ethSrc, source, walk.surroundings.nowMs())) bridge.generation++;
    });
  }
  const learned = isMulticastMac(macOf(ethDst)) ? undefined : bridge.macs.get(vlan, ethDst, walk.surroundings.nowMs());
  if (learned !== undefined) {
    walk.tracer?.note("detail", "forwarding to learned port");
    if (learned.port.number !== walk.inPort) outputOnVlan(walk, learned.port, vlan, intoTable0);
    return;
  }
  walk.tracer?.note("detail", "no learned MAC for destination, flooding");
  for (const port of bridge.portsByNumber.values()) {
    if (port.number === walk.inPort || (port.config & noFlood) !== 0 || !carries(port, vlan) || isMirrorOutput(walk, port)) continue;
    outputOnVlan(walk, port, vlan, intoTable0);
  }
}

function mac(walk: Walk, word: number): number {
  return walk.read(word, 0xffff) * 0x1_0000_0000 + walk.read(word + 1);
}

/** The VLAN a packet is in, by its tag and the port it came through; undefined if the port does not take it. */
function vlanOnInput(walk: Walk, port: SwitchPort | undefined): number | undefined {
  const tci = walk.read(W.vlan);
  const isTagged = (tci & 0x1000) !== 0;
  const vid = isTagged ? tci & 0xfff : 0;
  if (port === undefined) return vid;
  const { mode, tag } = port.vlan;
  switch (mode) {
    case "access":
    case "dot1q-tunnel":
      return vid === 0 ? tag : undefined;
    case "native-tagged":
    case "native-untagged":
      if (vid === 0) return tag;
      return carries(port, vid) ? vid : undefined;
    default:
      return carries(port, vid) ? vid : undefined;
  }
}

function carries({ vlan: { mode, tag, trunks } }: SwitchPort, vlan: number): boolean {
  if (mode === "access" || mode === "dot1q-tunnel") return vlan === tag;
  return trunks === undefined || trunks.has(vlan) || (mode !== "trunk" && vlan === tag);
}

function outputOnVlan(walk: Walk, port: SwitchPort, vlan: number, intoTable0: IntoTable0): void {
  const { mode, tag } = port.vlan;
  const isTagged = mode === "trunk" ? vlan !== 0 : mode === "native-tagged" ? true : mode === "native-untagged" ? vlan !== tag : false;
  const before = walk.read(W.vlan);
  const after = isTagged && vlan !== 0 ? (before & 0xe000) | 0x1000 | vlan : 0;
  if (after === before) return outputToPort(walk, port, whole, intoTable0);
  walk.write(W.vlan, 0xffff, after);
  outputToPort(walk, port, whole, intoTable0);
  walk.write(W.vlan, 0xffff, before);
}
