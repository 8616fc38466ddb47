/**
 * The chassis' rows in the southbound database: Chassis, its Encaps, Chassis_Private (ovn-sb(5)); made when the settings are
 * there, corrected when they differ, removed when the controller goes for good.
 */
import { derived, rule, sameValue } from "../engine/index.ts";
import { integrationBridge } from "./claims.ts";
import type { Node } from "./node.ts";
import { SouthboundRepair } from "./repairs.ts";
import type { Chassis, ChassisPrivate, Encap, SouthboundTransaction } from "./rows.ts";
import { ourChassis } from "./ports.ts";
import { booleanSetting, commaSeparated, ovsRow, setting, systemIdOf } from "./settings.ts";

interface WishedEncap {
  readonly type: "geneve" | "vxlan";
  readonly ip: string;
  readonly options: ReadonlyMap<string, string>;
}

interface WishedChassis {
  readonly name: string;
  readonly hostname: string;
  readonly otherConfig: ReadonlyMap<string, string>;
  readonly encaps: readonly WishedEncap[];
  readonly transportZones: ReadonlySet<string>;
}

/** external_ids that Chassis.other_config repeats, and what stands for an absent one. */
const repeatedSettings: readonly (readonly [key: string, otherwise: string])[] = [
  ["ovn-bridge-mappings", ""], ["ovn-cms-options", ""], ["ovn-monitor-all", "false"], ["ovn-enable-lflow-cache", "true"],
  ["ovn-limit-lflow-cache", ""], ["ovn-memlimit-lflow-cache-kb", ""], ["ovn-trim-limit-lflow-cache", ""],
  ["ovn-trim-wmark-perc-lflow-cache", ""], ["ovn-trim-timeout-ms", ""], ["ovn-chassis-mac-mappings", ""],
  ["ovn-evpn-vxlan-ports", ""], ["ovn-evpn-local-ip", ""],
];

/** What northd may rely on: it waits for the slowest chassis before it uses a feature. */
const features: readonly (readonly [key: string, value: string])[] = [
  ["mac-binding-timestamp", "true"], ["fdb-timestamp", "true"], ["ls-dpg-column", "true"], ["ct-commit-nat-v2", "true"],
  ["ct-commit-to-zone", "true"], ["ovn-sample-with-registers", "false"], ["ct-next-zone", "true"], ["ct-label-flush", "true"],
  ["ct-state-save", "true"],
];

/** Set by others; everything else that is not ours is removed. */
const foreignKeys = ["is-vtep", "is-remote"];

/** Undefined until the settings suffice. */
export const wishedChassis = derived("wished-chassis", (node: Node): WishedChassis | undefined => {
  const name = systemIdOf(node);
  const types = setting(node, "ovn-encap-type");
  const addresses = setting(node, "ovn-encap-ip");
  if (name === undefined || types === undefined || addresses === undefined) return undefined;
  const otherConfig = new Map<string, string>();
  for (const [key, otherwise] of repeatedSettings) otherConfig.set(key, setting(node, key) ?? otherwise);
  otherConfig.set("datapath-type", integrationBridge(node)?.datapath_type || setting(node, "ovn-bridge-datapath-type") || "");
  otherConfig.set("iface-types", [...(ovsRow(node)?.iface_types ?? [])].join(","));
  otherConfig.set("is-interconn", String(booleanSetting(node, "ovn-is-interconn", false)));
  for (const [key, value] of features) otherConfig.set(key, value);
  return {
    name,
    hostname: setting(node, "hostname") ?? node.options.hostname,
    otherConfig,
    encaps: wishedEncaps(node, commaSeparated(types), commaSeparated(addresses)),
    transportZones: new Set(commaSeparated(setting(node, "ovn-transport-zones") ?? "")),
  };
});

/** Every type with every address. */
function wishedEncaps(node: Node, types: readonly string[], addresses: readonly string[]): readonly WishedEncap[] {
  const csum = setting(node, "ovn-encap-csum") ?? "true";
  const preferred = setting(node, "ovn-encap-ip-default");
  return addresses.flatMap((ip) => types.flatMap((type) => (type === "geneve" || type === "vxlan"
    ? [{ type, ip, options: new Map<string, string>(ip === preferred ? [["csum", csum], ["is_default", "true"]] : [["csum", csum]]) } as const]
    : [])));
}

export const registration = rule("registration", (node: Node) => node.self, function* (node) {
  const wish = wishedChassis(node);
  if (wish === undefined) return;
  const existing = ourChassis(node);
  const own = privateRow(node, wish.name);
  if (existing === undefined) {
    yield SouthboundRepair({
      key: `register chassis ${own?._uuid ?? ""} ${describe(wish)}`,
      comment: `ovn-controller: registering chassis '${wish.name}'`,
      apply: (txn) => register(node, txn, wish, own),
    });
    return;
  }
  if (hasNoEncap(node, wish)) {
    yield SouthboundRepair({
      key: `unregister chassis ${existing._uuid} ${own?._uuid ?? ""}`,
      comment: `ovn-controller: unregistering chassis '${wish.name}'`,
      apply: (txn) => {
        encapUuids(node, txn, wish);
        if (own !== undefined) txn.delete(own);
        txn.delete(existing);
      },
    });
    return;
  }
  const otherConfig = new Map([...wish.otherConfig, ...foreignKeys.flatMap((key) => {
    const value = existing.other_config.get(key);
    return value === undefined ? [] : [[key, value] as const];
  })]);
  const isCurrent = existing.hostname === wish.hostname && sameValue(existing.other_config, otherConfig) &&
    sameValue(existing.transport_zones, wish.transportZones) && encapsAreCurrent(node, existing, wish);
  if (!isCurrent) {
    yield SouthboundRepair({
      key: `update chassis ${existing._uuid} ${describe(wish)} ${JSON.stringify([...otherConfig])}`,
      comment: `ovn-controller: updating chassis '${wish.name}'`,
      apply: (txn) => {
        for (const key of existing.other_config.keys()) {
          if (!otherConfig.has(key)) node.host.log.module("chassis").warn(`Removing unsupported key "${key}" from chassis record.`);
        }
        const encaps = encapUuids(node, txn, wish);
        txn.update(existing, {
          hostname: wish.hostname, other_config: otherConfig, transport_zones: wish.transportZones,
          ...(encaps.length > 0 && !encapsAreCurrent(node, existing, wish) ? { encaps } : {}),
        });
      },
    });
  }
  if (own === undefined || own.chassis !== existing._uuid) {
    yield SouthboundRepair({
      key: `Chassis_Private ${own?._uuid ?? ""} of ${wish.name} ${existing._uuid}`,
      apply: (txn) => {
        if (own === undefined) txn.insert("Chassis_Private", { name: wish.name, chassis: existing._uuid });
        else txn.update(own, { chassis: existing._uuid });
      },
    });
  }
});

/** Another chassis has all our addresses. */
const hasNoEncap = (node: Node, { name, encaps }: WishedChassis): boolean => encaps.length > 0 && encaps.every(({ type, ip }) => {
  const holder = node.encapsByAddress.first(`${type} ${ip}`)?.chassis_name;
  return holder !== undefined && holder !== name && node.chassisByName.first(holder) !== undefined;
});

export const privateRow = (node: Node, name: string): ChassisPrivate | undefined => node.privatesByName.first(name);

function register(node: Node, txn: SouthboundTransaction, wish: WishedChassis, own: ChassisPrivate | undefined): number | undefined {
  const encaps = encapUuids(node, txn, wish);
  // Another chassis has all our addresses: nothing to register until it gives one up.
  if (encaps.length === 0) return 1000;
  const chassis = txn.insert("Chassis", {
    name: wish.name, hostname: wish.hostname, other_config: wish.otherConfig, transport_zones: wish.transportZones, encaps,
  });
  if (own === undefined) txn.insert("Chassis_Private", { name: wish.name, chassis });
  else txn.update(own, { chassis });
  return undefined;
}

/** The rows for the wished encapsulations: those there are, corrected, and new ones. Another chassis' are left out. */
function encapUuids(node: Node, txn: SouthboundTransaction, wish: WishedChassis): readonly Encap["_uuid"][] {
  return wish.encaps.flatMap(({ type, ip, options }) => {
    const existing = node.encapsByAddress.first(`${type} ${ip}`);
    if (existing === undefined) return [txn.insert("Encap", { type, ip, options, chassis_name: wish.name })];
    if (existing.chassis_name !== wish.name) {
      node.host.log.module("chassis").warn(
        `'${existing.chassis_name}' already has encap ip '${ip}' and type '${type}', cannot duplicate on '${wish.name}'`);
      return [];
    }
    txn.update(existing, { options });
    return [existing._uuid];
  });
}

function encapsAreCurrent(node: Node, chassis: Chassis, wish: WishedChassis): boolean {
  const form = (e: { readonly type: string; readonly ip: string; readonly options: ReadonlyMap<string, string> }): string =>
    `${e.type} ${e.ip} ${JSON.stringify([...e.options].sort())}`;
  const existing = new Set([...chassis.encaps].flatMap((uuid) => {
    const encap = node.sb.tables.Encap.get(uuid);
    return encap === undefined ? [] : [form(encap)];
  }));
  const wished = new Set(wish.encaps.filter(({ type, ip }) => {
    const holder = node.encapsByAddress.first(`${type} ${ip}`)?.chassis_name;
    return holder === undefined || holder === wish.name;
  }).map(form));
  return sameValue(existing, wished);
}

const describe = (wish: WishedChassis): string => JSON.stringify([
  wish.name, wish.hostname, [...wish.otherConfig], [...wish.transportZones], wish.encaps.map((e) => [e.type, e.ip, [...e.options]]),
]);
