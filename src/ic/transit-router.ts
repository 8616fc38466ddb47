/**
 * Transit routers: each in IC-NB becomes a logical router in every zone and, by the leader, a datapath with a key, found by the
 * UUID in IC-NB. A port belongs to the zone of its chassis, which announces it; once it is announced every zone has it.
 *
 * Keys are always of the long range, since a transit router has no place in VXLAN's 12 bits yet.
 */
import { rule } from "../engine/index.ts";
import { entries, wished } from "../ovsdb/index.ts";
import { isRemoteChassis } from "./transit-switch-port.ts";
import { type KeyPromises, portKeys, transitKeys } from "./tunnel-keys.ts";
import { Complaint, ownZone, WantedIcBinding, WantedIcDatapath, WantedRouter, WantedRouterPort } from "./wishes.ts";
import { isDatapathKeyUsed, isOwn, isPortKeyUsed, type Nb, portKeyOf, type Zone, zoneName } from "./zone.ts";

export const transitRouter = (promises: KeyPromises) =>
  rule("transit-router", (zone: Zone) => zone.icNb.tables.Transit_Router, function* (zone, { name, _uuid }) {
    if (zoneName(zone) === "") return;
    const datapath = zone.icDatapathOfRouter.first(_uuid);
    const key = `router ${_uuid}`;
    if (datapath !== undefined) promises.release(key);
    const requested = datapath === undefined ? {} : { "requested-tnl-key": String(datapath.tunnel_key) };
    yield WantedRouter({ key: name, initial: { name }, columns: { options: entries({ "interconn-tr": name, ...requested }) } });
    yield WantedIcDatapath({
      key,
      initial: () => {
        const tunnelKey = promises.promise("", key, transitKeys, isDatapathKeyUsed(zone));
        return { type: "transit-router", nb_ic_uuid: _uuid, ...(tunnelKey === undefined ? {} : { tunnel_key: tunnelKey }) };
      },
      columns: {},
    });
  });

export const transitRouterPort = (promises: KeyPromises) =>
  rule("transit-router-port", (zone: Zone) => zone.icNb.tables.Transit_Router_Port, function* (zone, { _uuid, name, mac, networks, chassis }) {
    const router = zone.transitRouterOfPort.first(_uuid);
    if (zoneName(zone) === "" || router === undefined) return;
    const key = portKeyOf(router.name, name);
    const announced = zone.icBindingByPort.first(name);
    if (announced !== undefined) promises.release(key);
    if (!isRemoteChassis(zone, chassis)) {
      if (announced !== undefined && !isOwn(zone, announced)) {
        yield Complaint({ text: `port ${name} on ${router.name} is not announced: another availability zone has a port of that name` });
        return;
      }
      yield WantedIcBinding({
        key,
        initial: () => {
          const tunnelKey = promises.promise(router.name, key, portKeys, isPortKeyUsed(zone, router.name));
          return {
            logical_port: name, transit_switch: router.name, availability_zone: ownZone, type: "transit-router-port", nb_ic_uuid: router._uuid,
            ...(tunnelKey === undefined ? {} : { tunnel_key: tunnelKey }),
          };
        },
        columns: { address: mac },
      });
    }
    if (announced === undefined || announced.transit_switch !== router.name) return;
    yield WantedRouterPort({
      key, parent: wished("Logical_Router", router.name), initial: { name },
      columns: {
        mac, networks,
        options: entries({ "interconn-tr": name, "requested-chassis": chassis === "" ? undefined : chassis, "requested-tnl-key": String(announced.tunnel_key) }),
      },
    });
  });

export const identifyRouter = (row: Nb<"Logical_Router">): string | undefined => row.options.get("interconn-tr");

export function identifyRouterPort(zone: Zone) {
  return (row: Nb<"Logical_Router_Port">): string | undefined => {
    const router = row.options.has("interconn-tr") ? zone.routerOfPort.first(row._uuid)?.options.get("interconn-tr") : undefined;
    return router === undefined ? undefined : portKeyOf(router, row.name);
  };
}
