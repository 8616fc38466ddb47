/**
 * A southbound database as sorted lines of text in which two northds that did the same agree: UUIDs become names, and numbers
 * that are anybody's choice (tunnel keys nobody asked for, numbers of ECMP groups and their members) become what they stand for.
 */
export type Row = { readonly [column: string]: unknown };
export type Dump = { readonly [table: string]: readonly Row[] };

const uuidOf = (value: unknown): string | undefined => (Array.isArray(value) && value[0] === "uuid" ? String(value[1]) : undefined);
const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) && value[0] === "set" ? (value[1] as unknown[]) : [value]);
const mapOf = (value: unknown): { readonly [key: string]: string } =>
  Array.isArray(value) && value[0] === "map" ? Object.fromEntries(value[1] as [string, string][]) : {};
const rowsOf = (dump: Dump, table: string): readonly Row[] => dump[table] ?? [];

const namers: { readonly [table: string]: (row: Row) => string } = {
  Datapath_Binding: (row) => mapOf(row["external_ids"])["name"] ?? "?",
  Port_Binding: (row) => String(row["logical_port"]),
  Chassis: (row) => String(row["name"]),
  HA_Chassis_Group: (row) => String(row["name"]),
  HA_Chassis: (row) => mapOf(row["external_ids"])["chassis-name"] ?? "?",
  Encap: (row) => String(row["ip"]),
  RBAC_Permission: (row) => String(row["table"]),
  Meter_Band: (row) => `${String(row["rate"])}/${String(row["burst_size"])}`,
};

const ignoredTables = new Set(["Logical_Flow", "Logical_DP_Group", "Connection", "SSL", "Encap", "Chassis", "Chassis_Private"]);
const ignoredColumns = new Set(["_uuid", "_version", "nb_cfg_timestamp", "sb_cfg_timestamp", "hv_cfg_timestamp"]);

export function normalizeSouthbound(dump: Dump): string[] {
  const names = new Map<string, string>();
  for (const [table, name] of Object.entries(namers)) for (const row of rowsOf(dump, table)) names.set(uuidOf(row["_uuid"]) ?? "", name(row));
  for (const row of rowsOf(dump, "Logical_DP_Group")) names.set(uuidOf(row["_uuid"]) ?? "", itemsOf(row["datapaths"]).map((d) => names.get(uuidOf(d) ?? "") ?? "?").sort().join("+"));
  const datapathByKey = new Map(rowsOf(dump, "Datapath_Binding").map((row) => [String(row["tunnel_key"]), namers["Datapath_Binding"]?.(row) ?? "?"]));
  const lines = [...flowLines(dump, names, datapathByKey)];
  for (const [table, rows] of Object.entries(dump)) {
    if (ignoredTables.has(table)) continue;
    for (const row of rows) lines.push(`${table} ${JSON.stringify(plainRow(table, row, names, datapathByKey))}`);
  }
  return lines.sort();
}

function plainRow(table: string, row: Row, names: ReadonlyMap<string, string>, datapathByKey: ReadonlyMap<string, string>): Row {
  const result: { [column: string]: unknown } = {};
  for (const [column, value] of Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (ignoredColumns.has(column)) continue;
    // Keys are given out in any order; those of datapaths from 90 on were asked for.
    const isChosen = column === "tunnel_key" && (table === "Port_Binding" || (table === "Datapath_Binding" && Number(value) < 90));
    result[column] = isChosen ? "any" : column === "nb_uuid" ? value : plain(value, names);
  }
  // So are those of groups that somebody has joined.
  if (table === "Multicast_Group" && Number(row["tunnel_key"]) > 32772) result["tunnel_key"] = "any";
  // So are the numbers of BFD sessions.
  if (table === "BFD") Object.assign(result, { disc: "any", src_port: "any" });
  // So are queues.
  if (table === "Port_Binding") result["options"] = JSON.stringify(result["options"]).replace(/(qdisc_queue_id[\\", ]+)\d+/, "$1any");
  // And VIPs stand behind the MAC in any order.
  const natAddresses = row["nat_addresses"];
  if (natAddresses !== undefined) result["nat_addresses"] = typeof natAddresses === "string" ? addressesInOrder(natAddresses) : itemsOf(natAddresses).map((a) => JSON.stringify(addressesInOrder(String(a)))).sort();
  if (table === "ACL_ID") Object.assign(result, { of: uuidOf(row["_uuid"]), id: "any" });
  if (table === "Address_Set") result["name"] = vipSetName(String(row["name"]), datapathByKey);
  if (table === "Port_Group") result["name"] = String(row["name"]).replace(/^\d+/, (key) => datapathByKey.get(key) ?? key);
  return result;
}

function addressesInOrder(text: string): string {
  const [addresses = "", condition] = text.split(/ (?=is_chassis_resident)/);
  const [mac, ...ips] = addresses.split(" ");
  return [mac, ...ips.sort(), ...(condition === undefined ? [] : [condition])].join(" ");
}

/**
 * Next hops and MACs that a match names in any order; and the port by which distributed translations leave where another one has redirect-type=bridged: of
 * several gateway ports the one that comes first in memory.
 */
export const inOrder = (line: string): string =>
  line.replace(/^(\S+ lr_in_arp_resolve ingress \d+ 90 outport == )"[^"]*"(?= && ip[46]\.src == )/, "$1any").replace(/((?:reg0|eth\.src) == )\{([^}]*)\}/g, (_, start: string, items: string) => `${start}{${items.split(", ").sort().join(", ")}}`);

/** Sets of a router's VIPs are called for its key. */
const vipSetName = (text: string, datapathByKey: ReadonlyMap<string, string>): string =>
  text.replace(/_rtr_lb_(\d+)_/, (_, key: string) => `_rtr_lb_${datapathByKey.get(key) ?? key}_`);

function plain(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (!Array.isArray(value)) return value;
  const [kind, content] = value as [string, unknown];
  if (kind === "uuid") return names.get(String(content)) ?? String(content);
  const items = (content as unknown[]).map((item) => (kind === "map" ? (item as unknown[]).map((v) => plain(v, names)) : plain(item, names)));
  return items.map((item) => JSON.stringify(item)).sort();
}

/** A flow that OVN's northd makes of what is not there. */
export function isAccident(flow: Row): boolean {
  const [match, actions] = [String(flow["match"]), String(flow["actions"])];
  // As printf prints it.
  if (match.includes("(null)") || actions.includes("(null)")) return true;
  // Of a port without any MAC it takes what happens to be in memory.
  return actions.includes("DHCP_RELAY_REQ") && mapOf(flow["external_ids"])["stage-name"] === "ls_in_l2_lkup" && !/eth\.src == (..:){5}.. /.test(match);
}

/** A flow with a number, an order or a port in it that another northd may choose otherwise, and the same one when it starts anew. */
export function isChoice(flow: Row): boolean {
  const [match, actions, stage] = [String(flow["match"]), String(flow["actions"]), mapOf(flow["external_ids"])["stage-name"] ?? ""];
  return /(eth\.src|reg0) == \{|reg7 |reg8\[|reg9\[16\.\.31\]/.test(match + actions) || (stage === "lr_in_arp_resolve" && flow["priority"] === 90 && / && ip[46]\.src == /.test(match));
}

function* flowLines(dump: Dump, names: ReadonlyMap<string, string>, datapathByKey: ReadonlyMap<string, string>): Iterable<string> {
  const lists = new Map(rowsOf(dump, "ACL_ID").map((row) => [String(row["id"]), uuidOf(row["_uuid"]) ?? "?"]));
  const groups = new Map(rowsOf(dump, "Logical_DP_Group").map((row) => [uuidOf(row["_uuid"]), itemsOf(row["datapaths"]).map((d) => names.get(uuidOf(d) ?? "") ?? "?")]));
  const portNames = new Map(rowsOf(dump, "Port_Binding").map((row) => [`${names.get(uuidOf(row["datapath"]) ?? "")} ${String(row["tunnel_key"])}`, String(row["logical_port"])]));
  const flows = rowsOf(dump, "Logical_Flow").flatMap((row) => {
    const one = uuidOf(row["logical_datapath"]);
    const datapaths = one === undefined ? (groups.get(uuidOf(row["logical_dp_group"])) ?? ["?"]) : [names.get(one) ?? "?"];
    return datapaths.map((datapath) => ({ row, datapath, stage: mapOf(row["external_ids"])["stage-name"] ?? "?", match: String(row["match"]), actions: String(row["actions"]) }));
  });
  const hasOrder = routersAreOrdered(dump);
  const tables = hasOrder ? new Map<string, string>() : routeTableNames(flows);
  // An ECMP group is known by the traffic it is for.
  const ecmp = new Map<string, string>();
  for (const { datapath, stage, match, actions } of flows) {
    const id = /reg8\[0\.\.15\] = (\d+); reg8\[16\.\.31\] = /.exec(actions)?.[1];
    if ((stage === "lr_in_ip_routing" || stage === "lr_in_policy") && id !== undefined) ecmp.set(`${datapath} ${stage.slice(0, 8)} ${id}`, match.replace(/ && (tcp|udp|sctp)$/, ""));
  }
  for (const { row, datapath, stage, match, actions } of flows) {
    if (isAccident(row)) continue;
    const inAnyOrder = (text: string): string => text
      .replace(/(reg8\[0\.\.15\] ==? )([1-9]\d*)/g, (_, start: string, id: string) => `${start}<${ecmp.get(`${datapath} ${stage.slice(0, 8)} ${id}`) ?? id}>`)
      .replace(/(reg8\[16\.\.31\] == )\d+/g, "$1member")
      .replace(/(reg9\[16\.\.31\] ?==? ?)[1-9]\d*/g, "$1chain")
      .replace(/(reg7 ==? )([1-9]\d*)/g, (_, start: string, id: string) => `${start}<${tables.get(id) ?? id}>`);
    const named = (text: string): string => vipSetName(hasOrder ? text : inAnyOrder(text), datapathByKey)
      .replace(/(reg2\[16\.\.31\] = )(\d+)/, (_, start: string, id: string) => `${start}${lists.get(id) ?? id}`)
      .replace(/(ecmp_reply_port ==? )(\d+)/g, (_, start: string, key: string) => `${start}${portNames.get(`${datapath} ${key}`) ?? key}`)
      .replace(/set_queue\(\d+\)/, "set_queue(any)");
    yield inOrder(`${datapath} ${stage} ${String(row["pipeline"])} ${String(row["table_id"])} ${String(row["priority"])} ${named(match)} | ${named(actions)} | ${JSON.stringify(row["controller_meter"])} ${JSON.stringify(row["tags"])} ${JSON.stringify(row["flow_desc"])}`);
  }
}

/**
 * Route tables, ECMP groups and chains of policies are numbered in the order in which OVN's northd comes upon routers: by the low bits of their UUIDs
 * (src/northd/topology/route-order.ts). Where two routers, or two learned routes, have the same bits, it depends on random southbound UUIDs, and numbers
 * cannot be compared, but for what they stand for.
 */
function routersAreOrdered(dump: Dump): boolean {
  const routers = rowsOf(dump, "Datapath_Binding").filter((row) => row["type"] === "logical-router").map((row) => uuidOf(row["nb_uuid"]) ?? "");
  const learned = rowsOf(dump, "Learned_Route").map((row) => uuidOf(row["_uuid"]) ?? "");
  return haveOrder(routers) && haveOrder(learned);
}

function haveOrder(uuids: readonly string[]): boolean {
  const mask = uuids.length < 2 ? 0 : uuids.length < 8 ? 3 : 2 ** Math.floor(Math.log2(uuids.length)) - 1;
  return new Set(uuids.map((uuid) => Number.parseInt(uuid.slice(0, 8), 16) & mask)).size === uuids.length;
}

interface FlowOfDatapath {
  readonly datapath: string;
  readonly stage: string;
  readonly match: string;
  readonly actions: string;
}

/** A route table is known by the ports that choose it and the prefixes that are in it. */
function routeTableNames(flows: readonly FlowOfDatapath[]): ReadonlyMap<string, string> {
  const uses = new Map<string, string[]>();
  for (const { datapath, stage, match, actions } of flows) {
    const id = stage === "lr_in_ip_routing_pre" ? /reg7 = ([1-9]\d*)/.exec(actions)?.[1] : stage === "lr_in_ip_routing" ? /reg7 == ([1-9]\d*)/.exec(match)?.[1] : undefined;
    if (id === undefined || match.includes("ecmp_reply_port")) continue;
    const use = `${datapath} ${match.replace(/reg7 == \d+/, "")}`;
    uses.set(id, [...(uses.get(id) ?? []), use]);
  }
  return new Map([...uses].map(([id, of]) => [id, of.sort().join(", ")]));
}

const feedbackColumns: { readonly [table: string]: readonly string[] } = {
  BFD: ["logical_port", "dst_ip", "status"],
  Network_Function_Group: ["name", "network_function_active"],
  // Of a port whose packets are copied to another one OVN's northd says by turns whether itself is up, or the copy's port.
  Logical_Switch_Port: ["name", "up", "dynamic_addresses", "tag"],
  Logical_Router_Port: ["name", "status"],
  Logical_Switch_Port_Health_Check: ["address", "port", "protocol", "status"],
  NB_Global: ["options", "nb_cfg", "sb_cfg", "hv_cfg"],
};

/** What northd writes back to the northbound database. */
export function normalizeNorthbound(dump: Dump): string[] {
  return Object.entries(feedbackColumns).flatMap(([table, columns]) =>
    rowsOf(dump, table).map((row) => `NB ${table} ${JSON.stringify(columns.map((c) => (c === "up" && itemsOf(row["mirror_rules"]).some((m) => m !== undefined) ? "any" : plain(row[c], new Map()))))}`)).sort();
}
