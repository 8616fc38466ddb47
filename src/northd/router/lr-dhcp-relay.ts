/** lr_in_dhcp_relay_req, lr_in_dhcp_relay_resp_chk, lr_in_dhcp_relay_resp, and ls_in_l2_lkup on the switch: see topology/dhcp-relay.ts. */
import { rule, type Rule } from "../../engine/index.ts";
import { lrIn, lsIn } from "../../logical/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow } from "../lflow.ts";
import { bit, reg } from "../registers.ts";
import { relayAt, relayOfSwitch, relayPortOf } from "../topology/dhcp-relay.ts";
import { switchOf } from "../topology/port-membership.ts";
import { networksOf, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import { addressesOf, typeOf } from "../topology/switch-ports.ts";
import type { Topology } from "../topology/topology.ts";

const routedRequests = rule("lr-dhcp-relay", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  const peer = switchPeerOf(port);
  const owner = peer === undefined ? undefined : switchOf(peer);
  if (router === undefined || owner === undefined || relayPortOf(owner) === undefined) return;
  const relay = relayAt(port);
  if (relay === undefined) return;
  const { server, own } = relay;
  const hint = port.row;
  const from = `inport == ${quoted(port.row.name)} && ip4.src == {0.0.0.0, ${own.networkText}/${own.length}} && ip4.dst == 255.255.255.255 && `;
  const client = "udp.src == 68 && udp.dst == 67";
  const check = `(${own.text}, ${server})`;
  yield lflow(
    router, lrIn.ipInput, 110, match`${from}ip.frag == 0 && ${client}`, actions`${bit.relayRequest} = dhcp_relay_req_chk${check};next; /* DHCP_RELAY_REQ */`, { hint, protocol: "dhcpv4-relay" },
  );
  yield lflow(router, lrIn.dhcpRelayReq, 100, match`${from}${client} && ${bit.relayRequest}`, actions`ip4.src = ${own.text}; ip4.dst = ${server}; udp.src = 67; next; /* DHCP_RELAY_REQ */`, { hint });
  yield lflow(router, lrIn.dhcpRelayReq, 1, match`${from}${client} && ${bit.relayRequest} == 0`, actions`drop; /* DHCP_RELAY_REQ */`, { hint });

  const answers = "udp.src == 67 && udp.dst == 67";
  const back = `ip4.src == ${server} && ip4.dst == ${own.text} && `;
  yield lflow(router, lrIn.ipInput, 110, match`${back}ip.frag == 0 && ${answers}`, actions`next; /* DHCP_RELAY_RESP */`, { hint });
  yield lflow(
    router, lrIn.dhcpRelayRespChk, 100, match`${back}${answers}`,
    actions`${reg.relayDestination} = ip4.dst; ${bit.relayResponse} = dhcp_relay_resp_chk${check}; next; /* DHCP_RELAY_RESP */`, { hint, protocol: "dhcpv4-relay" },
  );
  const checked = `ip4.src == ${server} && ${reg.relayDestination} == ${own.text} && ${answers} && ${bit.relayResponse}`;
  const deliver = actions`ip4.src = ${own.text}; udp.dst = 68; outport = ${quoted(port.row.name)}; output; /* DHCP_RELAY_RESP */`;
  yield lflow(router, lrIn.dhcpRelayResp, 100, match`${checked}`, deliver, { hint });
  yield lflow(router, lrIn.dhcpRelayResp, 1, match`${checked} == 0`, actions`drop; /* DHCP_RELAY_RESP */`, { hint });
});

/** Requests of virtual machines go to the relay alone. */
const switchedRequests = rule("ls-dhcp-relay", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  const relay = owner === undefined || typeOf(port) !== "" ? undefined : relayOfSwitch(owner);
  const [first] = relay === undefined ? [] : addressesOf(port);
  if (owner === undefined || relay === undefined || first === undefined) return;
  const { own, facing } = relay;
  const request = match`inport == ${quoted(port.row.name)} && eth.src == ${first.macText} && ip4.src == {0.0.0.0, ${own.networkText}/${own.length}} && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67`;
  const onward = actions`eth.dst = ${networksOf(relay.port).macText}; outport = ${quoted(facing.row.name)}; next; /* DHCP_RELAY_REQ */`;
  yield lflow(owner, lsIn.l2Lkup, 100, request, onward, { ioPort: port.row.name, hint: port.row });
});

export const dhcpRelayRules: readonly Rule<Topology>[] = [routedRequests, switchedRequests];
