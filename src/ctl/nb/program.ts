/** ovn-nbctl: the northbound database of one zone (ovn-nbctl(8)). */
import { counterLead, minCounter } from "../../ovsdb/index.ts";
import { northbound } from "../../schemas/index.ts";
import { connectionCommands, type ConnectionPlace, sslCommands } from "../connections.ts";
import type { CtlProgram, Waiting } from "../ctl-program.ts";
import type { RowNames } from "../record.ts";
import { aclCommands } from "./acls.ts";
import { dhcpOptionsCommands } from "./dhcp-options.ts";
import type { Nb } from "./find.ts";
import { gatewayChassisCommands } from "./gateway-chassis.ts";
import { chassisGroupCommands, portGroupCommands } from "./groups.ts";
import { healthCheckCommands } from "./health-checks.ts";
import { loadBalancerCommands } from "./load-balancers.ts";
import { mirrorCommands } from "./mirrors.ts";
import { natCommands } from "./nat.ts";
import { networkFunctionCommands, networkFunctionGroupCommands } from "./network-functions.ts";
import { policyCommands } from "./policies.ts";
import { protectionCommands } from "./protection.ts";
import { meterCommands, qosCommands } from "./qos.ts";
import { routerCommands, routerPortCommands } from "./routers.ts";
import { routeCommands } from "./routes.ts";
import { generalCommands } from "./show.ts";
import { forwardingGroupCommands, staticBindingCommands } from "./static-bindings.ts";
import { switchPortGetCommands, switchPortSetCommands } from "./switch-port-columns.ts";
import { switchPortCommands } from "./switch-ports.ts";
import { switchCommands } from "./switches.ts";

const connections: ConnectionPlace = { noun: "connection", table: "Connection", owner: "NB_Global", column: "connections", sslArgs: 6 };

const ofPort = (reference: string): RowNames[string] => [
  { column: "name", via: { table: "Logical_Switch_Port", reference } },
  { column: "external_ids", key: "neutron:port_name", via: { table: "Logical_Switch_Port", reference } },
];

const rowNames: RowNames = {
  DHCP_Options: [...(ofPort("dhcpv4_options") ?? []), ...(ofPort("dhcpv6_options") ?? [])],
  Logical_Switch: [{ column: "name" }, { column: "external_ids", key: "neutron:network_name" }],
  Logical_Switch_Port: [{ column: "name" }, { column: "external_ids", key: "neutron:port_name" }],
  Logical_Router: [{ column: "name" }, { column: "external_ids", key: "neutron:router_name" }],
  Logical_Router_Port: [{ column: "name" }],
  Address_Set: [{ column: "name" }],
  Port_Group: [{ column: "name" }],
  ACL: [{ column: "name" }],
  HA_Chassis: [{ column: "chassis_name" }],
  HA_Chassis_Group: [{ column: "name" }],
  Load_Balancer: [{ column: "name" }],
  Load_Balancer_Group: [{ column: "name" }],
  Load_Balancer_Health_Check: [{ column: "vip" }],
  Forwarding_Group: [{ column: "name" }],
  Meter: [{ column: "name" }],
  NAT: [{ column: "external_ip" }],
  Chassis_Template_Var: [{ column: "chassis" }],
  Connection: [{ column: "target" }],
};

/** A counter that has begun anew lies far behind what was waited for. */
const maxLead = 2 ** 31 - 1;

const waiting: Waiting<Nb> = {
  counter: "nb_cfg",
  reads: ["NB_Global:nb_cfg,sb_cfg,hv_cfg,nb_cfg_timestamp,sb_cfg_timestamp,hv_cfg_timestamp"],
  option: "kind",
  kinds: ["none", "sb", "hv"],
  reached(db, kind, goal, { startedAt, printTimes }) {
    const row = db.first("NB_Global");
    if (row === undefined) return undefined;
    const current = kind === "sb" ? row.sb_cfg : minCounter(row.sb_cfg, row.hv_cfg);
    if (current < goal || counterLead(current, goal) >= maxLead) return undefined;
    const took = (timestamp: number): string => `${timestamp - Math.floor(startedAt)}ms\n`;
    const times =
      `Time spent on processing nb_cfg ${goal}:\n` +
      `\tovn-northd delay before processing:\t${took(row.nb_cfg_timestamp)}` +
      `\tovn-northd completion:\t\t\t${took(row.sb_cfg_timestamp)}` +
      (kind === "hv" ? `\tovn-controller(s) completion:\t\t${took(row.hv_cfg_timestamp)}` : "");
    return { out: printTimes ? times : "", err: "", code: 0 };
  },
};

export const nbctl: CtlProgram<Nb> = {
  name: "ovn-nbctl",
  family: "ovn",
  logModule: "nbctl",
  database: northbound,
  purpose: "manages the northbound database of a zone",
  defaultRemote: (environment, folders) => environment.variable("OVN_NB_DB") ?? `unix:${folders.ovnRun}/ovnnb_db.sock`,
  optionsVariable: "OVN_NBCTL_OPTIONS",
  daemonVariable: "OVN_NB_DAEMON",
  globalTable: "NB_Global",
  waiting,
  rowNames,
  commands: [
    ...generalCommands, ...switchCommands, ...switchPortCommands, ...switchPortSetCommands, ...switchPortGetCommands,
    ...healthCheckCommands, ...routerCommands, ...routerPortCommands, ...gatewayChassisCommands, ...routeCommands, ...policyCommands,
    ...natCommands, ...loadBalancerCommands, ...aclCommands, ...qosCommands, ...meterCommands, ...mirrorCommands, ...portGroupCommands,
    ...chassisGroupCommands, ...protectionCommands, ...staticBindingCommands, ...forwardingGroupCommands, ...networkFunctionGroupCommands,
    ...networkFunctionCommands, ...dhcpOptionsCommands,
    ...connectionCommands<Nb>(connections), ...sslCommands<Nb>(connections),
  ],
};
