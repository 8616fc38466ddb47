/** Datapath actions as ovs-dpctl(8) writes them; ports by their datapath numbers. */
import { formatIpv4, formatIpv6, formatMac, ipv4Of, ipv6Of, macOf } from "../../net/index.ts";
import { packetInReasons } from "../../openflow/index.ts";
import { formatOuterHeader } from "../native/outer-header.ts";
import { isTunnel, type SwitchPort } from "../port/switch-port.ts";
import type { ConnectionAction, DatapathAction, SetHeaders, TunnelOutput } from "./datapath-action.ts";
import { type FlowKey, keyWords, W } from "../flow/flow-key.ts";
import { ethType, ipProto } from "./packet.ts";

/** How ports are called: by the datapath's numbers, or by name (--names). */
export interface PortTexts {
  number(datapathNumber: number): string;
  port(port: SwitchPort): string;
  /** The port of OVS's datapath that all tunnels of a kind share. */
  tunnel(type: string, udpPort: number): string;
}

/** Tunnels of one kind and UDP port are one port of OVS's datapath, which its dummy numbers after the latter. */
export const portNumbers: PortTexts = { number: String, port: ({ datapathNumber }) => String(datapathNumber), tunnel: (_type, udpPort) => String(udpPort) };

export const portNames = (nameOf: (datapathNumber: number) => string | undefined): PortTexts => ({
  number: (n) => nameOf(n) ?? String(n), port: ({ name }) => name, tunnel: (type, udpPort) => `${type === "geneve" ? "genev" : type}_sys_${udpPort}`,
});

export const formatDatapathActions = (actions: readonly DatapathAction[], ports: PortTexts = portNumbers): string =>
  actions.length === 0 ? "drop" : actions.map((action) => format(action, ports)).join(",");

function format(action: DatapathAction, ports: PortTexts): string {
  switch (action.kind) {
    case "output":
      return `${action.maxLength === 0xffff_ffff ? "" : `trunc(${action.maxLength}),`}${ports.port(action.port)}`;
    case "tunnel":
      return formatTunnel(action);
    case "tunnel_push":
      return `tnl_push(tnl_port(${tunnelText(action.port, ports)}),${formatOuterHeader(action.header, action.vportType)},out_port(${ports.port(action.outPort)}))`;
    case "tunnel_pop":
      return `tnl_pop(${ports.tunnel(action.type, action.udpPort)})`;
    case "set":
      return formatSet(action);
    case "vlan":
      return action.tci === 0 ? "pop_vlan" : formatPushVlan(action.tci);
    case "push_vlan":
      return formatPushVlan(action.tci);
    case "controller":
      return `userspace(pid=0,controller(reason=${packetInReasons.indexOf(action.reason)},dont_send=0,continuation=${action.continuation === undefined ? 0 : 1},recirc_id=0,rule_cookie=${hex(action.cookie)},controller_id=${action.controllerId},max_len=${action.maxLength}))`;
    case "ct":
      return formatConnection(action);
    case "ct_clear":
      return "ct_clear";
    case "recirculate":
      return `recirc(0x${action.state.id.toString(16)})`;
    case "meter":
      return `meter(${action.meter})`;
    case "check_length":
      return `check_pkt_len(size=${action.size},gt(${formatDatapathActions(action.larger, ports)}),le(${formatDatapathActions(action.notLarger, ports)}))`;
    case "clone":
      return `clone(${formatDatapathActions(action.actions, ports)})`;
  }
}

const tunnelText = (port: SwitchPort, ports: PortTexts): string => (isTunnel(port.kind) ? ports.tunnel(port.kind.type, port.kind.tunnel.destinationPort) : ports.port(port));

function formatPushVlan(tci: number): string {
  const pcp = tci >>> 13;
  return `push_vlan(vid=${tci & 0xfff},pcp=${pcp})`;
}

function formatTunnel({ port, vni, remote, local, words }: TunnelOutput): string {
  const parts = [`tun_id=0x${vni.toString(16)}`];
  const field = remote.includes(":") ? "ipv6_" : "";
  if (local !== "") parts.push(`${field}src=${local}`);
  parts.push(`${field}dst=${remote}`);
  const tunnel = isTunnel(port.kind) ? port.kind.tunnel : undefined;
  parts.push(`ttl=${tunnel?.ttl ?? 64}`, `tp_dst=${tunnel?.destinationPort ?? 6081}`);
  const present = words[W.tunMetadataPresent - W.tunMetadata] ?? 0;
  for (let i = 0; i < 8; i++) if ((present & (1 << i)) !== 0) parts.push(`tun_metadata${i}=0x${(words[i] ?? 0).toString(16)}`);
  const flags = [...(tunnel?.dontFragment === false ? [] : ["df"]), ...(tunnel?.csum === true ? ["csum"] : []), "key"];
  return `set(tunnel(${parts.join(",")},flags(${flags.join("|")}))),${port.datapathNumber}`;
}

function formatConnection({ commit, force, zone, marks, nat }: ConnectionAction): string {
  const parts: string[] = [];
  if (force) parts.push("force_commit");
  else if (commit) parts.push("commit");
  if (zone !== 0) parts.push(`zone=${zone}`);
  const [mark = 0, ...label] = marks?.values ?? [];
  const [markMask = 0, ...labelMask] = marks?.masks ?? [];
  const whole = (words: readonly number[]): bigint => words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  if (markMask !== 0) parts.push(`mark=${hex(mark)}/${hex(markMask)}`);
  if (whole(labelMask) !== 0n) parts.push(`label=${hex(whole(label))}/${hex(whole(labelMask))}`);
  if (nat !== undefined) parts.push(nat.direction === undefined ? "nat" : `nat(${nat.direction})`);
  return parts.length === 0 ? "ct" : `ct(${parts.join(",")})`;
}

const hex = (value: number | bigint): string => (BigInt(value) === 0n ? "0" : `0x${value.toString(16)}`);

function formatSet({ ethType: type, protocol, words, masks, values }: SetHeaders): string {
  const value = new Uint32Array(keyWords);
  const mask = new Uint32Array(keyWords);
  words.forEach((word, i) => {
    value[word] = values[i] ?? 0;
    mask[word] = masks[i] ?? 0;
  });
  const groups: string[] = [];
  const group = (name: string, parts: readonly string[]): void => {
    if (parts.length > 0) groups.push(`set(${name}(${parts.join(",")}))`);
  };
  const mac = (name: string, word: number) => macPart(name, word, value, mask);
  const byte = (name: string, shift: number) => bytePart(name, W.nwMisc, shift, value, mask);
  group("eth", [...mac("src", W.ethSrc), ...mac("dst", W.ethDst)]);
  const [nwSrc, nwDst] = [(name: string) => ipv4Part(name, W.nwSrc, value, mask), (name: string) => ipv4Part(name, W.nwDst, value, mask)];
  if (type === ethType.arp) group("arp", [...nwSrc("sip"), ...nwDst("tip"), ...byte("op", 0), ...mac("sha", W.arpSha), ...mac("tha", W.arpTha)]);
  else if (type === ethType.ipv6) {
    group("ipv6", [...ipv6Part("src", W.ipv6Src, value, mask), ...ipv6Part("dst", W.ipv6Dst, value, mask), ...byte("tclass", 16), ...byte("hlimit", 8)]);
    group("nd", [...ipv6Part("target", W.ndTarget, value, mask), ...mac("sll", W.arpSha), ...mac("tll", W.arpTha)]);
  } else group("ipv4", [...nwSrc("src"), ...nwDst("dst"), ...byte("tos", 16), ...byte("ttl", 8)]);
  const names: Readonly<Record<number, string>> = { [ipProto.tcp]: "tcp", [ipProto.udp]: "udp", [ipProto.sctp]: "sctp", [ipProto.icmp]: "icmp", [ipProto.icmpv6]: "icmpv6" };
  const isIcmp = protocol === ipProto.icmp || protocol === ipProto.icmpv6;
  const [ports, portMask] = [value[W.tpPorts] ?? 0, mask[W.tpPorts] ?? 0];
  const half = (name: string, shift: number): string[] => (((portMask >>> shift) & 0xffff) === 0 ? [] : [`${name}=${(ports >>> shift) & 0xffff}`]);
  group(names[protocol] ?? "tp", [...half(isIcmp ? "type" : "src", 16), ...half(isIcmp ? "code" : "dst", 0)]);
  if ((mask[W.pktMark] ?? 0) !== 0) groups.push(`set(skb_mark(${hex(value[W.pktMark] ?? 0)}))`);
  return groups.join(",");
}

const mac48 = (key: FlowKey, word: number) => macOf(((key[word] ?? 0) & 0xffff) * 2 ** 32 + (key[word + 1] ?? 0));

function macPart(name: string, word: number, value: FlowKey, mask: FlowKey): readonly string[] {
  const m = mac48(mask, word);
  if (m === 0) return [];
  return [`${name}=${formatMac(mac48(value, word))}${m === 0xffffffffffff ? "" : `/${formatMac(m)}`}`];
}

function ipv4Part(name: string, word: number, value: FlowKey, mask: FlowKey): readonly string[] {
  const m = mask[word] ?? 0;
  if (m === 0) return [];
  return [`${name}=${formatIpv4(ipv4Of(value[word] ?? 0))}${m === 0xffffffff ? "" : `/${formatIpv4(ipv4Of(m))}`}`];
}

function ipv6Part(name: string, word: number, value: FlowKey, mask: FlowKey): readonly string[] {
  const whole = (key: FlowKey) => ipv6Of([0, 1, 2, 3].reduce((sum, i) => (sum << 32n) | BigInt(key[word + i] ?? 0), 0n));
  const m = whole(mask);
  if (m === 0n) return [];
  return [`${name}=${formatIpv6(whole(value))}${m === (1n << 128n) - 1n ? "" : `/${formatIpv6(m)}`}`];
}

function bytePart(name: string, word: number, shift: number, value: FlowKey, mask: FlowKey): readonly string[] {
  const m = ((mask[word] ?? 0) >>> shift) & 0xff;
  if (m === 0) return [];
  const v = ((value[word] ?? 0) >>> shift) & 0xff;
  const text = name === "tos" || name === "tclass" ? hex(v) : String(v);
  return [`${name}=${text}${m === 0xff ? "" : `/0x${m.toString(16)}`}`];
}
