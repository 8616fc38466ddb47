/**
 * Whether other chassis live: BFD on the tunnels between the members of an HA chassis group, and between them and whoever has
 * ports on the way to it (ovn-architecture(7), "High Availability"). The switch runs the sessions; here is decided which
 * (Interface.bfd), and read what came out (Interface.bfd_status).
 */
import { derived, relation, rule, sameValue } from "../engine/index.ts";
import { isPortOfIntegrationBridge } from "./claims.ts";
import type { Node } from "./node.ts";
import { ourChassis } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Interface, Port } from "./rows.ts";
import { asBoolean } from "./settings.ts";
import { AliveChassis, parseTunnelId, tunnelIdKey } from "./tunnel.ts";

/** A chassis whose life matters to this one. */
const WatchedChassis = relation<{ readonly name: string }>("WatchedChassis", ({ name }) => name);

export const watchedChassis = rule("watched-chassis", (node: Node) => node.sb.tables.HA_Chassis_Group, function* (node, group) {
  const own = ourChassis(node);
  if (own === undefined || group.ha_chassis.size < 2) return;
  const members = [...group.ha_chassis].flatMap((uuid) => node.sb.tables.Chassis.get(node.sb.tables.HA_Chassis.get(uuid)?.chassis) ?? []);
  const isMember = members.includes(own);
  if (!isMember && !group.ref_chassis.has(own._uuid)) return;
  for (const { name } of members) yield WatchedChassis({ name });
  if (!isMember) return;
  for (const uuid of group.ref_chassis) {
    const chassis = node.sb.tables.Chassis.get(uuid);
    if (chassis !== undefined && !asBoolean(chassis.other_config.get("is-remote"), false)) yield WatchedChassis({ name: chassis.name });
  }
});

const timing = ["min-rx", "decay-min-rx", "min-tx", "mult"] as const;

/** What Interface.bfd says on a tunnel that is watched: SB_Global.options gives the times. */
const sessionSettings = derived("bfd-settings", (node: Node): ReadonlyMap<string, string> => {
  const settings = new Map([["enable", "true"]]);
  for (const { options } of node.sb.tables.SB_Global) {
    for (const name of timing) {
      const value = options.get(`bfd-${name}`);
      if (value !== undefined) settings.set(name.replaceAll("-", "_"), value);
    }
    // Control packets of logical ports pass through the same tunnels.
    settings.set("check_tnl_key", "true");
  }
  return settings;
});

function tunnelChassis(node: Node, port: Port): string | undefined {
  const id = port.external_ids.get(tunnelIdKey);
  return id === undefined || !isPortOfIntegrationBridge(node, port) ? undefined : parseTunnelId(id)?.chassis;
}

const interfacesOf = (node: Node, port: Port): readonly Interface[] => [...port.interfaces].flatMap((uuid) => node.ovs.tables.Interface.get(uuid) ?? []);

export const bfdSettings = rule("bfd-on-tunnels", (node: Node) => node.ovs.tables.Port, function* (node, port) {
  const chassis = tunnelChassis(node, port);
  if (chassis === undefined || ourChassis(node) === undefined || !node.isSettled.get()) return;
  const wish = node.engine.facts(WatchedChassis).get(chassis) === undefined ? new Map<string, string>() : sessionSettings(node);
  for (const iface of interfacesOf(node, port)) {
    if (sameValue(iface.bfd, wish)) continue;
    yield OpenVswitchRepair({
      key: `bfd ${iface._uuid} ${JSON.stringify([...wish])}`,
      apply: (txn) => {
        node.host.log.module("ovn_bfd").info(`${wish.size > 0 ? "Enabled" : "Disabled"} BFD on interface ${iface.name}`);
        txn.update(iface, { bfd: wish });
      },
    });
  }
});

export const aliveChassis = rule("alive-chassis", (node: Node) => node.ovs.tables.Port, function* (node, port) {
  const name = tunnelChassis(node, port);
  if (name === undefined || node.switchLink.get() !== "up") return;
  for (const iface of interfacesOf(node, port)) {
    if (iface.options.has("remote_ip") && iface.bfd.get("enable") === "true" && iface.bfd_status.get("state") === "up") yield AliveChassis({ name });
  }
});
