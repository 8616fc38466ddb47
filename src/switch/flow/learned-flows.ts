/**
 * Flows that go with those that taught them (ovs-actions(7), `learn`, delete_learned): when the last flow with a learn action for
 * a table and a cookie is gone, so are the flows of that table with that cookie.
 */
import type { Learn } from "../../openflow/index.ts";

export type Lesson = Pick<Learn, "table" | "cookie">;

const keyOf = ({ table, cookie }: Lesson): string => `${table} ${cookie}`;

export class LearnedFlows {
  readonly #teachers = new Map<string, number>();
  readonly #forgotten = new Map<string, Lesson>();

  taught(lessons: readonly Lesson[]): void {
    for (const lesson of lessons) {
      const key = keyOf(lesson);
      this.#teachers.set(key, (this.#teachers.get(key) ?? 0) + 1);
      this.#forgotten.delete(key);
    }
  }

  untaught(lessons: readonly Lesson[]): void {
    for (const lesson of lessons) {
      const key = keyOf(lesson);
      const rest = (this.#teachers.get(key) ?? 0) - 1;
      if (rest > 0) this.#teachers.set(key, rest);
      else {
        this.#teachers.delete(key);
        this.#forgotten.set(key, lesson);
      }
    }
  }

  /** What nobody teaches any more, since this was asked last. */
  takeForgotten(): readonly Lesson[] {
    const forgotten = [...this.#forgotten.values()];
    this.#forgotten.clear();
    return forgotten;
  }
}
