/** What an Interface row asks for: a kind of port, or the reason why there can be none (vswitchd.conf.db(5), "Interface"). */
import { canonicalAddress, isMulticastAddress } from "./port/tunnel-address.ts";
import { type TunnelType, tunnelProtocols } from "./port/tunnel-protocol.ts";
import type { PortKind, TunnelSettings } from "./port/switch-port.ts";

export interface InterfaceRequest {
  readonly name: string;
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  /** It is the bridge's own. */
  readonly isLocal: boolean;
}

export type Wanted = { readonly kind: "port"; readonly port: PortKind } | { readonly kind: "error"; readonly text: string };

/** Types of OVS that this switch knows of but cannot carry. */
const otherTunnels: ReadonlySet<string> = new Set(["gre", "ip6gre", "erspan", "ip6erspan", "gtpu", "bareudp", "srv6", "stt", "lisp"]);
export const interfaceTypes: readonly string[] = ["dummy", "geneve", "internal", "patch", "system", "tap", "vxlan"];

export function readInterface({ name, type, options, isLocal }: InterfaceRequest): Wanted {
  const port = (kind: PortKind): Wanted => ({ kind: "port", port: kind });
  if (isLocal) return port({ type: "internal" });
  switch (type) {
    case "":
    case "system":
      return port({ type: "system" });
    case "internal":
    case "dummy":
      return port({ type });
    case "tap":
      return port({ type: "internal" });
    case "patch": {
      const peer = options.get("peer");
      if (peer === undefined) return error(`${name}: patch type requires valid 'peer' argument`);
      return peer === name ? error(`${name}: patch peer must not be self`) : port({ type: "patch", peer });
    }
    case "geneve":
    case "vxlan":
      return readTunnel(name, type, options);
    default:
      return error(
        otherTunnels.has(type)
          ? `${name}: this switch has no ${type} tunnels; use type=geneve or vxlan`
          : `could not open network device ${name} (Address family not supported by protocol)`,
      );
  }
}

const error = (text: string): Wanted => ({ kind: "error", text });

function readTunnel(name: string, type: TunnelType, options: ReadonlyMap<string, string>): Wanted {
  const address = (option: string): string | undefined => {
    const text = options.get(option);
    return text === undefined || text === "flow" ? "" : canonicalAddress(text);
  };
  if (!options.has("remote_ip")) return error(`${name}: ${type} type requires valid 'remote_ip' argument`);
  const [remote, local] = [address("remote_ip"), address("local_ip")];
  if (remote === undefined) return error(`${name}: bad ${type} 'remote_ip'`);
  if (local === undefined) return error(`${name}: bad ${type} 'local_ip'`);
  if (isMulticastAddress(remote)) return error(`${name}: multicast remote_ip=${options.get("remote_ip")} not allowed`);
  const key = readKey(options.get("key") ?? options.get("in_key"));
  if (key === undefined) return error(`${name}: bad ${type} 'key'`);
  const tunnel: TunnelSettings = {
    remote, local, key: key === "flow" ? undefined : key, csum: options.has("csum") ? options.get("csum") === "true" : undefined, dontFragment: options.get("df_default") !== "false",
    ttl: readByte(options.get("ttl")) ?? 64, tos: options.get("tos") === "inherit" ? undefined : (readByte(options.get("tos")) ?? 0),
    destinationPort: Number(options.get("dst_port") ?? tunnelProtocols[type].port),
  };
  if (!Number.isInteger(tunnel.destinationPort) || tunnel.destinationPort < 1 || tunnel.destinationPort > 65535) return error(`${name}: bad ${type} 'dst_port'`);
  return { kind: "port", port: { type, tunnel } };
}

function readKey(text: string | undefined): number | "flow" | undefined {
  if (text === undefined) return 0;
  if (text === "flow") return "flow";
  const key = Number(text);
  return Number.isInteger(key) && key >= 0 && key < 2 ** 24 ? key : undefined;
}

function readByte(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isInteger(value) && value >= 0 && value <= 255 ? value : undefined;
}

/** Whether two kinds are the same port, so that it need not be made anew. */
export const isSameKind = (a: PortKind, b: PortKind): boolean => JSON.stringify(a) === JSON.stringify(b);
