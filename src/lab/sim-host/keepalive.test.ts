/** What machines say to one another to know who is alive: BFD towards next hops, VRRP for shared addresses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Cable, type CableEnd, Courier, LearningBridge, unimpaired } from "../../fabric/index.ts";
import { VirtualClock } from "../../host/index.ts";
import { macOf, parseIp, parsePrefix } from "../../net/index.ts";
import { vrrpProtocol } from "../../packet/index.ts";
import { present, SeededRandom } from "../../std/index.ts";
import { hopKey, NextHopBfd, SimulatedHost, VirtualAddress } from "./index.ts";

interface Station {
  readonly host: SimulatedHost;
  readonly end: CableEnd;
}

/** Machines 10.0.0.1, .2, ... on one bridge. */
function bridged(count: number): { readonly clock: VirtualClock; readonly stations: readonly Station[] } {
  const clock = new VirtualClock();
  const random = new SeededRandom(11);
  const courier = new Courier(clock);
  const bridge = new LearningBridge(clock, { name: "lan", mac: macOf(1), ageingMs: 300_000, isVlanAware: false });
  const stations = Array.from({ length: count }, (_, i): Station => {
    const host = new SimulatedHost({ clock, random }, {
      name: `m${i}`, interfaceName: "eth0", mac: macOf(0x020000000001 + i), mtu: 1500, addresses: [present(parsePrefix(`10.0.0.${i + 1}/24`))], gateways: [], dhcp: false, dhcpv6: false,
      isConfiguredByHand: true,
    });
    const cable = new Cable(clock, courier, random);
    const port = bridge.addPort(`p${i}`, macOf(0xfe0000000000 + i));
    port.transmit = (frame) => cable.ends[1].send(frame);
    cable.ends[1].attach((frame) => bridge.receive(port, frame));
    cable.ends[0].attach(host.receive);
    host.attach((frame) => cable.ends[0].send(frame));
    host.start();
    return { host, end: cable.ends[0] };
  });
  return { clock, stations };
}

const cut = ({ end }: Station, isCut: boolean): void => {
  end.impairment = { ...unimpaired, isCut };
};

test("a next hop that falls silent is dead after its detection time, and alive again when it speaks", () => {
  const { clock, stations } = bridged(2);
  const told: { readonly isDead: boolean; readonly atMs: number }[] = [];
  const sessions = stations.map(({ host }, i) => {
    const peer = present(parseIp(`10.0.0.${2 - i}`));
    return new NextHopBfd(host.services, [{ peer, device: "eth0", minRxMs: 100, minTxMs: 100, multiplier: 3 }], (_, isDead) => {
      if (i === 0) told.push({ isDead, atMs: clock.now() });
      if (isDead) host.deadHops.add(hopKey("eth0", peer));
      else host.deadHops.delete(hopKey("eth0", peer));
    });
  });
  clock.advance(2_000);
  for (const session of sessions) session.start();
  clock.advance(5_000);
  assert.equal(told.length, 0, "nothing is dead that has never lived");
  assert.match(present(sessions[0]).describe(), /^peer 10\.0\.0\.2 interface eth0 up detection 3 x 100 ms\n$/);
  cut(present(stations[1]), true);
  const cutAt = clock.now();
  clock.advance(10_000);
  const [died] = [...told];
  const deadAfterMs = present(died).atMs - cutAt;
  assert.ok(died?.isDead === true && deadAfterMs > 190 && deadAfterMs <= 300, `${deadAfterMs} ms`);
  const { network } = present(stations[0]).host.services;
  network.addRoute({ destination: present(parsePrefix("10.9.0.0/16")), hops: [{ via: present(parseIp("10.0.0.2")), device: "eth0", weight: 1 }], origin: "static", metric: 0 });
  assert.equal(network.routeTo(present(parseIp("10.9.0.1"))), undefined);
  cut(present(stations[1]), false);
  clock.advance(5_000);
  assert.deepEqual(told.map(({ isDead }) => isDead), [true, false]);
  assert.equal(network.routeTo(present(parseIp("10.9.0.1")))?.device, "eth0");
});

test("a shared address is on the first machine that lives, and on one only", () => {
  const { clock, stations } = bridged(3);
  const prefix = present(parsePrefix("10.0.0.100/32"));
  assert.equal(prefix.family, 4);
  if (prefix.family !== 4) return;
  const shared = stations.map(({ host }, i) => {
    const address = new VirtualAddress(host.services, { device: host.services.device, group: 1, priority: 255 - i, address: prefix, intervalMs: 1000 });
    host.services.ip.onProtocol(vrrpProtocol, (inbound) => {
      address.receive(inbound);
      return true;
    });
    address.start();
    return address;
  });
  const holders = (): number[] => shared.flatMap((s, i) => (s.isHolder ? [i] : []));
  clock.advance(10_000);
  assert.deepEqual(holders(), [0]);
  assert.ok(stations[0]?.host.services.network.isOwn(prefix));
  cut(present(stations[0]), true);
  clock.advance(3_500);
  assert.deepEqual(holders(), [0, 1], "the one that was cut off does not know");
  cut(present(stations[0]), false);
  clock.advance(2_000);
  assert.deepEqual(holders(), [0], "the owner takes it back");
  present(shared[0]).stop();
  clock.advance(3_500);
  assert.deepEqual(holders(), [1]);
  present(shared[1]).stop();
  clock.advance(3_500);
  assert.deepEqual(holders(), [2]);
  assert.ok(!present(stations[1]).host.services.network.isOwn(prefix));
});

test("no datagram to BFD's port and no packet of VRRP's protocol makes a machine throw", () => {
  const { clock, stations } = bridged(2);
  const [one, other] = stations.map(({ host }) => host.services);
  assert.ok(one && other);
  const bfd = new NextHopBfd(one, [{ peer: present(parseIp("10.0.0.2")), device: "eth0", minRxMs: 100, minTxMs: 100, multiplier: 3 }], () => undefined);
  bfd.start();
  const prefix = present(parsePrefix("10.0.0.100/32"));
  assert.ok(prefix.family === 4);
  const shared = new VirtualAddress(one, { device: one.device, group: 1, priority: 100, address: prefix, intervalMs: 1000 });
  one.ip.onProtocol(vrrpProtocol, (inbound) => (shared.receive(inbound), true));
  shared.start();
  const socket = present(other.udp.open(49_200, () => undefined));
  const to = present(parseIp("10.0.0.1"));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1, 255), (bytes, ttl) => {
      if (bytes.length > 3) bytes.set([0x20, 0xc0, 3, 24].slice(0, bytes.length));
      socket.send(to, 3784, bytes, { ttl });
      other.ip.send(present(parseIp("224.0.0.18")), vrrpProtocol, bytes, { ttl, device: "eth0" });
      clock.advance(1);
    }),
    { numRuns: 500 },
  );
});
