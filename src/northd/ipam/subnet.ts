/** What a switch's other_config says about addresses that northd may give out: subnet, exclude_ips, ipv6_prefix, mac_only (ovn-nb(5)). */
import { derived } from "../../engine/index.ts";
import { type Ipv6, ipv4Mask, ipv4Of, parseIpv4, parseIpv6, ipv6Mask, ipv6Of, parsePrefix } from "../../net/index.ts";
import { boolOption } from "../options.ts";
import type { LogicalSwitch } from "../topology/topology.ts";

export interface Subnet {
  /** The first address after the network's own. It is the router's, and never given out. */
  readonly start: number;
  /** How many follow, the broadcast address among them. */
  readonly size: number;
  /** Ranges that are not given out: first and last. */
  readonly excluded: readonly (readonly [first: number, last: number])[];
}

export interface AddressPlan {
  readonly ipv4: Subnet | undefined;
  readonly ipv6Prefix: Ipv6 | undefined;
}

/** Undefined where northd gives out nothing. */
export const addressPlanOf = derived("address plan", (owner: LogicalSwitch): AddressPlan | undefined => {
  const config = owner.row.other_config;
  const [subnet, prefix] = [config.get("subnet"), config.get("ipv6_prefix")];
  const plan = {
    ipv4: subnet === undefined ? undefined : parseSubnet(owner, subnet, config.get("exclude_ips")),
    ipv6Prefix: prefix === undefined ? undefined : parseIpv6Prefix(owner, prefix),
  };
  if (plan.ipv4 !== undefined || plan.ipv6Prefix !== undefined) return plan;
  return subnet === undefined && prefix === undefined && boolOption(config, "mac_only", false) ? plan : undefined;
});

function parseSubnet(owner: LogicalSwitch, text: string, excludeIps: string | undefined): Subnet | undefined {
  const warn = (what: string): void => owner.topology.log.module("ipam").warn(`${owner.row._uuid}: ${what}`);
  const prefix = parsePrefix(text);
  if (prefix === undefined || prefix.family !== 4 || prefix.length === 32) {
    warn(`bad 'subnet' ${text}`);
    return undefined;
  }
  const start = ipv4Of(prefix.address & ipv4Mask(prefix.length)) + 1;
  const size = 2 ** (32 - prefix.length) - 1;
  return { start, size, excluded: excludeIps === undefined ? [] : parseExcluded(excludeIps, start, size, warn) };
}

/** `10.0.0.4 10.0.0.10 10.0.0.20..10.0.0.50` */
function parseExcluded(text: string, start: number, size: number, warn: (what: string) => void): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (const entry of text.replace(/\s*\.\.\s*/g, "..").split(/\s+/).filter((e) => e !== "")) {
    const [from = "", to = from] = entry.split("..");
    const [first, last] = [parseIpv4(from), parseIpv4(to)];
    if (first === undefined || last === undefined) {
      warn(`bad exclude_ips (Syntax error at \`${entry}' expecting ${first === undefined ? "address" : "address range"}.)`);
      break;
    }
    const clamped = [Math.max(start, first), Math.min(start + size - 1, last)] as const;
    if (clamped[1] < clamped[0]) {
      warn("bad exclude_ips (excluded addresses not in subnet)");
      break;
    }
    ranges.push(clamped);
  }
  return ranges;
}

function parseIpv6Prefix(owner: LogicalSwitch, text: string): Ipv6 | undefined {
  const warn = (why: string): undefined => {
    owner.topology.log.module("ipam").warn(`${owner.row._uuid}: bad 'ipv6_prefix' ${text}${why}`);
    return undefined;
  };
  if (!text.includes("/")) {
    const address = parseIpv6(text);
    return address === undefined ? warn("") : ipv6Of(address & ipv6Mask(64));
  }
  const prefix = parsePrefix(text);
  if (prefix === undefined || prefix.family !== 6) return warn("");
  return prefix.length === 64 ? ipv6Of(prefix.address & ipv6Mask(64)) : warn(": must be /64");
}
