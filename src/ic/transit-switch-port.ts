/**
 * Ports that the operator puts on a transit switch in IC-NB (`ovn-ic-nbctl tsp-add`): the zone whose chassis the port is asked
 * for announces it; for a port without a chassis the leader does. Every zone then gets the port, of type remote where the
 * chassis is another zone's. Such ports carry `options:interconn-tsp`, and no other rule touches them.
 */
import { rule } from "../engine/index.ts";
import { entries, wished } from "../ovsdb/index.ts";
import { type KeyPromises, portKeys } from "./tunnel-keys.ts";
import { Complaint, ownZone, WantedIcBinding, WantedLeaderBinding, WantedManagedPort } from "./wishes.ts";
import { type IcNb, type IcSb, isOn, isOwn, isPortKeyUsed, type Nb, portKeyOf, type Zone, zoneName } from "./zone.ts";

/** A chassis that this zone does not know, or knows to be another's. */
export function isRemoteChassis(zone: Zone, name: string): boolean {
  const chassis = zone.chassisByName.first(name);
  return chassis === undefined || isOn(chassis.other_config, "is-remote");
}

const firstOf = (items: Iterable<string>): string => {
  for (const item of items) return item;
  return "";
};

export const transitSwitchPort = (promises: KeyPromises) =>
  rule("transit-switch-port", (zone: Zone) => zone.icNb.tables.Transit_Switch_Port, function* (zone, port) {
    const transit = zone.transitSwitchOfPort.first(port._uuid);
    if (zoneName(zone) === "" || transit === undefined) return;
    const { name, chassis, type, peer } = port;
    const isLocal = chassis === "" || !isRemoteChassis(zone, chassis);
    const key = portKeyOf(transit.name, name);
    const announced = zone.icBindingByPort.first(name);
    if (announced !== undefined) promises.release(key);
    if (isLocal) yield* announce(zone, promises, port, transit, announced);
    // Until the zone that answers for it has announced it, the port has no key.
    if (announced === undefined || announced.transit_switch !== transit.name) return;
    const isRouter = type === "router";
    yield WantedManagedPort({
      key, parent: wished("Logical_Switch", transit.name), initial: { name },
      columns: {
        type: isLocal ? type : "remote", addresses: port.addresses, peer: isRouter || peer === "" ? undefined : peer,
        options: entries({
          "interconn-tsp": name, "requested-chassis": chassis === "" ? undefined : chassis,
          "requested-tnl-key": String(announced.tunnel_key), "router-port": isRouter && peer !== "" ? peer : undefined,
        }),
      },
    });
  });

function* announce(
  zone: Zone, promises: KeyPromises, { name, chassis, addresses }: IcNb<"Transit_Switch_Port">, transit: IcNb<"Transit_Switch">, announced: IcSb<"Port_Binding"> | undefined,
) {
  const key = portKeyOf(transit.name, name);
  const tunnelKey = (): { tunnel_key?: number } => {
    const number = promises.promise(transit.name, key, portKeys, isPortKeyUsed(zone, transit.name));
    return number === undefined ? {} : { tunnel_key: number };
  };
  const columns = { address: firstOf(addresses), gateway: chassis };
  const given = { logical_port: name, transit_switch: transit.name, type: "transit-switch-port" as const, nb_ic_uuid: transit._uuid };
  if (chassis === "") {
    const self = zone.self.get();
    if (self !== undefined) yield WantedLeaderBinding({ key, initial: () => ({ ...given, availability_zone: self, ...tunnelKey() }), columns });
  } else if (announced !== undefined && !isOwn(zone, announced)) {
    yield Complaint({ text: `port ${name} on ${transit.name} is not announced: another availability zone still has it` });
  } else yield WantedIcBinding({ key, initial: () => ({ ...given, availability_zone: ownZone, ...tunnelKey() }), columns });
}

/** Announcements of ports without a chassis, whichever zone was the leader when they were made. */
export const identifyLeaderBinding = (zone: Zone) => (row: IcSb<"Port_Binding">): string | undefined =>
  zone.managedPort.first(portKeyOf(row.transit_switch, row.logical_port))?.chassis === "" ? portKeyOf(row.transit_switch, row.logical_port) : undefined;

export function identifyManagedPort(zone: Zone) {
  return (row: Nb<"Logical_Switch_Port">): string | undefined => {
    const transit = row.options.has("interconn-tsp") ? zone.switchOfPort.first(row._uuid)?.other_config.get("interconn-ts") : undefined;
    return transit === undefined ? undefined : portKeyOf(transit, row.name);
  };
}
