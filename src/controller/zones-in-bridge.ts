/** Who needs a conntrack zone; and the zones in the integration bridge's external_ids, from where a later controller has them. */
import { relation, rule } from "../engine/index.ts";
import { integrationBridge, needsZone } from "./claims.ts";
import { setEntries } from "./map-entries.ts";
import { LocalDatapath, type Node } from "./node.ts";
import { zoneName } from "./physical/zones.ts";
import { datapathOf, isSwitch, ourChassis } from "./ports.ts";
import { OpenVswitchRepair } from "./repairs.ts";
import type { Bridge } from "./rows.ts";
import { setting } from "./settings.ts";
import { ZoneUser } from "./zone-assignment.ts";

const prefix = "ct-zone-";

export const portZones = rule("port-zones", (node: Node) => node.sb.tables.Port_Binding, function* (node, port) {
  if (ourChassis(node) === undefined || !needsZone(node, port)) return;
  const datapath = datapathOf(node, port);
  const limit = limitIn(port.options) ?? (datapath !== undefined && isSwitch(datapath) ? limitIn(datapath.external_ids) : undefined);
  yield ZoneUser({ name: port.logical_port, requested: undefined, limit });
});

export const datapathZones = rule("datapath-zones", (node: Node) => node.engine.facts(LocalDatapath), function* (_node, { datapath }) {
  const [dnat, snat] = [zoneName(datapath, "dnat"), zoneName(datapath, "snat")];
  const requested = Number(datapath.external_ids.get("snat-ct-zone") ?? none);
  const limit = limitIn(datapath.external_ids);
  if (dnat !== undefined) yield ZoneUser({ name: dnat, formerly: `${datapath._uuid}_dnat`, requested: undefined, limit });
  if (snat !== undefined) {
    yield ZoneUser({ name: snat, formerly: `${datapath._uuid}_snat`, requested: requested >= 0 && requested <= 65535 ? requested : undefined, limit });
  }
});

/** For what is no number. */
const none = "none";

const limitIn = (options: ReadonlyMap<string, string> | undefined): number | undefined => {
  const limit = Number(options?.get("ct-zone-limit") ?? none);
  return Number.isInteger(limit) && limit >= 0 && limit <= 0xffffffff ? limit : undefined;
};

export const zoneRecords = rule("zone-records", (node: Node) => node.engine.facts(ZoneUser), function* (node, { name }) {
  const bridge = integrationBridge(node);
  const zone = node.zones.recordOf(name);
  const key = `${prefix}${name}`;
  if (bridge === undefined || zone === undefined || bridge.external_ids.get(key) === String(zone)) return;
  yield OpenVswitchRepair({ key: `${bridge._uuid} ${key} ${zone}`, apply: (txn) => setEntries(txn, bridge, { [key]: String(zone) }) });
});

/** Records of zones whose users are gone. */
export const staleZoneRecords = rule("stale-zone-records", (node: Node) => node.self, function* (node) {
  const bridge = integrationBridge(node);
  if (bridge === undefined || !node.isGrown.get()) return;
  for (const key of bridge.external_ids.keys()) {
    if (!key.startsWith(prefix) || node.zones.recordOf(key.slice(prefix.length)) !== undefined) continue;
    yield OpenVswitchRepair({ key: `${bridge._uuid} without ${key}`, apply: (txn) => setEntries(txn, bridge, { [key]: undefined }) });
  }
});

/** What an earlier controller assigned. */
export function* recordedZones(bridge: Bridge | undefined): Iterable<readonly [name: string, zone: number]> {
  for (const [key, value] of bridge?.external_ids ?? []) {
    if (key.startsWith(prefix) && key !== prefix && /^\d+$/.test(value)) yield [key.slice(prefix.length), Number(value)];
  }
}

/** From which numbers zones are taken. */
export const ZoneRange = relation<{ readonly min: number; readonly max: number }>("ZoneRange", ({ min, max }) => `${min} ${max}`);

export const zoneRanges = rule("zone-range", (node: Node) => node.self, function* (node) {
  const [min, max] = zoneRange(node);
  yield ZoneRange({ min, max });
});

/** `MIN-MAX`; what is malformed leaves the default in place. */
function zoneRange(node: Node): readonly [min: number, max: number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(setting(node, "ct-zone-range") ?? "");
  const [min, max] = [Number(match?.[1] ?? 1), Number(match?.[2] ?? 65535)];
  return [min >= 1 ? min : 1, max <= 65535 ? max : 65535];
}
