/**
 * Gateways: a chassis with `is-interconn` is announced in IC-SB; what other zones announce becomes a chassis with `is-remote`
 * here. Names of chassis and underlay addresses are unique in each database, so what collides is left out with a complaint:
 * one zone's mistake must not keep the others from each other.
 */
import { rule } from "../engine/index.ts";
import { wished } from "../ovsdb/index.ts";
import { entries } from "../ovsdb/index.ts";
import { Complaint, ownZone, WantedChassis, WantedEncap, WantedGateway, WantedGatewayEncap } from "./wishes.ts";
import { type IcSb, isOn, isOwn, type Sb, type Zone, zoneName } from "./zone.ts";

const encapKey = (chassis: string, type: string, ip: string): string => `${chassis} ${type} ${ip}`;
const isInterconnType = (type: string): type is "geneve" | "vxlan" => type === "geneve" || type === "vxlan";

export const announcedGateway = rule("announced-gateway", (zone: Zone) => zone.sb.tables.Chassis, function* (zone, chassis) {
  if (zoneName(zone) === "" || !isOn(chassis.other_config, "is-interconn")) return;
  const { name, hostname } = chassis;
  const namesake = zone.gatewayByName.first(name);
  if (namesake !== undefined && !isOwn(zone, namesake)) {
    yield Complaint({ text: `gateway ${name} is not announced: another availability zone has a gateway of that name` });
    return;
  }
  const keys: string[] = [];
  for (const uuid of chassis.encaps) {
    const encap = zone.sb.tables.Encap.get(uuid);
    if (encap === undefined || !isInterconnType(encap.type)) continue;
    const { type, ip, options } = encap;
    const holder = zone.icEncapByAddress.first(`${type} ${ip}`);
    if (holder !== undefined && holder.gateway_name !== name) {
      yield Complaint({ text: `gateway ${name} is not announced at ${type} ${ip}: gateway ${holder.gateway_name} is there` });
      continue;
    }
    const key = encapKey(name, type, ip);
    keys.push(key);
    yield WantedGatewayEncap({ key, initial: { type, ip, gateway_name: name }, columns: { options } });
  }
  if (keys.length === 0) return;
  yield WantedGateway({
    key: name, initial: { name }, columns: { availability_zone: ownZone, hostname, encaps: keys.map((key) => wished("Encap", key)) },
  });
});

export const remoteGateway = rule("remote-gateway", (zone: Zone) => zone.icSb.tables.Gateway, function* (zone, gateway) {
  if (zoneName(zone) === "" || isOwn(zone, gateway)) return;
  const { name, hostname } = gateway;
  const namesake = zone.chassisByName.first(name);
  if (namesake !== undefined && !isOn(namesake.other_config, "is-remote")) {
    yield Complaint({ text: `remote gateway ${name} is ignored: a chassis of this zone has that name` });
    return;
  }
  const keys: string[] = [];
  for (const uuid of gateway.encaps) {
    const encap = zone.icSb.tables.Encap.get(uuid);
    if (encap === undefined) continue;
    const { type, ip, options } = encap;
    const holder = zone.encapByAddress.first(`${type} ${ip}`);
    if (holder !== undefined && holder.chassis_name !== name && !isRemoteEncap(zone, holder)) {
      yield Complaint({ text: `remote gateway ${name} is ignored at ${type} ${ip}: chassis ${holder.chassis_name} of this zone is there` });
      continue;
    }
    const key = encapKey(name, type, ip);
    keys.push(key);
    yield WantedEncap({ key, initial: { type, ip, chassis_name: name }, columns: { options } });
  }
  if (keys.length === 0) return;
  yield WantedChassis({
    key: name, initial: { name }, columns: { hostname, other_config: entries({ "is-remote": "true" }), encaps: keys.map((key) => wished("Encap", key)) },
  });
});

export const identifyGateway = (zone: Zone) => (row: IcSb<"Gateway">): string | undefined => (isOwn(zone, row) ? row.name : undefined);

export function identifyGatewayEncap(zone: Zone) {
  return (row: IcSb<"Encap">): string | undefined => {
    const gateway = zone.gatewayByName.first(row.gateway_name);
    return gateway !== undefined && isOwn(zone, gateway) ? encapKey(row.gateway_name, row.type, row.ip) : undefined;
  };
}

export const identifyRemoteChassis = (row: Sb<"Chassis">): string | undefined => (isOn(row.other_config, "is-remote") ? row.name : undefined);

function isRemoteEncap(zone: Zone, encap: Sb<"Encap">): boolean {
  const chassis = zone.chassisByName.first(encap.chassis_name);
  return chassis !== undefined && isOn(chassis.other_config, "is-remote");
}

export const identifyRemoteEncap = (zone: Zone) => (row: Sb<"Encap">): string | undefined =>
  isRemoteEncap(zone, row) ? encapKey(row.chassis_name, row.type, row.ip) : undefined;
