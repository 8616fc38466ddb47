/** Port_Binding of switch ports. */
import { derived, rule } from "../../engine/index.ts";
import { wished } from "../../ovsdb/index.ts";
import { mirrorsOf } from "../mirroring/attached-mirrors.ts";
import { boolOption } from "../options.ts";
import { switchOf } from "../topology/port-membership.ts";
import { chassisOf, isGatewayPort, redirectName, routerOf, switchPeerOf } from "../topology/router-ports.ts";
import { chassisNamed, isRemoteChassis } from "../topology/settings.ts";
import { flag, hasRedirectPort, routerPortBehind, switchPortBehind, typeOf } from "../topology/switch-ports.ts";
import { isVlanTransparent, localnetPortsOf } from "../topology/switches.ts";
import type { LogicalSwitch, SbRow, SwitchPort, Topology } from "../topology/topology.ts";
import { gatewayGroupName } from "./ha-chassis-groups.ts";
import { keyRequests } from "./key-allocator.ts";
import { natAddressesOf } from "./nat-addresses.ts";
import { type BindingColumns, bindingOf, bindPort, requestedEncap } from "./port-bindings.ts";

export const QueueRequest = keyRequests("queues");
const maxQueue = 0xf000;
const knownTypes = new Set(["", "l2gateway", "localnet", "localport", "router", "switch", "vtep", "external", "virtual", "remote"]);

export const switchPortBindings = rule("port-binding-of-switch-port", (t: Topology) => t.switchPorts, function* (_, port) {
  const owner = switchOf(port);
  if (owner === undefined) return;
  const { name } = port.row;
  const isRouter = typeOf(port) === "router";
  if (!isRouter && hasQueue(port)) yield QueueRequest({ scope: "", key: name, requested: 0, max: maxQueue });
  yield* bindPort(owner, port, () => ({ ...common(port), ...(isRouter ? routerFacing(owner, port) : ordinary(owner, port)) }));
  if (hasRedirectPort(port)) yield* bindPort(owner, port, () => ({ ...common(port), ...redirecting(port) }), redirectName(name));
});

const hasQueue = (port: SwitchPort): boolean => ["qos_max_rate", "qos_min_rate", "qos_burst"].some((key) => port.row.options.has(key));

function common(port: SwitchPort): BindingColumns {
  const { row, topology } = port;
  const externalIds = new Map(row.external_ids);
  const neutronName = externalIds.get("neutron:port_name");
  if (neutronName !== undefined && neutronName !== "") externalIds.set("name", neutronName);
  return {
    parent_port: row.parent_name, tag: topology.tags.get(row._uuid), mac: row.addresses, port_security: row.port_security,
    external_ids: externalIds, mirror_rules: mirrorsOf(port).map((mirror) => wished("Mirror", mirror._uuid)),
  };
}

/** The chassis that options:requested-chassis names, the main one first. */
const requestedChassisOf = derived("requested chassis", (port: SwitchPort): readonly SbRow<"Chassis">[] => {
  const names = port.row.options.get("requested-chassis")?.split(",").filter((n) => n !== "") ?? [];
  return names.flatMap((name) => {
    const chassis = chassisNamed(port.topology, name);
    if (chassis === undefined) port.topology.warn(`Unknown chassis '${name}' set in options:requested-chassis on LSP '${port.row.name}'.`);
    return chassis === undefined ? [] : [chassis];
  });
});

/** What the chassis or northd itself have noted in the row's options, and what must outlive a change of the others. */
const notedOption = derived("noted option", (port: SwitchPort, key: string): string | undefined => {
  const owner = switchOf(port);
  return owner === undefined ? undefined : bindingOf(port.topology, owner, port.row.name)?.options.get(key);
});

function ordinary(owner: LogicalSwitch, port: SwitchPort): BindingColumns {
  const { row, topology: t } = port;
  const type = typeOf(port);
  const options = new Map(row.options);
  const queue = t.queues.get(row.name);
  if (queue !== undefined) {
    const network = localnetPortsOf(owner)[0]?.row.options.get("network_name");
    if (network !== undefined) options.set("qos_physical_network", network);
    options.set("qdisc_queue_id", String(queue));
  }
  if (isVlanTransparent(owner)) options.set("vlan-passthru", "true");
  const [requested, ...additional] = requestedChassisOf(port);
  const keep = [
    ...(additional.length > 0 ? ["additional-chassis-activated"] : []),
    ...(type === "virtual" ? ["vport-last-claim", "vport-backoff"] : []),
  ];
  for (const key of keep) {
    const noted = notedOption(port, key);
    if (noted !== undefined) options.set(key, noted);
  }
  const binding = placement(owner, port, requested, additional.length > 0, options);
  const other = switchPortBehind(port);
  if (other !== undefined) options.set("peer", other.row.name);
  const groupName = type === "external" && row.ha_chassis_group !== undefined ? t.nb.HA_Chassis_Group.get(row.ha_chassis_group)?.name : undefined;
  if (!knownTypes.has(type)) t.warn(`Unknown port type '${type}' set on logical switch '${row.name}'.`);
  return {
    ...binding,
    ...(knownTypes.has(type) ? { type: type === "switch" ? "patch" : type } : {}),
    ...requestedEncap(port, requested, bindingOf(t, owner, row.name)),
    options,
    nat_addresses: [],
    ha_chassis_group: groupName === undefined ? undefined : wished("HA_Chassis_Group", groupName),
    requested_chassis: requested?._uuid,
    requested_additional_chassis: additional.map((c) => c._uuid),
  };
}

const boundChassis = derived("chassis of switch port", (port: SwitchPort): SbRow<"Chassis"> | undefined => {
  const owner = switchOf(port);
  const uuid = owner === undefined ? undefined : bindingOf(port.topology, owner, port.row.name)?.chassis;
  return port.topology.sb.Chassis.get(uuid);
});

/** Chassis of this zone claim ports themselves; on behalf of chassis of other zones northd does. */
function placement(
  owner: LogicalSwitch, port: SwitchPort, requested: SbRow<"Chassis"> | undefined, hasAdditional: boolean, options: Map<string, string>,
): BindingColumns {
  if (typeOf(port) === "remote" || hasAdditional) {
    if (requested !== undefined && isRemoteChassis(requested)) {
      options.set("is-remote-nb-bound", "true");
      return { chassis: requested._uuid };
    }
    if (!boolOption(bindingOf(port.topology, owner, port.row.name)?.options ?? new Map(), "is-remote-nb-bound", false)) return {};
    options.set("is-remote-nb-bound", "false");
    return { chassis: undefined };
  }
  const bound = boundChassis(port);
  return bound !== undefined && isRemoteChassis(bound) ? { chassis: undefined } : {};
}

function routerFacing(owner: LogicalSwitch, port: SwitchPort): BindingColumns {
  const peer = routerPortBehind(port);
  const router = peer === undefined ? undefined : routerOf(peer);
  const chassis = router === undefined ? undefined : chassisOf(router);
  const bound = boundChassis(port);
  const options = new Map<string, string>();
  const named = port.row.options.get("router-port");
  if (named !== undefined) {
    options.set("peer", named);
    if (peer !== undefined && isGatewayPort(peer) && switchPeerOf(peer) === port && flag(port, "enable_router_port_acl", false)) {
      options.set("enable_router_port_acl", "true");
    }
  }
  if (chassis !== undefined) options.set("l3gateway-chassis", chassis);
  const encapIp = port.row.options.get("requested-encap-ip") ?? "";
  if (encapIp !== "") options.set("requested-encap-ip", encapIp);
  return {
    type: chassis === undefined ? "patch" : "l3gateway",
    ...requestedEncap(port, undefined, bindingOf(port.topology, owner, port.row.name)),
    options,
    nat_addresses: natAddressesOf(owner, port),
    ...(bound !== undefined && isRemoteChassis(bound) ? { chassis: undefined } : {}),
  };
}

/** The port's stand-in on the chassis where its router's gateway is. */
function redirecting(port: SwitchPort): BindingColumns {
  const peer = routerPortBehind(port);
  const group = peer === undefined ? undefined : gatewayGroupName(peer);
  return {
    type: "chassisredirect",
    options: { "distributed-port": port.row.name },
    ha_chassis_group: group === undefined ? undefined : wished("HA_Chassis_Group", group),
    nat_addresses: [],
  };
}
