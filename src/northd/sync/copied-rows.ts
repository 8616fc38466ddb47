/** Rows of the northbound database that the southbound one has too: DNS, Static_MAC_Binding, Meter, Chassis_Template_Var. */
import { rule } from "../../engine/index.ts";
import { entries, type Uuid, wished, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { boolOption } from "../options.ts";
import { routerOf } from "../topology/router-ports.ts";
import type { NbRow, Topology } from "../topology/topology.ts";

export const WishedDns = wishRelation(southbound, "DNS");
export const WishedStaticMac = wishRelation(southbound, "Static_MAC_Binding");
export const WishedMeter = wishRelation(southbound, "Meter");
export const WishedMeterBand = wishRelation(southbound, "Meter_Band");
export const WishedTemplate = wishRelation(southbound, "Chassis_Template_Var");

/** Copies keep the UUID. */
const sameUuid = <N extends string>(row: { readonly _uuid: string }): Uuid<N> => row._uuid as Uuid<N>;

export interface CopyContext {
  readonly topology: Topology;
  /** The switches that a DNS row is for. */
  switchesOfDns(uuid: string): Iterable<{ readonly row: NbRow<"Logical_Switch"> }>;
}

export const dns = rule("dns", (c: CopyContext) => c.topology.nb.DNS, function* (c, row) {
  const datapaths = [...c.switchesOfDns(row._uuid)].map((s) => wished("Datapath_Binding", s.row._uuid));
  if (datapaths.length === 0) return;
  // Names are looked up without regard to case.
  const records = new Map([...row.records].map(([name, value]) => [name, value.toLowerCase()]));
  const options = entries({ "ovn-owned": boolOption(row.options, "ovn-owned", false) ? "true" : "false" });
  yield WishedDns({ key: row._uuid, columns: { records, datapaths, options }, uuid: sameUuid(row) });
});

export const staticMacBindings = rule("static-mac-bindings", (c: CopyContext) => c.topology.nb.Static_MAC_Binding, function* ({ topology: t }, row) {
  const port = t.routerPortsByName.first(row.logical_port);
  const router = port === undefined ? undefined : routerOf(port);
  if (router === undefined) return;
  const { logical_port, ip, mac, override_dynamic_mac } = row;
  const columns = { logical_port, ip, mac, override_dynamic_mac, datapath: wished("Datapath_Binding", router.row._uuid) };
  yield WishedStaticMac({ key: row._uuid, columns, uuid: sameUuid(row) });
});

export const meters = rule("meters", (c: CopyContext) => c.topology.nb.Meter, function* ({ topology: t }, row) {
  yield* meterRows(t, row, row.name);
});

/** The meter's rows, under its own name or another. */
export function* meterRows(t: Topology, row: NbRow<"Meter">, name: string) {
  const keys: string[] = [];
  for (const uuid of row.bands) {
    const band = t.nb.Meter_Band.get(uuid);
    if (band === undefined) continue;
    const { action, rate, burst_size } = band;
    const key = bandKey(name, band);
    keys.push(key);
    yield WishedMeterBand({ key, columns: { action, rate, burst_size } });
  }
  yield WishedMeter({ key: name, columns: { name, unit: row.unit, bands: keys.map((key) => wished("Meter_Band", key)) } });
}

export const bandKey = (meter: string, band: { readonly action: string; readonly rate: number; readonly burst_size: number }): string =>
  `${meter}\n${band.action} ${band.rate} ${band.burst_size}`;

export const templates = rule("chassis-templates", (c: CopyContext) => c.topology.nb.Chassis_Template_Var, function* (_, row) {
  yield WishedTemplate({ key: row._uuid, columns: { chassis: row.chassis, variables: row.variables }, uuid: sameUuid(row) });
});
