/**
 * The flows that ought to be in the switch, slot by slot. Several rows may want a flow with the same table, priority and
 * match; the switch has room for one. One that lets packets pass counts before one that drops them; statements about
 * conjunctions are put together, and count least (controller/ofctrl.c, flow_is_preferred).
 */
import type { Sink } from "../engine/index.ts";
import type { Action } from "../openflow/index.ts";
import { fingerprint, fingerprintOf, type Flow, slotOf } from "./flow.ts";

/** What one slot holds, ready to be compared. */
export interface SlotContent extends Flow {
  readonly fingerprint: string;
}

export class DesiredFlows implements Sink<Flow> {
  readonly #slots = new Map<string, Set<Flow>>();
  readonly #dirty = new Set<string>();

  added(flow: Flow): void {
    const slot = slotOf(flow);
    const candidates = this.#slots.get(slot);
    if (candidates === undefined) this.#slots.set(slot, new Set([flow]));
    else candidates.add(flow);
    this.#dirty.add(slot);
  }

  removed(flow: Flow): void {
    const slot = slotOf(flow);
    const candidates = this.#slots.get(slot);
    candidates?.delete(flow);
    if (candidates?.size === 0) this.#slots.delete(slot);
    this.#dirty.add(slot);
  }

  get size(): number {
    return this.#slots.size;
  }

  get hasChanges(): boolean {
    return this.#dirty.size > 0;
  }

  /** The slots that may hold something else than when they were last taken. */
  takeChanges(): readonly string[] {
    const slots = [...this.#dirty];
    this.#dirty.clear();
    return slots;
  }

  /** The switch has forgotten everything. */
  markAll(): void {
    this.#dirty.clear();
    for (const slot of this.#slots.keys()) this.#dirty.add(slot);
  }

  contentOf(slot: string): SlotContent | undefined {
    const candidates = this.#slots.get(slot);
    if (candidates === undefined) return undefined;
    let best: Flow | undefined;
    for (const flow of candidates) if (best === undefined || rank(flow) > rank(best)) best = flow;
    if (best === undefined) return undefined;
    const actions = rank(best) === 0 && candidates.size > 1 ? mergedConjunctions(candidates) : best.actions;
    return { ...best, actions, fingerprint: fingerprintOf(actions) };
  }
}

const statesConjunction = (flow: Flow): boolean => flow.actions.some((a) => a.kind === "conjunction");
const rank = (flow: Flow): number => (statesConjunction(flow) ? 0 : flow.actions.length === 0 ? 1 : 2);

/** Each statement once, in an order that does not depend on who came first. */
function mergedConjunctions(flows: Iterable<Flow>): readonly Action[] {
  const byText = new Map([...flows].flatMap((flow) => flow.actions.map((action) => [fingerprint(action), action] as const)));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, action]) => action);
}
