/** Going on in another bridge, as if the packet had come in there by one of its ports: patch ports, and the outer packets of tunnels. */
import { ports as reserved } from "../../openflow/index.ts";
import { firstPacketWord, W } from "../flow/flow-key.ts";
import type { PlacedPort } from "../port/port-registry.ts";
import type { Walk } from "./walk.ts";

/** Within a copy (`Walk.onCopy`). The other bridge sees neither the tunnel that the packet came through nor its connection. */
export function enterBridgeBy(walk: Walk, { bridge, port }: PlacedPort, body: () => void): void {
  walk.enter(bridge);
  walk.key.fill(0, 0, firstPacketWord);
  walk.key[W.actsetOutput] = reserved.unset;
  walk.key[W.inPort] = port.number;
  walk.wildcards.written[W.inPort] = 0xffffffff;
  for (let w = W.recircId + 1; w < W.ethDst; w++) {
    if (w === W.pktMark) continue;
    walk.key[w] = 0;
    walk.wildcards.written[w] = 0xffffffff;
  }
  walk.stack = [];
  walk.actionSet = [];
  walk.depth++;
  walk.tracer?.enterBridge(bridge.name);
  body();
  walk.depth--;
}
