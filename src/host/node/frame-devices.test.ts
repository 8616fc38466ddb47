/** Devices between two network namespaces of this machine: what is sent into one comes out of the other. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { nodeFrameDevices } from "./frame-devices.ts";
import { nativeMissing } from "./libc.ts";

const canMakeNamespaces = spawnSync("unshare", ["-n", "ip", "link"]).status === 0;
const missing = nativeMissing() ?? (canMakeNamespaces ? undefined : "needs root for network namespaces");
const skip = missing ?? false;

/** A namespace that ends with the test; the path of its file. */
async function namespace(t: TestContext): Promise<string> {
  const keeper = spawn("unshare", ["-n", "sh", "-c", "echo up; exec cat"], { stdio: ["pipe", "pipe", "ignore"] });
  await new Promise((resolve) => keeper.stdout.once("data", resolve));
  t.after(() => keeper.kill("SIGKILL"));
  return `/proc/${keeper.pid}/ns/net`;
}

const within = (space: string, ...argv: string[]): string => {
  const result = spawnSync("nsenter", [`--net=${space}`, ...argv], { encoding: "utf8" });
  assert.equal(result.status, 0, `${argv.join(" ")}: ${result.stderr}`);
  return result.stdout;
};

/** Resolves with the first frame for which `wanted` holds. */
const frameOf = (device: { attach(receive: (frame: Uint8Array) => void): void }, wanted: (frame: Uint8Array) => boolean): Promise<Uint8Array> =>
  new Promise((resolve) => {
    device.attach((frame) => {
      if (wanted(frame)) resolve(frame);
    });
  });

const typeOf = (frame: Uint8Array): number => ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);

/** A frame of an experimental type (IEEE 802, 0x88b5) with a size of its own. */
function experimental(size: number): Uint8Array {
  const frame = new Uint8Array(size).fill(0xab);
  frame.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5]);
  return frame;
}

test("a TAP device is made where it is wanted, and the kernel's frames come out of it", { skip }, async (t) => {
  const space = await namespace(t);
  const tap = nodeFrameDevices.openTap("tap0", space);
  t.after(() => tap.close());
  nodeFrameDevices.setMac("tap0", new Uint8Array([2, 0, 0, 0, 0, 7]), space);
  nodeFrameDevices.setMtu("tap0", 1400, space);
  assert.equal(nodeFrameDevices.facts("tap0"), undefined, "not in this process's own namespace");
  within(space, "ip", "link", "set", "tap0", "up");
  within(space, "ip", "addr", "add", "10.0.0.1/24", "dev", "tap0");
  const facts = nodeFrameDevices.facts("tap0", space);
  assert.deepEqual([facts?.mtu, facts?.isUp, facts?.isRunning, [...(facts?.mac ?? [])]], [1400, true, true, [2, 0, 0, 0, 0, 7]]);
  const arp = frameOf(tap, (frame) => typeOf(frame) === 0x0806);
  spawn("nsenter", [`--net=${space}`, "ping", "-c1", "-W1", "10.0.0.2"], { stdio: "ignore" });
  assert.equal((await arp).length, 42);
  assert.throws(() => nodeFrameDevices.openTap("tap0", space), /EBUSY/);
  assert.throws(() => nodeFrameDevices.openTap("a-name-much-too-long", space), /at most 15 bytes/);
});

test("packet sockets on the ends of a veth: frames, VLAN tags, and TCP as it goes over a wire", { skip }, async (t) => {
  const [near, far] = [await namespace(t), await namespace(t)];
  within(near, "ip", "link", "add", "v0", "mtu", "1400", "type", "veth", "peer", "name", "v1", "mtu", "1400", "netns", far.split("/")[2] ?? "");
  within(near, "ip", "link", "set", "v0", "up");
  within(far, "ip", "link", "set", "v1", "up");
  const [a, b] = [nodeFrameDevices.openPacketSocket("v0", near), nodeFrameDevices.openPacketSocket("v1", far)];
  t.after(() => [a, b].forEach((device) => device.close()));
  const plain = frameOf(b, (frame) => typeOf(frame) === 0x88b5);
  a.send(experimental(1414));
  assert.deepEqual(await plain, experimental(1414));
  const tagged = new Uint8Array([...experimental(60).subarray(0, 12), 0x81, 0x00, 0x20, 0x2a, ...experimental(60).subarray(12)]);
  const withTag = frameOf(b, (frame) => typeOf(frame) === 0x8100);
  a.send(tagged);
  assert.deepEqual(await withTag, tagged);
  a.send(experimental(4000));
  assert.equal(a.dropped, 1, "larger than the MTU");
  assert.throws(() => nodeFrameDevices.openPacketSocket("v9", near), /ENODEV/);
});

test("a watcher is told of devices that come", { skip }, async (t) => {
  const space = await namespace(t);
  const stop = await new Promise<() => void>((resolve) => {
    const end = nodeFrameDevices.watch(() => resolve(end), space);
    within(space, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1");
  });
  stop();
});
