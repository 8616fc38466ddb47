/**
 * Health checks across zones: a load balancer's backend in another zone (`ip_port_mappings` with a zone's name) is watched by
 * that zone. The asking zone hands the request over through IC-SB; the watching zone makes a monitor of it for its own
 * chassis, and the status travels back the same way.
 */
import { derived, type Index, rule } from "../engine/index.ts";
import { MonitorStatus, ReturnedStatus, WantedIcMonitor, WantedMonitor } from "./wishes.ts";
import { type IcSb, type Sb, type Zone, zoneName } from "./zone.ts";

export interface Monitors {
  readonly zone: Zone;
  /** Requests in IC-SB, by the zone that is to watch and what is to be watched. */
  readonly requests: Index<string, IcSb<"Service_Monitor">>;
  /** Monitors of this zone's own chassis, by what is watched. */
  readonly own: Index<string, Sb<"Service_Monitor">>;
}

/** What is watched, and from where. */
const subjectOf = (row: Sb<"Service_Monitor"> | IcSb<"Service_Monitor">): string =>
  [row.logical_port, row.port, row.type ?? "", row.ip, row.src_ip, row.protocol ?? ""].join(" ");

export const indexMonitors = (zone: Zone): Monitors => ({
  zone,
  requests: zone.engine.index("requested monitors", zone.icSb.tables.Service_Monitor, (row) => [`${row.target_availability_zone} ${subjectOf(row)}`]),
  own: zone.engine.index("own monitors", zone.sb.tables.Service_Monitor, (row) => (row.remote ? [] : [subjectOf(row)])),
});

/** The MAC that monitors of this zone send from; without one nothing is watched. */
const monitorMac = derived("svc_monitor_mac", (zone: Zone): string | undefined => {
  for (const row of zone.sb.tables.SB_Global) return row.options.get("svc_monitor_mac");
  return undefined;
});

export const requestedMonitor = rule("requested-monitor", ({ zone }: Monitors) => zone.sb.tables.Service_Monitor, function* ({ zone, requests }, row) {
  const target = row.options.get("az-name");
  const source = zoneName(zone);
  const mac = monitorMac(zone);
  if (!row.remote || target === undefined || source === "" || mac === undefined) return;
  const { type, protocol, ip, port, src_ip, logical_port, options } = row;
  if ((type !== undefined && type !== "load-balancer") || protocol === "icmp") return;
  const key = `${target} ${subjectOf(row)}`;
  yield WantedIcMonitor({
    key, columns: { options },
    initial: { type, ip, port, src_ip, src_mac: mac, protocol, logical_port, target_availability_zone: target, source_availability_zone: source },
  });
  const request = requests.first(key);
  if (request !== undefined) yield ReturnedStatus({ key: row._uuid, columns: { status: request.status } });
});

export const watchedMonitor = rule("watched-monitor", ({ zone }: Monitors) => zone.icSb.tables.Service_Monitor, function* ({ zone, own }, request) {
  const mac = monitorMac(zone);
  if (request.target_availability_zone !== zoneName(zone) || zoneName(zone) === "" || mac === undefined) return;
  const binding = zone.bindingByPort.first(request.logical_port);
  if (binding?.up === undefined) return;
  const key = subjectOf(request);
  const monitor = own.first(key);
  if (monitor !== undefined) yield MonitorStatus({ key: request._uuid, columns: { status: monitor.status } });
  // A monitor that northd made for this zone's own sake serves both.
  if (monitor !== undefined && !monitor.ic_learned) return;
  const chassis = zone.sb.tables.Chassis.get(binding.chassis)?.name;
  const { type, ip, port, src_ip, protocol, logical_port, options } = request;
  yield WantedMonitor({
    key, columns: { options, ...(chassis === undefined ? {} : { chassis_name: chassis }) },
    initial: { type, ip, port, src_ip, src_mac: mac, protocol, logical_port, remote: false, ic_learned: true },
  });
});

export const identifyIcMonitor = (zone: Zone) => (row: IcSb<"Service_Monitor">): string | undefined =>
  row.source_availability_zone === zoneName(zone) ? `${row.target_availability_zone} ${subjectOf(row)}` : undefined;

export const identifyMonitor = (row: Sb<"Service_Monitor">): string | undefined => (row.ic_learned ? subjectOf(row) : undefined);
