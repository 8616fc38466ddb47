/**
 * A role's nic-config file as TripleO has them: a Heat template whose `network_config` tells os-net-config what to make of the cards
 * `nic1`, `nic2` ... of every machine of that role. Values may be parameters, joined or alone, that each machine has its own of.
 *
 *     resources: { OsNetConfigImpl: { properties: { config: { str_replace: { params: { $network_config: { network_config: [
 *       { type: interface, name: nic1, addresses: [{ ip_netmask: { list_join: [/, [{ get_param: ControlPlaneIp }, ...]] } }] },
 *       { type: vlan, device: nic1, vlan_id: { get_param: InternalApiNetworkVlanID }, addresses: [...] },
 *       { type: ovs_bridge, name: br-tenant, members: [{ type: interface, name: nic2 }, { type: vlan, vlan_id: ... }] },
 *     ] } } } } } } }
 *
 * What says how a card gets its name servers, or whether it asks a DHCP server, makes no difference here.
 */
import * as z from "zod";
import { YamlSource } from "../yaml-source.ts";
import { messageOf, type Misfit, type Path, pathOf, type TopologyComplaint } from "./complaint.ts";

/** A value that parameters decide. */
type HeatValue = string | number | boolean | { readonly get_param: string | readonly (string | number)[] } | { readonly list_join: readonly [string, readonly HeatValue[]] };


interface Entry {
  readonly type: string;
  readonly name?: HeatValue | undefined;
  readonly bridge_name?: HeatValue | undefined;
  readonly device?: HeatValue | undefined;
  readonly vlan_id?: HeatValue | undefined;
  readonly mtu?: HeatValue | undefined;
  readonly addresses?: readonly { readonly ip_netmask: HeatValue }[] | undefined;
  readonly members?: readonly Entry[] | undefined;
}

function entriesSchema(): z.ZodType<readonly Entry[]> {
  const heatValue: z.ZodType<HeatValue> = z.lazy(() =>
    z.union([
      z.string(),
      z.number(),
      z.boolean(),
      z.strictObject({ get_param: z.union([z.string(), z.array(z.union([z.string(), z.number()])).min(1)]) }),
      z.strictObject({ list_join: z.tuple([z.string(), z.array(heatValue)]) }),
    ]),
  );
  const entry: z.ZodType<Entry> = z.lazy(() =>
    z.object({
      type: z.string(),
      name: heatValue.optional(),
      bridge_name: heatValue.optional(),
      device: heatValue.optional(),
      vlan_id: heatValue.optional(),
      mtu: heatValue.optional(),
      addresses: z.array(z.object({ ip_netmask: heatValue })).optional(),
      members: z.array(entry).optional(),
    }),
  );
  return z.array(entry);
}

/** One interface of a role, in the words of `underlay:`. */
export interface RoleInterface {
  /** `nic1`, `vlan20`, `br-ex`. */
  readonly name: string;
  readonly isCard: boolean;
  readonly of: string | undefined;
  readonly bridge: string | undefined;
  readonly vlan: number | undefined;
  readonly mtu: number | undefined;
  readonly addresses: readonly string[];
  /** Whose parameters its addresses are made of: `InternalApi`. */
  readonly network: string | undefined;
}

export class NicConfig {
  readonly #source: YamlSource;
  readonly #entries: readonly Entry[];
  readonly #path: Path;
  readonly #defaults: ReadonlyMap<string, string>;

  private constructor(source: YamlSource, entries: readonly Entry[], path: Path, defaults: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#entries = entries;
    this.#path = path;
    this.#defaults = defaults;
  }

  static parse(text: string, fileName: string): NicConfig | TopologyComplaint {
    const source = YamlSource.parse(text, fileName);
    if ("complaint" in source) return source;
    const found = findNetworkConfig(source.value, []);
    if (found === undefined) return { complaint: source.complain([], `no "network_config" list in it: expected a nic-config template of TripleO`) };
    const checked = entriesSchema().safeParse(found.value);
    if (!checked.success) return { complaint: checked.error.issues.map((issue) => source.complain([...found.path, ...pathOf(issue)], messageOf(issue))).join("\n\n") };
    return new NicConfig(source, checked.data, found.path, defaultsOf(source.value));
  }

  /** The interfaces of a machine whose parameters are these; or what is wrong, pointed at. */
  interfaces(parameters: ReadonlyMap<string, string>): readonly RoleInterface[] | TopologyComplaint {
    const reading = new Reading(new Map([...this.#defaults, ...parameters]));
    for (const [i, each] of this.#entries.entries()) reading.take(each, [...this.#path, i], undefined);
    return reading.misfits.length === 0 ? reading.interfaces : { complaint: reading.misfits.map(({ path, message }) => this.#source.complain(path, message)).join("\n\n") };
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Wherever it stands: releases differ in how deep they put it. */
function findNetworkConfig(value: unknown, path: Path): { readonly value: unknown; readonly path: Path } | undefined {
  if (!isRecord(value) || path.length > 20) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "network_config" && Array.isArray(inner)) return { value: inner, path: [...path, key] };
    const found = findNetworkConfig(inner, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function defaultsOf(value: unknown): Map<string, string> {
  const defaults = new Map<string, string>();
  const parameters = isRecord(value) ? value["parameters"] : undefined;
  for (const [key, parameter] of Object.entries(isRecord(parameters) ? parameters : {})) {
    const given = isRecord(parameter) ? parameter["default"] : undefined;
    if (typeof given === "string" || typeof given === "number") defaults.set(key, String(given));
  }
  return defaults;
}

class Reading {
  readonly interfaces: RoleInterface[] = [];
  readonly misfits: Misfit[] = [];
  readonly #parameters: ReadonlyMap<string, string>;
  #used: string[] = [];

  constructor(parameters: ReadonlyMap<string, string>) {
    this.#parameters = parameters;
  }

  take(each: Entry, path: Path, bridge: string | undefined): void {
    this.#used = [];
    switch (each.type) {
      case "interface":
        return this.#add(each, path, { name: this.#text(each.name, [...path, "name"]), isCard: true, of: undefined, bridge, vlan: undefined });
      case "vlan": {
        const vlan = Number(this.#text(each.vlan_id, [...path, "vlan_id"]));
        if (!Number.isInteger(vlan) || vlan < 1 || vlan > 4094) this.misfits.push({ path: [...path, "vlan_id"], message: `expected a VLAN from 1 to 4094, got "${vlan}"` });
        const of = bridge === undefined ? this.#text(each.device, [...path, "device"]) : undefined;
        return this.#add(each, path, { name: `vlan${vlan}`, isCard: false, of, bridge, vlan });
      }
      case "ovs_bridge": {
        const name = each.name === undefined ? this.#text(each.bridge_name, [...path, "bridge_name"]) : this.#text(each.name, [...path, "name"]);
        if ((each.addresses ?? []).length > 0) this.#add(each, path, { name, isCard: false, of: undefined, bridge: name, vlan: undefined });
        for (const [i, member] of (each.members ?? []).entries()) this.take(member, [...path, "members", i], name);
        return undefined;
      }
      default:
        this.misfits.push({ path: [...path, "type"], message: `"${each.type}" is not built: there are interface, vlan, ovs_bridge` });
    }
  }

  #add(each: Entry, path: Path, place: Pick<RoleInterface, "name" | "isCard" | "of" | "bridge" | "vlan">): void {
    const addresses = (each.addresses ?? []).map((a, i) => this.#text(a.ip_netmask, [...path, "addresses", i, "ip_netmask"]));
    const mtu = each.mtu === undefined ? undefined : Number(this.#text(each.mtu, [...path, "mtu"]));
    this.interfaces.push({ ...place, mtu, addresses, network: this.#used.map(networkOfParameter).find((n) => n !== undefined) });
  }

  /** The value as text; a parameter that nobody set is complained about where it stands. */
  #text(value: HeatValue | undefined, path: Path): string {
    if (value === undefined) {
      this.misfits.push({ path: path.slice(0, -1), message: `"${String(path.at(-1))}" is missing` });
      return "";
    }
    if (typeof value !== "object") return String(value);
    if ("list_join" in value) return value.list_join[1].map((part, i) => this.#text(part, [...path, "list_join", 1, i])).join(value.list_join[0]);
    const name = typeof value.get_param === "string" ? value.get_param : value.get_param.join(".");
    const text = this.#parameters.get(name);
    this.#used.push(name);
    if (text === undefined) this.misfits.push({ path: [...path, "get_param"], message: `parameter ${name} has no value, neither in the environment nor for this machine` });
    return text ?? "";
  }
}

/** `InternalApi` of InternalApiIpSubnet, `ControlPlane` of ControlPlaneIp. */
const networkOfParameter = (name: string): string | undefined => /^(\w+?)Ip(?:Subnet)?$/.exec(name)?.[1];
