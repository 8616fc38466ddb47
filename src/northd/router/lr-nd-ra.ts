/** lr_in_nd_ra_options, lr_in_nd_ra_response: answers IPv6 router solicitations. */
import { derived, rule } from "../../engine/index.ts";
import { lrIn } from "../../logical/index.ts";
import { formatIpv6, linkLocalOf } from "../../net/index.ts";
import { actions, match, quoted } from "../flow-text.ts";
import { lflow, passByDefault } from "../lflow.ts";
import { bit } from "../registers.ts";
import { isRouterEnabled, networksOf, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import type { RouterPort, Topology } from "../topology/topology.ts";

export const raDefaults = rule("lr-nd-ra-defaults", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield passByDefault(router, lrIn.ndRaOptions);
  yield passByDefault(router, lrIn.ndRaResponse);
});

/** How hosts behind the port get their addresses; undefined where the router does not advertise itself. */
export const addressModeOf = derived("address_mode", (port: RouterPort): string | undefined => {
  if (switchPeerOf(port) === undefined) return undefined;
  const mode = port.row.ipv6_ra_configs.get("address_mode");
  if (mode === undefined || mode === "slaac" || mode === "dhcpv6_stateful" || mode === "dhcpv6_stateless") return mode;
  port.topology.warn(`Invalid address mode [${mode}] defined`);
  return undefined;
});

export const isLinkLocalNetwork = (network: bigint): boolean => network >> 64n === 0xfe80000000000000n;

/** Numbers as atoi reads them. */
const leadingNumber = (text: string | undefined): number => Number(/^\s*[+-]?\d+/.exec(text ?? "")?.[0] ?? 0);

export const routerAdvertisements = rule("lr-nd-ra", (t: Topology) => t.routerPorts, function* (_, port) {
  const router = routerOf(port);
  const mode = addressModeOf(port);
  if (router === undefined || mode === undefined) return;
  const { mac, macText, ipv6 } = networksOf(port);
  const prefixes = ipv6.filter((n) => !isLinkLocalNetwork(n.network)).map((n) => `, prefix = ${n.networkText}/${n.length}`);
  if (prefixes.length === 0) return;
  const config = port.row.ipv6_ra_configs;
  const mtu = leadingNumber(config.get("mtu"));
  const preference = config.get("router_preference") ?? "MEDIUM";
  const [rdnss, dnssl, routeInfo] = [config.get("rdnss"), config.get("dnssl"), config.get("route_info")];
  const options = [
    // RFC 8200, section 5: no link has less.
    mtu >= 1280 ? `, mtu = ${mtu}` : "",
    preference === "MEDIUM" ? "" : `, router_preference = "${preference}"`,
    rdnss === undefined ? "" : `, rdnss = ${rdnss}`,
    dnssl === undefined ? "" : `, dnssl = "${dnssl}"`,
    routeInfo === undefined ? "" : `, route_info = "${routeInfo}"`,
    ...prefixes,
  ].join("");
  const inport = `inport == ${quoted(port.row.name)} && ip6.dst == ff02::2`;
  const put = actions`${bit.raResult} = put_nd_ra_opts(addr_mode = "${mode}", slla = ${macText}${options}); next;`;
  yield lflow(router, lrIn.ndRaOptions, 50, match`${inport} && nd_rs`, put, { hint: port.row, protocol: "nd-ra-opts" });
  const respond = actions`eth.dst = eth.src; eth.src = ${macText}; ip6.dst = ip6.src; ip6.src = ${formatIpv6(linkLocalOf(mac))}; outport = inport; flags.loopback = 1; output;`;
  yield lflow(router, lrIn.ndRaResponse, 50, match`${inport} && nd_ra && ${bit.raResult}`, respond, { hint: port.row });
});
