/**
 * dhcp_relay_req_chk and dhcp_relay_resp_chk: a router that passes DHCP on to a server elsewhere, and its answers back (ovn-sb(5);
 * RFC 2131, section 4.1). The packets go on changed in place: a request with the relay's address in it, an answer to where its
 * client is to hear it.
 */
import { formatIpv4, formatMac, type Ipv4, ipv4Of, writeMac } from "../../net/index.ts";
import {
  dhcpIps, dhcpMessage, dhcpOption, type Dhcpv4, findDhcpOption, ipProtocol, parseDhcpv4, readU16, readU32, udpSize, updateChecksum, updateChecksum32, writeU16,
  writeU32,
} from "../../packet/index.ts";
import { type Arrival, pullResultBit, resumeWith } from "./arrival.ts";
import { type IpHeaders, upperLayer } from "./headers.ts";

interface Relayed {
  readonly ip: Extract<IpHeaders, { family: 4 }>;
  readonly message: Dhcpv4;
  readonly type: number;
  readonly relay: Ipv4;
  readonly server: Ipv4;
}

const [bootRequest, bootReply] = [1, 2];
const hopsOffset = 3;
const relayOffset = 24;
const udpChecksumOffset = 6;
const ipChecksumOffset = 10;
const ipDestinationOffset = 16;

export function relayDhcpRequest(arrival: Arrival): void {
  answer(arrival, "DHCP_RELAY_REQ_CHK", bootRequest, (relayed) => {
    if (relayed.message.relayIp !== 0) {
      arrival.log.warn("DHCP_RELAY_REQ_CHK: giaddr is already set");
      return undefined;
    }
    const packet = new Uint8Array(arrival.headers.packet);
    const udp = packet.subarray(relayed.ip.upperOffset);
    const dhcp = udp.subarray(udpSize);
    const hops = (relayed.message.hops + 1) & 0xff;
    if (readU16(udp, udpChecksumOffset) !== 0) {
      // The hops are the lower half of their word.
      const word = readU16(dhcp, hopsOffset - 1);
      writeU16(udp, udpChecksumOffset, updateChecksum(readU16(udp, udpChecksumOffset), word, (word & 0xff00) | hops));
      writeU16(udp, udpChecksumOffset, updateChecksum32(readU16(udp, udpChecksumOffset), 0, relayed.relay));
    }
    dhcp[hopsOffset] = hops;
    writeU32(dhcp, relayOffset, relayed.relay);
    const asked = dhcpIps(findDhcpOption(relayed.message, dhcpOption.requestedIp))[0] ?? relayed.message.clientIp;
    arrival.log.info(`DHCP_RELAY_REQ_CHK:: ${describe(relayed)} REQ_IP:${formatIpv4(asked)} GIADDR:${formatIpv4(relayed.relay)} SERVER_ADDR:${formatIpv4(relayed.server)}`);
    return packet;
  });
}

export function relayDhcpAnswer(arrival: Arrival): void {
  answer(arrival, "DHCP_RELAY_RESP_CHK", bootReply, (relayed) => {
    const complaint = mistrust(relayed);
    if (complaint !== undefined) {
      arrival.log.warn(`DHCP_RELAY_RESP: ${complaint}`);
      return undefined;
    }
    const { ip, message } = relayed;
    const packet = new Uint8Array(arrival.headers.packet);
    const [header, udp] = [packet.subarray(arrival.headers.ipOffset), packet.subarray(ip.upperOffset)];
    writeMac(message.clientMac, packet, 0);
    const [before, after] = [readU32(header, ipDestinationOffset), message.broadcast ? 0xffffffff : message.yourIp];
    writeU32(header, ipDestinationOffset, after);
    writeU16(header, ipChecksumOffset, updateChecksum32(readU16(header, ipChecksumOffset), before, after));
    if (readU16(udp, udpChecksumOffset) !== 0) writeU16(udp, udpChecksumOffset, updateChecksum32(readU16(udp, udpChecksumOffset), before, after));
    arrival.log.info(
      `DHCP_RELAY_RESP_CHK:: ${describe(relayed)} YIADDR:${formatIpv4(message.yourIp)} GIADDR:${formatIpv4(relayed.relay)} SERVER_ADDR:${formatIpv4(relayed.server)}`);
    return packet;
  });
}

function answer(arrival: Arrival, name: string, operation: number, change: (relayed: Relayed) => Uint8Array | undefined): void {
  const result = pullResultBit(arrival.userdata);
  if (result === undefined) {
    arrival.log.warn(`${name}: bad result OXM or offset in the userdata`);
    resumeWith(arrival, undefined, false);
    return;
  }
  const relayed = read(arrival, name, operation, result.rest);
  const packet = relayed && change(relayed);
  resumeWith(arrival, result.bit, packet !== undefined, packet);
}

function read({ headers, log }: Arrival, name: string, operation: number, userdata: Uint8Array): Relayed | undefined {
  if (userdata.length < 8) {
    log.warn(`${name}: relay ip or server ip not present in the userdata`);
    return undefined;
  }
  const { ip } = headers;
  const message = ip?.family === 4 && ip.protocol === ipProtocol.udp ? parseDhcpv4(upperLayer(headers, ip).subarray(udpSize)) : undefined;
  if (ip?.family !== 4 || message === undefined) {
    log.warn("Invalid or incomplete DHCP packet received");
    return undefined;
  }
  if (message.op !== operation) {
    log.warn(`${name}: invalid opcode in the DHCP packet: ${message.op}`);
    return undefined;
  }
  const type = findDhcpOption(message, dhcpOption.messageType)?.[0];
  if (type === undefined) {
    log.warn(`${name}: missing message type`);
    return undefined;
  }
  return { ip, message, type, relay: ipv4Of(readU32(userdata, 0)), server: ipv4Of(readU32(userdata, 4)) };
}

/** Why an answer is not believed. */
function mistrust({ message, type, relay, server }: Relayed): string | undefined {
  if (message.relayIp === 0) return "giaddr is not set in request";
  if (message.relayIp !== relay) return "giaddr mismatch";
  const first = (code: number): Ipv4 | undefined => dhcpIps(findDhcpOption(message, code))[0];
  const id = first(dhcpOption.serverId);
  if (id === undefined) return "missing server identifier";
  if (id !== server) return "server identifier mismatch";
  const mask = first(dhcpOption.netmask) ?? 0;
  const isLease = type === dhcpMessage.offer || type === dhcpMessage.ack;
  return isLease && ((message.yourIp ^ relay) & mask) !== 0 ? "Allocated ip adress and giaddr are not in same subnet" : undefined;
}

const typeNames = ["", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];

const describe = ({ message, type }: Relayed): string =>
  `MSG_TYPE:DHCP${typeNames[type] ?? ""} MAC:${formatMac(message.clientMac)} XID:${message.xid}`;
