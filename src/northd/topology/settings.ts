/**
 * What holds for the whole zone: NB_Global.options, and what the chassis can do (ovn-nb(5), ovn-sb(5)).
 *
 * Nearly every rule reads one of these. A derived value would have all of its readers look again whenever anything behind it
 * moves, an option that nobody knows or a chassis' address; so they are kept in cells, which a rule before all others sets,
 * and which wake their readers only when they are really different.
 */
import { Cell, derived, rule, untracked } from "../../engine/index.ts";
import { formatMac, parseMac } from "../../net/index.ts";
import { type Actions, actions } from "../flow-text.ts";
import { boolOption, type Options, uintOption } from "../options.ts";
import type { NbRow, SbRow, Topology } from "./topology.ts";

const none: Options = new Map();

export const northboundGlobal = derived("NB_Global", (t: Topology): NbRow<"NB_Global"> | undefined => {
  for (const row of t.nb.NB_Global) return row;
  return undefined;
});

export const southboundGlobal = derived("SB_Global", (t: Topology): SbRow<"SB_Global"> | undefined => {
  for (const row of t.sb.SB_Global) return row;
  return undefined;
});

export const globalOptions = derived("NB_Global.options", (t: Topology): Options => northboundGlobal(t)?.options ?? none);

/** A value of the zone that is kept in a cell. */
interface Setting<V> {
  (t: Topology): V;
  refresh(t: Topology): void;
}

function setting<V>(name: string, compute: (t: Topology) => V): Setting<V> {
  const cells = new WeakMap<Topology, Cell<V>>();
  const cellOf = (t: Topology): Cell<V> => {
    let cell = cells.get(t);
    if (cell === undefined) {
      cell = new Cell(name, untracked(() => compute(t)));
      cells.set(t, cell);
    }
    return cell;
  };
  return Object.assign((t: Topology): V => cellOf(t).get(), { refresh: (t: Topology) => cellOf(t).set(compute(t)) });
}

const globalOption = (t: Topology, key: string): string | undefined => globalOptions(t).get(key);

const globalBool = (key: string, missing: boolean): Setting<boolean> => setting(key, (t) => boolOption(globalOptions(t), key, missing));

/** Whether ports that are down are answered for (the option is called ignore_lsp_down and is true by default). */
export const ignoresPortsDown = globalBool("ignore_lsp_down", true);
/** One connection-tracking zone for both directions of translation on distributed routers. */
export const usesCommonZone = globalBool("use_common_zone", false);
export const ignoresChassisFeatures = globalBool("ignore_chassis_features", false);

/** Switches balance for their routers too. */
export const takesBalancersFromRouters = globalBool("install_ls_lb_from_router", false);
/** Traffic that no access control list allows is dropped. */
export const dropsByDefault = globalBool("default_acl_drop", false);
/** Packets that belong to no connection are dropped. */
export const dropsInvalid = globalBool("use_ct_inv_match", true);
/** Matches on ports are made on what the connection tracker knows of them, for the sake of fragments. */
export const matchesTrackedPorts = globalBool("acl_ct_translation", false);
/** Every load balancer tells of packets to VIPs without backends (load balancers have an option of their own since). */
export const tellsOfEmptyVips = globalBool("controller_event", false);

/** The Sampling_App for what is dropped. */
function dropSamplingDomain(t: Topology): number | undefined {
  for (const app of t.nb.Sampling_App) if (app.type === "drop") return app.id;
  return undefined;
}

/** `drop;`, or where NB_Global asks for it, a sample of what is dropped (debug_drop_collector_set, debug_drop_domain_id). */
export const dropActions = setting("drop action", (t: Topology): Actions => {
  const options = globalOptions(t);
  const collector = uintOption(options, "debug_drop_collector_set", 0);
  const domain = dropSamplingDomain(t) ?? uintOption(options, "debug_drop_domain_id", 0);
  if (collector === 0 || domain >= 255) return actions`drop;`;
  return actions`sample(probability=65535,collector_set=${collector},obs_domain=${domain},obs_point=$cookie); /* drop */`;
});

const validMac = (text: string | undefined): string | undefined => {
  const mac = text === undefined ? undefined : parseMac(text);
  return mac === undefined ? undefined : formatMac(mac);
};

/** The source of health checks. */
export const serviceMonitorMac = setting("svc_monitor_mac", (t: Topology): string =>
  validMac(globalOption(t, "svc_monitor_mac")) ?? t.chosen.monitorMac);

export const serviceMonitorTargetMac = setting("svc_monitor_mac_dst", (t: Topology): string =>
  validMac(globalOption(t, "svc_monitor_mac_dst")) ?? t.chosen.monitorMacTarget);

/** The first three bytes of the MACs that northd gives out: `0a:00:00`. */
export const macPrefix = setting("mac_prefix", (t: Topology): string => {
  const found = /^\s*([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})/.exec(globalOption(t, "mac_prefix") ?? "");
  const bytes = found?.slice(1).map((b) => b.padStart(2, "0").toLowerCase()).join(":");
  return bytes === undefined || bytes === "00:00:00" ? t.chosen.macPrefix : bytes;
});

/** A chassis of another zone, as ovn-ic puts it there. */
export const isRemoteChassis = (chassis: SbRow<"Chassis">): boolean => boolOption(chassis.other_config, "is-remote", false);

/** What a chassis says of itself in other_config, by the names that `debug/chassis-features-list` has for it. */
const featureKeys = {
  ct_commit_nat_v2: "ct-commit-nat-v2",
  ct_commit_to_zone: "ct-commit-to-zone",
  sample_with_reg: "ovn-sample-with-registers",
  ct_next_zone: "ct-next-zone",
  ct_label_flush: "ct-label-flush",
  ct_state_save: "ct-state-save",
} as const;

export type ChassisFeatures = { readonly [name in keyof typeof featureKeys]: boolean };

/** What every chassis of this zone can do; all of it while there is none. */
export const chassisFeatures = setting("chassis features", (t: Topology): ChassisFeatures => {
  const own = ignoresChassisFeatures(t) ? [] : [...t.sb.Chassis].filter((chassis) => !isRemoteChassis(chassis));
  const canAll = (key: string): boolean => own.every((chassis) => boolOption(chassis.other_config, key, false));
  return {
    ct_commit_nat_v2: canAll(featureKeys.ct_commit_nat_v2), ct_commit_to_zone: canAll(featureKeys.ct_commit_to_zone),
    sample_with_reg: canAll(featureKeys.sample_with_reg), ct_next_zone: canAll(featureKeys.ct_next_zone),
    ct_label_flush: canAll(featureKeys.ct_label_flush), ct_state_save: canAll(featureKeys.ct_state_save),
  };
});

/** With a VXLAN tunnel anywhere, 12 bits of a VNI carry both datapath and port: keys must be small. */
export const isVxlanMode = setting("vxlan mode", (t: Topology): boolean => {
  if (!boolOption(globalOptions(t), "vxlan_mode", true)) return false;
  for (const chassis of t.sb.Chassis) {
    for (const encap of chassis.encaps) if (t.sb.Encap.get(encap)?.type === "vxlan") return true;
  }
  return false;
});

/** ovn-ic writes it on every transit switch, "false" where the tunnels between zones are Geneve: what counts is the value (ovn-nb(5)). */
const isVxlanInterconnected = setting("vxlan interconnection", (t: Topology): boolean => {
  for (const s of t.switches) if (boolOption(s.row.other_config, "ic-vxlan_mode", false)) return true;
  return false;
});

/** The largest tunnel key a datapath of this zone may get: the last 2^16 - 1 are for transit switches. */
export const maxDatapathKey = setting("max_tunid", (t: Topology): number => {
  if (isVxlanInterconnected(t)) return (1 << 10) - 1;
  return isVxlanMode(t) ? (1 << 12) - 1 : (1 << 24) - 1 - ((1 << 16) - 1);
});

export const maxPortKey = setting("largest port key", (t: Topology): number => (isVxlanMode(t) ? (1 << 11) - 1 : (1 << 15) - 1));

export function chassisNamed(t: Topology, nameOrHostname: string): SbRow<"Chassis"> | undefined {
  return t.chassisByName.first(nameOrHostname) ?? t.chassisByHostname.first(nameOrHostname);
}

/** Before all other rules, so that these find the settings as they are. */
export const zoneSettings = rule("zone-settings", (t: Topology) => t.zone, function* (t) {
  // Those that others are computed from come before these.
  for (const each of [
    ignoresPortsDown, usesCommonZone, ignoresChassisFeatures, takesBalancersFromRouters, dropsByDefault, dropsInvalid, matchesTrackedPorts, tellsOfEmptyVips, dropActions, serviceMonitorMac, serviceMonitorTargetMac, macPrefix, chassisFeatures, isVxlanMode,
    isVxlanInterconnected, maxDatapathKey, maxPortKey,
  ]) each.refresh(t);
});
