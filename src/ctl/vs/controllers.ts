/** Who controls a bridge, and what it does without: *-controller, *-fail-mode; and emer-reset. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { isTarget } from "../connections.ts";
import { Layout, layoutReads, sortedLines, switchRow, type Vs, type VsContext, type VsRow } from "./layout.ts";

const reads = [...layoutReads, "Controller:target"];
const realRow = (context: VsContext): VsRow<"Bridge"> => new Layout(context).realBridge(argument(context, 0)).row;

export const controllerCommands: readonly Command<Vs>[] = commands<Vs>("Controllers", [
  {
    name: "get-controller", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print a bridge's controllers", writes: false, reads,
    run(context) {
      const { row } = new Layout(context).bridge(argument(context, 0));
      context.output = sortedLines(context.db.those("Controller", row.controller).map((c) => c.target));
    },
  },
  {
    name: "del-controller", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "let a bridge have no controller", writes: true, reads,
    run: (context) => replaceControllers(context, []),
  },
  {
    name: "set-controller", usage: "BRIDGE TARGET...", minArgs: 1, maxArgs: Infinity, options: "--inactivity-probe=", help: "say who controls a bridge", writes: true,
    reads, run: (context) => replaceControllers(context, context.args.slice(1)),
  },
  {
    name: "get-fail-mode", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print what a bridge does without its controller", writes: false, reads,
    run(context) {
      const mode = new Layout(context).bridge(argument(context, 0)).row.fail_mode;
      context.output = mode === undefined ? "" : `${mode}\n`;
    },
  },
  {
    name: "del-fail-mode", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "let a bridge do the usual without its controller", writes: true, reads,
    run: (context) => context.db.update(realRow(context), { fail_mode: undefined }),
  },
  {
    name: "set-fail-mode", usage: "BRIDGE MODE", minArgs: 2, maxArgs: 2, options: "", help: "say what a bridge does without: standalone or secure", writes: true, reads,
    run(context) {
      const row = realRow(context);
      const mode = argument(context, 1);
      if (mode !== "standalone" && mode !== "secure") fail('fail-mode must be "standalone" or "secure"');
      context.db.update(row, { fail_mode: mode });
    },
  },
  {
    name: "emer-reset", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "leave bridges and ports, and reset all else", writes: true,
    reads: [
      "Open_vSwitch:manager_options,ssl", "Bridge:controller,fail_mode,mirrors,netflow,sflow,ipfix,flood_vlans,other_config", "Port:other_config",
      "Interface:ingress_policing_rate,ingress_policing_burst", "Mirror:name", "Controller:target", "Manager:target", "NetFlow:targets",
      "SSL:ca_cert", "sFlow:targets", "IPFIX:targets", "Flow_Sample_Collector_Set:id",
    ],
    run: emergencyReset,
  },
]);

function replaceControllers(context: VsContext, targets: readonly string[]): void {
  const { db, options } = context;
  const row = realRow(context);
  const old = db.those("Controller", row.controller);
  db.verify(row, "controller");
  for (const controller of old) db.delete(controller);
  const probe = options.get("--inactivity-probe");
  const rows = targets.map((target) => {
    if (!isTarget(target)) context.warn(`target type "${target}" is possibly erroneous`);
    return db.insert("Controller", { target, ...(probe === undefined ? {} : { inactivity_probe: Number.parseInt(probe, 10) || 0 }) });
  });
  db.update(row, { controller: rows.map((r) => r._uuid) });
}

function emergencyReset(context: VsContext): void {
  const { db } = context;
  db.update(switchRow(context), { manager_options: [], ssl: undefined });
  for (const row of db.rows("Bridge")) {
    const hwaddr = row.other_config.get("hwaddr");
    db.update(row, {
      controller: [], fail_mode: undefined, mirrors: [], netflow: undefined, sflow: undefined, ipfix: undefined, flood_vlans: [],
      other_config: hwaddr === undefined ? {} : { hwaddr },
    });
  }
  for (const row of db.rows("Port")) db.update(row, { other_config: {} });
  for (const row of db.rows("Interface")) db.update(row, { ingress_policing_rate: 0, ingress_policing_burst: 0 });
  for (const table of ["Mirror", "Controller", "Manager", "NetFlow", "SSL", "sFlow", "IPFIX", "Flow_Sample_Collector_Set"] as const) {
    for (const row of db.rows(table)) db.delete(row);
  }
}
