/**
 * What a zone's databases say of its logical network, as boxes and lines: routers, switches, the ports of machines with the
 * chassis that have claimed them, provider networks, addresses that are translated.
 */
import { type Host, silentLog } from "../../host/index.ts";
import { openReplica, type Replica } from "../../ovsdb/index.ts";
import { northbound, southbound } from "../../schemas/index.ts";
import type { Box, Line } from "./graph.ts";

export interface ZonePlace {
  readonly zone: string;
  readonly host: Host;
  /** Remotes of the zone's databases. */
  readonly northbound: string;
  readonly southbound: string;
}

export interface DrawnZone {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

type Northbound = Replica<typeof northbound>["tables"];
/** Of many translations, the first few. */
const shownTranslations = 4;

export async function readZone(place: ZonePlace): Promise<DrawnZone> {
  const host = { ...place.host, log: silentLog };
  const nb = openReplica(host, northbound, place.northbound, { leaderOnly: false });
  const sb = openReplica(host, southbound, place.southbound, { leaderOnly: false, monitor: { Port_Binding: true, Chassis: true } });
  try {
    await Promise.all([nb.synced, sb.synced]);
    const chassisNames = new Map([...sb.tables.Chassis].map((row) => [row._uuid, row.name]));
    const claims = new Map([...sb.tables.Port_Binding].map((row) => [row.logical_port, row.chassis === undefined ? undefined : chassisNames.get(row.chassis)]));
    return drawZone(place.zone, nb.tables, claims);
  } finally {
    nb.close();
    sb.close();
  }
}

/** `claims`: which chassis has which port. Rows of a table come in the order of their names, so that a drawing does not depend on UUIDs. */
function drawZone(zone: string, tables: Northbound, claims: ReadonlyMap<string, string | undefined>): DrawnZone {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  const routerOfPort = new Map<string, string>();
  const portsByUuid = new Map([...tables.Logical_Router_Port].map((row) => [row._uuid, row]));
  const natByUuid = new Map([...tables.NAT].map((row) => [row._uuid, row]));
  for (const router of byName([...tables.Logical_Router])) {
    const id = `${zone}/router/${router.name}`;
    for (const uuid of router.ports) routerOfPort.set(portsByUuid.get(uuid)?.name ?? "", id);
    const nats = [...router.nat].flatMap((uuid) => natByUuid.get(uuid) ?? []).sort(byAddresses);
    const told = nats.slice(0, shownTranslations).map((n) => `${n.type}: ${n.external_ip} \u2194 ${n.logical_ip}`);
    if (nats.length > shownTranslations) told.push(`and ${nats.length - shownTranslations} translations more`);
    boxes.push({ id, kind: "router", lines: [router.name, ...told], group: zone });
  }
  const lrpByName = new Map([...tables.Logical_Router_Port].map((row) => [row.name, row]));
  const lspByUuid = new Map([...tables.Logical_Switch_Port].map((row) => [row._uuid, row]));
  for (const ls of byName([...tables.Logical_Switch])) {
    const isTransit = ls.other_config.has("interconn-ts");
    // A transit switch is the same in every zone: one box, between them.
    const id = isTransit ? `transit/${ls.name}` : `${zone}/switch/${ls.name}`;
    const subnet = ls.other_config.get("subnet");
    boxes.push({ id, kind: isTransit ? "transit" : "switch", lines: [ls.name, ...(subnet === undefined ? [] : [subnet])], group: isTransit ? undefined : zone });
    for (const port of byName([...ls.ports].flatMap((uuid) => lspByUuid.get(uuid) ?? []))) {
      if (port.type === "router") {
        const lrp = lrpByName.get(port.options.get("router-port") ?? "");
        const router = routerOfPort.get(lrp?.name ?? "");
        if (lrp === undefined || router === undefined) continue;
        const gateway = claims.get(`cr-${lrp.name}`);
        lines.push({ from: router, to: id, label: [[...lrp.networks].sort().join(" ") || lrp.mac, ...(gateway === undefined ? [] : [`gateway ${gateway}`])].join(", ") });
      } else if (port.type === "localnet") {
        const network = `network/${port.options.get("network_name") ?? "?"}`;
        boxes.push({ id: network, kind: "network", lines: [port.options.get("network_name") ?? "?", "provider network"], group: undefined });
        lines.push({ from: id, to: network, label: port.tag === undefined ? "untagged" : `VLAN ${port.tag}` });
      } else if (port.type === "" || port.type === "external" || port.type === "virtual") {
        const at = claims.get(port.name);
        const where = port.type === "" ? (at === undefined ? "not claimed" : `on ${at}`) : `${port.type}, ${at === undefined ? "not claimed" : `served by ${at}`}`;
        const addresses = [...port.addresses].map((a) => (a.endsWith(" dynamic") || a === "dynamic" ? (port.dynamic_addresses ?? a) : a));
        const portId = `${zone}/port/${port.name}`;
        boxes.push({ id: portId, kind: "host", lines: [port.name, ...addresses.flatMap((a) => a.split(" ")), where], group: zone });
        lines.push({ from: id, to: portId, label: "" });
      }
    }
  }
  return { boxes, lines };
}

const byName = <Row extends { readonly name: string }>(rows: readonly Row[]): Row[] => [...rows].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** Several networks may share an external address. */
const byAddresses = (a: Translation, b: Translation): number => {
  const [x, y] = [`${a.external_ip} ${a.logical_ip}`, `${b.external_ip} ${b.logical_ip}`];
  return x < y ? -1 : x > y ? 1 : 0;
};

interface Translation {
  readonly external_ip: string;
  readonly logical_ip: string;
}
