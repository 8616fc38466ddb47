/**
 * Transit switches: each in IC-NB becomes a logical switch in every zone, and, by the zone that holds the lock of IC-SB, a
 * datapath with a tunnel key that all zones then use.
 *
 * `other_config:ic-vxlan_mode` says in every zone which of the two ranges of keys is in force, "false" too, as scripts that read it
 * expect. (The C northd of 25.03 and later looks at no more than whether it is there, and leaves itself 1023 datapaths; ours reads it.)
 */
import { derived, rule } from "../engine/index.ts";
import { entries } from "../ovsdb/index.ts";
import { type KeyPromises, transitKeys, vxlanTransitKeys } from "./tunnel-keys.ts";
import { WantedIcDatapath, WantedSwitch } from "./wishes.ts";
import { interconnectOptions, isDatapathKeyUsed, isOn, isRouterBinding, type IcSb, type Nb, type Zone, zoneName } from "./zone.ts";

/** VXLAN between zones: asked for, and really used by some gateway. */
export const isVxlanMode = derived("vxlan mode", (zone: Zone): boolean => {
  if (!isOn(interconnectOptions(zone), "vxlan_mode")) return false;
  for (const encap of zone.icSb.tables.Encap) if (encap.type === "vxlan") return true;
  return false;
});

export const transitSwitch = (promises: KeyPromises) =>
  rule("transit-switch", (zone: Zone) => zone.icNb.tables.Transit_Switch, function* (zone, { name, _uuid }) {
    if (zoneName(zone) === "") return;
    const isVxlan = isVxlanMode(zone);
    const datapath = zone.icDatapathBySwitch.first(name);
    const requested = datapath === undefined ? {} : { "requested-tnl-key": String(datapath.tunnel_key) };
    yield WantedSwitch({
      key: name, initial: { name },
      columns: { other_config: entries({ "interconn-ts": name, "ic-vxlan_mode": String(isVxlan), ...requested }) },
    });
    const range = isVxlan ? vxlanTransitKeys : transitKeys;
    const owner = `switch ${name}`;
    const newKey = (): { tunnel_key?: number } => {
      const key = promises.promise("", owner, range, isDatapathKeyUsed(zone));
      return key === undefined ? {} : { tunnel_key: key };
    };
    const isInRange = datapath !== undefined && datapath.tunnel_key >= range.min && datapath.tunnel_key <= range.max;
    if (isInRange) promises.release(owner);
    yield WantedIcDatapath({
      key: owner, initial: () => ({ transit_switch: name, ...newKey() }),
      columns: { type: "transit-switch", nb_ic_uuid: _uuid, ...(datapath === undefined || isInRange ? {} : newKey()) },
    });
  });

export const identifySwitch = (row: Nb<"Logical_Switch">): string | undefined => row.other_config.get("interconn-ts");

/** Of transit switches and of transit routers. */
export const identifyDatapath = (row: IcSb<"Datapath_Binding">): string =>
  isRouterBinding(row) ? `router ${row.nb_ic_uuid ?? ""}` : `switch ${row.transit_switch}`;
