/**
 * A normalized expression to flow matches, with conjunctive matches where clauses would multiply (ovs-fields(7),
 * "Conjunctive Match Fields").
 */
import { field, Match, MatchBuilder } from "../openflow/index.ts";
import { type Comparison, type Expression, type Junction } from "./expression.ts";

export interface ConjunctionClause {
  /** From 1 in each expression; the caller moves them to where they are its own. */
  readonly id: number;
  readonly clause: number;
  readonly clauses: number;
}

export interface FlowMatch {
  readonly match: Match;
  /** Not empty: the flow's only action is to state these clauses. */
  readonly conjunctions: readonly ConjunctionClause[];
  /** Not 0: the match demands this conj_id (also from 1); `match` does not hold it yet. */
  readonly conjunctionId: number;
  /** The address set that exactly this match stands for, with the address. */
  readonly addressSet: string | undefined;
}

/** The number that the switch knows a port by; undefined if there is no such port. */
export type PortLookup = (name: string) => number | undefined;

/** Adds the terms of the comparison; false if it names a port that does not exist, and so can never hold. */
function demand(builder: MatchBuilder, comparison: Comparison, lookupPort: PortLookup): boolean {
  const { meaning, width } = comparison.symbol;
  if (meaning.kind !== "field") return false;
  const { field: f } = meaning;
  if (width === 0) {
    const port = lookupPort(comparison.text);
    if (port === undefined) return false;
    builder.add(f, f.isWide ? BigInt(port) : port);
  } else if (f.isWide) builder.add(f, comparison.value, comparison.mask);
  else builder.add(f, Number(comparison.value), Number(comparison.mask));
  return true;
}

/** `match` with the terms of the comparison; undefined if that can never hold. */
export function constrain(match: Match, comparison: Comparison, lookupPort: PortLookup): Match | undefined {
  const builder = new MatchBuilder(match);
  return demand(builder, comparison, lookupPort) ? builder.build() : undefined;
}

const conjunctionField = field("conj_id");

/** The match as it goes into a flow: with its conj_id, moved by `offset`. */
export const withConjunctionId = ({ match, conjunctionId }: FlowMatch, offset: number): Match =>
  conjunctionId === 0 ? match : match.with(conjunctionField, conjunctionId + offset);

export interface FlowMatches {
  readonly matches: readonly FlowMatch[];
  /** How many conjunction ids they use: 1 to this. */
  readonly conjunctionIds: number;
}

/** `expression` must be normalized. */
export function toMatches(expression: Expression, lookupPort: PortLookup): FlowMatches {
  const collector = new Collector(lookupPort);
  switch (expression.kind) {
    case "comparison":
      collector.addComparison(Match.any, expression, []);
      break;
    case "and":
      collector.addConjunction(expression);
      break;
    case "or":
      for (const term of expression.terms) {
        if (term.kind === "and") collector.addConjunction(term);
        else if (term.kind === "comparison") collector.addComparison(Match.any, term, []);
      }
      break;
    case "boolean":
      if (expression.value) collector.add(Match.any, [], 0, undefined);
      break;
    case "chassis-resident": throw new TypeError("conditions are evaluated before matches are made");
  }
  return { matches: collector.matches(), conjunctionIds: collector.conjunctionIds };
}

class Collector {
  readonly #lookupPort: PortLookup;
  readonly #byKey = new Map<string, FlowMatch>();
  #first: FlowMatch | undefined;
  conjunctionIds = 0;

  constructor(lookupPort: PortLookup) {
    this.#lookupPort = lookupPort;
  }

  matches(): readonly FlowMatch[] {
    if (this.#byKey.size > 0) return [...this.#byKey.values()];
    return this.#first === undefined ? [] : [this.#first];
  }

  add(match: Match, conjunctions: readonly ConjunctionClause[], conjunctionId: number, addressSet: string | undefined): void {
    const flow: FlowMatch = { match, conjunctions, conjunctionId, addressSet };
    // Most expressions have one match: its key is not worked out.
    if (this.#first === undefined) {
      this.#first = flow;
      return;
    }
    if (this.#byKey.size === 0) this.#byKey.set(keyOf(this.#first), this.#first);
    const key = keyOf(flow);
    const same = this.#byKey.get(key);
    if (same === undefined) this.#byKey.set(key, flow);
    else {
      // Equal matches are one flow: it states the clauses of both, or, if one stands by itself, simply matches.
      const merged = same.conjunctions.length === 0 || conjunctions.length === 0 ? [] : [...same.conjunctions, ...conjunctions];
      this.#byKey.set(key, { match, conjunctions: merged, conjunctionId, addressSet: undefined });
    }
  }

  addComparison(base: Match, comparison: Comparison, conjunctions: readonly ConjunctionClause[]): boolean {
    const match = constrain(base, comparison, this.#lookupPort);
    if (match !== undefined) this.add(match, conjunctions, 0, comparison.addressSet);
    return match !== undefined;
  }

  #addDisjunction(base: Match, or: Junction, conjunctions: readonly ConjunctionClause[]): boolean {
    let any = false;
    for (const term of or.terms) if (term.kind === "comparison" && this.addComparison(base, term, conjunctions)) any = true;
    return any;
  }

  addConjunction(and: Junction): void {
    const builder = new MatchBuilder();
    const choices: Junction[] = [];
    for (const term of and.terms) {
      if (term.kind === "or") choices.push(term);
      else if (term.kind === "comparison" && !demand(builder, term, this.#lookupPort)) return;
    }
    const base = builder.build();
    const [first] = choices;
    if (first === undefined) this.add(base, [], 0, undefined);
    else if (choices.length === 1) this.#addDisjunction(base, first, []);
    else {
      const id = ++this.conjunctionIds;
      for (const [clause, choice] of choices.entries()) {
        // A clause that cannot hold: the whole cannot, and the clauses stated so far do no harm.
        if (!this.#addDisjunction(base, choice, [{ id, clause, clauses: choices.length }])) return;
      }
      this.add(base, [], id, undefined);
    }
  }
}

const keyOf = ({ match, conjunctionId }: FlowMatch): string => (conjunctionId === 0 ? match.key : `${match.key};${conjunctionId}`);
