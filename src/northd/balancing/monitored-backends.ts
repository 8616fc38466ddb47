/**
 * Backends with a port: which logical port a backend is (Load_Balancer.ip_port_mappings), from which address it is checked, and
 * whether it is up (Service_Monitor of the southbound database, kept by the chassis that has the port).
 */
import { derived } from "../../engine/index.ts";
import { formatIp, parseIp } from "../../net/index.ts";
import { memberAddress } from "../port-addresses.ts";
import { perZone } from "../topology/per-zone.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isPortEnabled, networksOf, routerOf } from "../topology/router-ports.ts";
import { routerPortBehind } from "../topology/switch-ports.ts";
import { routerFacingPortsOf } from "../topology/switches.ts";
import type { LoadBalancer, NbRow, RouterPort, SbRow, SwitchPort, Topology } from "../topology/topology.ts";
import { routerBalancers } from "./balancer-use.ts";
import { balancerSettings } from "./load-balancers.ts";
import type { Backend, Vip } from "./vips.ts";

export interface KnownBackend {
  readonly backend: Backend;
  /** The logical port; undefined where none is known. */
  readonly port: string | undefined;
  /** Where checks come from. */
  readonly sourceIp: string | undefined;
  /** Another availability zone has the port, and checks it. */
  readonly remoteZone: string | undefined;
}

export interface MonitoredBackends {
  /** Backends are checked, and only those that are up are used. */
  readonly hasCheck: boolean;
  readonly check: NbRow<"Load_Balancer_Health_Check"> | undefined;
  readonly backends: readonly KnownBackend[];
}

export const monitoredBackends = derived("monitored backends", (balancer: LoadBalancer, vip: Vip): MonitoredBackends => {
  const check = checkOf(balancer, vip);
  const hasCheck = check !== undefined;
  const { isDistributed } = balancerSettings(balancer);
  if (!hasCheck && !isDistributed) return { hasCheck, check, backends: vip.backends.map(unknown) };
  const mappings = balancer.row.ip_port_mappings;
  const backends = vip.backends.map((backend): KnownBackend => {
    const text = mappings.get(vip.isIpv4 ? backend.ip : `[${backend.ip}]`);
    if (text === undefined) return unknown(backend);
    const mapping = parseMapping(text, isDistributed && !hasCheck);
    if (!("reason" in mapping)) return { backend, ...mapping };
    const { log } = balancer.topology;
    // In OVN the library that reads addresses complains first.
    if (mapping.badAddress !== undefined) log.module("socket_util").err(`${mapping.badAddress}: bad IP address "${mapping.badAddress}"`);
    log.warn(mapping.reason);
    return unknown(backend);
  });
  return { hasCheck, check, backends };
});

const unknown = (backend: Backend): KnownBackend => ({ backend, port: undefined, sourceIp: undefined, remoteZone: undefined });

function checkOf({ row, topology: t }: LoadBalancer, vip: Vip): NbRow<"Load_Balancer_Health_Check"> | undefined {
  if (row.health_check.size === 0) return undefined;
  const refuse = (what: string): undefined => {
    t.warn(`${what} load balancers do not currently support health checks. Not creating health checks for load balancer ${row._uuid}`);
    return undefined;
  };
  if (row.protocol === "sctp") return refuse("SCTP");
  if (row.options.get("template")?.toLowerCase() === "true") return refuse("Template");
  return [...row.health_check].sort().flatMap((uuid) => t.nb.Load_Balancer_Health_Check.get(uuid) ?? []).find((check) => check.vip === vip.key);
}

type Mapping = Omit<KnownBackend, "backend">;

/** What is wrong with a mapping. */
interface BadMapping {
  readonly reason: string;
  /** What should have been an address and does not even look like one of IPv6. */
  readonly badAddress?: string;
}

/** `PORT:SOURCE_IP[:ZONE]`, the address in brackets if it is of IPv6. */
export function parseMapping(text: string, mayBePortAlone: boolean): Mapping | BadMapping {
  const colon = text.indexOf(":");
  const port = colon < 0 ? text : text.slice(0, colon);
  if (colon < 0) {
    if (!mayBePortAlone) return { reason: `Expected ':' separator for: ${text}` };
    return port === "" ? { reason: `Empty port name in distributed mode for IP ${text}` } : { port, sourceIp: undefined, remoteZone: undefined };
  }
  const rest = text.slice(colon + 1);
  const bracketed = /^\[([^\]]*)\](?::(.*))?/.exec(rest);
  if (rest.startsWith("[") && bracketed === null) return { reason: `Malformed IPv6 address in backend ${text}` };
  const [, source = "", zone] = bracketed ?? /^([^:]*)(?::(.*))?$/.exec(rest) ?? [];
  if (zone === "") return { reason: `Empty AZ name specified for backend ${port}` };
  const ip = parseIp(source);
  if (ip !== undefined) return { port, sourceIp: formatIp(ip), remoteZone: zone };
  return { reason: `Invalid svc mon src IP ${source}`, ...(source.includes(":") ? {} : { badAddress: source }) };
}

/** The logical port of this name, in a switch. */
export function backendPort(t: Topology, name: string): SwitchPort | undefined {
  const port = t.switchPortsByName.first(name);
  return port === undefined || switchOf(port) === undefined ? undefined : port;
}

/** The router port whose own address the checks come from, if a router that has the load balancer is on the backend's switch. */
export const checkingPort = derived("checking port", (balancer: LoadBalancer, known: KnownBackend): RouterPort | undefined => {
  const { port: name, sourceIp, remoteZone } = known;
  if (name === undefined || sourceIp === undefined || remoteZone !== undefined) return undefined;
  const port = backendPort(balancer.topology, name);
  const owner = port === undefined ? undefined : switchOf(port);
  if (port === undefined || owner === undefined || !isPortEnabled(port)) return undefined;
  for (const facing of routerFacingPortsOf(owner)) {
    const peer = routerPortBehind(facing);
    const router = peer === undefined ? undefined : routerOf(peer);
    if (peer === undefined || router === undefined || !routerBalancers(balancer.topology).ownersOf(balancer).has(router)) continue;
    if (memberAddress(networksOf(peer), sourceIp) === sourceIp) return peer;
  }
  return undefined;
});

export const monitorKey = (port: string, ip: string, servicePort: number, protocol: string): string => `${port} ${ip} ${servicePort} ${protocol}`;

const monitorsByKey = perZone((t: Topology) => t.engine.index("service monitors by key", t.sb.Service_Monitor, (m: SbRow<"Service_Monitor">) =>
  [monitorKey(m.logical_port, m.ip, m.port, m.protocol ?? "")]));

export const monitorWithKey = (t: Topology, key: string): SbRow<"Service_Monitor"> | undefined => monitorsByKey(t).first(key);

/** Load balancers without a protocol are of TCP. */
export const checkedProtocol = ({ row }: LoadBalancer): "tcp" | "udp" => (row.protocol === "udp" ? "udp" : "tcp");

/** Whether the chassis that checks the backend has found it up. */
export const backendIsUp = derived("backend is up", (balancer: LoadBalancer, { backend, port }: KnownBackend): boolean => {
  if (port === undefined) return false;
  const monitor = monitorWithKey(balancer.topology, monitorKey(port, backend.ip, backend.port, checkedProtocol(balancer)));
  return monitor !== undefined && (monitor.status ?? "online") === "online";
});
