/** Groups: how they are set up and counted (OpenFlow 1.5, sections 7.3.4 and 7.3.5). */
import type { Action } from "../action/action.ts";
import type { Match } from "../match/match.ts";

export const groupTypes = ["all", "select", "indirect", "ff"] as const;

export const groupModCommands = ["add", "modify", "delete", "insert_bucket", "remove_bucket", "add_or_mod"] as const;

export interface Bucket {
  /** 0xffffff00 and above are reserved. */
  readonly id: number;
  readonly weight: number;
  readonly watchPort: number;
  readonly watchGroup: number;
  readonly actions: readonly Action[];
}

export interface GroupDescription {
  readonly group: number;
  readonly type: (typeof groupTypes)[number];
  readonly buckets: readonly Bucket[];
  /** How a select group chooses: "" (the switch's default), "hash" or "dp_hash". */
  readonly selectionMethod: string;
  readonly selectionParameter: bigint;
  /** The fields that "hash" covers. */
  readonly selectionFields: Match;
}

export interface GroupMod extends GroupDescription {
  readonly kind: "group_mod";
  readonly command: (typeof groupModCommands)[number];
  /** For insert_bucket and remove_bucket: the bucket after which, or which. */
  readonly commandBucket: number;
}

/** OFPG_ALL, OFPG_ANY; and for buckets OFPG15_BUCKET_FIRST, _LAST, _ALL. */
export const groups = { max: 0xffffff00, all: 0xfffffffc, any: 0xffffffff, bucketFirst: 0xfffffffd, bucketLast: 0xfffffffe, bucketAll: 0xffffffff } as const;

export interface GroupStats {
  readonly group: number;
  readonly references: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationNs: bigint;
  readonly buckets: readonly { readonly packets: bigint; readonly bytes: bigint }[];
}
