/** Devices of this machine, under names of this process's own: what is sent into one comes out of the other. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import type { DeviceFacts } from "../frame-device.ts";
import fc from "fast-check";
import { nodeFrameDevices, parseLinks } from "./frame-devices.ts";

const own = (process.pid % 100_000).toString(36);
const ip = (...args: readonly string[]): number | null => spawnSync("ip", args, { stdio: "ignore" }).status;
const canMakeLinks = nodeFrameDevices.obstacle() === undefined && ip("link", "add", `ip${own}`, "type", "veth", "peer", "name", `iq${own}`) === 0;
if (canMakeLinks) ip("link", "del", `ip${own}`);
const skip = nodeFrameDevices.obstacle() ?? (canMakeLinks ? false : "needs root for network devices");

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

async function until(name: string, holds: (facts: DeviceFacts | undefined) => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (holds((await nodeFrameDevices.list()).get(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${name}: ${JSON.stringify(nodeFrameDevices.look(name))}`);
}

test("ip's links are read, and nothing that it may say makes the reader throw", () => {
  const lo = { ifindex: 1, ifname: "lo", flags: ["LOOPBACK", "UP", "LOWER_UP"], mtu: 65536, address: "00:00:00:00:00:00" };
  const down = { ifindex: 7, ifname: "v0", flags: ["BROADCAST", "UP"], mtu: 1400, address: "02:00:00:00:00:01" };
  assert.deepEqual([...parseLinks(JSON.stringify([lo, {}, down, null, 7]))], [
    ["lo", { index: 1, mac: "00:00:00:00:00:00", mtu: 65536, isUp: true, isRunning: true }],
    ["v0", { index: 7, mac: "02:00:00:00:00:01", mtu: 1400, isUp: true, isRunning: false }],
  ]);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.json().map((text) => `[${text}]`)), (text) => void parseLinks(text)));
});

test("a TAP device: made, seen, told, and the kernel's frames come out of it", { skip }, async (t) => {
  const name = `it${own}`;
  const tap = nodeFrameDevices.openTap(name, "02:00:00:00:00:07");
  t.after(() => tap.close());
  await until(name, (facts) => facts?.mac === "02:00:00:00:00:07");
  assert.equal(await nodeFrameDevices.setMtu(name, 1400), undefined);
  assert.equal(await nodeFrameDevices.setMac(name, "02:00:00:00:00:08"), undefined);
  assert.match((await nodeFrameDevices.setMtu("no-such", 1400)) ?? "", /Cannot find device/);
  const arp = frameOf(tap, (frame) => typeOf(frame) === 0x0806);
  ip("link", "set", name, "up");
  ip("addr", "add", "198.51.100.1/24", "dev", name);
  spawn("ping", ["-c1", "-W1", "198.51.100.2"], { stdio: "ignore" });
  assert.equal((await arp).length, 42);
  const { mtu, isRunning, mac } = nodeFrameDevices.look(name) ?? {};
  assert.deepEqual([mtu, isRunning, mac], [1400, true, "02:00:00:00:00:08"]);
  assert.deepEqual(await nodeFrameDevices.openTap(name, "02:00:00:00:00:09").ended, { code: "EBUSY", text: "Device or resource busy" });
  tap.close();
  assert.equal(await tap.ended, undefined);
  await until(name, (facts) => facts === undefined);
});

/** A veth pair that ends with the test. */
function veth(t: TestContext): readonly [string, string] {
  const [near, far] = [`ia${own}`, `ib${own}`];
  assert.equal(ip("link", "add", near, "mtu", "1400", "type", "veth", "peer", "name", far, "mtu", "1400"), 0);
  t.after(() => ip("link", "del", near));
  for (const name of [near, far]) ip("link", "set", name, "up");
  return [near, far];
}

test("packet sockets on the ends of a veth: frames with their VLAN tags, and the end of a device", { skip }, async (t) => {
  const [near, far] = veth(t);
  const [a, b] = [nodeFrameDevices.openPacketSocket(near), nodeFrameDevices.openPacketSocket(far)];
  t.after(() => [a, b].forEach((device) => device.close()));
  const arrives = async (sent: Uint8Array): Promise<Uint8Array> => {
    const seen = frameOf(b, (frame) => [0x88b5, 0x8100].includes(typeOf(frame)) && frame.length === sent.length);
    // The sockets open in their own time: what is sent before is lost, as on a cable that is not plugged in.
    const again = setInterval(() => a.send(sent), 50);
    const frame = await seen;
    clearInterval(again);
    return frame;
  };
  assert.deepEqual([...(await arrives(experimental(1414)))], [...experimental(1414)]);
  const tagged = new Uint8Array([...experimental(60).subarray(0, 12), 0x81, 0x00, 0x20, 0x2a, ...experimental(60).subarray(12)]);
  assert.deepEqual([...(await arrives(tagged))], [...tagged]);
  ip("link", "del", near);
  assert.notEqual(await a.ended, undefined);
  assert.equal((await nodeFrameDevices.openPacketSocket(near).ended)?.code, "ENODEV");
});

test("a watcher is told of devices that come", { skip }, async (t) => {
  let told = 0;
  const stop = nodeFrameDevices.watch(() => told++);
  t.after(stop);
  for (let i = 0; i < 100 && told === 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  const before = told;
  veth(t);
  for (let i = 0; i < 100 && told === before; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(told > before);
});
