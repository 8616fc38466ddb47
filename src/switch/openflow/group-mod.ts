/** group_mod and meter_mod (OpenFlow 1.5.1, sections 7.3.4.4 and 7.3.4.5). */
import { type Bucket, type GroupDescription, type GroupMod, groups as groupNumbers, type MeterMod, meters, OfError } from "../../openflow/index.ts";
import { type FlowGroup, makeGroup } from "../flow/flow-group.ts";
import { makeMeter } from "../flow/flow-meter.ts";
import { type FlowModContext, removeFlow } from "./flow-mod.ts";
import { eachAction } from "../flow/flow-rule.ts";

const maxGroups = 100_000;
const maxMeters = 100_000;

export function applyGroupMod(context: FlowModContext, mod: GroupMod): OfError | undefined {
  const old = context.bridge.groups.get(mod.group);
  switch (mod.command) {
    case "add":
      if (old !== undefined) return new OfError("OFPGMFC_GROUP_EXISTS");
      return put(context, mod, undefined);
    case "modify":
      return old === undefined ? new OfError("OFPGMFC_UNKNOWN_GROUP") : put(context, mod, old);
    case "add_or_mod":
      return put(context, mod, old);
    case "insert_bucket":
    case "remove_bucket": {
      if (old === undefined) return new OfError("OFPGMFC_UNKNOWN_GROUP");
      const buckets = mod.command === "insert_bucket" ? inserted(old, mod) : withoutBuckets(old, mod.commandBucket);
      return buckets instanceof OfError ? buckets : put(context, { ...old.of, buckets }, old);
    }
    case "delete":
      for (const group of mod.group === groupNumbers.all ? [...context.bridge.groups.values()] : old === undefined ? [] : [old]) remove(context, group);
      return undefined;
  }
}

function put(context: FlowModContext, of: GroupDescription, old: FlowGroup | undefined): OfError | undefined {
  const { bridge, journal, nowMs } = context;
  if (old === undefined && bridge.groups.size >= maxGroups) return new OfError("OFPGMFC_OUT_OF_GROUPS");
  const group = makeGroup(of, nowMs);
  if (group instanceof OfError) return group;
  if (old !== undefined) {
    context.credit();
    group.packets = old.packets;
    group.bytes = old.bytes;
  }
  bridge.groups.set(of.group, group);
  bridge.generation++;
  journal.done(() => {
    if (old === undefined) bridge.groups.delete(of.group);
    else bridge.groups.set(of.group, old);
    bridge.generation++;
  });
  return undefined;
}

/** The flows that name a group go with it. */
function remove(context: FlowModContext, group: FlowGroup): void {
  const { bridge, journal } = context;
  context.credit();
  for (const rule of [...(bridge.rulesOfGroup.get(group.of.group) ?? [])]) removeFlow(context, rule, "group_delete");
  bridge.groups.delete(group.of.group);
  bridge.generation++;
  journal.done(() => bridge.groups.set(group.of.group, group));
}

function inserted(old: FlowGroup, mod: GroupMod): readonly Bucket[] | OfError {
  const had = old.of.buckets;
  if (mod.commandBucket === groupNumbers.bucketFirst) return [...mod.buckets, ...had];
  if (mod.commandBucket === groupNumbers.bucketLast) return [...had, ...mod.buckets];
  const at = had.findIndex((b) => b.id === mod.commandBucket);
  return at < 0 ? new OfError("OFPGMFC_UNKNOWN_BUCKET") : [...had.slice(0, at + 1), ...mod.buckets, ...had.slice(at + 1)];
}

function withoutBuckets(old: FlowGroup, which: number): readonly Bucket[] | OfError {
  const had = old.of.buckets;
  if (which === groupNumbers.bucketAll) return [];
  if (which === groupNumbers.bucketFirst) return had.slice(1);
  if (which === groupNumbers.bucketLast) return had.slice(0, -1);
  return had.some((b) => b.id === which) ? had.filter((b) => b.id !== which) : new OfError("OFPGMFC_UNKNOWN_BUCKET");
}

export function applyMeterMod(context: FlowModContext, mod: MeterMod): OfError | undefined {
  const { bridge, nowMs } = context;
  const isVirtual = mod.meter === meters.slowpath || mod.meter === meters.controller;
  if (mod.command === "delete") {
    const doomed = mod.meter === meters.all ? [...bridge.meters.keys()] : bridge.meters.has(mod.meter) ? [mod.meter] : [];
    for (const meter of doomed) removeMeter(context, meter);
    return undefined;
  }
  if (mod.meter === 0 || (mod.meter >= meters.max && !isVirtual)) return new OfError("OFPMMFC_INVALID_METER");
  if (mod.bands.length > 1) return new OfError("OFPMMFC_OUT_OF_BANDS");
  const exists = bridge.meters.has(mod.meter);
  if (mod.command === "add" && exists) return new OfError("OFPMMFC_METER_EXISTS");
  if (mod.command === "modify" && !exists) return new OfError("OFPMMFC_UNKNOWN_METER");
  if (!exists && bridge.meters.size >= maxMeters) return new OfError("OFPMMFC_OUT_OF_METERS");
  const meter = makeMeter(mod, nowMs);
  if (meter instanceof OfError) return meter;
  bridge.meters.set(mod.meter, meter);
  bridge.generation++;
  return undefined;
}

/** The flows that name a meter go with it. */
function removeMeter(context: FlowModContext, meter: number): void {
  const { bridge } = context;
  context.credit();
  for (const table of bridge.tables) {
    for (const rule of [...table.rules]) {
      let names = false;
      eachAction(rule.program.actions, (a) => {
        names ||= a.kind === "meter" && a.meter === meter;
      });
      if (names) removeFlow(context, rule, "meter_delete");
    }
  }
  bridge.meters.delete(meter);
  bridge.generation++;
}
