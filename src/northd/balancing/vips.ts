/**
 * The services of a load balancer, as Load_Balancer.vips has them (ovn-nb(5)): `VIP[:PORT]` to `IP[:PORT],...`. In a template
 * either may be a variable that each chassis fills in with what is its own: `^vip:^port` to `^backends`.
 */
import { formatIp, type Ip, parseIp } from "../../net/index.ts";

export interface Backend {
  readonly ip: string;
  /** 0: none, or a variable. */
  readonly port: number;
  readonly portText: string | undefined;
  /** Not for a variable, whatever it stands for. */
  readonly isIpv4: boolean;
}

export interface Vip {
  /** As it stands in the database. */
  readonly key: string;
  readonly value: string;
  readonly ip: string;
  readonly port: string | undefined;
  readonly family: 4 | 6;
  /** Not for a variable, whatever it stands for. */
  readonly isIpv4: boolean;
  readonly hasVariable: boolean;
  readonly backends: readonly Backend[];
}

export interface Endpoint {
  readonly ip: Ip;
  readonly port: number;
}

/** `IP`, `IP:PORT` or `[IPv6]:PORT`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, host = text, port = ""] = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text) ?? [];
  const ip = parseIp(/^\[.*\]$/.test(host) ? host.slice(1, -1) : host);
  if (ip === undefined || !/^\s*\+?\d*$/.test(port) || Number(port) > 65535) return undefined;
  return { ip, port: Number(port) };
}

/** What is wrong with it, where it cannot be used. */
export type ParsedVip = { readonly kind: "vip"; readonly vip: Vip } | { readonly kind: "bad"; readonly reason: string };

const bad = (reason: string): ParsedVip => ({ kind: "bad", reason });

/** `family`: what the variables of a template stand for; undefined where none are allowed. */
export function parseVip(key: string, value: string, family: 4 | 6 | undefined): ParsedVip {
  return family === undefined ? parseExplicit(key, value) : parseTemplate(key, value, family);
}

const tokens = (text: string, separator: string): readonly string[] => text.split(separator).filter((token) => token !== "");

function parseExplicit(key: string, value: string): ParsedVip {
  const endpoint = parseEndpoint(key);
  if (endpoint === undefined) return bad(`${key}: should be an IP address (or an IP address and a port number with : as a separator).`);
  const { ip, port } = endpoint;
  const head = { key, value, ip: formatIp(ip), port: port > 0 ? String(port) : undefined, family: ip.family, isIpv4: ip.family === 4, hasVariable: false };
  const { backends, errors } = parseBackends(tokens(value, ","), head, false);
  return errors.length > 0 ? bad(`${errors.join(", ")}.`) : { kind: "vip", vip: { ...head, backends } };
}

function parseTemplate(key: string, value: string, family: 4 | 6): ParsedVip {
  const [ip, port, ...more] = tokens(key, ":");
  if (ip === undefined || more.length > 0) return bad(`${key}: should be a template of the form: '^vip_variable[:^port_variable|:port]'.`);
  const head = { key, value, ip, port, family, isIpv4: false, hasVariable: ip.includes("^") };
  const { backends, errors } = parseBackends(tokens(value, ","), head, true);
  return errors.length > 0 ? bad(`invalid backend: template (${errors.join(", ")}.)`) : { kind: "vip", vip: { ...head, backends } };
}

type Head = Omit<Vip, "backends">;

function parseBackends(texts: readonly string[], vip: Head, mayBeVariable: boolean): { readonly backends: readonly Backend[]; readonly errors: readonly string[] } {
  const backends: Backend[] = [];
  const errors: string[] = [];
  for (const text of texts) {
    const backend = mayBeVariable && text.startsWith("^") ? parseVariable(text) : parseBackend(text, vip);
    if (typeof backend === "string") errors.push(backend);
    else backends.push(backend);
  }
  return { backends, errors };
}

function parseVariable(text: string): Backend | string {
  const [ip, portText, ...more] = tokens(text, ":");
  if (ip === undefined || more.length > 0) return `${text}: should be a template of the form: '^backendip_variable1[:^port_variable1|:port]'`;
  return { ip, port: 0, portText, isIpv4: false };
}

function parseBackend(text: string, vip: Head): Backend | string {
  const endpoint = parseEndpoint(text);
  const needsPort = vip.port !== undefined;
  const both = `${text}: should be an IP address and a port number with : as a separator`;
  const alone = `${text}: should be an IP address`;
  if (endpoint === undefined) return needsPort ? both : alone;
  const { ip, port } = endpoint;
  if (ip.family !== vip.family) return `${text}: IP address family is different from VIP ${vip.ip}`;
  if (needsPort !== port > 0) return needsPort ? both : alone;
  return { ip: formatIp(ip), port, portText: port > 0 ? String(port) : undefined, isIpv4: ip.family === 4 };
}
