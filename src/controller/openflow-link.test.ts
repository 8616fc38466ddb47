/** A switch that falls silent is asked, and given up if it does not answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Host, silentLog, type Stream } from "../host/index.ts";
import { decodeMessage, encodeMessage, of15 } from "../openflow/index.ts";
import { OpenFlowLink } from "./openflow-link.ts";

test("inactivity probes: only when asked for, only in silence; no answer ends the connection", async () => {
  const timers: { ms: number; callback: () => void }[] = [];
  const [sent, said]: [string[], string[]] = [[], []];
  let data: (bytes: Uint8Array) => void = () => {};
  const stream = {
    attach: (handler: { data(bytes: Uint8Array): void }) => {
      data = (bytes) => handler.data(bytes);
    },
    write: (bytes: Uint8Array) => {
      const decoded = decodeMessage(bytes);
      sent.push("error" in decoded ? "?" : decoded.message.kind);
    },
    close: () => said.push("closed"),
  } as unknown as Stream;
  const host = {
    log: silentLog,
    streams: { connect: async () => stream },
    clock: {
      after: (ms: number, callback: () => void) => {
        const timer = { ms, callback };
        timers.push(timer);
        return { cancel: () => timers.splice(0, timers.length, ...timers.filter((t) => t !== timer)) };
      },
    },
  } as unknown as Host;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const passes = async (): Promise<void> => {
    timers.shift()?.callback();
    await turn();
  };
  const link = new OpenFlowLink(host, "ofctrl", { kind: "tcp", host: "127.0.0.1", port: 6653 }, { connected: () => said.push("connected"), message: () => {}, disconnected: () => {} });
  await turn();
  data(encodeMessage(of15, 1, { kind: "hello", versions: 1 << of15 }));
  assert.deepEqual([said, timers], [["connected"], []]);

  link.setProbeInterval(5000);
  assert.deepEqual(timers.map((t) => t.ms), [5000]);
  await passes();
  await passes();
  assert.deepEqual(sent, ["hello", "echo_request"]);
  data(encodeMessage(of15, 2, { kind: "echo_reply", data: new Uint8Array(0) }));
  for (let i = 0; i < 3; i++) await passes();
  assert.deepEqual([sent, said], [["hello", "echo_request", "echo_request"], ["connected", "closed"]]);
  link.setProbeInterval(0);
  assert.deepEqual(timers, []);
});
