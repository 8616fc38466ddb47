/** Flows as they are put into tables, removed and counted (OpenFlow 1.5, sections 7.3.4, 7.3.5 and 7.4). */
import type { Action } from "../action/action.ts";
import type { Match } from "../match/match.ts";

export const flowModCommands = ["add", "modify", "modify_strict", "delete", "delete_strict"] as const;

export interface FlowMod {
  readonly kind: "flow_mod";
  readonly command: (typeof flowModCommands)[number];
  readonly table: number;
  readonly cookie: bigint;
  /** Modify and delete touch only flows whose cookie agrees here. */
  readonly cookieMask: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly bufferId: number;
  /** Delete only flows that output here; `ports.none`: all. */
  readonly outPort: number;
  /** 0xffffffff: all. */
  readonly outGroup: number;
  readonly importance: number;
  readonly flags: FlowFlags;
  readonly match: Match;
  readonly actions: readonly Action[];
}

export interface FlowFlags {
  readonly sendFlowRemoved?: boolean;
  readonly checkOverlap?: boolean;
  readonly resetCounts?: boolean;
  readonly noPacketCounts?: boolean;
  readonly noByteCounts?: boolean;
}

export const flowRemovedReasons = ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"] as const;

export interface FlowRemoved {
  readonly kind: "flow_removed";
  readonly match: Match;
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: (typeof flowRemovedReasons)[number];
  readonly table: number;
  readonly durationNs: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface FlowStats {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  readonly actions: readonly Action[];
  readonly durationNs: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** Seconds; undefined where the switch does not say. */
  readonly idleAge?: number;
  readonly hardAge?: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly importance: number;
  readonly flags: FlowFlags;
}

export interface FlowStatsRequest {
  readonly table: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly match: Match;
}
