/** `isthmus inspect`: nodes with their daemons, hosts with their addresses, machines of the underlay with their interfaces; as a table or as JSON. */
import { type Json, printJson } from "../../ovsdb/index.ts";
import { connectLab, findLab } from "./find-lab.ts";
import { textTable } from "../text-table.ts";
import type { Terminal } from "./terminal.ts";
import type { LabReport } from "../report.ts";

export async function inspectCommand(terminal: Terminal, options: { readonly dir?: string | undefined; readonly format: string }): Promise<void> {
  const lab = findLab(terminal, options.dir);
  const client = await connectLab(terminal, lab);
  try {
    const report = (await client.request("inspect", [])) as Json & LabReport;
    terminal.process.out(options.format === "json" ? `${printJson(report)}\n` : reportTables(report) + machineTable(report));
  } finally {
    client.close();
  }
}

function machineTable({ machines }: LabReport): string {
  if (machines.length === 0) return "";
  const rows = machines.flatMap((m) => m.interfaces.map((i) => [m.kind === "simulated" ? m.name : `${m.name} (${m.kind})`, i.name, i.mac, i.place, i.addresses.join(" ")]));
  return `\n${textTable(["MACHINE", "INTERFACE", "MAC", "PLACE", "ADDRESSES"], rows)}`;
}

export function reportTables(report: LabReport): string {
  const nodes = textTable(
    ["NODE", "ZONE", "ROLES", "UNDERLAY", "CARRIED BY", "DAEMONS"],
    report.nodes.map((n) => [n.name, n.zone, n.roles.join(" "), n.address, n.carrier, n.daemons.map((d) => (d.running ? d.name : `${d.name} (down)`)).join(" ")]),
  );
  const hosts = textTable(
    ["HOST", "NODE", "INTERFACE", "MAC", "ADDRESSES"],
    report.hosts.map((h) => [h.name, h.node, h.interface, h.mac, h.addresses.join(" ")]),
  );
  return `${nodes}\n${hosts}`;
}
