/** ovn-ic-sbctl: what the zones tell each other (ovn-ic-sbctl(8)). */
import { isUuid } from "../../ovsdb/index.ts";
import { icSouthbound } from "../../schemas/index.ts";
import { commands, type Context } from "../command.ts";
import { connectionCommands, type ConnectionPlace, sslCommands } from "../connections.ts";
import type { CtlProgram } from "../ctl-program.ts";
import type { IcSb } from "./find.ts";

const connections: ConnectionPlace = { noun: "connection", table: "Connection", owner: "IC_SB_Global", column: "connections", sslArgs: 6 };

export const icSbctl: CtlProgram<IcSb> = {
  name: "ovn-ic-sbctl",
  family: "ovn",
  logModule: "ic_sbctl",
  database: icSouthbound,
  purpose: "manages the southbound database of an interconnection",
  defaultRemote: (environment, folders) => environment.variable("OVN_IC_SB_DB") ?? `unix:${folders.ovnRun}/ovn_ic_sb_db.sock`,
  globalTable: "IC_SB_Global",
  rowNames: {
    Availability_Zone: [{ column: "name" }],
    Gateway: [{ column: "name" }],
    Port_Binding: [{ column: "logical_port" }],
    Datapath_Binding: [{ column: "transit_switch" }],
  },
  commands: [
    ...commands<IcSb>("General", [
      { name: "init", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "set the database up, if that has not been done", writes: true, reads: [], run: () => undefined },
      {
        name: "show", usage: "[AZ]", minArgs: 0, maxArgs: 1, options: "", help: "print zones with their gateways and ports", writes: false,
        reads: [
          "Availability_Zone:name", "Gateway:name,availability_zone,hostname,encaps", "Encap:type,ip",
          "Port_Binding:availability_zone,gateway,logical_port,transit_switch,address",
        ],
        run: show,
      },
    ]),
    ...connectionCommands<IcSb>(connections), ...sslCommands<IcSb>(connections),
  ],
};

function show(context: Context<IcSb>): void {
  const { db, args: [given] } = context;
  const zones = db.rows("Availability_Zone").filter((zone) => given === undefined || zone.name === given || (isUuid(given) && zone._uuid === given.toLowerCase()));
  for (const zone of zones) {
    context.output += `availability-zone ${zone.name}\n`;
    const ports = db.rows("Port_Binding").filter((port) => port.availability_zone === zone._uuid);
    for (const gateway of db.rows("Gateway").filter((row) => row.availability_zone === zone._uuid)) {
      context.output += `    gateway ${gateway.name}\n`;
      if (gateway.hostname !== "") context.output += `        hostname: ${gateway.hostname}\n`;
      for (const encap of db.those("Encap", gateway.encaps)) context.output += `        type: ${encap.type}\n            ip: ${encap.ip}\n`;
      for (const port of ports.filter((p) => p.gateway === gateway.name)) {
        context.output +=
          `        port ${port.logical_port}\n            transit switch: ${port.transit_switch}\n            address: ["${port.address}"]\n`;
      }
    }
  }
}
