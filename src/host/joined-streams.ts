/**
 * Streams for programs that share a process: who connects to a target on which one of them listens gets a pair in memory,
 * which carries the same bytes without the system's help. Everybody else is reached, and reaches them, over real sockets.
 */
import { memoryStreamPair } from "./memory-stream.ts";
import { type ActiveTarget, formatTarget, type Listener, type PassiveTarget, type Stream, type Streams } from "./stream.ts";

interface Listening {
  accept(stream: Stream): void;
}

export function joinedStreams(outside: Streams): Streams {
  const listening = new Map<string, Listening>();
  return {
    async connect(target: ActiveTarget): Promise<Stream> {
      const there = listening.get(activeKey(target));
      if (there === undefined) return outside.connect(target);
      const [near, far] = memoryStreamPair(formatTarget(target));
      there.accept(far);
      return near;
    },
    async listen(target: PassiveTarget, accept: (stream: Stream) => void): Promise<Listener> {
      const listener = await outside.listen(target, accept);
      const key = passiveKey(target, listener.port);
      if (key === undefined) return listener;
      const entry: Listening = { accept };
      listening.set(key, entry);
      return {
        name: listener.name,
        port: listener.port,
        close() {
          // Whoever has replaced it there (a restarted daemon, on the same path) stays.
          if (listening.get(key) === entry) listening.delete(key);
          listener.close();
        },
      };
    },
  };
}

const activeKey = (target: ActiveTarget): string => (target.kind === "unix" ? target.path : `${target.kind} ${target.host} ${target.port}`);

/** undefined where connections in memory would not be the same: encrypted ones, and listeners on every address. */
function passiveKey(target: PassiveTarget, port: number | undefined): string | undefined {
  if (target.kind === "punix") return target.path;
  return target.kind === "ptcp" && target.host !== undefined && target.host !== "0.0.0.0" ? `tcp ${target.host} ${port ?? target.port}` : undefined;
}
