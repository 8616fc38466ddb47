/** Other threads of this process, each with memory of its own: a second core for work that would otherwise wait for the first. */

/** Between a thread and the one that started it. Messages are data: they arrive as copies, in the order in which they were posted. */
export interface Channel<Out, In> {
  post(message: Out): void;
  onMessage(take: (message: In) => void): void;
}

export interface Thread<Out, In> extends Channel<Out, In> {
  /** Ends it wherever it is. */
  end(): Promise<void>;
}

export interface Threads {
  /** How many threads, this one included, find a core of their own. */
  readonly parallelism: number;
  /** Starts this program once more, in a thread; there its `parentChannel` is the other end. An error that kills it is thrown here. */
  start<Out, In>(): Thread<Out, In>;
  /** Ends the one that was started ahead of need, if there is one and nobody has taken it. */
  endSpare(): void;
}
