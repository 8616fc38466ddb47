/** ls_in_check_port_sec, ls_in_apply_port_sec, ls_out_check_port_sec, ls_out_apply_port_sec: who may send and receive what. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { actions, everything, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit, tooBig } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isGatewayRouter, isPortEnabled, redirectName, routerOf } from "../topology/router-ports.ts";
import { dropActions } from "../topology/settings.ts";
import { addressesOf, hasRedirectPort, routerPortBehind, typeOf } from "../topology/switch-ports.ts";
import { isVlanTransparent, localnetPortsOf } from "../topology/switches.ts";
import type { LogicalSwitch, SwitchPort, Topology } from "../topology/topology.ts";

const drops = match`${bit.portSecurityDrop} == 1`;

/** What holds for every port. */
export const portSecurityOfSwitch = rule("ls-port-security", (t: Topology) => t.switches, function* (t, owner) {
  const drop = dropActions(t);
  yield lflow(owner, lsIn.checkPortSec, 105, match`${tooBig.spaced} && flags.tunnel_rx == 1`, drop, {
    description: "ICMP: packet too big",
  });
  if (!isVlanTransparent(owner)) {
    yield lflow(owner, lsIn.checkPortSec, 100, match`vlan.present`, drop, { description: "VLANs blocked due to vlan-passthru option" });
  }
  yield lflow(owner, lsIn.checkPortSec, 100, match`eth.src[40]`, drop, { description: "Incoming Broadcast/multicast sourceaddress is invalid" });
  yield lflow(owner, lsIn.checkPortSec, 50, everything, actions`${bit.portSecurityDrop} = check_in_port_sec(); next;`);
  yield lflow(owner, lsIn.applyPortSec, 50, drops, drop, { description: "Broadcast/multicast port security invalid" });
  yield passByDefault(owner, lsIn.applyPortSec);

  yield lflow(owner, lsOut.checkPortSec, 100, match`eth.mcast`, actions`${bit.portSecurityDrop} = 0; next;`);
  yield lflow(owner, lsOut.checkPortSec, 0, everything, actions`${bit.portSecurityDrop} = check_out_port_sec(); next;`);
  yield lflow(owner, lsOut.applyPortSec, 50, drops, drop, { description: "Packet does not follow port security rules" });
  yield lflow(owner, lsOut.applyPortSec, 0, everything, actions`output;`);
});

/** What is different for one port: it is disabled, it has a queue, or it leads to a router or a hardware switch. */
export const portSecurityOfPort = rule("ls-port-security-of-port", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  yield* admission(owner, port, port.row.name);
  // The port's stand-in on the gateway chassis sends like the port itself.
  if (hasRedirectPort(port)) yield* admission(owner, port, redirectName(port.row.name));
});

function* admission(owner: LogicalSwitch, port: SwitchPort, name: string) {
  const type = typeOf(port);
  if (type === "external") return;
  const details = { ioPort: name, hint: port.row };
  const inport = match`inport == ${quoted(name)}`;
  if (!isPortEnabled(port)) {
    yield lflow(owner, lsIn.checkPortSec, 100, inport, actions`${bit.portSecurityDrop} = 1; next;`, details);
    yield lflow(owner, lsIn.l2Unknown, 50, match`outport == ${quoted(name)}`, dropActions(port.topology), details);
    return;
  }
  // Without limits of its own a port may still be sent to a queue that somebody else has set up.
  const queue = type === "router" ? undefined : (port.topology.queues.get(name) ?? port.row.options.get("qdisc_queue_id"));
  const setQueue = queue === undefined ? "" : `set_queue(${queue}); `;
  if (type === "vtep") {
    const onward = actions`${setQueue}${bit.fromRamp} = 1; next(pipeline=ingress, table=${lsIn.hairpin.table});`;
    yield lflow(owner, lsIn.checkPortSec, 70, inport, onward, details);
  } else if (queue !== undefined) {
    yield lflow(owner, lsIn.checkPortSec, 70, inport, actions`${setQueue}${bit.portSecurityDrop} = check_in_port_sec(); next;`, details);
    yield* queuedOutput(owner, port, queue);
  } else if (type === "router") {
    yield lflow(owner, lsIn.checkPortSec, 70, inport, actions`${bit.fromRouterPort} = 1; next;`, details);
  }
}

/** Queues work where packets leave the chassis: at the localnet port. */
function* queuedOutput(owner: LogicalSwitch, port: SwitchPort, queue: number | string) {
  const output = actions`set_queue(${queue}); output;`;
  if (typeOf(port) === "localnet") {
    yield lflow(owner, lsOut.applyPortSec, 100, match`outport == ${quoted(port.row.name)}`, output, { ioPort: port.row.name, hint: port.row });
    return;
  }
  const [localnet] = localnetPortsOf(owner);
  if (localnet === undefined) return;
  const both = match`outport == ${quoted(localnet.row.name)} && inport == ${quoted(port.row.name)}`;
  yield lflow(owner, lsOut.applyPortSec, 110, both, output, { ioPort: localnet.row.name, hint: localnet.row });
}

/** Lets the chassis that sent a packet be told that it was too big for a tunnel, by the kernel, from the tunnel's other end. */
export const tooBigErrors = rule("ls-too-big-errors", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  const name = quoted(port.row.name);
  if (typeOf(port) !== "router") {
    for (const { macText } of addressesOf(port)) {
      const error = match`${tooBig.spaced} && eth.src == ${macText} && outport == ${name} && !is_chassis_resident(${name}) && flags.tunnel_rx == 1`;
      yield lflow(owner, lsIn.checkPortSec, 110, error, actions`outport <-> inport; next;`);
    }
    return;
  }
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  if (peer === undefined || router === undefined) return;
  if (isGatewayRouter(router)) {
    const error = match`${tooBig.spaced} && eth.src == ${peer.row.mac} && outport == ${name} && flags.tunnel_rx == 1`;
    yield lflow(owner, lsIn.checkPortSec, 120, error, actions`outport <-> inport; next;`);
  } else {
    const error = match`${tooBig.spaced} && eth.dst == ${peer.row.mac} && flags.tunnel_rx == 1`;
    yield lflow(owner, lsIn.checkPortSec, 120, error, actions`outport <-> inport; next(pipeline=ingress,table=${lsIn.l2Lkup.table});`);
  }
});
