/** Service_Monitor: what chassis check, and how: backends of load balancers, and switch ports (health_checks of either). */
import { rule } from "../../engine/index.ts";
import { wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import {
  backendPort, checkedProtocol, checkingPort, type KnownBackend, monitoredBackends, monitorKey, monitorWithKey,
} from "../balancing/monitored-backends.ts";
import { balancerSettings, servicesOf } from "../balancing/load-balancers.ts";
import type { Options } from "../options.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isPortEnabled, networksOf } from "../topology/router-ports.ts";
import { serviceMonitorMac } from "../topology/settings.ts";
import { addressesOf } from "../topology/switch-ports.ts";
import type { LoadBalancer, NbRow, SwitchPort, Topology } from "../topology/topology.ts";
import { bindingOf } from "./port-bindings.ts";

export const WishedMonitor = wishRelation(southbound, "Service_Monitor");

export const monitorsOfBalancers = rule("service-monitors-of-load-balancers", (t: Topology) => t.loadBalancers, function* (_, balancer) {
  if (balancerSettings(balancer).isTemplate) return;
  for (const vip of servicesOf(balancer)) {
    const { check, backends } = monitoredBackends(balancer, vip);
    if (check !== undefined) for (const known of backends) yield* monitorOfBackend(balancer, known, check.options);
  }
});

function* monitorOfBackend(balancer: LoadBalancer, known: KnownBackend, given: Options) {
  const { backend, port: name, sourceIp, remoteZone } = known;
  if (name === undefined) return;
  const { topology: t } = balancer;
  const port = backendPort(t, name);
  if (remoteZone === undefined && (port === undefined || !isPortEnabled(port))) return;
  const checking = checkingPort(balancer, known);
  const protocol = checkedProtocol(balancer);
  yield monitor(t, {
    type: "load-balancer", ip: backend.ip, logicalPort: name, port: backend.port, protocol, isRemote: remoteZone !== undefined,
    options: remoteZone === undefined ? given : new Map([...given, ["az-name", remoteZone]]),
    sourceMac: checking === undefined ? serviceMonitorMac(t) : networksOf(checking).macText, sourceIp: sourceIp ?? "",
  }, remoteZone === undefined ? port : undefined);
}

export const monitorsOfPorts = rule("service-monitors-of-ports", (t: Topology) => t.switchPorts, function* (t, port) {
  if (!isPortEnabled(port) || switchOf(port) === undefined) return;
  for (const check of checksOf(port)) {
    yield monitor(t, {
      type: "logical-switch-port", ip: check.address, logicalPort: port.row.name, port: check.port, protocol: check.protocol, isRemote: false,
      options: check.options, sourceMac: serviceMonitorMac(t), sourceIp: check.src_ip,
    }, port);
  }
});

/** The port's checks of addresses that it has. */
export function checksOf(port: SwitchPort): readonly NbRow<"Logical_Switch_Port_Health_Check">[] {
  const { row, topology: t } = port;
  return [...row.health_checks].sort().flatMap((uuid) => {
    const check = t.nb.Logical_Switch_Port_Health_Check.get(uuid);
    const hasAddress = addressesOf(port).some(({ ipv4, ipv6 }) => [...ipv4, ...ipv6].some(({ text }) => text === check?.address));
    return check === undefined || !hasAddress ? [] : [check];
  });
}

interface Monitor {
  readonly type: "load-balancer" | "logical-switch-port";
  readonly ip: string;
  readonly logicalPort: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly isRemote: boolean;
  readonly options: Options;
  readonly sourceMac: string;
  readonly sourceIp: string;
}

/** `port`: whose chassis checks; undefined where another zone does. */
function monitor(t: Topology, m: Monitor, port: SwitchPort | undefined) {
  const key = monitorKey(m.logicalPort, m.ip, m.port, m.protocol);
  const owner = port === undefined ? undefined : switchOf(port);
  const binding = owner === undefined ? undefined : bindingOf(t, owner, m.logicalPort);
  const chassis = t.sb.Chassis.get(binding?.chassis)?.name;
  // Not believed to be up when its port is down; nor when nobody has looked yet.
  const isDown = port !== undefined && binding?.up !== true && monitorWithKey(t, key)?.status === "online";
  return WishedMonitor({
    key,
    columns: {
      ip: m.ip, port: m.port, logical_port: m.logicalPort, protocol: m.protocol, ic_learned: false,
      options: m.options, src_mac: m.sourceMac, src_ip: m.sourceIp,
      ...(chassis === undefined ? {} : { chassis_name: chassis }), ...(isDown ? { status: "offline" as const } : {}),
    },
    initial: { type: m.type, remote: m.isRemote, status: "offline" },
  });
}
