/**
 * Virtual ports: an address that several virtual machines share, and that is at the one which was heard to speak for it last
 * (ovn-nb(5), "virtual"; the bind_vport action).
 */
import { rule } from "../engine/index.ts";
import { type Node, portKey } from "./node.ts";
import { kindOf, ourChassis } from "./ports.ts";
import { SouthboundRepair } from "./repairs.ts";
import type { PortBinding } from "./rows.ts";

export const virtualBindings = rule("virtual-bindings", (node: Node) => node.learning.virtualClaims, function* (node, claim) {
  const own = ourChassis(node);
  const datapath = node.datapathsByKey.first(claim.datapathKey);
  const port = datapath && node.portsByKey.first(portKey(datapath._uuid, claim.portKey));
  const parent = datapath && node.portsByKey.first(portKey(datapath._uuid, claim.parentKey));
  if (own === undefined || port === undefined || parent === undefined || kindOf(port) !== "virtual") return;
  if (port.chassis === own._uuid && port.virtual_parent === parent.logical_port) return;
  yield SouthboundRepair({
    key: `virtual ${port._uuid} ${parent.logical_port} ${own._uuid} ${port.chassis ?? ""}`,
    apply: (txn) => {
      const log = node.host.log.module("pinctrl");
      const now = Math.floor(node.host.clock.wall());
      const backoff = numberIn(port, backoffKey);
      if (now >= numberIn(port, lastClaimKey) + backoff) {
        log.info(`Claiming virtual lport ${port.logical_port} for this chassis with the virtual parent ${parent.logical_port}`);
        const options = optionsWith(port, { [lastClaimKey]: now, [backoffKey]: backoffStepMs });
        txn.update(port, { chassis: own._uuid, virtual_parent: parent.logical_port, options });
      } else {
        const longer = Math.min(backoff + backoffStepMs, longestBackoffMs);
        log.info(`Postponing virtual lport ${port.logical_port} claim by ${longer} ms`);
        txn.update(port, { options: optionsWith(port, { [backoffKey]: longer }) });
        // The next packet may try again.
        queueMicrotask(() => node.learning.virtualClaims.remove(claim));
      }
    },
  });
});

/** Two that both speak for the address take it from each other ever more slowly. */
const lastClaimKey = "vport-last-claim";
const backoffKey = "vport-backoff";
const backoffStepMs = 1000;
const longestBackoffMs = 10_000;

const numberIn = (port: PortBinding, key: string): number => Number(port.options.get(key) ?? 0) || 0;

const optionsWith = (port: PortBinding, entries: { readonly [key: string]: number }): ReadonlyMap<string, string> =>
  new Map([...port.options, ...Object.entries(entries).map(([key, value]) => [key, String(value)] as const)]);
