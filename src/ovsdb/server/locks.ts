/** Locks of the server (RFC 7047, sections 4.1.8 to 4.1.10): whoever asks waits in line; a thief goes to its head. */

export interface LockHolder {
  locked(name: string): void;
  stolen(name: string): void;
}

export class Locks {
  /** The first in line owns the lock. */
  readonly #lines = new Map<string, LockHolder[]>();

  /** Whether the lock is owned at once. The holder must not be in line already. */
  lock(name: string, holder: LockHolder): boolean {
    const line = this.#lines.get(name);
    if (line === undefined) {
      this.#lines.set(name, [holder]);
      return true;
    }
    line.push(holder);
    return false;
  }

  steal(name: string, holder: LockHolder): void {
    const line = this.#lines.get(name) ?? [];
    const [victim] = line;
    line.unshift(holder);
    this.#lines.set(name, line);
    victim?.stolen(name);
  }

  unlock(name: string, holder: LockHolder): void {
    const line = this.#lines.get(name);
    const place = line?.indexOf(holder) ?? -1;
    if (line === undefined || place < 0) return;
    line.splice(place, 1);
    if (line.length === 0) this.#lines.delete(name);
    else if (place === 0) line[0]?.locked(name);
  }

  isOwner(name: string, holder: LockHolder): boolean {
    return this.#lines.get(name)?.[0] === holder;
  }
}
