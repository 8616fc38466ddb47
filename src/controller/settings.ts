/**
 * What the chassis is told through Open_vSwitch.external_ids (ovn-controller(8), "Configuration").
 *
 * A key with the chassis' name appended (`ovn-remote-hv1`) counts before the plain one, so that several controllers can share
 * one Open vSwitch.
 */
import type { OpenVswitchReplica, OvsRow } from "./rows.ts";

/** Enough to know the settings. */
export interface SettingsSource {
  readonly ovs: OpenVswitchReplica;
  /** Who this chassis is, if the command line or a file says so. */
  readonly fixedSystemId: string | undefined;
}

export const defaultBridgeName = "br-int";

/** The one row of Open_vSwitch. */
export function ovsRow(node: SettingsSource): OvsRow | undefined {
  for (const row of node.ovs.tables.Open_vSwitch) return row;
  return undefined;
}

/** Who this chassis is: by command line, by file, or by external_ids:system-id. */
export const systemIdOf = (node: SettingsSource): string | undefined => node.fixedSystemId ?? ovsRow(node)?.external_ids.get("system-id");

/** A setting's value, the chassis' own before the common one. */
export function setting(node: SettingsSource, key: string): string | undefined {
  const ids = ovsRow(node)?.external_ids;
  if (ids === undefined) return undefined;
  const systemId = systemIdOf(node);
  return (systemId === undefined ? undefined : ids.get(`${key}-${systemId}`)) ?? ids.get(key);
}

export const booleanSetting = (node: SettingsSource, key: string, otherwise: boolean): boolean => asBoolean(setting(node, key), otherwise);

/** As smap_get_int: what is no decimal number of 32 bits is as if it were not there. */
export function intSetting(node: SettingsSource, key: string): number | undefined {
  const text = setting(node, key);
  const value = text !== undefined && /^\s*[+-]?\d+$/.test(text) ? Number(text) : undefined;
  return value === undefined || value < -0x8000_0000 || value > 0x7fff_ffff ? undefined : value;
}

/** As smap_get_bool: anything but the opposite is the default. */
export const asBoolean = (value: string | undefined, otherwise: boolean): boolean =>
  otherwise ? value?.toLowerCase() !== "false" : value?.toLowerCase() === "true";

export const bridgeName = (node: SettingsSource): string => setting(node, "ovn-bridge") ?? defaultBridgeName;

/** `a,b,,c` without the empty parts. */
export const commaSeparated = (text: string): readonly string[] => [...new Set(text.split(",").filter((part) => part !== ""))];

/**
 * The addresses tunnels may end at here, in the order of their ids: sorted, with the default one first. Flows carry the id in
 * the upper half of reg13.
 */
export function encapAddresses(node: SettingsSource): readonly string[] {
  const addresses = [...commaSeparated(setting(node, "ovn-encap-ip") ?? "")].sort();
  const preferred = addresses.indexOf(setting(node, "ovn-encap-ip-default") ?? "");
  if (preferred > 0) [addresses[0], addresses[preferred]] = [addresses[preferred] ?? "", addresses[0] ?? ""];
  return addresses;
}

/** ovn-bridge-mappings or ovn-chassis-mac-mappings: `NETWORK:VALUE,NETWORK:VALUE`. Stops at the first malformed item. */
export function mappings(text: string): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  for (const item of text.split(",")) {
    const colon = item.indexOf(":");
    if (colon <= 0 || colon === item.length - 1) break;
    if (!result.has(item.slice(0, colon))) result.set(item.slice(0, colon), item.slice(colon + 1));
  }
  return result;
}
