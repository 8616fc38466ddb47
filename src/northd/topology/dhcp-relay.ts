/** DHCP relays (DHCP_Relay of ovn-nb(5), RFC 2131 section 4): a router port that passes requests of a switch's ports on to a server. */
import { derived } from "../../engine/index.ts";
import { formatIp, parseIp, parseIpv4 } from "../../net/index.ts";
import type { Ipv4Network } from "../port-addresses.ts";
import { switchOf } from "./port-membership.ts";
import { networksOf, switchPeerOf } from "./router-ports.ts";
import { routerPortBehind } from "./switch-ports.ts";
import { switchOption } from "./switches.ts";
import type { LogicalSwitch, RouterPort, SwitchPort } from "./topology.ts";

export interface DhcpRelay {
  readonly port: RouterPort;
  readonly server: string;
  /** The router's address that the relay goes by (giaddr). */
  readonly own: Ipv4Network;
}

/** The port of the switch that leads to the relay. */
export const relayPortOf = (owner: LogicalSwitch): string | undefined => switchOption(owner, "dhcp_relay_port");

export const relayAt = derived("DHCP relay", (port: RouterPort): DhcpRelay | undefined => {
  const { topology: t, row } = port;
  const servers = t.nb.DHCP_Relay.get(row.dhcp_relay)?.servers;
  const own = servers === undefined ? undefined : primaryAddress(port);
  const server = servers === undefined ? undefined : addressOf(servers);
  return own === undefined || server === undefined ? undefined : { port, server, own };
});

/** options:dhcpv4_primary_ip, or the first of the port's addresses. */
function primaryAddress(port: RouterPort): Ipv4Network | undefined {
  const { row, topology: t } = port;
  const { ipv4 } = networksOf(port);
  const wanted = row.options.get("dhcpv4_primary_ip") ?? "";
  if (wanted === "") return ipv4[0];
  const ip = parseIpv4(wanted);
  const found = ip === undefined ? undefined : ipv4.find((n) => n.address === ip);
  if (found === undefined) t.warn(`Logical_Router_Port ${row.name}: options:dhcpv4_primary_ip=${wanted} ${ip === undefined ? "is not a valid IPv4 address" : "does not match any address in 'networks'"}.`);
  return found;
}

/** `ADDRESS[:PORT]`. */
function addressOf(text: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+)(?::\d+)?)$/.exec(text) ?? [];
  const ip = parseIp(bracketed ?? plain ?? text);
  return ip === undefined ? undefined : formatIp(ip);
}

export interface RelayOfSwitch extends DhcpRelay {
  /** Of the switch, towards the relay. */
  readonly facing: SwitchPort;
}

export const relayOfSwitch = derived("DHCP relay of switch", (owner: LogicalSwitch): RelayOfSwitch | undefined => {
  const name = relayPortOf(owner);
  const facing = name === undefined ? undefined : owner.topology.switchPortsByName.first(name);
  const port = facing === undefined || switchOf(facing) === undefined ? undefined : routerPortBehind(facing);
  const relay = port === undefined || facing === undefined || switchPeerOf(port) !== facing ? undefined : relayAt(port);
  return relay === undefined || facing === undefined ? undefined : { ...relay, facing };
});
