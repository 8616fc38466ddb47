/** ovs-vsctl: the database of one switch (ovs-vsctl(8)). */
import { openVSwitch } from "../../schemas/index.ts";
import { commands } from "../command.ts";
import { connectionCommands, type ConnectionPlace, sslCommands } from "../connections.ts";
import type { CtlProgram, Waiting } from "../ctl-program.ts";
import { autoAttachCommands } from "./auto-attach.ts";
import { bridgeCommands } from "./bridges.ts";
import { conntrackCommands } from "./conntrack-zones.ts";
import { controllerCommands } from "./controllers.ts";
import type { Vs } from "./layout.ts";
import { bondCommands, portCommands } from "./ports.ts";

const managers: ConnectionPlace = { noun: "manager", table: "Manager", owner: "Open_vSwitch", column: "manager_options", sslArgs: 3 };
const viaBridge = (reference: string) => [{ column: "name", via: { table: "Bridge", reference } }];
/** sysexits.h: the data were at fault. */
const dataError = 65;

/** Waits until the switch says that it has the configuration, and tells what went wrong with new interfaces. */
const waiting: Waiting<Vs> = {
  counter: "next_cfg",
  reads: ["Open_vSwitch:next_cfg,cur_cfg", "Interface:name,ofport,error"],
  option: "flag",
  kinds: ["none", "sb"],
  reached(db, _kind, goal, { inserted, program, logFolder }) {
    const current = db.first("Open_vSwitch")?.cur_cfg ?? 0;
    if (current < goal) return undefined;
    const failed = db.those("Interface", inserted.get("Interface") ?? []).filter((row) => row.ofport === undefined || row.ofport === -1);
    const lines = failed.map(({ name, error }) => {
      const why = error === undefined || error === "" ? "" : `: ${error}`;
      return `${program}: Error detected while setting up '${name}'${why}.  See ovs-vswitchd log for details.\n`;
    });
    if (lines.length > 0) lines.push(`${program}: The default log directory is "${logFolder}".\n`);
    return { out: "", err: lines.join(""), code: lines.length > 0 ? dataError : 0 };
  },
};

export const vsctl: CtlProgram<Vs> = {
  name: "ovs-vsctl",
  family: "ovs",
  logModule: "vsctl",
  database: openVSwitch,
  purpose: "manages the database of a switch",
  defaultRemote: (_environment, folders) => `unix:${folders.ovsRun}/db.sock`,
  globalTable: "Open_vSwitch",
  waiting,
  rowNames: {
    Bridge: [{ column: "name" }],
    Controller: viaBridge("controller"),
    Interface: [{ column: "name" }],
    Mirror: [{ column: "name" }],
    Manager: [{ column: "target" }],
    NetFlow: viaBridge("netflow"),
    Port: [{ column: "name" }],
    QoS: [{ column: "name", via: { table: "Port", reference: "qos" } }],
    sFlow: viaBridge("sflow"),
    Flow_Table: [{ column: "name" }],
    IPFIX: viaBridge("ipfix"),
    AutoAttach: viaBridge("auto_attach"),
    Flow_Sample_Collector_Set: [{ column: "id" }],
  },
  show: [
    { table: "Open_vSwitch", columns: ["manager_options", "bridges", "ovs_version"] },
    { table: "Bridge", name: "name", columns: ["controller", "fail_mode", "datapath_type", "ports"] },
    { table: "Port", name: "name", columns: ["tag", "trunks", "interfaces"] },
    { table: "Interface", name: "name", columns: ["type", "options", "error", "bfd_status"] },
    { table: "Controller", name: "target", columns: ["is_connected"] },
    { table: "Manager", name: "target", columns: ["is_connected"] },
  ],
  commands: [
    ...commands<Vs>("General", [
      { name: "init", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "set the database up, if that has not been done", writes: true, reads: [], run: () => undefined },
    ]),
    ...bridgeCommands, ...portCommands, ...bondCommands, ...controllerCommands, ...connectionCommands<Vs>(managers), ...sslCommands<Vs>(managers),
    ...autoAttachCommands, ...conntrackCommands,
  ],
};
