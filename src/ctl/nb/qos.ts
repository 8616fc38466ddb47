/** Rates and marks of traffic: qos-*; and the meters that limit it: meter-*. */
import { isUuid } from "../../ovsdb/index.ts";
import { argument, type Command, commands } from "../command.ts";
import { fail } from "../command-error.ts";
import { compareText, getNamed, leadingInteger, type Nb, type NbContext, type NbRow, parseDirection, parsePriority } from "./find.ts";

type Qos = NbRow<"QoS">;
const reads = ["Logical_Switch:name,qos_rules", "QoS"];

export const qosCommands: readonly Command<Nb>[] = commands<Nb>("QoS", [
  {
    name: "qos-add", usage: "SWITCH DIRECTION PRIORITY MATCH [rate=RATE [burst=BURST]] [dscp=DSCP]", minArgs: 5, maxArgs: 7, options: "--may-exist",
    help: "add a rule that limits or marks", writes: true, reads, run: add,
  },
  {
    name: "qos-del", usage: "SWITCH [{DIRECTION | UUID} [PRIORITY MATCH]]", minArgs: 1, maxArgs: 4, options: "", help: "delete rules", writes: true, reads, run: remove,
  },
  {
    name: "qos-list", usage: "SWITCH", minArgs: 1, maxArgs: 1, options: "", help: "print a switch's rules", writes: false, reads,
    run(context) {
      const { db } = context;
      const owner = getNamed(context, "Logical_Switch", argument(context, 0));
      context.output = [...db.those("QoS", owner.qos_rules)].sort(compareQos).map(printQos).join("");
    },
  },
]);

function compareQos(a: Qos, b: Qos): number {
  return compareText(a.direction, b.direction) || b.priority - a.priority || compareText(a.match, b.match);
}

function printQos(row: Qos): string {
  const { bandwidth, action } = row;
  const named = (map: ReadonlyMap<string, number>, key: string): string => (map.has(key) ? ` ${key}=${map.get(key)}` : "");
  const rest = named(bandwidth, "rate") + named(bandwidth, "burst") + named(action, "dscp") + named(action, "mark");
  return `${row.direction.padStart(10)} ${String(row.priority).padStart(5)} (${row.match})${rest}\n`;
}

const limits = {
  dscp: { min: 0, max: 63, text: "dscp must be in the range 0...63" },
  mark: { min: 0, max: Number.MAX_SAFE_INTEGER, text: "mark must be a positive integer" },
  rate: { min: 1, max: 0xffffffff, text: "rate must be in the range 1...4294967295" },
  burst: { min: 1, max: 0xffffffff, text: "burst must be in the range 1...4294967295" },
} as const;

function add(context: NbContext): void {
  const { db } = context;
  const [given = "", directionText = "", priorityText = "", match = "", ...words] = context.args;
  const direction = parseDirection(directionText);
  const priority = parsePriority(priorityText);
  const owner = getNamed(context, "Logical_Switch", given);
  const values = new Map<string, number>();
  for (const word of words) {
    const key = (["dscp", "mark", "rate", "burst"] as const).find((k) => word.startsWith(`${k}=`));
    if (key === undefined) fail(`${word}: supported arguments are "dscp=", "rate=", "burst=" and "mark="`);
    const value = leadingInteger(word.slice(key.length + 1));
    const { min, max, text } = limits[key];
    if (!(value >= min && value <= max)) fail(`${word.slice(key.length + 1)}: ${text}`);
    values.set(key, value);
  }
  const [dscp, mark, rate, burst] = [values.get("dscp"), values.get("mark") ?? 0, values.get("rate"), values.get("burst")];
  if (dscp === undefined && rate === undefined && mark === 0) fail('Either "mark", "rate" and/or "dscp" must be specified');
  const action = { ...(mark === 0 ? {} : { mark }), ...(dscp === undefined ? {} : { dscp }) };
  const bandwidth = rate === undefined ? {} : { rate, ...(burst === undefined ? {} : { burst }) };
  const row = db.insert("QoS", { priority, direction, match, action, bandwidth });
  if (db.those("QoS", owner.qos_rules).some((other) => compareQos(other, row) === 0)) {
    if (!context.options.has("--may-exist")) fail(`Same qos already existed on the ls ${given}.`);
    db.delete(row);
    return;
  }
  db.add(owner, "qos_rules", row._uuid);
}

function remove(context: NbContext): void {
  const { db } = context;
  const [given = "", which, priorityText, match] = context.args;
  const owner = getNamed(context, "Logical_Switch", given);
  const rules = db.those("QoS", owner.qos_rules);
  const drop = (gone: readonly Qos[]): void => db.remove(owner, "qos_rules", ...gone.map((row) => row._uuid));
  if (which === undefined) {
    drop(rules);
    return;
  }
  const uuid = isUuid(which) ? which.toLowerCase() : undefined;
  const direction = uuid === undefined ? parseDirection(which) : undefined;
  if (priorityText === undefined) {
    const gone = rules.filter((row) => (uuid === undefined ? row.direction === direction : row._uuid === uuid));
    if (uuid !== undefined && gone.length === 0) fail("uuid is not found");
    drop(gone);
    return;
  }
  if (uuid !== undefined) fail("uuid must be the only argument");
  const priority = parsePriority(priorityText);
  if (match === undefined) fail("cannot specify priority without match");
  drop(rules.filter((row) => row.priority === priority && row.match === match && row.direction === direction).slice(0, 1));
}

const meterReads = ["Meter", "Meter_Band"];

export const meterCommands: readonly Command<Nb>[] = commands<Nb>("Meters", [
  {
    name: "meter-add", usage: "NAME ACTION RATE UNIT [BURST]", minArgs: 4, maxArgs: 5, options: "--fair,--may-exist", help: "add a meter", writes: true,
    reads: meterReads, run: addMeter,
  },
  {
    name: "meter-del", usage: "[NAME]", minArgs: 0, maxArgs: 1, options: "", help: "delete a meter, or all", writes: true, reads: meterReads,
    run(context) {
      const [name] = context.args;
      for (const row of context.db.rows("Meter")) if (name === undefined || row.name === name) context.db.delete(row);
    },
  },
  {
    name: "meter-list", usage: "", minArgs: 0, maxArgs: 0, options: "", help: "print all meters", writes: false, reads: meterReads,
    run(context) {
      const { db } = context;
      for (const meter of db.rows("Meter")) {
        const fair = meter.fair === undefined ? "" : ` (${meter.fair ? "fair" : "shared"})`;
        const bands = db.those("Meter_Band", meter.bands).map((band) => {
          const burst = band.burst_size === 0 ? "" : `, ${band.burst_size} ${meter.unit === "kbps" ? "kb" : "packet"} burst`;
          return `  ${band.action}: ${band.rate} ${meter.unit}${burst}`;
        });
        context.output += `${meter.name}:${fair} bands:\n${bands.join("")}\n`;
      }
    },
  },
]);

function addMeter(context: NbContext): void {
  const { db, options } = context;
  const [name = "", action = "", rateText = "", unit = "", burstText] = context.args;
  const existing = db.rows("Meter").find((row) => row.name === name);
  if (existing !== undefined && !options.has("--may-exist")) fail(`meter with name "${name}" already exists`);
  if (name.startsWith("__")) fail('meter names that begin with "__" are reserved');
  if (action !== "drop") fail('action must be "drop"');
  const rate = leadingInteger(rateText);
  if (!(rate >= 1 && rate <= 0xffffffff)) fail("rate must be in the range 1...4294967295");
  if (unit !== "kbps" && unit !== "pktps") fail('unit must be "kbps" or "pktps"');
  const burst = burstText === undefined ? 0 : leadingInteger(burstText);
  if (!(burst >= 0 && burst <= 0xffffffff)) fail("burst must be in the range 0...4294967295");
  const [oldBand] = existing === undefined ? [] : db.those("Meter_Band", existing.bands);
  const band = oldBand ?? db.insert("Meter_Band", {});
  db.update(band, { action, rate, burst_size: burst });
  const meter = existing ?? db.insert("Meter", {});
  db.update(meter, { name, unit, bands: [band._uuid], ...(options.has("--fair") ? { fair: true } : {}) });
}
