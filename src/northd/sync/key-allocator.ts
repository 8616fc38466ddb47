/**
 * Numbers that must be unique within a scope and last as long as what has them: tunnel keys of datapaths and ports, queues,
 * VLAN tags. Rules ask for them with facts; this sink gives them out when the rules are at rest, and rules that read them run
 * again within the same flush.
 *
 * Order of precedence: a number that was asked for by name; the number that the thing has in the database; a free one. What is
 * asked for at first is served in the order of the keys, so that the same network gets the same numbers; what comes later in
 * the order it comes.
 */
import { type Relation, relation, type Sink } from "../../engine/index.ts";
import { compareBytes } from "../port-addresses.ts";
import type { KeySource } from "../topology/topology.ts";
import { ValuesByKey } from "../values-by-key.ts";

export interface KeyRequest {
  /** Numbers are unique within it. */
  readonly scope: string;
  readonly key: string;
  /** 0: no matter which. */
  readonly requested: number;
  readonly max: number;
}

export const keyRequests = (name: string): Relation<KeyRequest> =>
  relation(name, ({ scope, key, requested, max }) => `${scope}\n${key}\n${requested}\n${max}`);

export interface KeyAllocatorOptions {
  /** For the log: "all datapath tunnel ids exhausted". */
  readonly what: string;
  readonly min: number;
  /** "lowest": the lowest free number. "next": the one after the highest so far, and only then lower ones. */
  readonly policy: "lowest" | "next";
  /** The number that the database has for it. Not tracked. */
  existing(scope: string, key: string): number | undefined;
  /** Nobody is given the number of northd's own accord. Not tracked. */
  isBarred?(scope: string, number: number): boolean;
  warn(text: string): void;
  /** Told when a number was asked for that another has asked for too. */
  conflict(request: KeyRequest): void;
}

interface Holder {
  readonly request: KeyRequest;
  /** It has the number that it asked for. */
  isExplicit: boolean;
}

interface Scope {
  readonly taken: Map<number, Holder>;
  highest: number;
}

export class KeyAllocator implements Sink<KeyRequest>, KeySource {
  readonly #options: KeyAllocatorOptions;
  readonly #scopes = new Map<string, Scope>();
  readonly #numbers = new Map<string, { readonly holder: Holder; number: number }>();
  readonly #given: ValuesByKey<number>;
  /** In the order they came: a changed request goes before it comes. */
  #arrived = new Set<KeyRequest>();
  #gone = new Set<KeyRequest>();
  /** By scope and number: who asked for a number that somebody else has asked for too. */
  readonly #refused = new Map<string, Set<KeyRequest>>();
  #isFirst = true;

  constructor(options: KeyAllocatorOptions) {
    this.#options = options;
    this.#given = new ValuesByKey(options.what);
  }

  get(key: string): number | undefined {
    return this.#given.get(key);
  }

  /** How many keys have a number, or somebody who waits for one. */
  get size(): number {
    return this.#given.size;
  }

  /** Whether anybody has this number. Not tracked. */
  isTaken(scope: string, number: number): boolean {
    return this.#scopes.get(scope)?.taken.has(number) ?? false;
  }

  added(request: KeyRequest): void {
    this.#arrived.add(request);
  }

  removed(request: KeyRequest): void {
    if (!this.#arrived.delete(request)) this.#gone.add(request);
  }

  settle(): void {
    if (this.#arrived.size + this.#gone.size === 0) return;
    const [arrived, gone] = [[...this.#arrived], this.#gone];
    this.#arrived = new Set();
    this.#gone = new Set();
    const had = new Map<string, number>();
    const free: KeyRequest[] = [];
    for (const request of gone) {
      const { key } = request;
      this.#forgetRefusal(request);
      const current = this.#numbers.get(key);
      if (current === undefined || !gone.has(current.holder.request)) continue;
      had.set(key, current.number);
      this.#release(key);
      if (current.holder.isExplicit) free.push(request);
    }
    arrived.unshift(...free.flatMap((request) => this.#nextInLine(request, gone, had)));
    if (this.#isFirst) arrived.sort((a, b) => compareBytes(a.key, b.key));
    this.#isFirst = false;
    this.#serve(arrived, had);
    for (const { key } of gone) if (!this.#numbers.has(key)) this.#given.clear(key);
  }

  /** Who has waited for the number that `request` has had. */
  #nextInLine({ scope, requested }: KeyRequest, gone: ReadonlySet<KeyRequest>, had: Map<string, number>): readonly KeyRequest[] {
    const place = `${scope}\n${requested}`;
    const waiting = [...(this.#refused.get(place) ?? [])].filter((request) => !gone.has(request)).sort((a, b) => compareBytes(a.key, b.key));
    this.#refused.delete(place);
    for (const { key } of waiting) {
      const current = this.#numbers.get(key);
      if (current === undefined) continue;
      had.set(key, current.number);
      this.#release(key);
    }
    return waiting;
  }

  #refuse(request: KeyRequest): void {
    const place = `${request.scope}\n${request.requested}`;
    const others = this.#refused.get(place);
    if (others === undefined) this.#refused.set(place, new Set([request]));
    else others.add(request);
    this.#options.conflict(request);
  }

  #forgetRefusal(request: KeyRequest): void {
    const place = `${request.scope}\n${request.requested}`;
    const others = this.#refused.get(place);
    if (others?.delete(request) === true && others.size === 0) this.#refused.delete(place);
  }

  #serve(requests: readonly KeyRequest[], had: ReadonlyMap<string, number>): void {
    let waiting = requests.filter((request) => !this.#numbers.has(request.key));
    const displaced: KeyRequest[] = [];
    waiting = waiting.filter((request) => !this.#grantExplicit(request, displaced));
    waiting = [...waiting, ...displaced].filter((request) => {
      const existing = had.get(request.key) ?? this.#options.existing(request.scope, request.key);
      return existing === undefined || !this.#grant(request, existing, false);
    });
    for (const request of waiting) this.#grantAny(request);
  }

  /** What merely happens to have the number gives way. */
  #grantExplicit(request: KeyRequest, displaced: KeyRequest[]): boolean {
    if (request.requested === 0) return false;
    const holder = this.#scope(request.scope).taken.get(request.requested);
    if (holder?.isExplicit === true) {
      this.#refuse(request);
      return false;
    }
    if (holder !== undefined) {
      this.#release(holder.request.key);
      displaced.push(holder.request);
    }
    return this.#grant(request, request.requested, true);
  }

  #grant(request: KeyRequest, number: number, isExplicit: boolean): boolean {
    const scope = this.#scope(request.scope);
    if (scope.taken.has(number)) return false;
    const holder = { request, isExplicit };
    scope.taken.set(number, holder);
    scope.highest = Math.max(scope.highest, number);
    this.#numbers.set(request.key, { holder, number });
    this.#given.set(request.key, number);
    return true;
  }

  #grantAny(request: KeyRequest): void {
    const { min, policy, what, warn } = this.#options;
    const scope = this.#scope(request.scope);
    const from = policy === "next" && scope.highest < request.max ? Math.max(min, scope.highest + 1) : min;
    const grant = (number: number): boolean => this.#options.isBarred?.(request.scope, number) !== true && this.#grant(request, number, false);
    for (let number = from; number <= request.max; number++) if (grant(number)) return;
    for (let number = min; number < from; number++) if (grant(number)) return;
    warn(`all ${what} exhausted`);
    this.#given.clear(request.key);
  }

  #release(key: string): void {
    const current = this.#numbers.get(key);
    if (current === undefined) return;
    this.#numbers.delete(key);
    const { scope } = current.holder.request;
    const taken = this.#scopes.get(scope)?.taken;
    taken?.delete(current.number);
    if (taken?.size === 0) this.#scopes.delete(scope);
  }

  #scope(name: string): Scope {
    let scope = this.#scopes.get(name);
    if (scope === undefined) {
      scope = { taken: new Map(), highest: 0 };
      this.#scopes.set(name, scope);
    }
    return scope;
  }
}
