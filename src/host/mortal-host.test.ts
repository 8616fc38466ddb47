import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "./log.ts";
import { joinedStreams } from "./joined-streams.ts";
import { mortalHost } from "./mortal-host.ts";
import { nodeHost } from "./node/index.ts";

test("a killed program hears and does nothing more, and its peers see their connections end", async () => {
  const real = nodeHost(silentLog);
  const host = { ...real, streams: joinedStreams(real.streams) };
  const { host: own, die } = mortalHost(host);
  const heard: string[] = [];
  const target = { host: "127.0.0.1", port: 0 } as const;
  const listener = await own.streams.listen({ kind: "ptcp", ...target }, (stream) =>
    stream.attach({ data: (bytes) => heard.push(Buffer.from(bytes).toString()), closed: () => heard.push("closed") }));
  const peer = await host.streams.connect({ kind: "tcp", host: "127.0.0.1", port: listener.port ?? 0 });
  const peerClosed = new Promise<void>((resolve) => peer.attach({ data: () => undefined, closed: () => resolve() }));
  peer.write(Buffer.from("hello"));
  const socket = await own.datagrams.bind("127.0.0.1", 0);
  socket.attach((bytes) => heard.push(`datagram ${bytes.length}`));
  own.clock.after(20, () => heard.push("timer"));
  await new Promise<void>((resolve) => void host.clock.after(5, resolve));
  die();
  await peerClosed;
  await new Promise<void>((resolve) => void host.clock.after(40, resolve));
  assert.deepEqual(heard, ["hello"]);
  await assert.rejects(host.streams.connect({ kind: "tcp", host: "127.0.0.1", port: listener.port ?? 0 }), { code: "ECONNREFUSED" });
  // The port is free for whoever comes next.
  const next = await host.datagrams.bind("127.0.0.1", socket.port);
  next.close();
});
