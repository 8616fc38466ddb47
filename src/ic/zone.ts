/**
 * One availability zone as its ovn-ic sees it: four databases, the zone's own row in IC-SB, and the indexes that the rules
 * look things up in. Names are those of ovn-ic(8) and of ovn-architecture(7), "OVN Deployments Interconnection".
 */
import { Cell, derived, type Engine, type Index, untracked } from "../engine/index.ts";
import type { Replica, RowOf, TableName, Uuid } from "../ovsdb/index.ts";
import type { icNorthbound, icSouthbound, northbound, southbound } from "../schemas/index.ts";

export type Nb<N extends TableName<typeof northbound>> = RowOf<typeof northbound, N>;
export type Sb<N extends TableName<typeof southbound>> = RowOf<typeof southbound, N>;
export type IcNb<N extends TableName<typeof icNorthbound>> = RowOf<typeof icNorthbound, N>;
export type IcSb<N extends TableName<typeof icSouthbound>> = RowOf<typeof icSouthbound, N>;

export interface Replicas {
  readonly nb: Replica<typeof northbound>;
  readonly sb: Replica<typeof southbound>;
  readonly icNb: Replica<typeof icNorthbound>;
  /** Without a lock: whatever belongs to one zone alone. */
  readonly icSb: Replica<typeof icSouthbound>;
}

/** `options:KEY=true`, as the C programs read booleans. */
export const isOn = (options: ReadonlyMap<string, string>, key: string): boolean => options.get(key)?.toLowerCase() === "true";

/** The parts of IC-SB and IC-NB are told apart by this value of `type`; rows of older versions have none. */
export const isRouterBinding = (row: { readonly type: string | undefined }): boolean => row.type === "transit-router" || row.type === "transit-router-port";

export class Zone implements Replicas {
  readonly engine: Engine;
  readonly nb: Replicas["nb"];
  readonly sb: Replicas["sb"];
  readonly icNb: Replicas["icNb"];
  readonly icSb: Replicas["icSb"];
  /** The zone's row in IC-SB, once it is there. Kept through a change of name: the row is renamed. */
  readonly self = new Cell<Uuid<"Availability_Zone"> | undefined>("own availability zone", undefined);

  readonly switchByTransit: Index<string, Nb<"Logical_Switch">>;
  readonly switchOfPort: Index<string, Nb<"Logical_Switch">>;
  readonly switchPortByName: Index<string, Nb<"Logical_Switch_Port">>;
  readonly routerOfPort: Index<string, Nb<"Logical_Router">>;
  readonly routerPortByName: Index<string, Nb<"Logical_Router_Port">>;
  readonly routerOfRoute: Index<string, Nb<"Logical_Router">>;
  readonly routersOfBalancer: Index<string, Nb<"Logical_Router">>;
  readonly bindingByPort: Index<string, Sb<"Port_Binding">>;
  readonly chassisByName: Index<string, Sb<"Chassis">>;
  readonly encapByAddress: Index<string, Sb<"Encap">>;
  readonly datapathByNbUuid: Index<string, Sb<"Datapath_Binding">>;
  readonly learnedRoutesOf: Index<string, Sb<"Learned_Route">>;
  readonly transitSwitchByName: Index<string, IcNb<"Transit_Switch">>;
  readonly transitSwitchOfPort: Index<string, IcNb<"Transit_Switch">>;
  readonly transitRouterOfPort: Index<string, IcNb<"Transit_Router">>;
  /** Ports that IC-NB itself has, by transit switch and name. */
  readonly managedPort: Index<string, IcNb<"Transit_Switch_Port">>;
  readonly zoneByName: Index<string, IcSb<"Availability_Zone">>;
  readonly gatewayByName: Index<string, IcSb<"Gateway">>;
  readonly icEncapByAddress: Index<string, IcSb<"Encap">>;
  readonly icDatapathBySwitch: Index<string, IcSb<"Datapath_Binding">>;
  readonly icDatapathOfRouter: Index<string, IcSb<"Datapath_Binding">>;
  readonly icBindingByPort: Index<string, IcSb<"Port_Binding">>;
  readonly icDatapathByKey: Index<number, IcSb<"Datapath_Binding">>;
  readonly icBindingByKey: Index<string, IcSb<"Port_Binding">>;

  constructor(engine: Engine, { nb, sb, icNb, icSb }: Replicas) {
    this.engine = engine;
    this.nb = nb;
    this.sb = sb;
    this.icNb = icNb;
    this.icSb = icSb;
    const [n, s, w, m] = [nb.tables, sb.tables, icNb.tables, icSb.tables];
    this.switchByTransit = engine.index("switch of transit switch", n.Logical_Switch, (row) => some(row.other_config.get("interconn-ts")));
    this.switchOfPort = engine.index("switch of port", n.Logical_Switch, (row) => row.ports);
    this.switchPortByName = engine.index("switch port named", n.Logical_Switch_Port, (row) => [row.name]);
    this.routerOfPort = engine.index("router of port", n.Logical_Router, (row) => row.ports);
    this.routerPortByName = engine.index("router port named", n.Logical_Router_Port, (row) => [row.name]);
    this.routerOfRoute = engine.index("router of static route", n.Logical_Router, (row) => row.static_routes);
    this.routersOfBalancer = engine.index("routers of load balancer", n.Logical_Router, (row) => balancersOf(this, row));
    this.bindingByPort = engine.index("binding of port", s.Port_Binding, (row) => [row.logical_port]);
    this.chassisByName = engine.index("chassis named", s.Chassis, (row) => [row.name]);
    this.encapByAddress = engine.index("encap at", s.Encap, (row) => [`${row.type} ${row.ip}`]);
    this.datapathByNbUuid = engine.index("datapath of", s.Datapath_Binding, (row) => some(nbUuidOf(row)));
    this.learnedRoutesOf = engine.index("learned routes of", s.Learned_Route, (row) => [`${row.datapath} ${row.ip_prefix}`]);
    this.transitSwitchByName = engine.index("transit switch named", w.Transit_Switch, (row) => [row.name]);
    this.transitSwitchOfPort = engine.index("transit switch of port", w.Transit_Switch, (row) => row.ports);
    this.transitRouterOfPort = engine.index("transit router of port", w.Transit_Router, (row) => row.ports);
    this.managedPort = engine.index("transit switch port named", w.Transit_Switch_Port, (row) => {
      const transit = this.transitSwitchOfPort.first(row._uuid);
      return transit === undefined ? [] : [portKeyOf(transit.name, row.name)];
    });
    this.zoneByName = engine.index("zone named", m.Availability_Zone, (row) => [row.name]);
    this.gatewayByName = engine.index("gateway named", m.Gateway, (row) => [row.name]);
    this.icEncapByAddress = engine.index("gateway encap at", m.Encap, (row) => [`${row.type} ${row.ip}`]);
    this.icDatapathBySwitch = engine.index("datapath of transit switch", m.Datapath_Binding, (row) => (isRouterBinding(row) ? [] : [row.transit_switch]));
    this.icDatapathOfRouter = engine.index("datapath of transit router", m.Datapath_Binding, (row) => (isRouterBinding(row) ? some(row.nb_ic_uuid) : []));
    this.icBindingByPort = engine.index("binding of transit port", m.Port_Binding, (row) => [row.logical_port]);
    this.icDatapathByKey = engine.index("datapath with key", m.Datapath_Binding, (row) => [row.tunnel_key]);
    this.icBindingByKey = engine.index("binding with key", m.Port_Binding, (row) => [`${row.transit_switch} ${row.tunnel_key}`]);
  }

  toString(): string {
    return "zone";
  }
}

/** Names of ports are unique in IC-SB; the key also says where the port is, so that one that moves is made anew. */
export const portKeyOf = (transitSwitch: string, port: string): string => `${transitSwitch} ${port}`;

const some = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

function* balancersOf(zone: Zone, router: Nb<"Logical_Router">): Iterable<string> {
  yield* router.load_balancer;
  for (const group of router.load_balancer_group) yield* zone.nb.tables.Load_Balancer_Group.get(group)?.load_balancer ?? [];
}

/** The switch or router in NB that a datapath is made of; before 25.09 it stands among the external ids. */
export const nbUuidOf = (row: Sb<"Datapath_Binding">): string | undefined =>
  row.nb_uuid ?? row.external_ids.get("logical-switch") ?? row.external_ids.get("logical-router");

const globalOf = derived("NB_Global", (zone: Zone): Nb<"NB_Global"> | undefined => {
  for (const row of zone.nb.tables.NB_Global) return row;
  return undefined;
});

/** NB_Global.name; a zone without a name takes no part. */
export const zoneName = derived("zone name", (zone: Zone): string => globalOf(zone)?.name ?? "");

const noOptions: ReadonlyMap<string, string> = new Map();

export const zoneOptions = derived("NB_Global options", (zone: Zone): ReadonlyMap<string, string> => globalOf(zone)?.options ?? noOptions);

export const interconnectOptions = derived("IC_NB_Global options", (zone: Zone): ReadonlyMap<string, string> => {
  for (const row of zone.icNb.tables.IC_NB_Global) return row.options;
  return noOptions;
});

/** Whether a transit datapath has the key. Not tracked: asked when one is to be given out. */
export const isDatapathKeyUsed = (zone: Zone) => (key: number): boolean => untracked(() => zone.icDatapathByKey.first(key)) !== undefined;

/** Whether a port on the transit switch or router has the key. Not tracked. */
export const isPortKeyUsed = (zone: Zone, transit: string) => (key: number): boolean => untracked(() => zone.icBindingByKey.first(`${transit} ${key}`)) !== undefined;

export const isOwn = (zone: Zone, row: { readonly availability_zone: Uuid<"Availability_Zone"> }): boolean => row.availability_zone === zone.self.get();
