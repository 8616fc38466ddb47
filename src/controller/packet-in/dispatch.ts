/** Which handler a packet-in goes to, by the opcode with which its action's userdata begins (ovn/actions.h, action_opcode). */
import type { Log } from "../../host/index.ts";
import { type ControllerOpcode, parseControllerOp } from "../../logical/index.ts";
import { ipv4Of, ipv6Of, isMulticastMac } from "../../net/index.ts";
import { readU32 } from "../../packet/index.ts";
import type { PacketIn } from "../../openflow/index.ts";
import type { PrefixDelegation } from "../delegation/prefix-delegation.ts";
import type { BfdSessions } from "../monitors/bfd-sessions.ts";
import type { ServiceChecks } from "../monitors/service-checks.ts";
import { type Node, portKey } from "../node.ts";
import { logVerdict } from "./acl-log.ts";
import { type Arrival, datapathKeyOf, type PacketSwitch, register, wideRegister0 } from "./arrival.ts";
import { noteEvent } from "./controller-events.ts";
import { relayDhcpAnswer, relayDhcpRequest } from "./dhcp-relay.ts";
import { answerDhcp } from "./dhcpv4.ts";
import { answerDhcpv6 } from "./dhcpv6.ts";
import { answerDns } from "./dns.ts";
import { parseHeaders } from "./headers.ts";
import { rewriteInnerSource } from "./inner-source.ts";
import { sendArpRequest, sendNeighborAdvertisement, sendNeighborSolicitation } from "./neighbor-requests.ts";
import { sendIcmpError, sendReject, sendSctpAbort, sendTcpReset } from "./refusals.ts";
import { answerRouterSolicitation } from "./router-advertisement.ts";
import type { WaitingPackets } from "./waiting-packets.ts";

export interface DispatchPlace {
  readonly node: Node;
  readonly waiting: WaitingPackets;
  readonly bfd: BfdSessions;
  readonly services: ServiceChecks;
  readonly delegation: PrefixDelegation;
}

type Handler = (arrival: Arrival, place: DispatchPlace) => void;

const handlers: { readonly [opcode in ControllerOpcode]?: Handler } = {
  arp: (arrival, { waiting }) => {
    waiting.wait(arrival.packetIn, { ...outportOf(arrival), ip: { family: 4, address: ipv4Of(register(arrival, "reg0")) } });
    sendArpRequest(arrival);
  },
  nd_ns: (arrival, { waiting }) => {
    waiting.wait(arrival.packetIn, { ...outportOf(arrival), ip: { family: 6, address: ipv6Of(wideRegister0(arrival)) } });
    sendNeighborSolicitation(arrival);
  },
  put_arp: (arrival, { node }) => learnNeighbor(arrival, node, 4),
  put_nd: (arrival, { node }) => learnNeighbor(arrival, node, 6),
  bind_vport: (arrival, { node }) => {
    const { datapathKey, portKey: parentKey } = inportOf(arrival);
    if (arrival.userdata.length >= 4) node.learning.claimVirtual({ datapathKey, portKey: readU32(arrival.userdata, 0), parentKey });
  },
  activation_strategy: (arrival, { node }) => activate(arrival, node),
  put_fdb: (arrival, { node }) => node.learning.learnAddress({ ...inportOf(arrival), mac: arrival.headers.src }),
  nd_na: (arrival) => sendNeighborAdvertisement(arrival, false),
  nd_na_router: (arrival) => sendNeighborAdvertisement(arrival, true),
  put_dhcp_opts: answerDhcp,
  put_dhcpv6_opts: answerDhcpv6,
  dhcp_relay_req_chk: relayDhcpRequest,
  dhcp_relay_resp_chk: relayDhcpAnswer,
  put_nd_ra_opts: answerRouterSolicitation,
  dns_lookup: (arrival, { node }) => answerDns(arrival, node),
  put_icmp4_inner_ip4_src: rewriteInnerSource,
  icmp: (arrival) => sendIcmpError(arrival, "onward", true),
  icmp4_error: (arrival) => sendIcmpError(arrival, "onward", false),
  icmp6_error: (arrival) => sendIcmpError(arrival, "onward", false),
  tcp_reset: (arrival) => sendTcpReset(arrival, "onward"),
  sctp_abort: (arrival) => sendSctpAbort(arrival, "onward"),
  reject: sendReject,
  log: (arrival, { node }) => logVerdict(arrival, node),
  event: (arrival, { node }) => noteEvent(arrival, node),
  igmp: (arrival, { node }) => node.snooping.received(arrival),
  bfd_msg: (arrival, { bfd }) => bfd.received(arrival.headers, datapathKeyOf(arrival)),
  dhcp6_server: (arrival, { delegation }) => delegation.received(arrival),
  handle_svc_check: (arrival, { services }) => services.received(arrival),
};

const inportOf = (arrival: Arrival) => ({ datapathKey: datapathKeyOf(arrival), portKey: register(arrival, "reg14") });
const outportOf = (arrival: Arrival) => ({ datapathKey: datapathKeyOf(arrival), portKey: register(arrival, "reg15") });

function activate(arrival: Arrival, node: Node): void {
  const { datapathKey, portKey: key } = inportOf(arrival);
  const datapath = node.datapathsByKey.first(datapathKey);
  const port = datapath && node.portsByKey.first(portKey(datapath._uuid, key));
  if (port === undefined) return;
  node.activations.set(port._uuid, true);
  node.learning.somethingHappened();
}

/** The address is in reg0 or xxreg0, its MAC is the sender's. */
function learnNeighbor(arrival: Arrival, node: Node, family: 4 | 6): void {
  const { src, dst } = arrival.headers;
  const ip = family === 4
    ? { family, address: ipv4Of(register(arrival, "reg0")) } as const
    : { family, address: ipv6Of(wideRegister0(arrival)) } as const;
  const { datapathKey, portKey: key } = inportOf(arrival);
  const datapath = node.datapathsByKey.first(datapathKey);
  // Told once, when the packet comes; the port may go while the row is being written.
  if (datapath === undefined || node.portsByKey.first(portKey(datapath._uuid, key)) === undefined) {
    arrival.log.warn(`unknown logical port with datapath ${datapathKey} and port ${key}`);
  }
  node.learning.learnNeighbor({ datapathKey, portKey: key, ip, mac: src }, isMulticastMac(dst));
}

export function dispatch(packetIn: PacketIn, place: DispatchPlace, down: PacketSwitch, log: Log): void {
  if (packetIn.reason !== "action") return;
  const op = parseControllerOp(packetIn.userdata ?? new Uint8Array(0));
  if (op === undefined) {
    log.warn("packet-in userdata lacks action header");
    return;
  }
  const headers = parseHeaders(packetIn.packet);
  if (headers === undefined) return;
  const handler = op.opcode === undefined ? undefined : handlers[op.opcode];
  log.dbg(() => `pinctrl received  packet-in | opcode=${op.opcode?.toUpperCase() ?? op.number}| OF_Table_ID=${packetIn.table}| OF_Cookie_ID=0x${packetIn.cookie.toString(16)}`);
  if (handler === undefined) {
    log.warn(op.opcode === undefined ? `unrecognized packet-in opcode ${op.number}` : `packet-in opcode ${op.opcode} is not supported`);
    return;
  }
  handler({ packetIn, headers, userdata: op.data, log, down }, place);
}
