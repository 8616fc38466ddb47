/**
 * Walks that stopped on their way into the connection tracker, by what they were: the same state has the same recirc_id, so
 * that its packets find one another's cache entries. Bounded: what is forgotten gets a new number when it comes again.
 */
import type { FrozenState } from "../packet/datapath-action.ts";

const maxStates = 8192;

export class FrozenStates {
  readonly #byContent = new Map<string, FrozenState>();
  #lastId = 0;

  freeze(state: Omit<FrozenState, "id">): FrozenState {
    const { bridge, table, inPort, pipeline, stack } = state;
    const isPlain = state.actionSet.length === 0 && state.rest.length === 0;
    const content = isPlain ? `${bridge.uuid} ${table} ${inPort} ${pipeline.join()} ${JSON.stringify(stack)} ${[...(state.mirrored ?? [])].map((m) => m.name).join()}` : "";
    const known = isPlain ? this.#byContent.get(content) : undefined;
    if (known !== undefined) return known;
    this.#lastId = (this.#lastId % 0xffff_fffe) + 1;
    const made = { ...state, id: this.#lastId };
    if (!isPlain) return made;
    this.#byContent.set(content, made);
    for (const oldest of this.#byContent.keys()) {
      if (this.#byContent.size <= maxStates) break;
      this.#byContent.delete(oldest);
    }
    return made;
  }
}
