/**
 * One of a bridge's 255 flow tables: its classifier, and its flows in the order in which they came.
 * (Timeouts: flow-expiry.ts. What flow_mod does to a table: flow-mod.ts.)
 */
import { Classifier } from "./classifier.ts";
import type { FlowRule } from "./flow-rule.ts";
import type { Minimatch } from "./minimask.ts";

export const tableCount = 255;

export class FlowTable {
  readonly number: number;
  readonly classifier = new Classifier<FlowRule>();
  readonly rules = new Set<FlowRule>();
  lookups = 0;
  matched = 0;

  constructor(number: number) {
    this.number = number;
  }

  add(rule: FlowRule): void {
    this.classifier.insert(rule);
    this.rules.add(rule);
  }

  remove(rule: FlowRule): void {
    this.classifier.remove(rule);
    this.rules.delete(rule);
  }

  find(match: Minimatch, priority: number): FlowRule | undefined {
    return this.classifier.find(match, priority);
  }
}
