/** What a packet teaches stays as long as somebody teaches it, and no longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStreamPair, silentLog } from "../../host/index.ts";
import { macOf } from "../../net/index.ts";
import { encodeMessage, type FlowMod, isTextError, type Message, of15, parseFlow } from "../../openflow/index.ts";
import { Bridge } from "../bridge.ts";
import type { Datapath } from "../datapath.ts";
import { BridgeService } from "./bridge-service.ts";

function flow(command: FlowMod["command"], text: string): FlowMod {
  const parsed = parseFlow(text, command);
  if (isTextError(parsed)) assert.fail(JSON.stringify(parsed));
  return parsed;
}

function makeService(): { readonly bridge: Bridge; readonly service: BridgeService; send(command: FlowMod["command"], text: string): void; tables(): readonly number[] } {
  const bridge = new Bridge("br", "br", macOf(1), 1n);
  const datapath = { cache: { credit: () => {} } } as unknown as Datapath;
  const service = new BridgeService(bridge, datapath, { version: "0" }, { nowMs: () => 0, next32: () => 1, flushConnections: () => {} }, silentLog);
  return {
    bridge, service,
    send: (command, text) => assert.equal(service.install(flow(command, text)), undefined),
    tables: () => bridge.tables.flatMap((table, i) => [...table.rules].map(() => i)),
  };
}

const teacher = (port: number, flags = "delete_learned,"): string => `in_port=${port},actions=learn(table=5,${flags}cookie=0x7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])`;
const lesson = "table=5,cookie=0x7,dl_dst=00:00:00:00:00:01,actions=drop";

test("the last teacher takes along what it taught", () => {
  const { send, tables } = makeService();
  for (const text of [teacher(1), teacher(2), lesson, "table=5,cookie=0x8,actions=drop", "table=6,cookie=0x7,actions=drop"]) send("add", text);
  send("delete_strict", "in_port=1,priority=32768");
  assert.deepEqual(tables(), [0, 5, 5, 6]);
  send("add", "in_port=2,actions=drop");
  assert.deepEqual(tables(), [0, 5, 6]);
});

test("a teacher that is replaced by one that teaches the same takes nothing along; nor does one that was not asked to", () => {
  const { send, tables } = makeService();
  send("add", teacher(1));
  send("add", lesson);
  send("add", teacher(1));
  assert.deepEqual(tables(), [0, 5]);
  send("add", teacher(1, ""));
  send("add", lesson);
  send("delete_strict", "in_port=1,priority=32768");
  assert.deepEqual(tables(), [5]);
});

test("a bundle that takes the last teacher out and puts in another starts anew", async () => {
  const { bridge, service, send, tables } = makeService();
  send("add", teacher(1));
  send("add", lesson);
  const bundle = (number: number, ...messages: readonly Message[]): readonly Message[] => [
    { kind: "bundle_control", bundle: number, control: "open_request", flags: 3 },
    ...messages.map((message) => ({ kind: "bundle_add", bundle: number, flags: 3, message }) as const),
    { kind: "bundle_control", bundle: number, control: "commit_request", flags: 3 },
  ];
  const [ours, theirs] = memoryStreamPair("controller");
  theirs.attach({ data: () => undefined, closed: () => undefined });
  service.accept(ours);
  const talk = async (messages: readonly Message[]): Promise<void> => {
    messages.forEach((message, i) => theirs.write(encodeMessage(of15, i, message)));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
  const replaced = [flow("delete_strict", "in_port=1,priority=32768"), flow("add", teacher(2))];
  await talk([{ kind: "hello", versions: 1 << of15 }, ...bundle(1, ...replaced, flow("add", "actions=group:9"))]);
  assert.deepEqual(tables(), [0, 5], "what fails is as if it had never been");
  assert.equal(bridge.learned.takeForgotten().length, 0);
  await talk(bundle(2, ...replaced));
  assert.deepEqual(tables(), [0]);
  theirs.close();
});

test("a modification over OpenFlow 1.5 leaves cookies alone and adds nothing", async () => {
  const { bridge, service, send } = makeService();
  send("add", "cookie=0x7,in_port=1,actions=drop");
  const [ours, theirs] = memoryStreamPair("controller");
  theirs.attach({ data: () => undefined, closed: () => undefined });
  service.accept(ours);
  const messages: readonly Message[] = [{ kind: "hello", versions: 1 << of15 }, flow("modify_strict", "cookie=0x0,in_port=1,actions=output:2"), flow("modify_strict", "in_port=3,actions=output:2")];
  messages.forEach((message, i) => theirs.write(encodeMessage(of15, i, message)));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(bridge.tables.flatMap((table) => [...table.rules].map((rule) => [rule.cookie, rule.program.actions.length])), [[7n, 1]]);
  theirs.close();
});

test("teaching the same again is no change that anybody has to look at", () => {
  const { bridge, send } = makeService();
  send("modify_strict", lesson);
  const { generation } = bridge;
  send("modify_strict", lesson);
  assert.equal(bridge.generation, generation);
  send("modify_strict", lesson.replace("drop", "output:1"));
  assert.ok(bridge.generation > generation);
});

test("packets for a controller may name a meter that is not there (yet)", () => {
  const { send, tables } = makeService();
  send("add", "actions=controller(reason=no_match,meter_id=7)");
  assert.deepEqual(tables(), [0]);
});
