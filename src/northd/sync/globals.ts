/** SB_Global and NB_Global: options, and the numbers by which a client learns how far its change has come (ovn-nb(5), nb_cfg). */
import { ovnInternalVersion } from "../../daemon/index.ts";
import { derived, rule } from "../../engine/index.ts";
import { type Counter, counterLead, entries, wishRelation } from "../../ovsdb/index.ts";
import { northbound, southbound } from "../../schemas/index.ts";
import { globalOptions, isRemoteChassis, macPrefix, maxDatapathKey, northboundGlobal, serviceMonitorMac, serviceMonitorTargetMac, southboundGlobal } from "../topology/settings.ts";
import type { Topology } from "../topology/topology.ts";

export const WishedNbGlobal = wishRelation(northbound, "NB_Global");
export const WishedSbGlobal = wishRelation(southbound, "SB_Global");

/** As OVN's main branch says it: by it controllers tell whether they are of one version with northd. */
export const internalVersion = ovnInternalVersion;

/** What northd adds to the options of NB_Global, or corrects. */
const ownOptions = derived("northd's options", (t: Topology): ReadonlyMap<string, string> => new Map([
  ["mac_prefix", macPrefix(t)],
  ["svc_monitor_mac", serviceMonitorMac(t)],
  ["svc_monitor_mac_dst", serviceMonitorTargetMac(t)],
  ["max_tunid", String(maxDatapathKey(t))],
  ["northd_internal_version", internalVersion],
]));

const probeInterval = derived("sbctl_probe_interval", (t: Topology): string | undefined => southboundGlobal(t)?.options.get("sbctl_probe_interval"));

/** The one zone: an item for the rules that are about nothing smaller. */
export interface GlobalContext {
  readonly topology: Topology;
}

export const southboundGlobals = rule("sb-global", (c: GlobalContext) => c.topology.zone, function* ({ topology: t }) {
  const nb = northboundGlobal(t);
  const options = new Map([...globalOptions(t), ...ownOptions(t)]);
  const probe = probeInterval(t);
  if (probe !== undefined) options.set("sbctl_probe_interval", probe);
  const stamp = t.nbCfgStamp.get();
  const nbCfg = nb?.nb_cfg ?? 0;
  yield WishedSbGlobal({
    key: "global",
    columns: { nb_cfg: nbCfg, options, ipsec: nb?.ipsec ?? false, ...(stamp?.cfg === nbCfg ? { nb_cfg_timestamp: stamp.time } : {}) },
  });
});

export const northboundGlobals = rule("nb-global", (c: GlobalContext) => c.topology.zone, function* ({ topology: t }) {
  const nb = northboundGlobal(t);
  const [nbStamp, sbStamp] = [t.nbCfgStamp.get(), t.sbCfgStamp.get()];
  const hv = chassisConfig(t);
  yield WishedNbGlobal({
    key: "global",
    columns: {
      options: entries(Object.fromEntries(ownOptions(t))),
      ...(nbStamp !== undefined && nbStamp.cfg === nb?.nb_cfg ? { nb_cfg_timestamp: nbStamp.time } : {}),
      ...(sbStamp === undefined || sbStamp.cfg === 0 || sbStamp.cfg === nb?.sb_cfg ? {} : { sb_cfg: sbStamp.cfg, sb_cfg_timestamp: sbStamp.time }),
      ...(nb === undefined || nb.hv_cfg === hv.cfg ? {} : { hv_cfg: hv.cfg, hv_cfg_timestamp: hv.time }),
    },
  });
});

/** The oldest configuration that any chassis of this zone is at, and when the last of them got there. */
const chassisConfig = derived("hv_cfg", (t: Topology): { readonly cfg: Counter; readonly time: number } => {
  let cfg = northboundGlobal(t)?.nb_cfg ?? 0;
  let time = 0;
  for (const own of t.sb.Chassis_Private) {
    const chassis = t.sb.Chassis.get(own.chassis);
    if (chassis !== undefined && isRemoteChassis(chassis)) continue;
    if (chassis === undefined) t.warn(`Chassis does not exist for Chassis_Private record, name: ${own.name}`);
    // Counters start anew after the largest number: one that is far ahead is really behind.
    if (own.nb_cfg < cfg || counterLead(own.nb_cfg, cfg) > 0x7fff_ffff) {
      cfg = own.nb_cfg;
      time = own.nb_cfg_timestamp;
    } else if (own.nb_cfg === cfg) time = Math.max(time, own.nb_cfg_timestamp);
  }
  return { cfg, time };
});
