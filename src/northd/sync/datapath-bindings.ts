/** Datapath_Binding: a row for each switch and each enabled router. */
import { derived, rule, type Yield } from "../../engine/index.ts";
import { type Uuid, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { bigOption, boolOption, intOption, type Options, uintOption } from "../options.ts";
import { ageThresholds, shortestThreshold } from "../topology/age-thresholds.ts";
import { isRouterEnabled } from "../topology/router-ports.ts";
import { isVxlanMode, maxDatapathKey } from "../topology/settings.ts";
import type { Datapath, LogicalRouter, LogicalSwitch, Topology } from "../topology/topology.ts";
import { keyRequests } from "./key-allocator.ts";

export const DatapathKeyRequest = keyRequests("datapath keys");
export const WishedDatapath = wishRelation(southbound, "Datapath_Binding");

/** Binds a datapath to its key: asks for one, and once it has it, for the row. */
function* bind(datapath: Datapath, type: "logical-switch" | "logical-router", requested: number, external: ReadonlyMap<string, string>): Iterable<Yield> {
  const { topology: t, row } = datapath;
  const key: string = row._uuid;
  yield DatapathKeyRequest({ scope: "", key, requested, max: maxDatapathKey(t) });
  const tunnelKey = t.datapathKeys.get(key);
  if (tunnelKey === undefined) return;
  yield WishedDatapath({
    key,
    columns: { tunnel_key: tunnelKey, type, nb_uuid: row._uuid, external_ids: external },
    // The row is known by the northbound one's UUID, so that flows can name it in the transaction that makes it.
    uuid: key as Uuid<"Datapath_Binding">,
  });
}

export const boundSwitches = rule("datapath-of-switch", (t: Topology) => t.switches, function* (_, owner) {
  yield* bind(owner, "logical-switch", requestedKey(owner), externalIdsOfSwitch(owner));
});

export const boundRouters = rule("datapath-of-router", (t: Topology) => t.routers, function* (_, router) {
  if (!isRouterEnabled(router)) return;
  yield* bind(router, "logical-router", intOption(router.row.options, "requested-tnl-key", 0), externalIdsOfRouter(router));
});

function requestedKey(owner: LogicalSwitch): number {
  const config = owner.row.other_config;
  const requested = intOption(config, "requested-tnl-key", 0);
  if (requested < 1 << 12 || config.has("interconn-ts") || !isVxlanMode(owner.topology)) return requested;
  owner.topology.warn(`Tunnel key ${requested} for datapath ${owner.row.name} is incompatible with VXLAN`);
  return 0;
}

const set = (ids: Map<string, string>, key: string, value: string | undefined): void => {
  if (value !== undefined && value !== "") ids.set(key, value);
};
const positive = (value: number): string | undefined => (value > 0 ? String(value) : undefined);

const externalIdsOfSwitch = derived("external_ids of switch", (owner: LogicalSwitch): ReadonlyMap<string, string> => {
  const { name, other_config: config, external_ids: given } = owner.row;
  const ids = new Map([["name", name], ["logical-switch", owner.row._uuid as string]]);
  set(ids, "name2", given.get("neutron:network_name"));
  set(ids, "ct-zone-limit", positive(bigOption(config, "ct-zone-limit", -1)));
  const transit = config.get("interconn-ts");
  if (transit !== undefined) ids.set("interconn-ts", transit);
  set(ids, "fdb_age_threshold", positive(uintOption(config, "fdb_age_threshold", 0)));
  if (config.has("dynamic-routing-vni")) evpnIds(owner, config, ids);
  return ids;
});

const maxDeviceNameLength = 16;

function evpnIds(owner: LogicalSwitch, config: Options, ids: Map<string, string>): void {
  const warn = (text: string): void => owner.topology.warn(text);
  ids.set("dynamic-routing-vni", config.get("dynamic-routing-vni") ?? "");
  for (const key of ["dynamic-routing-bridge-ifname", "dynamic-routing-vxlan-ifname", "dynamic-routing-advertise-ifname"]) {
    const names = config.get(key);
    if (names === undefined) {
      warn(`Missing ${key} for datapath ${owner.row.name}`);
      continue;
    }
    const tooLong = (key === "dynamic-routing-vxlan-ifname" ? names.split(",") : [names]).find((n) => n.length > maxDeviceNameLength);
    if (tooLong === undefined) ids.set(key, names);
    else warn(`${key} ${tooLong} is too long`);
  }
  for (const key of ["dynamic-routing-redistribute", "dynamic-routing-arp-prefer-local"]) {
    const value = config.get(key);
    if (value !== undefined) ids.set(key, value);
  }
}

const externalIdsOfRouter = derived("external_ids of router", (router: LogicalRouter): ReadonlyMap<string, string> => {
  const { name, options, external_ids: given } = router.row;
  const ids = new Map([["name", name], ["logical-router", router.row._uuid as string]]);
  set(ids, "name2", given.get("neutron:router_name"));
  set(ids, "ct-zone-limit", positive(bigOption(options, "ct-zone-limit", -1)));
  const snatZone = intOption(options, "snat-ct-zone", -1);
  if (snatZone >= 0) ids.set("snat-ct-zone", String(snatZone));
  if (!boolOption(options, "always_learn_from_arp_request", true)) ids.set("always_learn_from_arp_request", "false");
  set(ids, "mac_binding_age_threshold", positive(shortestThreshold(ageThresholds(router))));
  ids.set("disable_garp_rarp", boolOption(options, "disable_garp_rarp", false) ? "true" : "false");
  set(ids, "dynamic-routing-vrf-id", positive(bigOption(options, "dynamic-routing-vrf-id", -1)));
  set(ids, "dynamic-routing-v4-prefix-nexthop", options.get("dynamic-routing-v4-prefix-nexthop"));
  set(ids, "dynamic-routing-v6-prefix-nexthop", options.get("dynamic-routing-v6-prefix-nexthop"));
  return ids;
});
