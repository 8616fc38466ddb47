import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog } from "../log.ts";
import { FrameReader, frameRecord } from "./device-pump.ts";
import { nodeMachines } from "./machines.ts";

const machines = nodeMachines(silentLog);
const obstacle = await machines.obstacle();

test("frames come out of a stream as they went in, however it is cut", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 20 }), (frames, step) => {
    const bytes = Uint8Array.from(frames.flatMap((frame) => [...frameRecord(frame)]));
    const reader = new FrameReader();
    const seen: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += step) seen.push(...(reader.push(bytes.slice(at, at + step)) ?? []));
    assert.deepEqual(seen, frames);
  }));
  assert.equal(new FrameReader().push(Uint8Array.of(0xff, 0, 0, 0)), undefined);
});

test("a machine: commands, a device that is a pipe, a namespace as a VRF; nothing stays", { skip: obstacle ?? false }, async () => {
  const machine = await machines.start({ name: "m1", emptyFolders: ["/run/frr"] });
  try {
    assert.equal((await machine.execute(["hostname"])).stdout.trim(), "m1");
    assert.notEqual((await machine.execute(["no-such-program"])).code, 0);
    const table = { id: 10, vrf: "ovnvrf10" };
    await machine.routing.createVrf(table);
    await machine.routing.createVrf(table);
    const isNamespace = (await machine.execute(["ip", "netns", "list"])).stdout.includes("ovnvrf10");
    const frames: Uint8Array[] = [];
    const device = { name: "ext0-bgp", mac: "12:fb:d6:66:99:1c", mtu: 1400, ...(isNamespace ? { namespace: "ovnvrf10" } : {}) };
    const end = await machine.openDevice(device, (frame) => frames.push(frame));
    const inside = isNamespace ? ["ip", "-n", "ovnvrf10"] : ["ip"];
    const shown = (await machine.execute([...inside, "addr", "show", "dev", "ext0-bgp"])).stdout;
    assert.match(shown, /UP[^>]*> mtu 1400/);
    assert.match(shown, /12:fb:d6:66:99:1c/);
    assert.match(shown, /inet6 fe80::10fb:d6ff:fe66:991c\/64/);
    // The kernel says on its own that it is there: router solicitations, multicast reports.
    for (let i = 0; i < 200 && !frames.some((f) => f[12] === 0x86 && f[13] === 0xdd); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(frames.some((f) => f[12] === 0x86 && f[13] === 0xdd), "an IPv6 frame");

    const route = { kind: "blackhole", destination: "172.16.10.2/32", protocol: 84, metric: 1000, nextHops: [] } as const;
    let changes = 0;
    const stop = machine.routing.watch(table, () => changes++);
    assert.deepEqual(await machine.routing.change(table, [], [route, route]), [{ route, reason: "File exists" }]);
    assert.deepEqual((await machine.routing.routes(table)).filter((r) => r.protocol === 84), [route]);
    const route6 = { ...route, destination: "2001:db8::/64" };
    assert.deepEqual(await machine.routing.change(table, [], [route6]), []);
    assert.deepEqual(await machine.routing.change(table, [route6], []), []);
    for (let i = 0; i < 200 && changes === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    stop();
    assert.ok(changes > 0);
    end.close();
    await end.ended;
    await machine.routing.deleteVrf(table);
    await machine.routing.deleteVrf(table);
    assert.deepEqual(await machine.routing.routes(table), []);
  } finally {
    await machine.stop();
  }
});
