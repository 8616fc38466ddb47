/** Which VLANs a bridge asks of an auto-attach server: *-aa-mapping. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { Layout, layoutReads, type Vs, type VsContext, type VsRow } from "./layout.ts";

const reads = [...layoutReads, "Bridge:auto_attach", "AutoAttach:mappings"];
const bridgeOf = (context: VsContext): VsRow<"Bridge"> => new Layout(context).bridge(argument(context, 0)).row;

function numberAt(context: VsContext, index: number): number {
  const value = Number.parseInt(argument(context, index), 10);
  return Number.isNaN(value) ? fail(`Invalid argument ${argument(context, index)}`) : value;
}

export const autoAttachCommands: readonly Command<Vs>[] = commands<Vs>("Auto attach", [
  {
    name: "add-aa-mapping", usage: "BRIDGE I-SID VLAN", minArgs: 3, maxArgs: 3, options: "", help: "ask for a VLAN", writes: true, reads,
    run(context) {
      const { db } = context;
      const [isid, vlan] = [numberAt(context, 1), numberAt(context, 2)];
      const bridge = bridgeOf(context);
      const existing = db.row("AutoAttach", bridge.auto_attach);
      const row = existing ?? db.insert("AutoAttach", {});
      if (existing === undefined) db.update(bridge, { auto_attach: row._uuid });
      db.update(row, { mappings: new Map([...row.mappings, [isid, vlan]]) });
    },
  },
  {
    name: "del-aa-mapping", usage: "BRIDGE I-SID VLAN", minArgs: 3, maxArgs: 3, options: "", help: "ask for a VLAN no longer", writes: true, reads,
    run(context) {
      const { db } = context;
      const [isid, vlan] = [numberAt(context, 1), numberAt(context, 2)];
      const row = db.row("AutoAttach", bridgeOf(context).auto_attach);
      if (row?.mappings.get(isid) === vlan) db.update(row, { mappings: new Map([...row.mappings].filter(([key]) => key !== isid)) });
    },
  },
  {
    name: "get-aa-mapping", usage: "BRIDGE", minArgs: 1, maxArgs: 1, options: "", help: "print the VLANs asked for", writes: false, reads,
    run(context) {
      const row = context.db.row("AutoAttach", bridgeOf(context).auto_attach);
      context.output = [...(row?.mappings ?? [])].map(([isid, vlan]) => `${isid} ${vlan}\n`).join("");
    },
  },
]);
