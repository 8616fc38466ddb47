/**
 * flow_mod: adding, changing and deleting flows (OpenFlow 1.5.1, section 7.3.4.3, as OVS carries it out).
 *
 * A strict command, and every add, goes to its flow directly; a loose one looks at each flow of the tables concerned.
 */
import { actionsToBytes, type FlowMod, type FlowRemoved, groups as groupNumbers, of15, OfError, ports as reserved } from "../../openflow/index.ts";
import type { Bridge } from "../bridge.ts";
import { eachAction, FlowRule } from "../flow/flow-rule.ts";
import { tableCount } from "../flow/flow-table.ts";
import type { Journal } from "./journal.ts";
import { covers, type Minimatch, overlaps } from "../flow/minimask.ts";
import { compile, type Program } from "../walk/program.ts";

export interface FlowModContext {
  readonly bridge: Bridge;
  readonly nowMs: number;
  readonly journal: Journal;
  /** Brings the rules' counters up to date before they are lost or reported. */
  credit(): void;
  removed(rule: FlowRule, reason: FlowRemoved["reason"]): void;
}

/** A switch full of flows refuses more rather than dying of them. */
const maxFlows = 1_000_000;
const anyTable = 255;
const anyCookie = 0xffff_ffff_ffff_ffffn;

export function applyFlowMod(context: FlowModContext, mod: FlowMod): OfError | undefined {
  const match = context.bridge.shapes.minimatch(mod.match);
  if (typeof match === "string") return new OfError("OFPBMC_BAD_FIELD", `this switch has no field ${match}`);
  if (mod.command === "delete" || mod.command === "delete_strict") return deleteFlows(context, mod, match);
  // 255: whichever table the switch likes, for what is added (OpenFlow 1.0 without NXT_FLOW_MOD_TABLE_ID).
  const table = mod.table === anyTable ? 0 : mod.table;
  const program = compile(mod.actions);
  if (program instanceof OfError) return program;
  const bad = checkActions(context.bridge, program, table);
  if (bad !== undefined) return bad;
  if (mod.command === "add") return addFlow(context, { ...mod, table }, match, program);
  return modifyFlows(context, mod, match, program);
}

/** Groups and meters must exist (but not a meter for packets on their way to a controller: without it they are not held back); conjunctions stand alone; a table is followed only by later ones. */
function checkActions(bridge: Bridge, program: Program, table: number): OfError | undefined {
  let error: OfError | undefined;
  let conjunctions = 0;
  let others = 0;
  eachAction(program.actions, (action) => {
    if (action.kind === "conjunction") conjunctions++;
    else if (action.kind !== "note") others++;
    if (action.kind === "group" && !bridge.groups.has(action.group)) error ??= new OfError("OFPBAC_BAD_OUT_GROUP");
    if (action.kind === "meter" && !bridge.meters.has(action.meter)) error ??= new OfError("OFPMMFC_INVALID_METER");
    if (action.kind === "goto_table" && action.table <= table) error ??= new OfError("OFPBRC_BAD_TABLE_ID");
  });
  if (conjunctions > 0 && others > 0) error ??= new OfError("NXBAC_BAD_CONJUNCTION", "conjunction beside other actions");
  return error;
}

function ruleOf(mod: FlowMod, match: Minimatch, program: Program, nowMs: number): FlowRule {
  const { table, priority, match: of, cookie, idleTimeout, hardTimeout, importance } = mod;
  // The others are about how it is added.
  const { checkOverlap, resetCounts, ...flags } = mod.flags;
  return new FlowRule({ table, priority, of, match, cookie, idleTimeout, hardTimeout, importance, flags, program }, nowMs);
}

function addFlow(context: FlowModContext, mod: FlowMod, match: Minimatch, program: Program): OfError | undefined {
  const { bridge, nowMs, journal } = context;
  const table = bridge.tables[mod.table];
  if (table === undefined) return new OfError("OFPBRC_BAD_TABLE_ID");
  const old = table.find(match, mod.priority);
  if (old === undefined) {
    if (mod.flags.checkOverlap === true) {
      for (const rule of table.rules) {
        if (rule.priority === mod.priority && overlaps(rule.match, match)) return new OfError("OFPFMFC_OVERLAP");
      }
    }
    if (bridge.flowCount >= maxFlows) return new OfError("OFPFMFC_TABLE_FULL");
  }
  const rule = ruleOf(mod, match, program, nowMs);
  if (old !== undefined) {
    // The counters live on in the flow that takes the other's place.
    if (mod.flags.resetCounts !== true) {
      context.credit();
      rule.packets = old.packets;
      rule.bytes = old.bytes;
      rule.usedMs = old.usedMs;
    }
    bridge.removeRule(old);
  }
  bridge.addRule(rule);
  journal.done(() => {
    bridge.removeRule(rule);
    if (old !== undefined) bridge.addRule(old);
  });
  return undefined;
}

function modifyFlows(context: FlowModContext, mod: FlowMod, match: Minimatch, program: Program): OfError | undefined {
  const { bridge, nowMs, journal } = context;
  const matching = select(bridge, mod, match, mod.command === "modify_strict");
  if (matching.length === 0) {
    // A cookie that filters is a wish to change what is there, not to add.
    return mod.cookieMask === 0n && mod.cookie !== anyCookie ? addFlow(context, { ...mod, table: mod.table === anyTable ? 0 : mod.table }, match, program) : undefined;
  }
  for (const rule of matching) {
    const { program: before, cookie, modifiedMs, packets, bytes } = rule;
    const put = (to: Program): void => {
      const { groups, lessons } = rule;
      rule.setProgram(to);
      bridge.ruleChanged(rule, { groups, lessons });
    };
    // What every packet teaches anew changes nothing, and no cache entry is to be looked at again for it.
    if (!isSame(before, program)) put(program);
    if (mod.cookieMask === 0n && mod.cookie !== anyCookie) rule.cookie = mod.cookie;
    rule.modifiedMs = nowMs;
    if (mod.flags.resetCounts === true) [rule.packets, rule.bytes] = [0, 0];
    journal.done(() => {
      put(before);
      rule.cookie = cookie;
      rule.modifiedMs = modifiedMs;
      [rule.packets, rule.bytes] = [packets, bytes];
    });
  }
  return undefined;
}

function isSame(a: Program, b: Program): boolean {
  const [x, y] = [actionsToBytes(a.actions, of15), actionsToBytes(b.actions, of15)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

function deleteFlows(context: FlowModContext, mod: FlowMod, match: Minimatch): OfError | undefined {
  const { bridge } = context;
  if (mod.table > tableCount) return new OfError("OFPBRC_BAD_TABLE_ID");
  const matching = select(bridge, mod, match, mod.command === "delete_strict");
  if (matching.length > 0) context.credit();
  for (const rule of matching) removeFlow(context, rule, "delete");
  return undefined;
}

/** Takes out what had been learned from flows that are gone. */
export function removeUntaught(context: FlowModContext): void {
  const { bridge } = context;
  for (let lessons = bridge.learned.takeForgotten(); lessons.length > 0; lessons = bridge.learned.takeForgotten()) {
    const gone = lessons.flatMap(({ table, cookie }) => [...(bridge.tables[table]?.rules ?? [])].filter((rule) => rule.cookie === cookie));
    if (gone.length > 0) context.credit();
    for (const rule of gone) removeFlow(context, rule, "delete");
  }
}

/** Takes the flow out, to be told of when the journal is finished. */
export function removeFlow(context: FlowModContext, rule: FlowRule, reason: FlowRemoved["reason"]): void {
  const { bridge, journal } = context;
  bridge.removeRule(rule);
  journal.done(() => bridge.addRule(rule), () => {
    if (rule.flags.sendFlowRemoved === true) context.removed(rule, reason);
  });
}

/** What a request means: the flows of a table (255: of all) that match as strictly as asked, with cookie and output filters. */
export function select(
  bridge: Bridge,
  filter: Pick<FlowMod, "table" | "cookie" | "cookieMask" | "outPort" | "outGroup"> & { readonly priority?: number },
  match: Minimatch,
  isStrict: boolean,
): FlowRule[] {
  const tables = filter.table === anyTable ? bridge.tables : bridge.tables.slice(filter.table, filter.table + 1);
  const found: FlowRule[] = [];
  for (const table of tables) {
    if (isStrict) {
      const rule = table.find(match, filter.priority ?? 0);
      if (rule !== undefined && passesFilter(rule, filter)) found.push(rule);
    } else {
      for (const rule of table.rules) if (passesFilter(rule, filter) && covers(match, rule.match)) found.push(rule);
    }
  }
  return found;
}

function passesFilter(rule: FlowRule, filter: Pick<FlowMod, "cookie" | "cookieMask" | "outPort" | "outGroup">): boolean {
  if (((rule.cookie ^ filter.cookie) & filter.cookieMask) !== 0n) return false;
  if (filter.outPort !== reserved.none && !outputsTo(rule, filter.outPort)) return false;
  return filter.outGroup === groupNumbers.any || rule.groups.includes(filter.outGroup);
}

function outputsTo(rule: FlowRule, port: number): boolean {
  let does = false;
  eachAction(rule.program.actions, (action) => {
    does ||= (action.kind === "output" || action.kind === "output_trunc" || action.kind === "enqueue") && action.port === port;
  });
  return does;
}
