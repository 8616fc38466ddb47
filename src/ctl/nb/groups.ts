/** Groups of ports and of chassis: pg-*, ha-chassis-group-*. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, getNamed, type Nb, type NbContext, type NbRow, parsePriority } from "./find.ts";

const portReads = ["Port_Group:name,ports", "Logical_Switch_Port:name"];

export const portGroupCommands: readonly Command<Nb>[] = commands<Nb>("Port groups", [
  {
    name: "pg-add", usage: "PORT_GROUP [PORT]...", minArgs: 1, maxArgs: Infinity, options: "", help: "create a port group", writes: true, reads: portReads,
    run(context) {
      context.db.insert("Port_Group", { name: argument(context, 0), ports: portsOf(context) });
    },
  },
  {
    name: "pg-set-ports", usage: "PORT_GROUP PORT...", minArgs: 2, maxArgs: Infinity, options: "", help: "say which ports are in a group", writes: true, reads: portReads,
    run(context) {
      const group = getNamed(context, "Port_Group", argument(context, 0));
      context.db.update(group, { ports: portsOf(context) });
    },
  },
  {
    name: "pg-del", usage: "PORT_GROUP", minArgs: 1, maxArgs: 1, options: "", help: "delete a port group", writes: true, reads: ["Port_Group:name"],
    run: (context) => context.db.delete(getNamed(context, "Port_Group", argument(context, 0))),
  },
  {
    name: "pg-get-ports", usage: "PORT_GROUP", minArgs: 1, maxArgs: 1, options: "", help: "print the ports of a group", writes: false, reads: portReads,
    run(context) {
      const group = getNamed(context, "Port_Group", argument(context, 0));
      const names = context.db.those("Logical_Switch_Port", group.ports).map((port) => port.name).sort();
      context.output = names.length === 0 ? "" : `${names.join(" ")}\n`;
    },
  },
]);

const portsOf = (context: NbContext): NbRow<"Logical_Switch_Port">["_uuid"][] =>
  context.args.slice(1).map((name) => getNamed(context, "Logical_Switch_Port", name)._uuid);

const chassisReads = ["HA_Chassis_Group", "HA_Chassis"];
const groupOf = (context: NbContext): NbRow<"HA_Chassis_Group"> => getNamed(context, "HA_Chassis_Group", argument(context, 0));

export const chassisGroupCommands: readonly Command<Nb>[] = commands<Nb>("Chassis groups", [
  {
    name: "ha-chassis-group-add", usage: "GROUP", minArgs: 1, maxArgs: 1, options: "", help: "create a group of chassis", writes: true, reads: [],
    run: (context) => void context.db.insert("HA_Chassis_Group", { name: argument(context, 0) }),
  },
  {
    name: "ha-chassis-group-del", usage: "GROUP", minArgs: 1, maxArgs: 1, options: "", help: "delete a group", writes: true, reads: ["HA_Chassis_Group:name"],
    run: (context) => context.db.delete(groupOf(context)),
  },
  {
    name: "ha-chassis-group-list", usage: "[GROUP]", minArgs: 0, maxArgs: 1, options: "", help: "print groups with their chassis", writes: false, reads: chassisReads,
    run(context) {
      const { db } = context;
      const groups = context.args.length === 0 ? db.rows("HA_Chassis_Group") : [groupOf(context)];
      for (const group of groups) {
        const chassis = [...db.those("HA_Chassis", group.ha_chassis)].sort((a, b) => compareText(a.chassis_name, b.chassis_name));
        const lines = chassis.map((c) => `    ${c._uuid} (${c.chassis_name})\n    priority ${c.priority}\n\n`);
        context.output += `${group._uuid} (${group.name})\n${lines.join("")}\n`;
      }
    },
  },
  {
    name: "ha-chassis-group-add-chassis", usage: "GROUP CHASSIS PRIORITY", minArgs: 3, maxArgs: 3, options: "", help: "add a chassis, or change its priority",
    writes: true, reads: chassisReads,
    run(context) {
      const { db } = context;
      const group = groupOf(context);
      const priority = parsePriority(argument(context, 2));
      const existing = memberOf(context, group);
      if (existing !== undefined) {
        db.update(existing, { priority });
        return;
      }
      db.add(group, "ha_chassis", db.insert("HA_Chassis", { chassis_name: argument(context, 1), priority })._uuid);
    },
  },
  {
    name: "ha-chassis-group-remove-chassis", usage: "GROUP CHASSIS", minArgs: 2, maxArgs: 2, options: "", help: "take a chassis out", writes: true, reads: chassisReads,
    run(context) {
      const group = groupOf(context);
      context.db.remove(group, "ha_chassis", (memberOf(context, group) ?? noMember(context))._uuid);
    },
  },
  {
    name: "ha-chassis-group-set-chassis-prio", usage: "GROUP CHASSIS PRIORITY", minArgs: 3, maxArgs: 3, options: "", help: "change a chassis' priority", writes: true,
    reads: chassisReads,
    run(context) {
      const group = groupOf(context);
      const priority = parsePriority(argument(context, 2));
      context.db.update(memberOf(context, group) ?? noMember(context), { priority });
    },
  },
]);

const memberOf = ({ db, args }: NbContext, group: NbRow<"HA_Chassis_Group">): NbRow<"HA_Chassis"> | undefined =>
  db.those("HA_Chassis", group.ha_chassis).find((row) => row.chassis_name === args[1]);

const noMember = (context: NbContext): never => fail(`${argument(context, 1)}: ha chassis not found in ${argument(context, 0)} ha chassis group`);
