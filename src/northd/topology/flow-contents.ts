/**
 * What flows say, each thing once: the same match and actions are on a hundred switches, and every fact about them would
 * otherwise carry the text of its own key.
 */
import type { Stage } from "../../logical/index.ts";
import type { Actions, Match } from "../flow-text.ts";

/** All that two flows of one row have in common. Told apart by identity. */
export interface FlowContent {
  readonly id: number;
  readonly stage: Stage;
  readonly priority: number;
  readonly match: Match;
  readonly actions: Actions;
  readonly meter: string | undefined;
  /** See FlowDetails. */
  readonly matchesTrackedPorts: boolean;
}

const keyOf = (priority: number, match: string, actions: string, meter: string | undefined, matchesTrackedPorts: boolean): string =>
  [priority, match, actions, meter ?? "", matchesTrackedPorts ? "tracked" : ""].join("\n");

export class FlowContents {
  readonly #stages = new Map<Stage, Map<string, FlowContent>>();
  #last = 0;

  of(stage: Stage, priority: number, match: Match, actions: Actions, meter: string | undefined, matchesTrackedPorts: boolean): FlowContent {
    let contents = this.#stages.get(stage);
    if (contents === undefined) {
      contents = new Map();
      this.#stages.set(stage, contents);
    }
    const key = keyOf(priority, match, actions, meter, matchesTrackedPorts);
    let content = contents.get(key);
    if (content === undefined) {
      content = { id: ++this.#last, stage, priority, match, actions, meter, matchesTrackedPorts };
      contents.set(key, content);
    }
    return content;
  }

  find(stage: Stage, priority: number, match: string, actions: string, meter: string | undefined, matchesTrackedPorts: boolean): FlowContent | undefined {
    return this.#stages.get(stage)?.get(keyOf(priority, match, actions, meter, matchesTrackedPorts));
  }

  /** No flow says it any more. */
  forget({ stage, priority, match, actions, meter, matchesTrackedPorts }: FlowContent): void {
    this.#stages.get(stage)?.delete(keyOf(priority, match, actions, meter, matchesTrackedPorts));
  }

  get size(): number {
    return [...this.#stages.values()].reduce((sum, contents) => sum + contents.size, 0);
  }
}
