/** ovn-ic-nbctl: what the operator wishes for between the zones (ovn-ic-nbctl(8)). */
import { counterLead } from "../../ovsdb/index.ts";
import { icNorthbound } from "../../schemas/index.ts";
import { commands } from "../command.ts";
import { connectionCommands, type ConnectionPlace, sslCommands } from "../connections.ts";
import type { CtlProgram } from "../ctl-program.ts";
import type { IcNb } from "./find.ts";
import { transitRouterCommands } from "./transit-routers.ts";
import { transitSwitchCommands } from "./transit-switches.ts";

const connections: ConnectionPlace = { noun: "connection", table: "Connection", owner: "IC_NB_Global", column: "connections", sslArgs: 6 };

/** A counter that has begun anew lies far behind what was waited for. */
const maxLead = 2 ** 31 - 1;

export const icNbctl: CtlProgram<IcNb> = {
  name: "ovn-ic-nbctl",
  family: "ovn",
  logModule: "ic_nbctl",
  database: icNorthbound,
  purpose: "manages the northbound database of an interconnection",
  defaultRemote: (environment, folders) => environment.variable("OVN_IC_NB_DB") ?? `unix:${folders.ovnRun}/ovn_ic_nb_db.sock`,
  globalTable: "IC_NB_Global",
  waiting: {
    counter: "nb_ic_cfg",
    reads: ["IC_NB_Global:nb_ic_cfg,sb_ic_cfg"],
    option: "kind",
    kinds: ["none", "sb"],
    reached(db, _kind, goal) {
      const current = db.first("IC_NB_Global")?.sb_ic_cfg ?? 0;
      return current >= goal && counterLead(current, goal) < maxLead ? { out: "", err: "", code: 0 } : undefined;
    },
  },
  rowNames: {
    Transit_Switch: [{ column: "name" }],
    Transit_Router: [{ column: "name" }],
    Transit_Router_Port: [{ column: "name" }, { column: "tr_uuid" }, { column: "mac" }],
  },
  show: [
    { table: "Transit_Switch", name: "name", columns: [] },
    { table: "Transit_Router", name: "name", columns: [] },
    { table: "Transit_Router_Port", name: "name", columns: ["tr_uuid"] },
  ],
  commands: [
    ...commands<IcNb>("General", [
      { name: "init", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "set the database up, if that has not been done", writes: true, reads: [], run: () => undefined },
      {
        name: "sync", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "with --wait: wait for earlier changes too", writes: false, forcesWait: true, reads: [],
        run: () => undefined,
      },
    ]),
    ...transitSwitchCommands, ...transitRouterCommands, ...connectionCommands<IcNb>(connections), ...sslCommands<IcNb>(connections),
  ],
};
