/**
 * Ports on transit switches. A port of type router or switch that this zone's operator put on a transit switch is announced in
 * IC-SB; what other zones announce becomes a port of type remote here, located at the gateway chassis that answers for it.
 */
import { rule } from "../engine/index.ts";
import { entries, wished } from "../ovsdb/index.ts";
import { identifyLeaderBinding } from "./transit-switch-port.ts";
import { type KeyPromises, portKeys } from "./tunnel-keys.ts";
import { Complaint, ownZone, PortKey, RemoteLocation, WantedIcBinding, WantedRemotePort } from "./wishes.ts";
import { type IcSb, isOwn, isPortKeyUsed, isRouterBinding, type Nb, nbUuidOf, portKeyOf, type Sb, type Zone, zoneName } from "./zone.ts";

/** The transit switch that the port is on, if its switch mirrors one that there is. */
export function transitSwitchOf(zone: Zone, port: Nb<"Logical_Switch_Port">) {
  const name = zone.switchOfPort.first(port._uuid)?.other_config.get("interconn-ts");
  return name === undefined ? undefined : zone.transitSwitchByName.first(name);
}

/** Ports made from Transit_Switch_Port rows are none of these rules' business. */
const isManaged = (port: Nb<"Logical_Switch_Port">): boolean => port.options.has("interconn-tsp");

export const localPort = (promises: KeyPromises) =>
  rule("local-port", (zone: Zone) => zone.nb.tables.Logical_Switch_Port, function* (zone, port) {
    if ((port.type !== "router" && port.type !== "switch") || zoneName(zone) === "" || isManaged(port)) return;
    const transit = transitSwitchOf(zone, port);
    const binding = transit === undefined ? undefined : zone.bindingByPort.first(port.name);
    if (transit === undefined || binding === undefined) return;
    const announced = zone.icBindingByPort.first(port.name);
    if (announced !== undefined && !isOwn(zone, announced)) {
      yield Complaint({ text: `port ${port.name} on ${transit.name} is not announced: another availability zone has a port of that name` });
      return;
    }
    const peer = peerOf(zone, binding);
    const router = peer === undefined ? undefined : routerIdOf(zone, peer);
    const key = portKeyOf(transit.name, port.name);
    if (announced !== undefined) promises.release(key);
    yield WantedIcBinding({
      key,
      initial: () => {
        const tunnelKey = promises.promise(transit.name, key, portKeys, isPortKeyUsed(zone, transit.name));
        return { logical_port: port.name, transit_switch: transit.name, availability_zone: ownZone, ...(tunnelKey === undefined ? {} : { tunnel_key: tunnelKey }) };
      },
      columns: {
        address: port.type === "switch" ? "unknown" : firstOf(peer?.mac) ?? "", gateway: gatewayOf(zone, port, binding, peer),
        type: "transit-switch-port", nb_ic_uuid: transit._uuid, ...(router === undefined ? {} : { external_ids: entries({ "router-id": router }) }),
      },
    });
    if (announced === undefined) return;
    yield PortKey({ key: port.name, columns: { options: entries({ "requested-tnl-key": String(announced.tunnel_key) }) } });
  });

const firstOf = (items: Iterable<string> | undefined): string | undefined => {
  for (const item of items ?? []) return item;
  return undefined;
};

function peerOf(zone: Zone, binding: Sb<"Port_Binding">): Sb<"Port_Binding"> | undefined {
  const name = binding.options.get("peer");
  return name === undefined ? undefined : zone.bindingByPort.first(name);
}

/** The chassis that answers for the port: where the router port's gateway is, or the switch port itself. */
function gatewayOf(zone: Zone, port: Nb<"Logical_Switch_Port">, binding: Sb<"Port_Binding">, peer: Sb<"Port_Binding"> | undefined): string {
  const redirect = peer === undefined ? undefined : zone.bindingByPort.first(`cr-${peer.logical_port}`);
  const chassis = zone.sb.tables.Chassis.get(redirect?.chassis) ?? (port.type === "switch" ? zone.sb.tables.Chassis.get(binding.chassis) : undefined);
  return chassis?.name ?? "";
}

function routerIdOf(zone: Zone, peer: Sb<"Port_Binding">): string | undefined {
  const datapath = zone.sb.tables.Datapath_Binding.get(peer.datapath);
  return datapath === undefined ? undefined : nbUuidOf(datapath);
}

export const remotePort = rule("remote-port", (zone: Zone) => zone.icSb.tables.Port_Binding, function* (zone, binding) {
  if (zoneName(zone) === "" || isRouterBinding(binding) || isOwn(zone, binding)) return;
  const { logical_port: name, transit_switch: transit, address, gateway, tunnel_key: key } = binding;
  if (zone.managedPort.first(portKeyOf(transit, name)) !== undefined) return;
  yield WantedRemotePort({
    key: portKeyOf(transit, name), parent: wished("Logical_Switch", transit), initial: { name, type: "remote", up: true },
    columns: { addresses: address === "" ? [] : [address], options: entries({ "requested-tnl-key": String(key) }) },
  });
  // What the operator asked for himself is northd's to bind.
  if (zone.switchPortByName.first(name)?.options.has("requested-chassis") !== false) return;
  const chassis = gateway === "" ? undefined : zone.chassisByName.first(gateway);
  if (gateway === "" || chassis !== undefined) yield RemoteLocation({ key: name, columns: { chassis: chassis?._uuid } });
});

export const identifyIcBinding = (zone: Zone) => (row: IcSb<"Port_Binding">): string | undefined =>
  isOwn(zone, row) && identifyLeaderBinding(zone)(row) === undefined ? portKeyOf(row.transit_switch, row.logical_port) : undefined;

export function identifyRemotePort(zone: Zone) {
  return (row: Nb<"Logical_Switch_Port">): string | undefined => {
    if (row.type !== "remote" || isManaged(row)) return undefined;
    const transit = zone.switchOfPort.first(row._uuid)?.other_config.get("interconn-ts");
    return transit === undefined ? undefined : portKeyOf(transit, row.name);
  };
}

export const identifyRemoteBinding = (row: Sb<"Port_Binding">): string | undefined => (row.type === "remote" ? row.logical_port : undefined);
