/** Sending the packet somewhere: ports, tunnels, patch ports, controllers. */
import { type PacketInReason, portConfig, ports as reserved } from "../../openflow/index.ts";
import { firstPacketWord, W } from "../flow/flow-key.ts";
import { addressInKey } from "../port/tunnel-address.ts";
import type { SwitchPort, TunnelSettings } from "../port/switch-port.ts";
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
  switch (port.kind.type) {
    case "patch":
      return throughPatch(walk, port, intoTable0);
    case "geneve":
      return throughTunnel(walk, port, port.kind.tunnel, maxLength);
    default:
      walk.commit();
      walk.emit({ kind: "output", port, maxLength });
  }
}

function throughTunnel(walk: Walk, port: SwitchPort, tunnel: TunnelSettings, maxLength: number): void {
  const read = (word: number): number => walk.read(word);
  const remote = tunnel.remote === "" ? addressInKey(read, W.tunDst, W.tunIpv6Dst) : tunnel.remote;
  if (remote === "") {
    walk.tracer?.note("warning", "Tunneling decided against output");
    return;
  }
  walk.commit();
  walk.emit({
    kind: "tunnel", port, maxLength, remote, local: tunnel.local === "" ? addressInKey(read, W.tunSrc, W.tunIpv6Src) : tunnel.local,
    vni: (tunnel.key ?? walk.read(W.tunId + 1)) & 0xff_ffff, words: tunnelWords(walk),
  });
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
  walk.onCopy(() => {
    walk.enter(peer.bridge);
    walk.key.fill(0, 0, firstPacketWord);
    walk.key[W.actsetOutput] = reserved.unset;
    walk.key[W.inPort] = peer.port.number;
    walk.wildcards.written[W.inPort] = 0xffffffff;
    // The other bridge sees neither the tunnel that the packet came through nor its connection.
    for (let w = W.recircId + 1; w < W.ethDst; w++) {
      if (w === W.pktMark) continue;
      walk.key[w] = 0;
      walk.wildcards.written[w] = 0xffffffff;
    }
    walk.stack = [];
    walk.actionSet = [];
    walk.depth++;
    walk.tracer?.enterBridge(peer.bridge.name);
    intoTable0(walk);
    walk.depth--;
  });
}
