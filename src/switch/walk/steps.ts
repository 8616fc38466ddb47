/**
 * Carrying out a flow's steps on a walk, table after table.
 *
 * Nested resubmits to a later table do not count as depth, as in OVS, since a pipeline that only goes forward ends by
 * itself; all resubmits together are limited.
 */
import { formatSubfield, formatValue, isWhole, ports as reserved } from "../../openflow/index.ts";
import { ctStateBit, W } from "../flow/flow-key.ts";
import type { FlowRule } from "../flow/flow-rule.ts";
import { bundleMember } from "./walk-bundle.ts";
import { connectionTrack } from "./walk-connection.ts";
import { runGroup } from "./walk-group.ts";
import { byOriginalTuple, decrementTtl, pushVlan, setVlan } from "./walk-headers.ts";
import { learnFlow } from "./walk-learn.ts";
import { outputNormal, outputToAll } from "./walk-normal.ts";
import type { SwitchPort } from "../port/switch-port.ts";
import { mirrorInput, noticeOf, outputToPort, toController, whole } from "./walk-output.ts";
import type { ConnectionStep, Slice, Step } from "./program.ts";
import type { Walk } from "./walk.ts";
import { maxDepth, maxResubmits } from "./walk.ts";
import { isPresent } from "../flow/prerequisite.ts";

/** The whole pipeline, from table 0 (or another) to the action set. `from`: the port that the packet has just come in by. */
export function runPipeline(walk: Walk, table: number, from?: SwitchPort): void {
  if (from !== undefined && walk.bridge.mirrors.length > 0) mirrorInput(walk, from, intoTable0);
  runTable(walk, table, walk.inPort);
  runActionSet(walk);
  walk.finishPause();
}

const intoTable0 = (walk: Walk): void => {
  walk.table = 0;
  runTable(walk, 0, walk.inPort);
  runActionSet(walk);
};

/** Looks up in `table`, as if the packet had come through `inPort`, and does what the flow found says. */
function runTable(walk: Walk, table: number, inPort: number, isNested = false): void {
  const flowTable = walk.bridge.tables[table];
  if (flowTable === undefined) return;
  const ownPort = walk.inPort;
  walk.key[W.inPort] = inPort;
  const rule = flowTable.classifier.lookup(walk.key, walk.wildcards);
  walk.key[W.inPort] = ownPort;
  flowTable.lookups++;
  walk.tracer?.enterTable(table, rule, isNested);
  if (rule !== undefined) {
    flowTable.matched++;
    walk.rules.push(rule);
    runRule(walk, rule, table);
  }
  walk.tracer?.leaveTable(isNested);
}

function runRule(walk: Walk, rule: FlowRule, table: number): void {
  const outerTable = walk.table;
  const outerCookie = walk.cookie;
  walk.table = table;
  walk.cookie = rule.cookie;
  runSteps(walk, rule.program.steps, 0);
  walk.table = outerTable;
  walk.cookie = outerCookie;
}

export function runSteps(walk: Walk, steps: readonly Step[], from: number): void {
  for (let i = from; i < steps.length; i++) {
    const step = steps[i];
    if (step === undefined) return;
    if (walk.hasExited) {
      // A pause unwinds: what is left here is done when the packet comes back.
      walk.paused?.rest.push({ table: walk.table, cookie: walk.cookie, steps: steps.slice(i) });
      return;
    }
    walk.tracer?.step(step);
    if (step.kind === "check_pkt_larger") return checkLength(walk, step, steps.slice(i + 1));
    if (!runStep(walk, step, i === steps.length - 1)) return;
  }
}

type WalkedStep = Exclude<Step, { kind: "check_pkt_larger" }>;

/** False if the rest of this list is not to be done. */
function runStep(walk: Walk, step: WalkedStep, isLast: boolean): boolean {
  switch (step.kind) {
    case "output":
    case "output_trunc":
      output(walk, step.port, step.maxLength ?? 0, step.kind === "output_trunc");
      return true;
    case "output_reg": {
      const [port = 0] = walk.readSlice(step.from);
      walk.tracer?.note("detail", `output port is ${port & 0xffff}`);
      output(walk, port & 0xffff, step.maxLength, false);
      return true;
    }
    case "enqueue":
      output(walk, step.port, 0, false);
      return true;
    case "bundle": {
      const member = bundleMember(walk, step);
      if (step.into === undefined) output(walk, member, 0, false);
      else walk.writeSlice(step.into, [member]);
      return true;
    }
    case "controller":
      controller(walk, step);
      return true;
    case "resubmit":
      resubmit(walk, step.port === reserved.inPort ? walk.inPort : step.port, step.table === 255 ? walk.table : step.table, step.ct === true, !isLast);
      return true;
    case "goto_table":
      resubmit(walk, walk.inPort, step.table, false, !isLast);
      return true;
    case "group":
      runGroup(walk, step.group, (steps) => runSteps(walk, steps, 0));
      return true;
    case "dec_ttl":
      return decrementTtl(walk, step.controllers);
    case "clone": {
      let hasExited = false;
      walk.onCopy(() => {
        runSteps(walk, step.steps, 0);
        hasExited = walk.hasExited && walk.paused === undefined;
      });
      // `exit` ends everything, also from within a clone (unlike in a group's bucket).
      walk.hasExited ||= hasExited;
      return true;
    }
    case "exit":
      walk.hasExited = true;
      return true;
    case "write_actions":
      walk.actionSet = [...walk.actionSet, ...step.steps];
      return true;
    case "clear_actions":
      walk.actionSet = [];
      return true;
    case "ct":
      track(walk, step);
      return true;
    case "ct_clear":
      // Before its first recirculation no packet has been tracked: that need not be looked at.
      if (walk.key[W.recircId] === 0 ? walk.key[W.ctState] !== 0 : walk.read(W.ctState, ctStateBit.trk) !== 0) clearConnection(walk);
      return true;
    case "meter":
      walk.commit();
      walk.emit({ kind: "meter", meter: step.meter, bridge: walk.bridge });
      return true;
    case "learn":
      learnFlow(walk, step);
      return true;
    default:
      writeStep(walk, step);
      return true;
  }
}

/** Steps that only change the packet. Queues are the port's business, and samples need a collector: nothing to do for these. */
function writeStep(walk: Walk, step: WalkedStep): void {
  switch (step.kind) {
    case "write":
      if (isPresent(walk, step.prerequisite)) walk.writeAll(step);
      return;
    case "move":
      if (isPresent(walk, step.from.prerequisite) && isPresent(walk, step.to.prerequisite)) put(walk, step, step.to, walk.readSlice(step.from));
      return;
    case "push":
      walk.stack.push(walk.readSlice(step.from));
      return;
    case "pop":
      return pop(walk, step, step.to);
    case "set_vlan":
      return setVlan(walk, step.mask, step.value);
    case "push_vlan":
      return pushVlan(walk, step.ethType);
    case "pop_vlan":
      if ((walk.read(W.vlan) & 0x1000) !== 0) walk.write(W.vlan, 0xffff, 0);
      return;
    case "delete_field":
      walk.write(step.word, 0xffffffff, 0);
      walk.write(W.tunMetadataPresent, 1 << (step.word - W.tunMetadata), 0);
      return;
    default:
  }
}

function pop(walk: Walk, step: Step, to: Slice): void {
  const value = walk.stack.pop();
  if (value === undefined) walk.fail("stack underflow");
  else put(walk, step, to, value);
}

function put(walk: Walk, { action }: Step, to: Slice, value: readonly number[]): void {
  walk.writeSlice(to, value);
  if (walk.tracer === undefined || (action?.kind !== "move" && action?.kind !== "pop")) return;
  const number = value.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const { field } = action.to;
  const text = isWhole(action.to) ? formatValue(field, field.isWide ? number : Number(number), field.full) : number === 0n ? "0" : `0x${number.toString(16)}`;
  walk.tracer.note("detail", `${formatSubfield(action.to)} is now ${text}`);
}

function output(walk: Walk, number: number, maxLength: number, isTruncating: boolean): void {
  const cut = isTruncating ? maxLength : whole;
  switch (number) {
    case reserved.none:
      return;
    case reserved.normal:
      return outputNormal(walk, intoTable0);
    case reserved.flood:
    case reserved.all:
      return outputToAll(walk, number === reserved.flood, intoTable0);
    case reserved.table:
      return resubmit(walk, walk.inPort, 0, false, false);
    case reserved.controller:
      return toController(walk, { reason: "action", maxLength: maxLength === 0 ? 0xffff : maxLength, controllerId: 0, userdata: undefined, meter: undefined });
    case reserved.inPort: {
      const port = walk.bridge.portsByNumber.get(walk.inPort);
      if (port === undefined) walk.tracer?.note("warning", "Nonexistent output port");
      else outputToPort(walk, port, cut, intoTable0);
      return;
    }
    default: {
      if (number === walk.inPort) {
        walk.tracer?.note("warning", "skipping output to input port");
        return;
      }
      const port = walk.bridge.portsByNumber.get(number);
      if (port === undefined) walk.tracer?.note("warning", "Nonexistent output port");
      else outputToPort(walk, port, cut, intoTable0);
    }
  }
}

function controller(walk: Walk, step: Extract<Step, { kind: "controller" }>): void {
  const notice = { reason: step.reason, maxLength: step.maxLength, controllerId: step.controllerId, userdata: step.userdata, meter: step.meterId };
  if (step.pause !== true) return toController(walk, notice);
  walk.commit();
  walk.paused = { notice: noticeOf(walk, notice), rest: [] };
  walk.hasExited = true;
}

function resubmit(walk: Walk, inPort: number, table: number, isByConnection: boolean, isNested: boolean): void {
  if (walk.depth >= maxDepth) return walk.fail("resubmits nested too deep");
  if (++walk.resubmits > maxResubmits) return walk.fail("resubmits too many");
  const deepens = table <= walk.table ? 1 : 0;
  walk.depth += deepens;
  if (isByConnection) byOriginalTuple(walk, () => runTable(walk, table, inPort, isNested));
  else runTable(walk, table, inPort, isNested);
  walk.depth -= deepens;
}

function track(walk: Walk, step: ConnectionStep): void {
  connectionTrack(walk, step);
  if (step.table !== undefined) fork(walk, step.table);
  // What the tracker said is for those who go on in the other table.
  for (let w = W.ctState; w < W.tunId; w++) walk.write(w, 0xffffffff, 0);
  walk.tracer?.note("detail", "Sets the packet to an untracked state, and clears all the conntrack fields.");
}

/** The tracked packet goes on in `table`, as a copy; the packet here stays as it was. */
function fork(walk: Walk, table: number): void {
  const state = walk.surroundings.freeze(walk.freeze(table, []));
  walk.emit({ kind: "recirculate", state });
  walk.actions.push({ kind: "clone", actions: walk.actions.splice(walk.actions.length - 2, 2) });
  walk.tracer?.note("detail", `A clone of the packet is forked to recirculate. The forked pipeline will be resumed at table ${table}.`);
}

function clearConnection(walk: Walk): void {
  walk.emit({ kind: "ct_clear" });
  for (let w = W.ctState; w < W.tunId; w++) walk.write(w, 0xffffffff, 0);
}

/** The rest of the list is walked twice: for packets longer than `size` and for the others. */
function checkLength(walk: Walk, step: Extract<Step, { kind: "check_pkt_larger" }>, rest: readonly Step[]): void {
  walk.commit();
  const saved = walk.save();
  const branch = (isLarger: number) => {
    const actions: typeof walk.actions = [];
    walk.actions = actions;
    walk.writeSlice(step.to, [isLarger]);
    runSteps(walk, rest, 0);
    walk.finishPause();
    walk.restore(saved);
    return actions;
  };
  const larger = branch(1);
  saved.stack.splice(0, saved.stack.length, ...saved.stack.map((s) => [...s]));
  walk.emit({ kind: "check_length", size: step.size, larger, notLarger: branch(0) });
}

const actionSetOrder: readonly Step["kind"][] = ["pop_vlan", "push_vlan", "dec_ttl", "write", "set_vlan", "move", "set_queue"];

/** What write_actions has gathered, in the order of OpenFlow 1.5.1, section 5.6; the last of each kind counts. */
function runActionSet(walk: Walk): void {
  const set = walk.actionSet;
  if (set.length === 0 || walk.hasExited) return;
  walk.actionSet = [];
  for (const kind of actionSetOrder) {
    // Writes to different fields are different actions.
    const found = set.filter((s) => s.kind === kind);
    runSteps(walk, kind === "write" || kind === "move" || kind === "set_vlan" ? found : found.slice(-1), 0);
  }
  const group = set.findLast((s) => s.kind === "group");
  const final = group ?? set.findLast((s) => s.kind === "output" || s.kind === "ct" || s.kind === "resubmit");
  if (final !== undefined) runSteps(walk, [final], 0);
}

