/** The `group` action on a walk: each bucket works on a copy of the packet. */
import { formatPort, groups as groupNumbers, ports as reserved } from "../../openflow/index.ts";
import type { ReadyBucket } from "../flow/flow-group.ts";
import type { Step } from "./program.ts";
import type { Walk } from "./walk.ts";

export function runGroup(walk: Walk, number: number, run: (steps: readonly Step[]) => void): void {
  const group = walk.bridge.groups.get(number);
  if (group === undefined) return walk.fail("no such group");
  if (walk.groupsEntered.includes(group)) return walk.fail("recursive group");
  if (walk.depth >= 64) return walk.fail("resubmits nested too deep");
  walk.groupsEntered.push(group);
  walk.depth++;
  walk.buckets.push({ group, bucket: undefined });
  const enter = (bucket: ReadyBucket): void => {
    walk.buckets.push({ group, bucket });
    walk.tracer?.enterBucket(bucket.of.id);
    walk.onCopy(() => run(bucket.steps));
    walk.tracer?.leaveBucket();
  };
  const isLive = (bucket: ReadyBucket): boolean => {
    // Of select groups, buckets without weight are not used.
    if ((group.of.type !== "select" || bucket.of.weight > 0) && isBucketLive(walk, bucket, 0)) return true;
    walk.tracer?.note("detail", `bucket ${bucket.of.id}: not live due to ${watchedBy(bucket)}`);
    return false;
  };
  const enterChosen = (bucket: ReadyBucket | undefined): void => {
    walk.tracer?.note("detail", bucket === undefined ? "no live bucket" : `using bucket ${bucket.of.id}`);
    if (bucket !== undefined) enter(bucket);
  };
  switch (group.of.type) {
    case "all":
    case "indirect":
      for (const bucket of group.buckets) enter(bucket);
      break;
    case "select":
      enterChosen(group.select(walk.key, walk.wildcards, isLive));
      break;
    case "ff":
      enterChosen(group.buckets.find(isLive));
      break;
  }
  walk.depth--;
  walk.groupsEntered.pop();
}

function watchedBy({ of: { watchPort, watchGroup } }: ReadyBucket): string {
  const ports = watchPort === reserved.none ? [] : [`port ${formatPort(watchPort)}`];
  return [...ports, ...(watchGroup === groupNumbers.any ? [] : [`port ${watchGroup}`])].join(" and ");
}

/** A bucket that watches nothing is live; one that watches a port or a group is as live as that. */
function isBucketLive(walk: Walk, bucket: ReadyBucket, depth: number): boolean {
  const { watchPort, watchGroup } = bucket.of;
  if (watchPort !== reserved.none && walk.isPortLive(watchPort)) return true;
  if (watchGroup !== groupNumbers.any) {
    const group = walk.bridge.groups.get(watchGroup);
    return depth < 64 && group !== undefined && group.buckets.some((b) => isBucketLive(walk, b, depth + 1));
  }
  return watchPort === reserved.none;
}
