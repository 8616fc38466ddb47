/** The rows this room reads, by short names. */
import type { Replica, RowOf, Transaction } from "../ovsdb/index.ts";
import type { openVSwitch, southbound } from "../schemas/index.ts";

export type Southbound = typeof southbound;
export type OpenVswitch = typeof openVSwitch;
export type SouthboundReplica = Replica<Southbound>;
export type OpenVswitchReplica = Replica<OpenVswitch>;
export type SouthboundTransaction = Transaction<Southbound>;
export type OpenVswitchTransaction = Transaction<OpenVswitch>;

export type AddressSet = RowOf<Southbound, "Address_Set">;
export type ChassisTemplateVar = RowOf<Southbound, "Chassis_Template_Var">;
export type Meter = RowOf<Southbound, "Meter">;
export type PortGroup = RowOf<Southbound, "Port_Group">;
export type FlowSampleCollectorSet = RowOf<OpenVswitch, "Flow_Sample_Collector_Set">;
export type BfdRow = RowOf<Southbound, "BFD">;
export type Chassis = RowOf<Southbound, "Chassis">;
export type ChassisPrivate = RowOf<Southbound, "Chassis_Private">;
export type DatapathBinding = RowOf<Southbound, "Datapath_Binding">;
export type Dns = RowOf<Southbound, "DNS">;
export type Encap = RowOf<Southbound, "Encap">;
export type Fdb = RowOf<Southbound, "FDB">;
export type HaChassisGroup = RowOf<Southbound, "HA_Chassis_Group">;
export type LearnedRoute = RowOf<Southbound, "Learned_Route">;
export type IgmpGroup = RowOf<Southbound, "IGMP_Group">;
export type IpMulticast = RowOf<Southbound, "IP_Multicast">;
export type LoadBalancer = RowOf<Southbound, "Load_Balancer">;
export type LogicalFlow = RowOf<Southbound, "Logical_Flow">;
export type MacBinding = RowOf<Southbound, "MAC_Binding">;
export type Mirror = RowOf<Southbound, "Mirror">;
export type MulticastGroup = RowOf<Southbound, "Multicast_Group">;
export type PortBinding = RowOf<Southbound, "Port_Binding">;
export type ServiceMonitor = RowOf<Southbound, "Service_Monitor">;
export type StaticMacBinding = RowOf<Southbound, "Static_MAC_Binding">;

export type Bridge = RowOf<OpenVswitch, "Bridge">;
export type Datapath = RowOf<OpenVswitch, "Datapath">;
export type Interface = RowOf<OpenVswitch, "Interface">;
export type OvsMirror = RowOf<OpenVswitch, "Mirror">;
export type OvsQos = RowOf<OpenVswitch, "QoS">;
export type OvsQueue = RowOf<OpenVswitch, "Queue">;
export type OvsRow = RowOf<OpenVswitch, "Open_vSwitch">;
export type Port = RowOf<OpenVswitch, "Port">;

/** A flow's cookie: the first 32 bits of the UUID of the row it comes from. */
export const cookieOf = (row: { readonly _uuid: string }): number => Number.parseInt(row._uuid.slice(0, 8), 16);
