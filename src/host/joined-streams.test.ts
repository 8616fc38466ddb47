import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedStreams } from "./joined-streams.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import type { Listener, PassiveTarget, Stream, Streams } from "./stream.ts";

/** The world outside: counts who comes by it; nobody listens there but who is told to. */
class Outside implements Streams {
  connections = 0;
  readonly open = new Set<PassiveTarget>();
  connect(): Promise<Stream> {
    this.connections++;
    return Promise.reject(Object.assign(new Error("nobody there"), { code: "ECONNREFUSED" }));
  }
  listen(target: PassiveTarget): Promise<Listener> {
    this.open.add(target);
    return Promise.resolve({ name: "outside", port: target.kind === "ptcp" ? target.port : undefined, close: () => void this.open.delete(target) });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await turn();
};

test("who listens in the same process is met in memory, everybody else outside", async () => {
  const outside = new Outside();
  const streams = joinedStreams(outside);
  const accepted: Stream[] = [];
  const accept = (stream: Stream): void => void accepted.push(stream);
  const listener = await streams.listen({ kind: "punix", path: "/run/x" }, accept);
  await streams.listen({ kind: "ptcp", host: "127.1.2.3", port: 6641 }, accept);
  assert.equal(outside.open.size, 2);

  const near = await streams.connect({ kind: "unix", path: "/run/x" });
  assert.equal(near.name, "unix:/run/x");
  await streams.connect({ kind: "tcp", host: "127.1.2.3", port: 6641 });
  assert.equal(accepted.length, 2);
  for (const target of [{ kind: "tcp", host: "127.1.2.4", port: 6641 }, { kind: "ssl", host: "127.1.2.3", port: 6641 }] as const) {
    await assert.rejects(streams.connect(target), { code: "ECONNREFUSED" });
  }

  // A successor on the same path stays when the one before it goes.
  const successor = await streams.listen({ kind: "punix", path: "/run/x" }, accept);
  listener.close();
  await streams.connect({ kind: "unix", path: "/run/x" });
  assert.equal(accepted.length, 3);
  successor.close();
  await assert.rejects(streams.connect({ kind: "unix", path: "/run/x" }), { code: "ECONNREFUSED" });
  assert.equal(outside.connections, 3);
});

test("a pair in memory: writers keep their buffers, readers stop it, the rest comes before the end", async () => {
  const [near, far] = memoryStreamPair("pair");
  const seen: number[] = [];
  let closed = 0;
  let drained = 0;
  near.attach({ data: () => undefined, closed: () => undefined, drained: () => drained++ });
  far.attach({
    data(bytes) {
      seen.push(...bytes);
      if (bytes[0] === 2) far.pause(true);
    },
    closed: () => closed++,
  });
  const buffer = Uint8Array.of(1);
  for (const value of [1, 2, 3]) {
    buffer[0] = value;
    near.write(buffer);
  }
  await turns();
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual([near.pendingSize, drained], [1, 0]);
  near.close();
  await turns();
  assert.deepEqual([seen.length, closed], [2, 0]);
  far.pause(false);
  await turns();
  assert.deepEqual([seen, closed], [[1, 2, 3], 1]);
});
