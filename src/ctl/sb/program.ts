/** ovn-sbctl: the southbound database of one zone (ovn-sbctl(8)). */
import { southbound } from "../../schemas/index.ts";
import { commands } from "../command.ts";
import { connectionCommands, type ConnectionPlace, sslCommands } from "../connections.ts";
import type { CtlProgram } from "../ctl-program.ts";
import type { RowNames } from "../record.ts";
import { chassisCommands, datapathNames, type Sb } from "./chassis.ts";
import { logicalFlowCommands } from "./logical-flows.ts";

const connections: ConnectionPlace = { noun: "connection", table: "Connection", owner: "SB_Global", column: "connections", sslArgs: 6, roles: true };

const rowNames: RowNames = {
  ...datapathNames,
  Chassis: [{ column: "name" }],
  Chassis_Private: [{ column: "name" }],
  Port_Binding: [{ column: "logical_port" }, { column: "external_ids", key: "name" }],
  MAC_Binding: [{ column: "logical_port" }],
  Address_Set: [{ column: "name" }],
  Port_Group: [{ column: "name" }],
  HA_Chassis_Group: [{ column: "name" }],
  Mirror: [{ column: "name" }],
  Meter: [{ column: "name" }],
  Service_Monitor: [{ column: "logical_port" }],
  DHCP_Options: [{ column: "name" }],
  DHCPv6_Options: [{ column: "name" }],
  Connection: [{ column: "target" }],
  RBAC_Role: [{ column: "name" }],
  RBAC_Permission: [{ column: "table" }],
  Gateway_Chassis: [{ column: "name" }],
  Load_Balancer: [{ column: "name" }],
  Chassis_Template_Var: [{ column: "chassis" }],
};

export const sbctl: CtlProgram<Sb> = {
  name: "ovn-sbctl",
  family: "ovn",
  logModule: "sbctl",
  database: southbound,
  purpose: "manages the southbound database of a zone",
  defaultRemote: (environment, folders) => environment.variable("OVN_SB_DB") ?? `unix:${folders.ovnRun}/ovnsb_db.sock`,
  optionsVariable: "OVN_SBCTL_OPTIONS",
  daemonVariable: "OVN_SB_DAEMON",
  globalTable: "SB_Global",
  rowNames,
  show: [
    {
      table: "Chassis", name: "name", columns: ["hostname", "encaps"],
      referrer: { table: "Port_Binding", name: "logical_port", reference: "chassis" },
    },
    { table: "Encap", name: "type", columns: ["ip", "options"] },
  ],
  commands: [
    ...commands<Sb>("General", [
      { name: "init", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "set the database up, if that has not been done", writes: true, reads: [], run: () => undefined },
    ]),
    ...chassisCommands, ...logicalFlowCommands, ...connectionCommands<Sb>(connections), ...sslCommands<Sb>(connections),
  ],
};
