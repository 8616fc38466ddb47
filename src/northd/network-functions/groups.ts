/**
 * Network functions (Network_Function, Network_Function_Group of ovn-nb(5)): machines that packets of access control lists with
 * such a group pass through ("inline"), or that get copies of them ("vtap"). Of a group one is active: the one that was, as long
 * as it is healthy, or else the first that is.
 */
import { derived } from "../../engine/index.ts";
import { monitorKey, monitorWithKey } from "../balancing/monitored-backends.ts";
import { compareBytes } from "../port-addresses.ts";
import { bindingOf } from "../sync/port-bindings.ts";
import { switchOf } from "../topology/port-membership.ts";
import { globalOptions } from "../topology/settings.ts";
import type { NbRow, SbRow, SwitchPort, Topology } from "../topology/topology.ts";

export type FunctionGroup = NbRow<"Network_Function_Group">;
export type NetworkFunction = NbRow<"Network_Function">;

export const isVtap = ({ mode }: FunctionGroup): boolean => mode === "vtap";

/** Without an active function packets go on as if there were no group; otherwise they are dropped. */
export const failsOpen = (group: FunctionGroup): boolean => isVtap(group) || group.fallback === "fail-open";

/** NB_Global options:svc_monitor_ip and svc_monitor_ip_dst: health checks of functions go from the one to the other. */
export interface MonitorAddresses {
  readonly source: string;
  readonly target: string;
}

export const monitorAddresses = derived("svc_monitor_ip", (t: Topology): MonitorAddresses | undefined => {
  const source = globalOptions(t).get("svc_monitor_ip");
  const target = globalOptions(t).get("svc_monitor_ip_dst");
  return source === undefined || target === undefined ? undefined : { source, target };
});

export const portOf = (t: Topology, uuid: NetworkFunction["inport"] | undefined): SwitchPort | undefined => {
  const port = t.switchPort(t.nb.Logical_Switch_Port.get(uuid));
  return port === undefined || switchOf(port) === undefined ? undefined : port;
};

const bindingOfPort = (t: Topology, port: SwitchPort): SbRow<"Port_Binding"> | undefined => {
  const owner = switchOf(port);
  return owner === undefined ? undefined : bindingOf(t, owner, port.row.name);
};

export interface PortState {
  readonly isUp: boolean;
  /** Undefined unless all are on the same. */
  readonly chassis: string | undefined;
}

/** Up means: both on one chassis, and up there. */
export function stateOf(t: Topology, ports: readonly SwitchPort[]): PortState {
  const bindings = ports.map((port) => bindingOfPort(t, port));
  const chassis = bindings.map((binding) => t.sb.Chassis.get(binding?.chassis)?.name);
  const [first] = chassis;
  const isTogether = first !== undefined && chassis.every((name) => name === first);
  return { isUp: isTogether && bindings.every((binding) => binding?.up === true), chassis: isTogether ? first : undefined };
}

const isHealthy = derived("is healthy", (t: Topology, group: FunctionGroup, nf: NetworkFunction): boolean => {
  const refuse = (why: string): false => {
    t.log.err(`NetworkFunction: ${why}, network_function:${nf.name}`);
    return false;
  };
  const inport = portOf(t, nf.inport);
  if (isVtap(group)) {
    if (nf.outport !== undefined) return refuse("outport should not be set for vtap mode");
    return inport !== undefined && stateOf(t, [inport]).isUp;
  }
  if (nf.outport === undefined) return refuse("outport must be set for inline mode");
  const outport = portOf(t, nf.outport);
  if (inport === undefined || outport === undefined || !stateOf(t, [inport, outport]).isUp) return false;
  if (nf.health_check === undefined) return true;
  const addresses = monitorAddresses(t);
  return addresses !== undefined && monitorWithKey(t, monitorKey(outport.row.name, addresses.target, 0, "icmp"))?.status === "online";
});

export const activeFunction = derived("active network function", (t: Topology, group: FunctionGroup): NetworkFunction | undefined => {
  const healthy = [...group.network_function].sort(compareBytes).flatMap((uuid) => t.nb.Network_Function.get(uuid) ?? []).filter((nf) => isHealthy(t, group, nf));
  return healthy.find((nf) => nf._uuid === group.network_function_active) ?? healthy[0];
});
