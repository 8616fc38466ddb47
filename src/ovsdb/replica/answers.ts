/** What rules have asked by key, such as whether a row is there: each question lives as long as somebody depends on the answer. */
import { Signal } from "../../engine/index.ts";

class Question extends Signal {
  readonly #forget: () => void;
  constructor(describe: () => string, forget: () => void) {
    super(describe);
    this.#forget = forget;
  }
  unread(): void {
    this.#forget();
  }
}

export class Answers {
  readonly #describe: (key: string) => string;
  readonly #questions = new Map<string, Question>();

  constructor(describe: (key: string) => string) {
    this.#describe = describe;
  }

  /** The rule that runs depends on the answer for `key`. */
  read(key: string): void {
    const known = this.#questions.get(key);
    const question = known ?? new Question(() => this.#describe(key), () => this.#questions.delete(key));
    question.read();
    if (known === undefined && question.isRead) this.#questions.set(key, question);
  }

  /** Whoever depends on it is stale. */
  change(key: string): void {
    this.#questions.get(key)?.change();
  }
}
