/** Sending the packet somewhere: ports, tunnels, patch ports, controllers. */
import { type PacketInReason, portConfig } from "../../openflow/index.ts";
import { W } from "../flow/flow-key.ts";
import type { TunnelOutput } from "../packet/datapath-action.ts";
import { addressInKey } from "../port/tunnel-address.ts";
import type { SwitchPort, TunnelKind } from "../port/switch-port.ts";
import { mirrorPacket } from "./walk-mirror.ts";
import { outputNative, terminates } from "./walk-native.ts";
import { enterBridgeBy } from "./walk-patch.ts";
import type { Walk } from "./walk.ts";

/** No cut. */
export const whole = 0xffff_ffff;

export interface ControllerNotice {
  readonly reason: PacketInReason;
  readonly maxLength: number;
  readonly controllerId: number;
  readonly userdata: Uint8Array | undefined;
  readonly meter: number | undefined;
}

export function noticeOf(walk: Walk, notice: ControllerNotice) {
  return {
    kind: "controller", ...notice, bridge: walk.bridge, table: walk.table, cookie: walk.cookie, key: walk.key.slice(),
    written: walk.wildcards.written.slice(),
  } as const;
}

export function toController(walk: Walk, notice: ControllerNotice): void {
  walk.commit();
  walk.emit({ ...noticeOf(walk, notice), continuation: undefined });
}

/** Out of an ordinary port (or LOCAL). `intoTable0` goes on in the bridge behind a patch port. */
export function outputToPort(walk: Walk, port: SwitchPort, maxLength: number, intoTable0: (walk: Walk) => void): void {
  if ((port.config & (portConfig.portDown | portConfig.noForward)) !== 0) return;
  sendToPort(walk, port, maxLength, intoTable0);
  if (walk.bridge.mirrors.length > 0) mirrorPacket(walk, port, "destinations", (w, to, size) => outputToPort(w, to, size, intoTable0));
}

/** Copies what has just come in by `port`. */
export function mirrorInput(walk: Walk, port: SwitchPort, intoTable0: (walk: Walk) => void): void {
  mirrorPacket(walk, port, "sources", (w, to, size) => outputToPort(w, to, size, intoTable0));
}

function sendToPort(walk: Walk, port: SwitchPort, maxLength: number, intoTable0: (walk: Walk) => void): void {
  switch (port.kind.type) {
    case "patch":
      return throughPatch(walk, port, intoTable0);
    case "geneve":
    case "vxlan":
      return throughTunnel(walk, port, port.kind, maxLength, intoTable0);
    default: {
      const { native } = walk.surroundings;
      const type = native === undefined ? undefined : terminates(walk, native, port);
      if (type !== undefined) {
        walk.commit();
        return walk.emit({ kind: "tunnel_pop", type, udpPort: walk.read(W.tpPorts, 0xffff) });
      }
      walk.commit();
      walk.emit({ kind: "output", port, maxLength });
    }
  }
}

function throughTunnel(walk: Walk, port: SwitchPort, kind: TunnelKind, maxLength: number, intoTable0: (walk: Walk) => void): void {
  const { tunnel } = kind;
  const read = (word: number): number => walk.read(word);
  const remote = tunnel.remote === "" ? addressInKey(read, W.tunDst, W.tunIpv6Dst) : tunnel.remote;
  if (remote === "") {
    walk.tracer?.note("warning", "Tunneling decided against output");
    return;
  }
  walk.commit();
  const output: TunnelOutput = {
    kind: "tunnel", port, maxLength, remote, local: tunnel.local === "" ? addressInKey(read, W.tunSrc, W.tunIpv6Src) : tunnel.local,
    vni: (tunnel.key ?? walk.read(W.tunId + 1)) & 0xff_ffff, words: tunnelWords(walk),
  };
  const { native } = walk.surroundings;
  if (native === undefined) walk.emit(output);
  else outputNative(walk, native, { type: kind.type, settings: tunnel, output }, intoTable0);
}

/** tun_metadata0 up to the word of presence. What of it came with the packet counts as looked at. */
function tunnelWords(walk: Walk): Uint32Array {
  for (let w = W.tunMetadata; w <= W.tunMetadataPresent; w++) walk.look(w, 0xffffffff);
  return walk.key.slice(W.tunMetadata, W.tunMetadataPresent + 1);
}

function throughPatch(walk: Walk, port: SwitchPort, intoTable0: (walk: Walk) => void): void {
  const peer = walk.surroundings.peerOf(walk.bridge, port);
  if (peer === undefined) {
    walk.tracer?.note("warning", "Nonexistent patch port peer, dropping");
    return;
  }
  if ((peer.port.config & (portConfig.portDown | portConfig.noReceive)) !== 0) return;
  if (++walk.resubmits > 4096 || walk.depth >= 64) return walk.fail("resubmits nested too deep");
  walk.onCopy(() => enterBridgeBy(walk, peer, () => intoTable0(walk)));
}
