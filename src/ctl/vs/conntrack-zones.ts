/** Connection tracking per zone of a datapath: *-zone-tp, *-zone-limit*; and list-dp-cap. */
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { switchRow, type Vs, type VsContext, type VsRow } from "./layout.ts";

const reads = ["Open_vSwitch:datapaths", "Datapath", "CT_Zone", "CT_Timeout_Policy"];

export const conntrackCommands: readonly Command<Vs>[] = commands<Vs>("Connection tracking", [
  {
    name: "add-zone-tp", usage: "DATAPATH zone=ZONE POLICY...", minArgs: 3, maxArgs: Infinity, options: "--may-exist", help: "give a zone time-outs",
    writes: true, reads, run: addPolicy,
  },
  {
    name: "del-zone-tp", usage: "DATAPATH zone=ZONE", minArgs: 2, maxArgs: 2, options: "--if-exists", help: "take a zone's time-outs away", writes: true, reads,
    run(context) {
      const { db, options } = context;
      const id = zoneArgument(argument(context, 1));
      const datapath = datapathOf(context, (name) => `datapath ${name} does not exist`);
      const zone = zoneOf(context, datapath, id);
      if (zone?.timeout_policy === undefined && !options.has("--if-exists")) fail(`zone id ${id} does not have a policy`);
      if (zone === undefined) return;
      if (zone.limit === undefined) removeZone(context, datapath, id);
      else db.update(zone, { timeout_policy: undefined });
    },
  },
  {
    name: "list-zone-tp", usage: "DATAPATH", minArgs: 1, maxArgs: 1, options: "", help: "print the zones' time-outs", writes: false, reads,
    run(context) {
      const { db } = context;
      const datapath = datapathOf(context, (name) => `datapath: ${name} record not found`);
      context.output = [...datapath.ct_zones].map(([id, uuid]) => {
        const policy = db.row("CT_Timeout_Policy", db.row("CT_Zone", uuid)?.timeout_policy);
        const text = policy === undefined ? "system default" : [...policy.timeouts].map(([key, value]) => `${key}=${value}`).join(" ");
        return `Zone:${id}, Timeout Policies: ${text}\n`;
      }).join("");
    },
  },
  {
    name: "list-dp-cap", usage: "DATAPATH", minArgs: 1, maxArgs: 1, options: "", help: "print what a datapath can do", writes: false, reads,
    run(context) {
      const datapath = datapathOf(context, (name) => `datapath "${name}" record not found`);
      context.output = `${[...datapath.capabilities].map(([key, value]) => `${key}=${value}`).sort().join(" ")}\n`;
    },
  },
  {
    name: "set-zone-limit", usage: "DATAPATH ZONE|default LIMIT", minArgs: 3, maxArgs: 3, options: "", help: "limit a zone's connections", writes: true, reads,
    run: setLimit,
  },
  {
    name: "del-zone-limit", usage: "DATAPATH ZONE|default", minArgs: 2, maxArgs: 2, options: "--if-exists", help: "limit a zone no longer", writes: true, reads,
    run: deleteLimit,
  },
  {
    name: "list-zone-limits", usage: "DATAPATH", minArgs: 1, maxArgs: 1, options: "", help: "print the zones' limits", writes: false, reads,
    run(context) {
      const { db } = context;
      const datapath = datapathOf(context, (name) => `datapath: ${name} record not found`);
      const limit = datapath.ct_zone_default_limit;
      context.output = limit === undefined ? "" : `Default, Limit: ${limit}\n`;
      for (const [id, uuid] of datapath.ct_zones) {
        const own = db.row("CT_Zone", uuid)?.limit;
        if (own !== undefined) context.output += `Zone: ${id}, Limit: ${own}\n`;
      }
    },
  },
]);

type Datapath = VsRow<"Datapath">;

function datapathOf(context: VsContext, missing: (name: string) => string): Datapath {
  const name = argument(context, 0);
  return context.db.row("Datapath", switchRow(context).datapaths.get(name)) ?? fail(missing(name));
}

function zoneArgument(text: string): number {
  const digits = /^zone=\s*(-?\d+)/.exec(text)?.[1];
  return digits === undefined ? fail(`invalid zone argument, ${text}`) : Number(digits);
}

const zoneOf = ({ db }: VsContext, datapath: Datapath, id: number): VsRow<"CT_Zone"> | undefined => db.row("CT_Zone", datapath.ct_zones.get(id));

function removeZone({ db }: VsContext, datapath: Datapath, id: number): void {
  db.update(datapath, { ct_zones: new Map([...datapath.ct_zones].filter(([zone]) => zone !== id)) });
}

function newZone({ db }: VsContext, datapath: Datapath, id: number): VsRow<"CT_Zone"> {
  const zone = db.insert("CT_Zone", {});
  db.update(datapath, { ct_zones: new Map([...datapath.ct_zones, [id, zone._uuid]]) });
  return zone;
}

function addPolicy(context: VsContext): void {
  const { db, options } = context;
  const [, zoneText = "", ...words] = context.args;
  const id = zoneArgument(zoneText);
  const datapath = datapathOf(context, (name) => `datapath ${name} does not exist`);
  const zone = zoneOf(context, datapath, id);
  if (zone?.timeout_policy !== undefined && !options.has("--may-exist")) fail(`zone id ${id} already has a policy`);
  const timeouts = new Map(words.flatMap((w) => w.split(/[,\s]+/)).filter((w) => w !== "").map((w) => {
    const [key = "", value = ""] = w.split("=");
    return [key, Number.parseInt(value, 10) || 0] as const;
  }));
  const same = (other: ReadonlyMap<string, number>): boolean => other.size === timeouts.size && [...timeouts].every(([k, v]) => other.get(k) === v);
  // Names that are none are for the server to refuse.
  const policy = db.rows("CT_Timeout_Policy").find((row) => same(row.timeouts)) ?? db.insert("CT_Timeout_Policy", { timeouts: timeouts as ReadonlyMap<"tcp_syn_sent", number> });
  db.update(zone ?? newZone(context, datapath, id), { timeout_policy: policy._uuid });
}

function setLimit(context: VsContext): void {
  const { db } = context;
  const [, zoneText = "", limitText = ""] = context.args;
  const isDefault = zoneText === "default";
  if (!isDefault && !/^\s*-?\d/.test(zoneText)) fail(`invalid zone id, ${zoneText}`);
  if (!/^\s*-?\d/.test(limitText)) fail(`invalid limit, ${limitText}`);
  const datapath = datapathOf(context, (name) => `datapath ${name} does not exist`);
  const [id, limit] = [Number.parseInt(zoneText, 10), Number.parseInt(limitText, 10)];
  if (limit < 0 || limit > 0xffffffff) fail(`limit (${limit}) out of range`);
  if (isDefault) db.update(datapath, { ct_zone_default_limit: limit });
  else if (id < 0 || id > 65535) fail(`zone_id (${id}) out of range`);
  else db.update(zoneOf(context, datapath, id) ?? newZone(context, datapath, id), { limit });
}

function deleteLimit(context: VsContext): void {
  const { db, options } = context;
  const [name = "", zoneText = ""] = context.args;
  if (zoneText !== "default" && !/^\s*-?\d/.test(zoneText)) fail(`invalid zone id, ${zoneText}`);
  const datapath = datapathOf(context, (n) => `datapath ${n} does not exist`);
  const mustExist = !options.has("--if-exists");
  if (zoneText === "default") {
    if (mustExist && datapath.ct_zone_default_limit === undefined) fail(`datapath ${name} does not have a limit`);
    db.update(datapath, { ct_zone_default_limit: undefined });
    return;
  }
  const id = Number.parseInt(zoneText, 10);
  const zone = zoneOf(context, datapath, id);
  if (mustExist && zone?.limit === undefined) fail(`zone_id ${id} does not have a limit`);
  if (zone === undefined) return;
  if (zone.timeout_policy === undefined) removeZone(context, datapath, id);
  else db.update(zone, { limit: undefined });
}
