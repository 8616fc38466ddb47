/** trigger_event: tells whoever manages the cloud of something it may want to act on, by a row of Controller_Event (ovn-sb(5)). */
import { rule } from "../../engine/index.ts";
import { readU16, readU32 } from "../../packet/index.ts";
import type { EmptyBalancer } from "../learning-queue.ts";
import type { Node } from "../node.ts";
import { ourChassis } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";
import type { Arrival } from "./arrival.ts";

const emptyBackends = 0;
const optionNames: ReadonlyMap<number, keyof EmptyBalancer> = new Map([[1, "vip"], [2, "protocol"], [3, "load_balancer"]]);

export function noteEvent({ userdata, log }: Arrival, node: Node): void {
  if (userdata.length < 4) {
    log.warn("event not present in the userdata");
    return;
  }
  if (readU32(userdata, 0) !== emptyBackends) return;
  const options = readOptions(userdata.subarray(4));
  const { vip, protocol, load_balancer } = options;
  if (vip === undefined || protocol === undefined || load_balancer === undefined) {
    log.warn("missing lb parameters in userdata");
    return;
  }
  node.learning.noteEmptyBalancer({ vip, protocol, load_balancer });
}

function readOptions(bytes: Uint8Array): Partial<EmptyBalancer> {
  const options: { -readonly [name in keyof EmptyBalancer]?: string } = {};
  let at = 0;
  while (at + 4 <= bytes.length) {
    const [name, size] = [optionNames.get(readU16(bytes, at)), readU16(bytes, at + 2)];
    if (at + 4 + size > bytes.length) break;
    if (name !== undefined) options[name] = new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return options;
}

export const eventWrites = rule("event-writes", (node: Node) => node.learning.emptyBalancers, function* (node, event) {
  const own = ourChassis(node);
  if (own === undefined) return;
  const { vip, protocol, load_balancer } = event;
  for (const row of node.sb.tables.Controller_Event) {
    if (row.chassis !== own._uuid) continue;
    const { event_info: info } = row;
    if (info.get("vip") === vip && info.get("protocol") === protocol && info.get("load_balancer") === load_balancer) return;
  }
  yield SouthboundRepair({
    key: `Controller_Event ${vip} ${protocol} ${load_balancer} ${own._uuid}`,
    apply: (txn) => {
      txn.insert("Controller_Event", {
        event_type: "empty_lb_backends", event_info: { vip, protocol, load_balancer }, chassis: own._uuid, seq_num: ++node.learning.eventCount,
      });
      // Told once; what the row is worth, whoever reads it decides.
      queueMicrotask(() => node.learning.emptyBalancers.remove(event));
    },
  });
});
