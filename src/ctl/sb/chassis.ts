/** Chassis and which ports are bound to them, by hand: chassis-add, chassis-del, lsp-bind, lsp-unbind, ip-multicast-flush. */
import type { RowOf } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { argument, type Command, commands, type Context } from "../command.ts";
import { fail } from "../command-error.ts";
import { findRecord, readsToName, type RowNames } from "../record.ts";

export type Sb = typeof southbound;
export type SbContext = Context<Sb>;
export type SbRow<N extends keyof Sb["tables"] & string> = RowOf<Sb, N>;

const findChassis = ({ db }: SbContext, name: string): SbRow<"Chassis"> | undefined => db.rows("Chassis").find((row) => row.name === name);
const findBinding = ({ db }: SbContext, name: string): SbRow<"Port_Binding"> | undefined => db.rows("Port_Binding").find((row) => row.logical_port === name);

export const datapathNames: RowNames = {
  Datapath_Binding: [{ column: "external_ids", key: "name" }, { column: "external_ids", key: "name2" }, { column: "nb_uuid" }],
};

export const chassisCommands: readonly Command<Sb>[] = commands<Sb>("Chassis and ports", [
  {
    name: "chassis-add", usage: "CHASSIS ENCAP-TYPE ENCAP-IP", minArgs: 3, maxArgs: 3, options: "--may-exist", help: "create a chassis",
    writes: true, reads: ["Chassis:name"],
    run(context) {
      const { db } = context;
      const [name = "", types = "", ip = ""] = context.args;
      if (findChassis(context, name) !== undefined) {
        if (context.options.has("--may-exist")) return;
        fail(`cannot create a chassis named ${name} because a chassis named ${name} already exists`);
      }
      const encaps = [...new Set(types.split(",").filter((t) => t !== ""))].map((type) =>
        // An unknown type is for the server to refuse.
        db.insert("Encap", { type: type as "geneve", ip, options: { csum: "true" }, chassis_name: name }),
      );
      db.insert("Chassis", { name, encaps: encaps.map((row) => row._uuid) });
    },
  },
  {
    name: "chassis-del", usage: "CHASSIS", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "delete a chassis",
    writes: true, reads: ["Chassis:name,encaps", "Encap:ip", "Chassis_Private:name"],
    run(context) {
      const { db } = context;
      const name = argument(context, 0);
      const row = findChassis(context, name);
      if (row === undefined) {
        if (!context.options.has("--if-exists")) fail(`no chassis named ${name}`);
        return;
      }
      for (const encap of db.those("Encap", row.encaps)) db.delete(encap);
      for (const own of db.rows("Chassis_Private")) if (own.name === name) db.delete(own);
      db.delete(row);
    },
  },
  {
    name: "lsp-bind", usage: "PORT CHASSIS", minArgs: 2, maxArgs: 2, options: "--may-exist", help: "bind a logical port to a chassis",
    writes: true, reads: ["Chassis:name", "Port_Binding:logical_port,chassis,up"],
    run(context) {
      const { db } = context;
      const [portName = "", chassisName = ""] = context.args;
      const port = findBinding(context, portName) ?? fail(`no port named ${portName}`);
      const chassis = findChassis(context, chassisName) ?? fail(`no chassis named ${chassisName}`);
      if (port.chassis !== undefined) {
        if (context.options.has("--may-exist") && port.chassis === chassis._uuid) return;
        fail(`lport (${portName}) has already been binded to chassis (${db.row("Chassis", port.chassis)?.name ?? ""})`);
      }
      db.update(port, { chassis: chassis._uuid, up: true });
    },
  },
  {
    name: "lsp-unbind", usage: "PORT", minArgs: 1, maxArgs: 1, options: "--if-exists", help: "let a logical port be bound to no chassis",
    writes: true, reads: ["Port_Binding:logical_port,chassis,up"],
    run(context) {
      const name = argument(context, 0);
      const port = findBinding(context, name);
      if (port !== undefined) context.db.update(port, { chassis: undefined, up: undefined });
      else if (!context.options.has("--if-exists")) fail(`no port named ${name}`);
    },
  },
  {
    name: "ip-multicast-flush", usage: "[SWITCH]", minArgs: 0, maxArgs: 1, options: "", help: "forget the multicast groups learned, on a switch or all",
    writes: true, reads: ["IP_Multicast:datapath,seq_no", "Datapath_Binding:nb_uuid", ...readsToName("Datapath_Binding", datapathNames)],
    run(context) {
      const { db } = context;
      const [given] = context.args;
      const only = given === undefined ? undefined : findRecord(db, datapathNames, "Datapath_Binding", given) ?? fail(`${given} is not a valid datapath`);
      for (const row of db.rows("IP_Multicast")) {
        if (only === undefined || row.datapath === only._uuid) db.update(row, { seq_no: row.seq_no + 1 });
      }
    },
  },
]);
