/** `ovn-nbctl show`: switches and routers with their ports, and how `init` and `sync` do nothing by themselves. */
import { type Command, commands } from "../command.ts";
import { compareText, findNamed, type Nb, type NbContext, type NbRow } from "./find.ts";

export const generalCommands: readonly Command<Nb>[] = commands<Nb>("General", [
  { name: "init", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "set the database up, if that has not been done", writes: true, reads: [], run: () => undefined },
  {
    name: "sync", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "with --wait: wait for earlier changes too", writes: false, forcesWait: true,
    reads: [], run: () => undefined,
  },
  {
    name: "show", usage: "[SWITCH]", minArgs: 0, maxArgs: 1, options: "", help: "print switches and routers, or one of them", writes: false,
    reads: [
      "Logical_Switch:name,external_ids,ports",
      "Logical_Switch_Port:name,external_ids,type,parent_name,peer,tag,addresses,options",
      "Logical_Router:name,external_ids,ports,nat",
      "Logical_Router_Port:name,mac,networks,options,gateway_chassis,peer",
      "Gateway_Chassis:name,chassis_name,priority",
      "NAT:external_ip,external_port_range,logical_ip,type",
    ],
    run: show,
  },
]);

function show(context: NbContext): void {
  const { db, args } = context;
  const [given] = args;
  const switches = given === undefined ? db.rows("Logical_Switch") : [findNamed(context, "Logical_Switch", given)];
  for (const row of switches) if (row !== undefined) context.output += showSwitch(context, row);
  const routers = given === undefined ? db.rows("Logical_Router") : [findNamed(context, "Logical_Router", given)];
  for (const row of routers) if (row !== undefined) context.output += showRouter(context, row);
}

const alias = (externalIds: ReadonlyMap<string, string>, key: string): string => {
  const name = externalIds.get(key);
  return name === undefined || name === "" ? "" : ` (aka ${name})`;
};
const quotedList = (items: Iterable<string>): string => `[${[...items].map((item) => `"${item}"`).join(", ")}]`;
const line = (label: string, value: string | number | undefined): string => (value === undefined || value === "" ? "" : `        ${label}: ${value}\n`);

function showSwitch({ db }: NbContext, row: NbRow<"Logical_Switch">): string {
  const ports = byName(db.those("Logical_Switch_Port", row.ports)).map((port) => {
    // A single "router" only says that the addresses are the router port's.
    const shown = port.addresses.size > 0 && !(port.addresses.size === 1 && port.addresses.has("router"));
    return (
      `    port ${port.name}${alias(port.external_ids, "neutron:port_name")}\n` +
      line("type", port.type) +
      line("parent", port.parent_name) +
      line("tag", port.tag) +
      (shown ? line("addresses", quotedList(port.addresses)) : "") +
      line("router-port", port.options.get("router-port")) +
      line("peer", port.peer)
    );
  });
  return `switch ${row._uuid} (${row.name})${alias(row.external_ids, "neutron:network_name")}\n${ports.join("")}`;
}

/** Newer releases (24.09 on) also print each port's IPv6 link-local address; what was written about OVN, and Debian's release, do not, and neither does this. */
function showRouter({ db }: NbContext, row: NbRow<"Logical_Router">): string {
  const ports = byName(db.those("Logical_Router_Port", row.ports)).map((port) => {
    const chassis = byPriority(db.those("Gateway_Chassis", port.gateway_chassis)).map((c) => c.chassis_name);
    return (
      `    port ${port.name}\n` +
      line("mac", `"${port.mac}"`) +
      (port.networks.size > 0 ? line("networks", quotedList(port.networks)) : "") +
      line("route-table", port.options.get("route_table")) +
      (chassis.length > 0 ? line("gateway chassis", `[${chassis.join(" ")}]`) : "") +
      line("peer", port.peer)
    );
  });
  const nats = [...db.those("NAT", row.nat)].sort((a, b) => compareText(a.external_ip, b.external_ip) || compareText(a.type, b.type)).map(
    (nat) =>
      `    nat ${nat._uuid}\n` +
      line("external ip", `"${nat.external_ip}"`) +
      (nat.external_port_range === "" ? "" : line("external port(s)", `"${nat.external_port_range}"`)) +
      line("logical ip", `"${nat.logical_ip}"`) +
      line("type", `"${nat.type}"`),
  );
  return `router ${row._uuid} (${row.name})${alias(row.external_ids, "neutron:router_name")}\n${ports.join("")}${nats.join("")}`;
}

const byName = <R extends { readonly name: string }>(rows: readonly R[]): readonly R[] => [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The one that is to be active first. */
export const byPriority = <R extends { readonly name: string; readonly priority: number }>(rows: readonly R[]): readonly R[] =>
  [...rows].sort((a, b) => b.priority - a.priority || (a.name < b.name ? 1 : -1));
