/** ls_in_external_port: a port outside OVN is seen by every chassis with the localnet port; only its own may route for it. */
import { rule } from "../../engine/index.ts";
import { lsIn } from "../../logical/index.ts";
import { match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { switchOf } from "../topology/port-membership.ts";
import { dropActions } from "../topology/settings.ts";
import { addressesOf, typeOf } from "../topology/switch-ports.ts";
import { localnetPortsOf, routerFacingPortsOf } from "../topology/switches.ts";
import type { Topology } from "../topology/topology.ts";

export const externalPortDefaults = rule("ls-external-port-defaults", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.externalPort);
});

export const externalPorts = rule("ls-external-port", (t: Topology) => t.switchPorts, function* (t, port) {
  const owner = typeOf(port) === "external" ? switchOf(port) : undefined;
  if (owner === undefined) return;
  const drop = dropActions(t);
  const elsewhere = match`!is_chassis_resident(${quoted(port.row.name)})`;
  for (const localnet of localnetPortsOf(owner)) {
    const details = { ioPort: localnet.row.name, hint: port.row };
    for (const { macText } of addressesOf(port)) {
      const from = match`inport == ${quoted(localnet.row.name)} && eth.src == ${macText}`;
      for (const facing of routerFacingPortsOf(owner)) {
        for (const router of addressesOf(facing)) {
          for (const ip of router.ipv4) {
            yield lflow(owner, lsIn.externalPort, 100, match`${from} && ${elsewhere} && arp.tpa == ${ip.text} && arp.op == 1`, drop, {
              ...details, description: "Drop ARP for unknown router ports",
            });
          }
          for (const ip of router.ipv6) {
            const solicits = match`nd_ns && ip6.dst == {${ip.text}, ${ip.solicitedNodeText}} && nd.target == ${ip.text}`;
            yield lflow(owner, lsIn.externalPort, 100, match`${from} && ${elsewhere} && ${solicits}`, drop, {
              ...details, description: "Drop ND for unbound router ports",
            });
          }
          yield lflow(owner, lsIn.externalPort, 100, match`${from} && eth.dst == ${router.macText} && ${elsewhere}`, drop, {
            ...details, description: "Packet does not come from a chassis resident",
          });
        }
      }
    }
  }
});
