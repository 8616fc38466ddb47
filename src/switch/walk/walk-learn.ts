/** The `learn` action: a packet that makes a flow (ovs-actions(7), `learn`). */
import { type Action, type FlowMod, type Learn, Match, OfError, ports as reserved } from "../../openflow/index.ts";
import { sliceOf } from "./program.ts";
import type { Walk } from "./walk.ts";

export function learnFlow(walk: Walk, step: Learn): void {
  let match = Match.any;
  const actions: Action[] = [];
  for (const spec of step.specs) {
    const value = spec.from.kind === "immediate" ? spec.from.value : readField(walk, spec.from.source);
    if (value === undefined) return;
    const { target } = spec;
    if (target === undefined) actions.push({ kind: "output", port: Number(value & 0xffffn) });
    else {
      const shift = BigInt(target.offset);
      const shifted = value << shift;
      const bits = ((1n << BigInt(spec.bits)) - 1n) << shift;
      const fit = (v: bigint): number | bigint => (target.field.isWide ? v : Number(v));
      if (spec.to === "match") match = match.with(target.field, fit(shifted), fit(bits));
      else actions.push({ kind: "set_field", field: target.field, value: fit(shifted & bits), mask: fit(bits), asLoad: true });
    }
  }
  const flow: FlowMod = {
    kind: "flow_mod", command: "modify_strict", table: step.table, cookie: step.cookie, cookieMask: 0n,
    idleTimeout: step.idleTimeout, hardTimeout: step.hardTimeout, priority: step.priority, bufferId: 0xffffffff, outPort: reserved.none,
    outGroup: 0xffffffff, importance: 0, flags: step.sendFlowRemoved ? { sendFlowRemoved: true } : {}, match, actions,
  };
  walk.tracer?.note("warning", "suppressing side effects, so learn action ignored");
  const { bridge } = walk;
  walk.effects.push(() => walk.surroundings.learn(bridge, flow));
  if (step.result === undefined) return;
  const result = sliceOf(step.result);
  if (!(result instanceof OfError)) walk.writeSlice(result, [1]);
}

function readField(walk: Walk, source: Parameters<typeof sliceOf>[0]): bigint | undefined {
  const slice = sliceOf(source);
  if (slice instanceof OfError) return undefined;
  return walk.readSlice(slice).reduceRight((value, word) => (value << 32n) | BigInt(word), 0n);
}
