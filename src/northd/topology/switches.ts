/** What follows for a whole switch. */
import { derived } from "../../engine/index.ts";
import { bigOption, boolOption } from "../options.ts";
import { compareBytes } from "../port-addresses.ts";
import { hasRole, portsWithRole } from "./switch-ports.ts";
import type { LogicalSwitch, SwitchPort } from "./topology.ts";

/** In the order of the database, since here and there the first one counts. */
export const localnetPortsOf = derived("localnet ports", (owner: LogicalSwitch): readonly SwitchPort[] =>
  [...portsWithRole(owner, "localnet")].sort((a, b) => compareBytes(a.row._uuid, b.row._uuid)));

/** The ports that lead to routers. */
export const routerFacingPortsOf = (owner: LogicalSwitch): ReadonlySet<SwitchPort> => portsWithRole(owner, "router");

/** Whether there is anybody but routers on the switch. */
export const hasOtherPorts = derived("has other ports than routers'", (owner: LogicalSwitch): boolean =>
  portsWithRole(owner, "router").size !== owner.row.ports.size);

export const switchHasUnknown = (owner: LogicalSwitch): boolean => hasRole(owner, "unknown");
export const hasVtep = (owner: LogicalSwitch): boolean => hasRole(owner, "vtep");

export const switchFlag = derived("switch option", (owner: LogicalSwitch, key: string, missing: boolean): boolean =>
  boolOption(owner.row.other_config, key, missing));

export const switchOption = derived("switch option text", (owner: LogicalSwitch, key: string): string | undefined => owner.row.other_config.get(key));

/** VLAN tags pass through the switch untouched. */
export const isVlanTransparent = (owner: LogicalSwitch): boolean => switchFlag(owner, "vlan-passthru", false);

/** The switch is stretched over an EVPN. */
export const hasEvpn = derived("has evpn", (owner: LogicalSwitch): boolean => {
  const vni = bigOption(owner.row.other_config, "dynamic-routing-vni", -1);
  return vni >= 0 && vni < 1 << 24;
});

export interface MulticastSettings {
  readonly snoops: boolean;
  readonly querier: boolean;
  readonly floodsUnregistered: boolean;
  readonly tableSize: number;
  readonly idleTimeoutSeconds: number;
  readonly queryIntervalSeconds: number;
  readonly queryMaxResponseSeconds: number;
  readonly ethSrc: string | undefined;
  readonly ip4Src: string | undefined;
  readonly ip6Src: string | undefined;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export const multicastSettingsOf = derived("multicast settings", (owner: LogicalSwitch): MulticastSettings => {
  const config = owner.row.other_config;
  const idleTimeoutSeconds = clamp(bigOption(config, "mcast_idle_timeout", 300), 15, 3600);
  return {
    snoops: boolOption(config, "mcast_snoop", false),
    querier: boolOption(config, "mcast_querier", true),
    floodsUnregistered: boolOption(config, "mcast_flood_unregistered", false),
    tableSize: bigOption(config, "mcast_table_size", 2048),
    idleTimeoutSeconds,
    queryIntervalSeconds: clamp(bigOption(config, "mcast_query_interval", Math.floor(idleTimeoutSeconds / 2)), 1, 3600),
    queryMaxResponseSeconds: bigOption(config, "mcast_query_max_response", 1),
    ethSrc: config.get("mcast_eth_src"),
    ip4Src: config.get("mcast_ip4_src"),
    ip6Src: config.get("mcast_ip6_src"),
  };
});

/** Frames for routers that relay multicast go to their group too. */
export const floodsToRelays = (owner: LogicalSwitch): boolean => hasRole(owner, "relay");
export const floodsStatically = (owner: LogicalSwitch): boolean => hasRole(owner, "mc-static");
