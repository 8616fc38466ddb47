/** A flow: match, actions, timeouts, counters. */
import type { Action, FlowFlags, Match } from "../../openflow/index.ts";
import type { Classified, Conjunction } from "./classifier.ts";
import type { Lesson } from "./learned-flows.ts";
import type { Minimatch } from "./minimask.ts";
import type { Program } from "../walk/program.ts";

export interface FlowSettings {
  readonly table: number;
  readonly priority: number;
  readonly of: Match;
  readonly match: Minimatch;
  readonly cookie: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly importance: number;
  readonly flags: FlowFlags;
  readonly program: Program;
}

export class FlowRule implements Classified {
  readonly table: number;
  readonly priority: number;
  /** As OpenFlow states it. */
  readonly of: Match;
  readonly match: Minimatch;
  cookie: bigint;
  idleTimeout: number;
  hardTimeout: number;
  readonly importance: number;
  flags: FlowFlags;
  program: Program;
  conjunctions: readonly Conjunction[];
  /** The groups that its actions name. */
  groups: readonly number[];
  /** The flows that are to go when nobody teaches them any more. */
  lessons: readonly Lesson[];
  /** Milliseconds of the host's clock. */
  readonly createdMs: number;
  modifiedMs: number;
  usedMs: number;
  packets = 0;
  bytes = 0;

  constructor(settings: FlowSettings, nowMs: number) {
    this.table = settings.table;
    this.priority = settings.priority;
    this.of = settings.of;
    this.match = settings.match;
    this.cookie = settings.cookie;
    this.idleTimeout = settings.idleTimeout;
    this.hardTimeout = settings.hardTimeout;
    this.importance = settings.importance;
    this.flags = settings.flags;
    this.program = settings.program;
    this.conjunctions = conjunctionsOf(settings.program);
    this.groups = groupsOf(settings.program.actions);
    this.lessons = lessonsOf(settings.program.actions);
    this.createdMs = nowMs;
    this.modifiedMs = nowMs;
    this.usedMs = nowMs;
  }

  setProgram(program: Program): void {
    this.program = program;
    this.conjunctions = conjunctionsOf(program);
    this.groups = groupsOf(program.actions);
    this.lessons = lessonsOf(program.actions);
  }
}

/** The groups that actions name, at any depth. */
export function groupsOf(actions: readonly Action[]): readonly number[] {
  const found: number[] = [];
  eachAction(actions, (action) => {
    if (action.kind === "group") found.push(action.group);
  });
  return found;
}

function lessonsOf(actions: readonly Action[]): readonly Lesson[] {
  const found: Lesson[] = [];
  eachAction(actions, (action) => {
    if (action.kind === "learn" && action.deleteLearned) found.push({ table: action.table, cookie: action.cookie });
  });
  return found;
}

/** Every action, and those inside of clone, write_actions and ct. */
export function eachAction(actions: readonly Action[], see: (action: Action) => void): void {
  for (const action of actions) {
    see(action);
    if (action.kind === "clone" || action.kind === "write_actions") eachAction(action.actions, see);
    else if (action.kind === "ct") eachAction(action.exec, see);
  }
}

export function conjunctionsOf(program: Program): readonly Conjunction[] {
  const found: Conjunction[] = [];
  for (const step of program.steps) if (step.kind === "conjunction") found.push(step);
  return found;
}
