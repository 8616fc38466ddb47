/** `inject-pkt MICROFLOW`: a packet as if a virtual machine here had sent it (ovn-controller(8)). */
import { parseMicroflow } from "../logical/index.ts";
import { field } from "../openflow/index.ts";
import type { ChassisSession } from "./chassis-session.ts";
import { interfaceOf } from "./claims.ts";
import { inportField } from "./flow.ts";
import { composePacket } from "./packet-in/compose-packet.ts";
import { addressSet, expandTemplates, symbols } from "./parsed-flow.ts";

/** Why not, if not. */
export function injectPacket({ node, packets }: ChassisSession, microflow: string): string | undefined {
  if (packets === undefined) return "OpenFlow channel not ready.";
  const context = {
    symbols,
    addressSet: (name: string) => addressSet(node, name),
    portGroup: (name: string) => {
      const group = node.portGroupsByName.first(name);
      return group && [...group.ports];
    },
  };
  const inport = field(inportField);
  const parsed = parseMicroflow(expandTemplates(node, microflow), context, (name) => interfaceOf(node, name)?.ofport);
  if (parsed.kind === "error") return parsed.message;
  const port = Number(parsed.value.get(inport)?.value ?? 0);
  if (port === 0) return "ingress port not found on hypervisor.";
  packets.inject(composePacket(parsed.value), port);
  return undefined;
}
