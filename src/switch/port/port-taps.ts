/** Watching frames go by: for captures. Costs nothing while nobody watches. */
export interface CapturedFrame {
  readonly bytes: Uint8Array;
  /** `in`: into the switch; `out`: out of it. */
  readonly direction: "in" | "out";
  readonly port: string;
  /** The wall clock, in milliseconds since 1970. */
  readonly wallMs: number;
}

export type See = (frame: CapturedFrame) => void;

export class PortTaps {
  readonly #byName = new Map<string, Set<See>>();
  readonly #wallMs: () => number;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  get isWatching(): boolean {
    return this.#byName.size > 0;
  }

  watches(name: string): boolean {
    return this.#byName.has(name);
  }

  add(name: string, see: See): () => void {
    const watchers = this.#byName.get(name) ?? new Set();
    watchers.add(see);
    this.#byName.set(name, watchers);
    return () => {
      watchers.delete(see);
      if (watchers.size === 0 && this.#byName.get(name) === watchers) this.#byName.delete(name);
    };
  }

  show(name: string, direction: "in" | "out", bytes: Uint8Array, port = name): void {
    const watchers = this.#byName.get(name);
    if (watchers === undefined) return;
    const frame: CapturedFrame = { bytes, direction, port, wallMs: this.#wallMs() };
    for (const see of watchers) see(frame);
  }
}
