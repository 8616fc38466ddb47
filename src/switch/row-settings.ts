/** What rows of the Open_vSwitch database ask for, in the switch's terms, and what it says in them. */
import type { DeviceFacts } from "../host/index.ts";
import { type Mac, macOf, parseMac } from "../net/index.ts";
import { of10, of13, of14, of15, ports as reserved } from "../openflow/index.ts";
import type { RowOf } from "../ovsdb/index.ts";
import type { openVSwitch } from "../schemas/index.ts";
import { allVersions } from "./openflow/openflow-connection.ts";
import { isTunnel, type SwitchPort, type VlanMode } from "./port/switch-port.ts";

type Schema = typeof openVSwitch;
type BridgeRow = RowOf<Schema, "Bridge">;
type PortRow = RowOf<Schema, "Port">;
type InterfaceRow = RowOf<Schema, "Interface">;

export function addressOf(row: BridgeRow): { readonly mac: Mac; readonly id: bigint } {
  const mac = parseMac(row.other_config.get("hwaddr") ?? "") ?? macOfUuid(row._uuid);
  const idText = row.other_config.get("datapath-id") ?? "";
  const id = /^(0x)?[0-9a-fA-F]{1,16}$/.test(idText) ? BigInt(`0x${idText.replace(/^0x/, "")}`) : BigInt(mac);
  return { mac, id };
}

export function versionsOf(protocols: ReadonlySet<string>): number {
  if (protocols.size === 0) return allVersions;
  let bits = 0;
  for (const [name, version] of [["OpenFlow10", of10], ["OpenFlow13", of13], ["OpenFlow14", of14], ["OpenFlow15", of15]] as const) if (protocols.has(name)) bits |= 1 << version;
  return bits;
}

export function vlanOf(row: PortRow): VlanMode {
  const { tag } = row;
  return {
    mode: row.vlan_mode ?? (tag === undefined ? "trunk" : "access"), tag: tag ?? 0, trunks: row.trunks.size === 0 ? undefined : row.trunks,
  };
}

const vlanText = ({ mode, tag, trunks }: VlanMode): string => `${mode} ${tag} ${trunks === undefined ? "all" : [...trunks].sort((a, b) => a - b).join()}`;
export const isSameVlan = (a: VlanMode, b: VlanMode): boolean => vlanText(a) === vlanText(b);

export const isNumberChanged = (port: SwitchPort, row: InterfaceRow): boolean =>
  row.ofport_request !== undefined && port.number !== reserved.local && row.ofport_request !== port.number;
export function secondsOr(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}

/** A locally administered unicast address that stays the same for as long as the row does. */
export function macOfUuid(uuid: string): Mac {
  const digits = Number.parseInt(uuid.replaceAll("-", "").slice(-12), 16);
  const first = Math.floor(digits / 2 ** 40);
  return macOf(((first & 0xfc) | 2) * 2 ** 40 + (digits % 2 ** 40));
}

/** The columns of an interface that tell of its link; `facts`: what the kernel says, where a device of its own is behind it. */
export function linkOf(port: SwitchPort, facts: DeviceFacts | undefined): {
  readonly link_state: "up" | "down";
  readonly admin_state: "up" | "down";
  readonly ifindex: number | undefined;
  readonly mtu: number | undefined;
} {
  const upOrDown = (isUp: boolean): "up" | "down" => (isUp ? "up" : "down");
  const isVirtual = port.kind.type === "patch" || isTunnel(port.kind);
  return {
    link_state: upOrDown(facts?.isRunning ?? true), admin_state: upOrDown(facts?.isUp ?? true), ifindex: facts?.index ?? (isVirtual ? undefined : port.datapathNumber),
    mtu: isVirtual ? undefined : port.mtu,
  };
}

/** `egress`: the device that a tunnel's packets leave by, where that is known. */
export function statusOf({ kind }: SwitchPort, egress: string | undefined): ReadonlyMap<string, string> {
  return isTunnel(kind) && egress !== undefined ? new Map([["tunnel_egress_iface", egress], ["tunnel_egress_iface_carrier", "up"]]) : new Map();
}

export function statisticsOf({ counters: c }: SwitchPort): ReadonlyMap<string, number> {
  return new Map([
    ["rx_bytes", c.rxBytes], ["rx_dropped", c.rxDropped], ["rx_errors", c.rxErrors], ["rx_packets", c.rxPackets], ["tx_bytes", c.txBytes],
    ["tx_dropped", c.txDropped], ["tx_errors", 0], ["tx_packets", c.txPackets],
  ]);
}

/** What a bridge's row asks for that this switch does not do: said in the log rather than silently left out. */
export function missingOfBridge(row: BridgeRow): readonly string[] {
  const missing: string[] = [];
  if (row.netflow !== undefined) missing.push("netflow");
  if (row.sflow !== undefined) missing.push("sflow");
  if (row.ipfix !== undefined) missing.push("ipfix");
  if (row.stp_enable) missing.push("stp_enable");
  if (row.rstp_enable) missing.push("rstp_enable");
  if (row.mcast_snooping_enable) missing.push("mcast_snooping_enable");
  return missing;
}

/** The same for a port and its interface. A dummy device has no queues to set, in OVS either. */
export function missingOfPort(row: PortRow, interfaceRow: InterfaceRow, isDummy: boolean): readonly string[] {
  const missing: string[] = [];
  if (row.qos !== undefined && !isDummy) missing.push("qos");
  if (row.lacp !== undefined && row.lacp !== "off") missing.push("lacp");
  if (interfaceRow.ingress_policing_rate > 0 || interfaceRow.ingress_policing_kpkts_rate > 0) missing.push("ingress_policing_rate");
  if (interfaceRow.cfm_mpid !== undefined) missing.push("cfm_mpid");
  if (interfaceRow.lldp.size > 0) missing.push("lldp");
  return missing;
}
