/** Logical_Switch_Port_Health_Check.status: what the chassis that checks the port has found. */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { northbound } from "../../schemas/index.ts";
import { monitorKey, monitorWithKey } from "../balancing/monitored-backends.ts";
import type { Topology } from "../topology/topology.ts";

export const HealthCheckFeedback = wishRelation(northbound, "Logical_Switch_Port_Health_Check", "status of health checks");

export const healthCheckFeedback = rule("health-check-feedback", (t: Topology) => t.switchPorts, function* (t, port) {
  for (const uuid of port.row.health_checks) {
    const check = t.nb.Logical_Switch_Port_Health_Check.get(uuid);
    if (check === undefined) continue;
    const monitor = monitorWithKey(t, monitorKey(port.row.name, check.address, check.port, check.protocol));
    if (monitor?.type !== "logical-switch-port" || monitor.src_ip !== check.src_ip || monitor.status === undefined) continue;
    yield HealthCheckFeedback({ key: uuid, columns: { status: monitor.status } });
  }
});
