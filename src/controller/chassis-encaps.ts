/** At which addresses a chassis takes tunnels, and of which type (ovn-sb(5), Encap). */
import type { Node } from "./node.ts";
import type { Chassis, Encap } from "./rows.ts";
import { asBoolean } from "./settings.ts";
import type { TunnelType } from "./tunnel.ts";

export const encapsOf = (node: Node, chassis: Chassis): readonly Encap[] =>
  [...chassis.encaps].flatMap((uuid) => node.sb.tables.Encap.get(uuid) ?? []);

/** Geneve where both have it, else VXLAN. */
export function preferredType(node: Node, own: Chassis, other: Chassis): TunnelType | undefined {
  const types = (chassis: Chassis): ReadonlySet<string> => new Set(encapsOf(node, chassis).map((e) => e.type));
  const [ours, theirs] = [types(own), types(other)];
  return (["geneve", "vxlan"] as const).find((type) => ours.has(type) && theirs.has(type));
}

/** The chassis' address for the type: the wanted one if it has that, else its default, else its first. */
export function encapIpOf(node: Node, chassis: Chassis, type: TunnelType, wantedIp?: string): string | undefined {
  const encaps = encapsOf(node, chassis).filter((e) => e.type === type).sort((a, b) => (a.ip < b.ip ? -1 : 1));
  const chosen = encaps.find((e) => e.ip === wantedIp) ?? encaps.find((e) => asBoolean(e.options.get("is_default"), false)) ?? encaps[0];
  return chosen?.ip;
}
