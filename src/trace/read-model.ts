/** The model of a trace from a replica of the southbound database, as it is at this moment. */
import { addressConstants, type GenericOption, type IntegerConstant, type OptionTable, type Pipeline } from "../logical/index.ts";
import { type Ipv4, type Ipv6, type Mac, parseIpv4, parseIpv6, parseMac } from "../net/index.ts";
import type { Replica, RowOf } from "../ovsdb/index.ts";
import type { southbound } from "../schemas/index.ts";
import { shortenUuid } from "./friendly-names.ts";
import { mappedIpv4, type MulticastGroup, type PortSecurity, type TraceDatapath, type TraceFlow, type TraceModel, type TracePort } from "./model.ts";

type Southbound = typeof southbound;
type Tables = Replica<Southbound>["tables"];

/** The tables that a trace reads. */
export const tracedTables = [
  "Datapath_Binding", "Port_Binding", "Multicast_Group", "Address_Set", "Port_Group", "Logical_Flow", "Logical_DP_Group",
  "DHCP_Options", "DHCPv6_Options", "MAC_Binding", "FDB", "Load_Balancer",
] as const;

export interface ReadOptions {
  readonly friendlyNames: boolean;
  warn(text: string): void;
}

export function readModel(tables: Tables, options: ReadOptions): TraceModel {
  const datapaths = new Map<string, Datapath>();
  for (const row of tables.Datapath_Binding) datapaths.set(row._uuid, new Datapath(row, options));
  const ports = readPorts(tables, datapaths, options);
  readGroups(tables, datapaths, ports, options);
  readFlows(tables, datapaths, options);
  readLearned(tables, datapaths, ports, options);
  const addressSets = new Map<string, readonly IntegerConstant[]>();
  const rowsOfSets = new Map([...tables.Address_Set].map((row) => [row.name, row]));
  const groups = new Map([...tables.Port_Group].map((row) => [row.name, row]));
  return {
    datapaths, ports,
    addressSet(name) {
      let constants = addressSets.get(name);
      const row = rowsOfSets.get(name);
      if (constants === undefined && row !== undefined) addressSets.set(name, (constants = addressConstants(row.addresses)));
      return constants;
    },
    portGroup(name) {
      const row = groups.get(name);
      return row === undefined ? undefined : [...row.ports];
    },
    dhcpOptions: readOptions(tables.DHCP_Options),
    dhcpv6Options: readOptions(tables.DHCPv6_Options),
    vips: [...tables.Load_Balancer].flatMap((row) => [...row.vips.keys()]),
  };
}

const readOptions = (rows: Iterable<GenericOption>): OptionTable =>
  new Map([...rows].map(({ name, code, type }) => [name, { name, code, type }]));

class Datapath implements TraceDatapath {
  readonly uuid: string;
  readonly northboundUuid: string;
  readonly name: string;
  readonly name2: string | undefined;
  readonly friendlyName: string;
  readonly tunnelKey: number;
  readonly transitSwitch: string | undefined;
  readonly groups: MulticastGroup[] = [];
  readonly portsByKey = new Map<number, TracePort>();
  hasLocalGateway = false;
  readonly #tables = new Map<string, TraceFlow[]>();
  readonly #bindings = new Map<string, Mac[]>();
  readonly #fdb = new Map<bigint, number>();

  constructor(row: RowOf<Southbound, "Datapath_Binding">, { friendlyNames }: ReadOptions) {
    const ids = row.external_ids;
    this.uuid = row._uuid;
    this.northboundUuid = row.nb_uuid ?? ids.get("logical-switch") ?? ids.get("logical-router") ?? row._uuid;
    this.name = ids.get("name") ?? this.northboundUuid;
    this.name2 = ids.get("name2");
    this.friendlyName = friendlyNames ? shortenUuid(this.name2 ?? this.name) : this.northboundUuid;
    this.tunnelKey = row.tunnel_key;
    this.transitSwitch = ids.get("interconn-ts");
  }

  flows(pipeline: Pipeline, table: number): readonly TraceFlow[] {
    return this.#tables.get(`${pipeline}/${table}`) ?? [];
  }

  macBinding(port: number, ip: bigint): readonly Mac[] {
    return this.#bindings.get(`${port}/${ip}`) ?? [];
  }

  fdb(mac: bigint): number | undefined {
    return this.#fdb.get(mac);
  }

  addFlow(flow: TraceFlow): void {
    const key = `${flow.pipeline}/${flow.table}`;
    const flows = this.#tables.get(key);
    if (flows === undefined) this.#tables.set(key, [flow]);
    else flows.push(flow);
  }

  sortFlows(): void {
    for (const flows of this.#tables.values()) flows.sort((a, b) => b.priority - a.priority);
  }

  addBinding(port: number, ip: bigint, mac: Mac): void {
    const key = `${port}/${ip}`;
    this.#bindings.set(key, [...(this.#bindings.get(key) ?? []), mac]);
  }

  addFdb(mac: Mac, port: number): void {
    this.#fdb.set(BigInt(mac), port);
  }
}

interface PortUnderWay extends TracePort {
  peer: TracePort | undefined;
  distributedPort: TracePort | undefined;
}

function readPorts(tables: Tables, datapaths: ReadonlyMap<string, Datapath>, { friendlyNames, warn }: ReadOptions): ReadonlyMap<string, TracePort> {
  const ports = new Map<string, PortUnderWay>();
  const rows = [...tables.Port_Binding];
  for (const row of rows) {
    const datapath = datapaths.get(row.datapath);
    if (datapath === undefined) {
      warn(`logical port ${row.logical_port} missing datapath`);
      continue;
    }
    const name2 = row.external_ids.get("name");
    const port: PortUnderWay = {
      datapath, uuid: row._uuid, name: row.logical_port, name2, friendlyName: friendlyNames ? shortenUuid(name2 ?? row.logical_port) : row.logical_port,
      type: row.type, tunnelKey: row.tunnel_key, peer: undefined, distributedPort: undefined, portSecurity: readPortSecurity(row.port_security, warn),
    };
    ports.set(port.name, port);
    datapath.portsByKey.set(port.tunnelKey, port);
    // All gateways are taken to be at home.
    if (row.type === "l3gateway") datapath.hasLocalGateway = true;
  }
  for (const row of rows) {
    const port = ports.get(row.logical_port);
    if (port === undefined) continue;
    const peer = row.type === "patch" || row.type === "l3gateway" ? ports.get(row.options.get("peer") ?? "") : undefined;
    if (peer !== undefined) {
      port.peer = peer;
      peer.peer ??= port;
    }
    const distributed = row.type === "chassisredirect" ? ports.get(row.options.get("distributed-port") ?? "") : undefined;
    if (distributed?.datapath === port.datapath) port.distributedPort = distributed;
  }
  return ports;
}

/** `MAC [IP[/LENGTH]...]`. */
function readPortSecurity(texts: Iterable<string>, warn: (text: string) => void): PortSecurity[] {
  const entries: PortSecurity[] = [];
  for (const text of texts) {
    const [first = "", ...rest] = text.trim().split(/\s+/);
    const mac = parseMac(first);
    if (mac === undefined) {
      warn(`invalid syntax '${text}' in port security. No MAC address found`);
      continue;
    }
    const addresses = rest.map((part) => part.split("/")[0] ?? "");
    const ipv4s = addresses.map(parseIpv4).filter((ip): ip is Ipv4 => ip !== undefined);
    const ipv6s = addresses.map(parseIpv6).filter((ip): ip is Ipv6 => ip !== undefined);
    entries.push({ mac, ipv4s, ipv6s });
  }
  return entries;
}

function readGroups(tables: Tables, datapaths: ReadonlyMap<string, Datapath>, ports: ReadonlyMap<string, TracePort>, { warn }: ReadOptions): void {
  for (const row of tables.Multicast_Group) {
    const datapath = datapaths.get(row.datapath);
    if (datapath === undefined) {
      warn(`logical multicast group ${row.name} missing datapath`);
      continue;
    }
    const members: TracePort[] = [];
    for (const uuid of row.ports) {
      const name = tables.Port_Binding.get(uuid)?.logical_port ?? "";
      const port = ports.get(name);
      if (port === undefined) warn(`missing port ${name}`);
      else if (port.datapath === datapath) members.push(port);
      else warn(`multicast group ${row.name} in datapath ${datapath.name} contains port ${name} outside that datapath`);
    }
    members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    datapath.groups.push({ name: row.name, tunnelKey: row.tunnel_key, ports: members });
  }
}

function readFlows(tables: Tables, datapaths: ReadonlyMap<string, Datapath>, { warn }: ReadOptions): void {
  for (const row of tables.Logical_Flow) {
    const flow: TraceFlow = {
      uuid: row._uuid, pipeline: row.pipeline === "ingress" ? "ingress" : "egress", table: row.table_id, priority: row.priority,
      match: row.match, actions: row.actions, stageName: row.external_ids.get("stage-name"), source: row.external_ids.get("source"),
    };
    const group = tables.Logical_DP_Group.get(row.logical_dp_group);
    const uuids = [...(row.logical_datapath === undefined ? [] : [row.logical_datapath]), ...(group?.datapaths ?? [])];
    if (uuids.length === 0) warn("logical flow missing datapath");
    for (const uuid of uuids) datapaths.get(uuid)?.addFlow(flow);
  }
  for (const datapath of datapaths.values()) datapath.sortFlows();
}

function readLearned(tables: Tables, datapaths: ReadonlyMap<string, Datapath>, ports: ReadonlyMap<string, TracePort>, { warn }: ReadOptions): void {
  for (const row of tables.MAC_Binding) {
    const port = ports.get(row.logical_port);
    const datapath = datapaths.get(row.datapath);
    const ipv4 = parseIpv4(row.ip);
    const ip = ipv4 === undefined ? parseIpv6(row.ip) : mappedIpv4(BigInt(ipv4));
    const mac = parseMac(row.mac);
    if (port === undefined) warn(`missing port ${row.logical_port}`);
    else if (port.datapath !== datapath) warn(`port ${row.logical_port} is in wrong datapath`);
    else if (ip === undefined) warn(`${row.ip}: bad IP address`);
    else if (mac === undefined) warn(`${row.mac}: bad Ethernet address`);
    else datapath.addBinding(port.tunnelKey, ip, mac);
  }
  const byKey = new Map([...datapaths.values()].map((datapath) => [datapath.tunnelKey, datapath]));
  for (const row of tables.FDB) {
    const mac = parseMac(row.mac);
    if (mac === undefined) warn(`${row.mac}: bad Ethernet address`);
    else byKey.get(row.dp_key)?.addFdb(mac, row.port_key);
  }
}
