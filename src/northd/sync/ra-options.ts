/** Port_Binding.options of a router port that advertises itself to IPv6 hosts from time to time (ipv6_ra_configs:send_periodic). */
import { boolOption, intOption } from "../options.ts";
import { isPortEnabled, networksOf, switchPeerOf } from "../topology/router-ports.ts";
import type { RouterPort } from "../topology/topology.ts";
import { addressModeOf, isLinkLocalNetwork } from "../router/lr-nd-ra.ts";

export function advertisedOptions(port: RouterPort): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  if (switchPeerOf(port) === undefined) return options;
  if (isPortEnabled(port)) {
    if (boolOption(port.row.options, "prefix_delegation", false)) options.set("ipv6_prefix_delegation", "true");
    if (boolOption(port.row.options, "prefix", false)) options.set("ipv6_prefix", "true");
  }
  const mode = addressModeOf(port);
  if (mode !== undefined && boolOption(port.row.ipv6_ra_configs, "send_periodic", false)) periodic(port, mode, options);
  return options;
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
const quarters = (value: number): number => Math.floor((value * 3) / 4);

function periodic(port: RouterPort, mode: string, options: Map<string, string>): void {
  const config = port.row.ipv6_ra_configs;
  const { macText, ipv6 } = networksOf(port);
  options.set("ipv6_ra_send_periodic", "true");
  options.set("ipv6_ra_address_mode", mode);
  // RFC 4861, section 6.2.1: the bounds and the default of the intervals, in seconds.
  const longest = clamp(intOption(config, "max_interval", 600), 4, 1800);
  const usual = longest >= 9 ? Math.floor(longest / 3) : quarters(longest);
  options.set("ipv6_ra_max_interval", String(longest));
  options.set("ipv6_ra_min_interval", String(Math.max(3, Math.min(intOption(config, "min_interval", usual), quarters(longest)))));
  const mtu = intOption(config, "mtu", 0);
  if (mtu >= 1280) options.set("ipv6_ra_mtu", String(mtu));
  const prefixes: string[] = [];
  for (const n of ipv6) {
    if (isLinkLocalNetwork(n.network)) options.set("ipv6_ra_src_addr", n.text);
    else prefixes.push(`${n.networkText}/${n.length}`);
  }
  options.set("ipv6_ra_prefixes", [...prefixes, ...port.row.ipv6_prefix].join(" "));
  const copies = { rdnss: "ipv6_ra_rdnss", dnssl: "ipv6_ra_dnssl", route_info: "ipv6_ra_route_info" };
  for (const [from, to] of Object.entries(copies)) {
    const value = config.get(from);
    if (value !== undefined) options.set(to, value);
  }
  options.set("ipv6_ra_src_eth", macText);
  const preference = config.get("router_preference");
  options.set("ipv6_ra_prf", preference === "HIGH" || preference === "LOW" ? preference : "MEDIUM");
}
