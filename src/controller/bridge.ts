/**
 * The integration bridge: made if there is none, kept in fail mode secure and on the wished datapath (ovn-controller(8)).
 * Needs only the Open_vSwitch database, and so runs before the southbound one is known.
 */
import { rule } from "../engine/index.ts";
import type { Collection } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import { formatMac, macOf } from "../net/index.ts";
import { setEntries } from "./map-entries.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Bridge, OpenVswitchReplica, OpenVswitchTransaction, OvsRow } from "./rows.ts";
import { bridgeName, ovsRow, type SettingsSource, setting } from "./settings.ts";

/** What is known before the southbound database is. */
export interface Ground extends SettingsSource {
  readonly host: Host;
  readonly ovs: OpenVswitchReplica;
  readonly self: Collection<Ground>;
  /** Milliseconds since 1970: the bridge tells by it whether the controller has been restarted. */
  readonly startedAt: number;
}

const defaultDatapath = "system";

export const bridgeUpkeep = rule("bridge-upkeep", (ground: Ground) => ground.self, function* (ground) {
  const row = ovsRow(ground);
  if (row === undefined) return;
  const name = bridgeName(ground);
  const wishedType = setting(ground, "ovn-bridge-datapath-type");
  const bridge = bridgeNamed(ground, name);
  if (bridge === undefined) {
    yield OpenVswitchRepair({
      key: `create ${name} ${wishedType ?? ""}`,
      comment: `ovn-controller: creating integration bridge '${name}'`,
      apply: (txn) => createBridge(ground, txn, row, name, wishedType ?? defaultDatapath),
    });
    return;
  }
  const type = wishedType ?? (bridge.datapath_type === "" ? defaultDatapath : bridge.datapath_type);
  if (bridge.datapath_type !== type || bridge.fail_mode !== "secure") {
    yield OpenVswitchRepair({
      key: `bridge ${bridge._uuid} ${type}`,
      apply: (txn) => txn.update(bridge, { datapath_type: type, fail_mode: "secure" }),
    });
  }
  if (!row.datapaths.has(type)) {
    yield OpenVswitchRepair({
      key: `datapath ${type}`,
      comment: `ovn-controller: creating bridge datapath '${type}'`,
      apply: (txn) => {
        const datapath = txn.insert("Datapath", {});
        txn.mutate(row, "datapaths", "insert", new Map([[type, datapath]]));
      },
    });
  }
  // However many tags a frame has, the pipeline is to see behind all of them.
  if (row.other_config.get("vlan-limit") !== "0") {
    yield OpenVswitchRepair({
      key: "vlan-limit",
      apply: (txn) => {
        if (row.other_config.has("vlan-limit")) txn.mutate(row, "other_config", "delete", ["vlan-limit"]);
        txn.mutate(row, "other_config", "insert", new Map([["vlan-limit", "0"]]));
      },
    });
  }
  const started = String(ground.startedAt);
  if (bridge.external_ids.get("ovn-startup-ts") !== started) {
    yield OpenVswitchRepair({
      key: `start ${bridge._uuid} ${started}`,
      apply: (txn) => setEntries(txn, bridge, { "ovn-startup-ts": started }),
    });
  }
});

export function bridgeNamed(ground: Ground, name: string): Bridge | undefined {
  for (const bridge of ground.ovs.tables.Bridge) if (bridge.name === name) return bridge;
  return undefined;
}

function createBridge(ground: Ground, txn: OpenVswitchTransaction, row: OvsRow, name: string, type: string): void {
  const iface = txn.insert("Interface", { name, type: "internal" });
  const port = txn.insert("Port", { name, interfaces: [iface] });
  const bridge = txn.insert("Bridge", {
    name, ports: [port], fail_mode: "secure", datapath_type: type,
    external_ids: { "ovn-startup-ts": String(ground.startedAt) },
    // With an address of its own the bridge keeps its datapath id, and so its connections, when the first port comes.
    other_config: { "disable-in-band": "true", hwaddr: randomMac(ground.host) },
  });
  txn.mutate(row, "bridges", "insert", [bridge]);
}

/** Locally administered, not multicast. */
function randomMac(host: Host): string {
  const high = host.random.next32() & 0xffff;
  return formatMac(macOf(((high & 0xfeff) | 0x0200) * 0x1_0000_0000 + host.random.next32()));
}
