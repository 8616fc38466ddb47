/** Which function of a group is active, for all to see; and Service_Monitor for those with health checks. */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { northbound } from "../../schemas/index.ts";
import { monitorKey, monitorWithKey } from "../balancing/monitored-backends.ts";
import { WishedMonitor } from "../sync/service-monitors.ts";
import { serviceMonitorMac, serviceMonitorTargetMac } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";
import { activeFunction, monitorAddresses, portOf, stateOf } from "./groups.ts";

export const ActiveFunction = wishRelation(northbound, "Network_Function_Group", "active network functions");

export const activeFunctions = rule("active-network-functions", (t: Topology) => t.nb.Network_Function_Group, function* (t, group) {
  yield ActiveFunction({ key: group._uuid, columns: { network_function_active: activeFunction(t, group)?._uuid } });
});

export const monitorsOfFunctions = rule("service-monitors-of-network-functions", (t: Topology) => t.nb.Network_Function, function* (t, nf) {
  const check = t.nb.Network_Function_Health_Check.get(nf.health_check);
  const inport = portOf(t, nf.inport);
  const outport = portOf(t, nf.outport);
  if (check === undefined || inport === undefined || outport === undefined) return;
  const addresses = monitorAddresses(t);
  if (addresses === undefined) {
    t.log.err(`NetworkFunction ${nf.name}: invalid service monitor`);
    return;
  }
  const { isUp, chassis } = stateOf(t, [outport, inport]);
  const key = monitorKey(outport.row.name, addresses.target, 0, "icmp");
  const isDown = !isUp && monitorWithKey(t, key)?.status === "online";
  yield WishedMonitor({
    key,
    columns: {
      ip: addresses.target, port: 0, logical_port: outport.row.name, logical_input_port: inport.row.name, protocol: "icmp", ic_learned: false,
      options: check.options, src_mac: serviceMonitorMac(t), mac: serviceMonitorTargetMac(t), src_ip: addresses.source,
      ...(chassis === undefined ? {} : { chassis_name: chassis }), ...(isDown ? { status: "offline" as const } : {}),
    },
    initial: { type: "network-function", remote: false, status: "offline" },
  });
});
