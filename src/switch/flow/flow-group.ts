/** Groups (OpenFlow 1.5.1, section 5.6): several things to do with a packet, all of them or one. */
import { type Bucket, type GroupDescription, groups as groupNumbers, OfError, ports } from "../../openflow/index.ts";
import { type FlowKey, placeOf, W } from "./flow-key.ts";
import { finish, mix } from "./minimask.ts";
import { compile, type Step } from "../walk/program.ts";
import type { Wildcards } from "./wildcards.ts";

export interface ReadyBucket {
  readonly of: Bucket;
  readonly steps: readonly Step[];
  packets: number;
  bytes: number;
}

export class FlowGroup {
  readonly of: GroupDescription;
  readonly buckets: readonly ReadyBucket[];
  readonly createdMs: number;
  packets = 0;
  bytes = 0;

  constructor(of: GroupDescription, buckets: readonly ReadyBucket[], createdMs: number) {
    this.of = of;
    this.buckets = buckets;
    this.createdMs = createdMs;
  }

  /** The bucket that this packet's flow goes to, out of those that are live; the choice is noted in `wildcards`. */
  select(key: FlowKey, wildcards: Wildcards, isLive: (bucket: ReadyBucket) => boolean): ReadyBucket | undefined {
    const hash = this.of.selectionMethod === "hash" && this.of.selectionFields.terms.length > 0
      ? this.#hashOfFields(key, wildcards)
      : hashOfConnection(key, wildcards);
    // Highest random weight: a bucket that comes or goes moves only the flows that are its own.
    let best: ReadyBucket | undefined;
    let bestScore = -1;
    for (const bucket of this.buckets) {
      if (!isLive(bucket)) continue;
      const score = (finish(mix(mix(0, bucket.of.id), hash)) >>> 16) * bucket.of.weight;
      if (score <= bestScore) continue;
      bestScore = score;
      best = bucket;
    }
    return best;
  }

  #hashOfFields(key: FlowKey, wildcards: Wildcards): number {
    let hash = Number(this.of.selectionParameter & 0xffff_ffffn);
    for (const { field } of this.of.selectionFields.terms) {
      const place = placeOf(field);
      if (place === undefined) continue;
      const mask = place.width >= 32 ? 0xffffffff : ((1 << place.width) - 1) << place.shift;
      for (let i = 0; i < Math.ceil(place.width / 32); i++) {
        wildcards.look(place.word + i, mask);
        hash = mix(hash, (key[place.word + i] ?? 0) & mask);
      }
    }
    return finish(hash);
  }
}

/** Addresses, protocol and ports: equal for both directions of a connection (OVS's symmetric L4 hash). */
export function hashOfConnection(key: FlowKey, wildcards: Wildcards | undefined): number {
  wildcards?.look(W.nwMisc, 0xff000000);
  wildcards?.look(W.tpPorts, 0xffffffff);
  wildcards?.look(W.nwSrc, 0xffffffff);
  wildcards?.look(W.nwDst, 0xffffffff);
  let hash = mix(0, (key[W.nwSrc] ?? 0) ^ (key[W.nwDst] ?? 0));
  for (let i = 0; i < 4; i++) {
    wildcards?.look(W.ipv6Src + i, 0xffffffff);
    wildcards?.look(W.ipv6Dst + i, 0xffffffff);
    hash = mix(hash, (key[W.ipv6Src + i] ?? 0) ^ (key[W.ipv6Dst + i] ?? 0));
  }
  for (let i = 0; i < 2; i++) {
    wildcards?.look(W.ethSrc + i, 0xffffffff);
    wildcards?.look(W.ethDst + i, 0xffffffff);
    hash = mix(hash, (key[W.ethSrc + i] ?? 0) ^ (key[W.ethDst + i] ?? 0));
  }
  const l4 = key[W.tpPorts] ?? 0;
  hash = mix(hash, (key[W.nwMisc] ?? 0) >>> 24);
  return finish(mix(hash, (l4 >>> 16) ^ (l4 & 0xffff)));
}

/** A group from its description; counters of buckets that stay are not kept, as in OVS. */
export function makeGroup(of: GroupDescription, nowMs: number): FlowGroup | OfError {
  if (of.group >= groupNumbers.max) return new OfError("OFPGMFC_INVALID_GROUP");
  if (of.type === "indirect" && of.buckets.length !== 1) return new OfError("OFPGMFC_INVALID_GROUP");
  if (of.selectionMethod !== "" && of.selectionMethod !== "hash" && of.selectionMethod !== "dp_hash") {
    return new OfError("OFPGMFC_BAD_TYPE", `selection method ${of.selectionMethod}`);
  }
  const ids = new Set<number>();
  const buckets: ReadyBucket[] = [];
  for (const bucket of of.buckets) {
    if (ids.has(bucket.id)) return new OfError("OFPGMFC_BUCKET_EXISTS");
    ids.add(bucket.id);
    if (of.type === "ff" && bucket.watchPort === ports.none && bucket.watchGroup === groupNumbers.any) return new OfError("OFPGMFC_INVALID_GROUP");
    const program = compile(bucket.actions);
    if (program instanceof OfError) return program;
    buckets.push({ of: bucket, steps: program.steps, packets: 0, bytes: 0 });
  }
  return new FlowGroup(of, buckets, nowMs);
}
