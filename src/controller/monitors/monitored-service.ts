/** The services that this chassis has to ask: those whose port is here (ovn-sb(5), table Service_Monitor). */
import { relation, rule } from "../../engine/index.ts";
import { formatIp, type Ip, type Mac, macZero, parseIp, parseMac } from "../../net/index.ts";
import type { Node } from "../node.ts";
import { portAddresses } from "../port-addresses.ts";
import { datapathOf, ourChassis, portNamed } from "../ports.ts";
import { SouthboundRepair } from "../repairs.ts";
import type { PortBinding, ServiceMonitor } from "../rows.ts";
import type { CheckTiming } from "./service-check.ts";

export interface MonitoredService {
  readonly row: ServiceMonitor;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly datapathKey: number;
  /** Where the question is put. */
  readonly outportKey: number;
  /** Where the answer comes from. */
  readonly portKey: number;
  readonly src: { readonly mac: Mac; readonly ip: Ip };
  readonly dst: { readonly mac: Mac; readonly ip: Ip };
  readonly port: number;
  readonly timing: CheckTiming;
}

export const MonitoredService = relation<MonitoredService>("MonitoredService", (s) => [
  s.row._uuid, s.protocol, s.datapathKey, s.outportKey, s.portKey, s.src.mac, formatIp(s.src.ip), s.dst.mac, formatIp(s.dst.ip), s.port,
  s.timing.intervalMs, s.timing.timeoutMs, s.timing.successCount, s.timing.failureCount,
].join(" "));

export const monitoredServices = rule("monitored-services", (node: Node) => node.sb.tables.Service_Monitor, function* (node, row) {
  const own = ourChassis(node)?._uuid;
  const port = portNamed(node, row.logical_port);
  const datapath = port && datapathOf(node, port);
  if (own === undefined || row.remote || port === undefined || datapath === undefined || port.chassis !== own || port.up === false) return;
  const [src, dst] = [parseIp(row.src_ip), parseIp(row.ip)];
  const protocol = row.protocol ?? "tcp";
  if (src === undefined || dst === undefined || src.family !== dst.family || !isAskable(row, protocol)) return;
  const isFunction = row.type === "network-function";
  const input = isFunction ? portNamed(node, row.logical_input_port) : port;
  const mac = isFunction ? parseMac(row.mac) : macOf(port, dst);
  if (input === undefined || input.chassis !== own || mac === undefined) return;
  yield MonitoredService({
    row, protocol, datapathKey: datapath.tunnel_key, outportKey: input.tunnel_key, portKey: port.tunnel_key,
    src: { mac: parseMac(row.src_mac) ?? macZero, ip: src }, dst: { mac, ip: dst }, port: row.port, timing: timingOf(row),
  });
});

/** A network function is pinged; behind a load balancer is a transport port; a logical switch port may be asked either way. */
function isAskable({ type }: ServiceMonitor, protocol: MonitoredService["protocol"]): boolean {
  if (type === "network-function") return protocol === "icmp";
  return type === "logical-switch-port" || protocol !== "icmp";
}

/** The MAC that goes with the address; of a port without any addresses, its first. */
function macOf(port: PortBinding, ip: Ip): Mac | undefined {
  const text = formatIp(ip);
  return portAddresses(port.mac).find(({ ips }) => ips.length === 0 || ips.some((own) => formatIp(own) === text))?.mac;
}

function timingOf({ options }: ServiceMonitor): CheckTiming {
  const number = (key: string, otherwise: number): number => {
    const value = Number(options.get(key) ?? otherwise);
    return Number.isInteger(value) && value >= 0 ? value : otherwise;
  };
  return {
    intervalMs: 1000 * number("interval", 5), timeoutMs: 1000 * number("timeout", 3), successCount: number("success_count", 1),
    failureCount: number("failure_count", 1),
  };
}

export const serviceReports = rule("service-reports", (node: Node) => node.engine.facts(MonitoredService), function* (node, { row }) {
  const status = node.serviceStates.of(row._uuid);
  if (status === undefined || status === row.status) return;
  yield SouthboundRepair({ key: `Service_Monitor ${row._uuid} ${status}`, apply: (txn) => txn.update(row, { status }) });
});
