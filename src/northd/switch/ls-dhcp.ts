/** ls_in_dhcp_options, ls_in_dhcp_response: the controller answers DHCP itself, from the options that a port names. */
import { rule } from "../../engine/index.ts";
import { lsIn, lsOut } from "../../logical/index.ts";
import { contains, formatIpv4, formatIpv6, type Ip, ipv4Mask, linkLocalOf, parseMac, parsePrefix } from "../../net/index.ts";
import { type Actions, actions, type Match, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { boolOption } from "../options.ts";
import { compareBytes, type Ipv4Network, type Ipv6Network, type PortAddresses } from "../port-addresses.ts";
import { bit } from "../registers.ts";
import { switchOf } from "../topology/port-membership.ts";
import { isPortEnabled } from "../topology/router-ports.ts";
import { addressesOf, hasLocalnet, typeOf } from "../topology/switch-ports.ts";
import { localnetPortsOf, switchOption } from "../topology/switches.ts";
import type { LogicalSwitch, NbRow, SwitchPort, Topology } from "../topology/topology.ts";

export const dhcpDefaults = rule("ls-dhcp-defaults", (t: Topology) => t.switches, function* (_, owner) {
  yield passByDefault(owner, lsIn.dhcpOptions);
  yield passByDefault(owner, lsIn.dhcpResponse);
});

export const dhcpResponder = rule("ls-dhcp", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  const { dhcpv4_options: v4, dhcpv6_options: v6 } = port.row;
  if (owner === undefined || (v4 === undefined && v6 === undefined)) return;
  if (!isPortEnabled(port) || typeOf(port) === "router" || switchOption(owner, "dhcp_relay_port") !== undefined) return;
  const isExternal = typeOf(port) === "external";
  if (isExternal && (!hasLocalnet(owner) || port.row.ha_chassis_group === undefined)) return;
  const { nb } = port.topology;
  // What is outside OVN comes in by the localnet ports, and is answered by the chassis that has claimed it.
  const inports = isExternal ? localnetPortsOf(owner) : [port];
  for (const addresses of addressesOf(port)) {
    for (const inport of inports) {
      yield* answerDhcpv4({ owner, port, inport, isExternal, addresses }, nb.DHCP_Options.get(v4));
      yield* answerDhcpv6({ owner, port, inport, isExternal, addresses }, nb.DHCP_Options.get(v6));
    }
  }
});

interface Client {
  readonly owner: LogicalSwitch;
  readonly port: SwitchPort;
  readonly inport: SwitchPort;
  readonly isExternal: boolean;
  readonly addresses: PortAddresses;
}

interface Offer {
  readonly put: Actions;
  readonly respond: Actions;
  readonly serverMac: string;
  readonly serverIp: string;
}

const here = ({ isExternal, port }: Client, rest: Match): Match =>
  isExternal ? match`${rest} && is_chassis_resident(${quoted(port.row.name)})` : rest;

function* answerDhcpv4(client: Client, options: NbRow<"DHCP_Options"> | undefined) {
  if (options === undefined) return;
  const { owner, port, inport, addresses, isExternal } = client;
  for (const ip of addresses.ipv4) {
    const offer = offerDhcpv4(port, ip, options);
    if (offer === undefined) continue;
    const { serverIp } = offer;
    const from = match`inport == ${quoted(inport.row.name)} && eth.src == ${addresses.macText}`;
    const request = match`${from} && (ip4.src == {${ip.text}, 0.0.0.0} && ip4.dst == {${serverIp}, 255.255.255.255}) && udp.src == 68 && udp.dst == 67`;
    const hint = options;
    yield lflow(owner, lsIn.dhcpOptions, 100, here(client, request), offer.put, { ioPort: inport.row.name, protocol: "dhcpv4-opts", hint });
    const answered = match`${from} && ip4 && udp.src == 68 && udp.dst == 67 && ${bit.dhcpResult}`;
    yield lflow(owner, lsIn.dhcpResponse, 100, here(client, answered), offer.respond, { ioPort: inport.row.name, hint });
    if (!isExternal) {
      const reply = match`outport == ${quoted(port.row.name)} && eth.src == ${offer.serverMac} && ip4.src == ${serverIp} && udp && udp.src == 67 && udp.dst == 68`;
      yield lflow(owner, lsOut.aclEval, 34000, reply, actions`${bit.verdictAllow} = 1; next;`, { ioPort: port.row.name, hint });
    }
    return;
  }
}

function offerDhcpv4(port: SwitchPort, ip: Ipv4Network, { cidr, options }: NbRow<"DHCP_Options">): Offer | undefined {
  const subnet = parsePrefix(cidr);
  if (subnet === undefined || !contains(subnet, ip4(ip))) return undefined;
  const [serverIp, serverMac] = [options.get("server_id"), options.get("server_mac")];
  if (serverIp === undefined || serverMac === undefined || options.get("lease_time") === undefined) {
    port.topology.warn(`Required DHCPv4 options not defined for lport - ${quoted(port.row.name)}`);
    return undefined;
  }
  const settings = new Map(options);
  settings.delete("server_mac");
  settings.set("netmask", formatIpv4(ipv4Mask(subnet.length)));
  const hostname = port.row.options.get("hostname");
  if (hostname !== undefined) settings.set("hostname", hostname);
  return {
    put: actions`${bit.dhcpResult} = put_dhcp_opts(offerip = ${ip.text}, ${listed(settings)}); next;`,
    respond: actions`eth.dst = eth.src; eth.src = ${serverMac}; ip4.src = ${serverIp}; udp.src = 67; udp.dst = 68; outport = inport; flags.loopback = 1; output;`,
    serverMac,
    serverIp,
  };
}

function* answerDhcpv6(client: Client, options: NbRow<"DHCP_Options"> | undefined) {
  if (options === undefined) return;
  const { owner, port, inport, addresses, isExternal } = client;
  for (const ip of addresses.ipv6) {
    const offer = offerDhcpv6(port, ip, options);
    if (offer === undefined) continue;
    const request = here(
      client,
      match`inport == ${quoted(inport.row.name)} && eth.src == ${addresses.macText} && ip6.mcast && ip6.dst == ff02::1:2 && udp.src == 546 && udp.dst == 547`,
    );
    const hint = options;
    yield lflow(owner, lsIn.dhcpOptions, 100, request, offer.put, { ioPort: inport.row.name, protocol: "dhcpv6-opts", hint });
    yield lflow(owner, lsIn.dhcpResponse, 100, match`${request} && ${bit.dhcpResult}`, offer.respond, { ioPort: inport.row.name, hint });
    if (!isExternal) {
      const reply = match`outport == ${quoted(port.row.name)} && eth.src == ${offer.serverMac} && ip6.src == ${offer.serverIp} && udp && udp.src == 547 && udp.dst == 546`;
      yield lflow(owner, lsOut.aclEval, 34000, reply, actions`${bit.verdictAllow} = 1; next;`, { ioPort: port.row.name, hint });
    }
    return;
  }
}

function offerDhcpv6(port: SwitchPort, ip: Ipv6Network, { cidr, options }: NbRow<"DHCP_Options">): Offer | undefined {
  const subnet = parsePrefix(cidr);
  if (subnet === undefined || subnet.family !== 6 || !contains(subnet, { family: 6, address: ip.address })) return undefined;
  const serverMac = options.get("server_id");
  const mac = serverMac === undefined ? undefined : parseMac(serverMac);
  if (serverMac === undefined || mac === undefined) {
    port.topology.warn(`server_id not present in the DHCPv6 options for lport ${quoted(port.row.name)}`);
    return undefined;
  }
  const serverIp = formatIpv6(linkLocalOf(mac));
  const settings = new Map(options);
  settings.delete("dhcpv6_stateless");
  const address = boolOption(options, "dhcpv6_stateless", false) ? [] : [`ia_addr = ${ip.text}`];
  return {
    put: actions`${bit.dhcpResult} = put_dhcpv6_opts(${[...address, listed(settings)].join(", ")}); next;`,
    respond: actions`eth.dst = eth.src; eth.src = ${serverMac}; ip6.dst = ip6.src; ip6.src = ${serverIp}; udp.src = 547; udp.dst = 546; outport = inport; flags.loopback = 1; output;`,
    serverMac,
    serverIp,
  };
}

const ip4 = (ip: Ipv4Network): Ip => ({ family: 4, address: ip.address });

const listed = (settings: ReadonlyMap<string, string>): string =>
  [...settings].sort(([a], [b]) => compareBytes(a, b)).map(([key, value]) => `${key} = ${value}`).join(", ");
