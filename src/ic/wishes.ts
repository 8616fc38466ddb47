/** What the rules of this room can wish for: one relation for each kind of row that ovn-ic writes, and complaints. */
import { relation } from "../engine/index.ts";
import { wished, wishRelation, type Wish } from "../ovsdb/index.ts";
import { icSouthbound, northbound, southbound } from "../schemas/index.ts";

/** The key under which the zone's own row is wished for, whatever its name. */
export const self = "self";
export const ownZone = wished("Availability_Zone", self);

export const WantedZone = wishRelation(icSouthbound, "Availability_Zone");
export const WantedGateway = wishRelation(icSouthbound, "Gateway");
export const WantedGatewayEncap = wishRelation(icSouthbound, "Encap", "Gateway encap");
export const WantedIcBinding = wishRelation(icSouthbound, "Port_Binding", "Transit port");
export const WantedIcDatapath = wishRelation(icSouthbound, "Datapath_Binding", "Transit datapath");

export const WantedLeaderBinding = wishRelation(icSouthbound, "Port_Binding", "Transit port without a chassis");
export const WantedIcAddressSet = wishRelation(icSouthbound, "Address_Set", "Announced address set");
export const WantedIcMonitor = wishRelation(icSouthbound, "Service_Monitor", "Requested monitor");
export const MonitorStatus = wishRelation(icSouthbound, "Service_Monitor", "Status of requested monitor");

/** Of two routes that the unique index takes for one, the one of the lower rank is written: its facts sort first. */
export interface WantedRoute extends Wish<typeof icSouthbound, "Route"> {
  readonly rank: number;
  readonly origin: string;
  /** What it stems from, as `lrp uuid: ...`. */
  readonly source: string;
}
const anyRoute = wishRelation(icSouthbound, "Route");
export const WantedRoute = relation("Route", (wish: WantedRoute) => `${wish.rank} ${anyRoute.keyOf(wish)}`);

export const WantedChassis = wishRelation(southbound, "Chassis", "Remote chassis");
export const WantedEncap = wishRelation(southbound, "Encap", "Remote encap");
export const RemoteLocation = wishRelation(southbound, "Port_Binding", "Location of remote port");

export const WantedMonitor = wishRelation(southbound, "Service_Monitor", "Watched monitor");
export const ReturnedStatus = wishRelation(southbound, "Service_Monitor", "Status of remote monitor");

export const WantedSwitch = wishRelation(northbound, "Logical_Switch", "Transit switch");
export const WantedRemotePort = wishRelation(northbound, "Logical_Switch_Port", "Remote port");
export const PortKey = wishRelation(northbound, "Logical_Switch_Port", "Key of local port");
export const WantedManagedPort = wishRelation(northbound, "Logical_Switch_Port", "Transit switch port");
export const WantedRouter = wishRelation(northbound, "Logical_Router", "Transit router");
export const WantedRouterPort = wishRelation(northbound, "Logical_Router_Port", "Transit router port");
export const LearnedAddressSet = wishRelation(northbound, "Address_Set", "Learned address set");
export const LearnedRoute = wishRelation(northbound, "Logical_Router_Static_Route", "Learned route");

/** What cannot be done, and why: logged once while it is so. */
export const Complaint = relation("Complaint", (complaint: { readonly text: string }) => complaint.text);
