/**
 * Numbers for things that OpenFlow knows by number and OVN by what they do: groups and meters (lib/extend-table.h).
 * A name keeps its number as long as a flow uses it; the lowest free number goes to the next name.
 */
export class NumberedNames {
  readonly kind: string;
  readonly #numberOf = new Map<string, number>();
  readonly #taken = new Set<number>();
  #lowestFree = 1;

  constructor(kind: string) {
    this.kind = kind;
  }

  /** The name's number: the one it has, or a new one. */
  numberOf(name: string): number {
    const known = this.#numberOf.get(name);
    if (known !== undefined) return known;
    while (this.#taken.has(this.#lowestFree)) this.#lowestFree++;
    const number = this.#lowestFree;
    this.#taken.add(number);
    this.#numberOf.set(name, number);
    return number;
  }

  /** No flow uses the name any more. Returns its number. */
  release(name: string): number | undefined {
    const number = this.#numberOf.get(name);
    if (number === undefined) return undefined;
    this.#numberOf.delete(name);
    this.#taken.delete(number);
    this.#lowestFree = Math.min(this.#lowestFree, number);
    return number;
  }

  /** `NAME: NUMBER`, sorted by name: group-table-list, meter-table-list. */
  list(): string {
    return [...this.#numberOf].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, number]) => `${name}: ${number}\n`).join("");
  }
}
