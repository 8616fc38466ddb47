/** Which chassis may be the gateway of a router port, in order of priority: lrp-*-gateway-chassis. */
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { getNamed, type Nb, type NbContext, type NbRow, parsePriority } from "./find.ts";
import { byPriority } from "./show.ts";

type Port = NbRow<"Logical_Router_Port">;
const portOf = (context: NbContext): Port => getNamed(context, "Logical_Router_Port", argument(context, 0));

export const gatewayChassisCommands: readonly Command<Nb>[] = commands<Nb>("Gateway chassis", [
  {
    name: "lrp-set-gateway-chassis", usage: "PORT CHASSIS [PRIORITY]", minArgs: 2, maxArgs: 3, options: "--may-exist", help: "let a chassis be a port's gateway",
    writes: true, reads: ["Logical_Router_Port:name,gateway_chassis", "Gateway_Chassis:name,priority,chassis_name"], run: set,
  },
  {
    name: "lrp-del-gateway-chassis", usage: "PORT CHASSIS", minArgs: 2, maxArgs: 2, options: "", help: "let a chassis be a port's gateway no longer",
    writes: true, reads: ["Logical_Router_Port:name,gateway_chassis", "Gateway_Chassis:chassis_name"],
    run(context) {
      const { db } = context;
      const port = portOf(context);
      const chassis = argument(context, 1);
      const row = db.those("Gateway_Chassis", port.gateway_chassis).find((r) => chassis.startsWith(r.chassis_name));
      if (row === undefined) fail(`chassis ${chassis} is not added to logical port ${argument(context, 0)}`);
      db.remove(port, "gateway_chassis", row._uuid);
      db.delete(row);
    },
  },
  {
    name: "lrp-get-gateway-chassis", usage: "PORT", minArgs: 1, maxArgs: 1, options: "", help: "print a port's gateways",
    writes: false, reads: ["Logical_Router_Port:name,gateway_chassis", "Gateway_Chassis:name,priority"],
    run(context) {
      const rows = byPriority(context.db.those("Gateway_Chassis", portOf(context).gateway_chassis));
      context.output = rows.map((row) => `${row.name} ${String(row.priority).padStart(5)}\n`).join("");
    },
  },
]);

function set(context: NbContext): void {
  const { db } = context;
  const [portName = "", chassis = "", priorityText] = context.args;
  const port = portOf(context);
  const priority = priorityText === undefined ? 0 : parsePriority(priorityText);
  const existing =
    db.those("Gateway_Chassis", port.gateway_chassis).find((row) => row.chassis_name === chassis) ??
    (isUuid(chassis) ? db.row("Gateway_Chassis", chassis.toLowerCase()) : undefined);
  const row = existing ?? db.insert("Gateway_Chassis", { name: `${portName}-${chassis}`, chassis_name: chassis });
  db.update(row, { priority });
  db.add(port, "gateway_chassis", row._uuid);
}
