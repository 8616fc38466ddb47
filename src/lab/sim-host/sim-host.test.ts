import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../host/index.ts";
import { type Ipv4, type Ipv6, parseIpv4, parseIpv6, parseMac, parsePrefix } from "../../net/index.ts";
import * as packet from "../../packet/index.ts";
import { present, SeededRandom } from "../../std/index.ts";
import { SimulatedHost, type SimulatedHostOptions } from "./index.ts";

interface World {
  readonly clock: VirtualClock;
  readonly hosts: readonly SimulatedHost[];
  /** Drops frames for which it answers true. */
  drop: (frame: Uint8Array) => boolean;
}

/** Hosts on one wire, a quarter of a millisecond long. */
function world(...options: readonly Partial<SimulatedHostOptions>[]): World {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const hosts = options.map(
    (o, i) =>
      new SimulatedHost({ clock, random }, {
        name: `vm${i + 1}`, interfaceName: "eth0", mac: present(parseMac(`40:44:00:00:00:0${i + 1}`)), mtu: 1400, addresses: [present(parsePrefix(`10.0.0.${i + 1}/24`))],
        gateways: [], dhcp: false, dhcpv6: false, ...o,
      }),
  );
  const w: World = { clock, hosts, drop: () => false };
  for (const host of hosts) {
    host.attach((frame) => {
      if (!w.drop(frame)) for (const other of hosts) if (other !== host) clock.after(0.25, () => other.receive(frame));
    });
  }
  for (const host of hosts) host.start();
  return w;
}

async function run(w: World, from: number, line: string, input = ""): Promise<{ text: string; code: number }> {
  let text = "";
  const { exitCode } = present(w.hosts[from]).exec(line.split(" "), (_to, bytes) => (text += Buffer.from(bytes).toString()), new TextEncoder().encode(input));
  const code = await w.clock.run(exitCode);
  return { text, code };
}

async function check(w: World, line: string, expected: string, code: number): Promise<void> {
  const result = await run(w, 0, line);
  assert.equal(result.text, expected);
  assert.equal(result.code, code);
}

test("ping prints what iputils prints", async () => {
  await check(world({}, {}), "ping -c 3 10.0.0.2", `PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.750 ms
64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=0.500 ms
64 bytes from 10.0.0.2: icmp_seq=3 ttl=64 time=0.500 ms

--- 10.0.0.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 2000ms
rtt min/avg/max/mdev = 0.500/0.583/0.750/0.118 ms
`, 0);
});

test("ping says what did not arrive, and how many", async () => {
  await check(world({}, {}), "ping -c 2 -i 0.2 10.0.0.9", `PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.
From 10.0.0.1 icmp_seq=1 Destination Host Unreachable
From 10.0.0.1 icmp_seq=2 Destination Host Unreachable

--- 10.0.0.9 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 200ms
pipe 2
`, 1);
  await check(world({}), "ping -c 1 192.168.7.7", "ping: connect: Network is unreachable\n", 2);
  await check(world({}), "ping nobody", "ping: nobody: Name or service not known\n", 2);
  const w = world({}, {});
  let seen = 0;
  w.drop = (frame) => frame.length === 98 && ++seen === 3;
  await check(w, "ping -c 3 -q -W 1 10.0.0.2", `PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.

--- 10.0.0.2 ping statistics ---
3 packets transmitted, 2 received, 33.3333% packet loss, time 2000ms
rtt min/avg/max/mdev = 0.500/0.625/0.750/0.125 ms
`, 0);
});

test("ping knows sizes, fragments, times without room for a stamp, and itself", async () => {
  const w = world({}, { name: "vm2" });
  assert.match((await run(w, 0, "ping -c 1 -s 8 10.0.0.2")).text, /^PING 10.0.0.2 \(10.0.0.2\) 8\(36\) bytes of data.\n16 bytes from 10.0.0.2: icmp_seq=1 ttl=64\n\n.*\n.* 0% packet loss, time 0ms\n\n$/);
  assert.match((await run(w, 0, "ping -c 1 -s 4000 10.0.0.2")).text, /^4008 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.500 ms$/m);
  assert.match((await run(w, 0, "ping -c 1 -M do -s 4000 -W 1 10.0.0.2")).text, /local error: message too long, mtu=1400/);
  assert.match((await run(w, 0, "ping -c 1 127.0.0.1")).text, /64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.000 ms/);
  assert.match((await run(w, 0, "ping -c 1 -t 7 -D 10.0.0.2")).text, /^\[1700000\d+\.\d{6}\] 64 bytes from/m);
});

test("an interrupted ping prints its statistics", async () => {
  const w = world({}, {});
  let text = "";
  const running = present(w.hosts[0]).exec(["ping", "10.0.0.2"], (_to, bytes) => (text += Buffer.from(bytes).toString()));
  w.clock.after(2500, () => running.interrupt());
  assert.equal(await w.clock.run(running.exitCode), 0);
  assert.match(text, /3 packets transmitted, 3 received, 0% packet loss, time 2000ms/);
});

test("IPv6 hosts find each other by neighbor discovery", async () => {
  const w = world({}, { addresses: [present(parsePrefix("2001:db8::2/64"))] }, { addresses: [present(parsePrefix("2001:db8::3/64"))] });
  const linkLocal = "fe80::4244:ff:fe00:2";
  assert.equal((await run(w, 0, `ping -c 1 ${linkLocal}`)).text.split("\n")[1], `64 bytes from ${linkLocal}: icmp_seq=1 ttl=64 time=1.00 ms`);
  const { text, code } = await run(w, 1, "ping6 -c 1 2001:db8::3");
  assert.equal(code, 0);
  assert.match(text, /^PING 2001:db8::3\(2001:db8::3\) 56 data bytes\n64 bytes from 2001:db8::3: icmp_seq=1 ttl=64 time=\S+ ms\n/);
  assert.match((await run(w, 1, "ping -c 1 2001:db8::9")).text, /^From 2001:db8::2 icmp_seq=1 Destination unreachable: Address unreachable$/m);
});

test("an address that another host has is given up", async () => {
  const mac = present(parseMac("40:44:00:00:00:01"));
  const w = world({}, { mac });
  const second = present(w.hosts[1]);
  // The second host comes up on the same MAC address, and so on the same link-local one; the first answers for it from another.
  second.attach(() => undefined);
  const [target, everyone] = [ip6Of("fe80::4244:ff:fe00:1"), ip6Of("ff02::1")];
  const advert: packet.Nd = { kind: "neighbor-advert", router: false, solicited: false, override: true, target, options: [{ kind: "target-mac", mac: present(parseMac("40:44:00:00:00:77")) }] };
  second.receive(packet.ethernetFrame({ dst: present(parseMac("33:33:00:00:00:01")), src: present(parseMac("40:44:00:00:00:77")) }, 0x86dd, packet.ipv6Packet({ src: target, dst: everyone, nextHeader: 58, hopLimit: 255 }, packet.ndMessage(advert, target, everyone))));
  assert.deepEqual(second.addresses(), ["10.0.0.2/24"]);
  await w.clock.run(new Promise<void>((resolve) => w.clock.after(1500, resolve)));
  const first = present(w.hosts[0]);
  first.receive(packet.ethernetFrame({ dst: present(parseMac("33:33:00:00:00:01")), src: present(parseMac("40:44:00:00:00:77")) }, 0x86dd, packet.ipv6Packet({ src: target, dst: everyone, nextHeader: 58, hopLimit: 255 }, packet.ndMessage(advert, target, everyone))));
  assert.equal(first.addresses().length, 2);
});

test("a host that stops ends what runs on it", async () => {
  const w = world({}, {});
  const host = present(w.hosts[0]);
  const { exitCode } = host.exec(["ping", "10.0.0.2"], () => undefined);
  w.clock.after(1500, () => host.stop());
  assert.equal(await w.clock.run(exitCode), 0);
});

test("ip shows and changes what there is", async () => {
  const w = world({ gateways: [{ family: 4, address: 0x0a0000fe as never }] }, {});
  const forever = "       valid_lft forever preferred_lft forever\n";
  assert.equal((await run(w, 0, "ip -4 addr show dev eth0")).text, `2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP group default qlen 1000\n    inet 10.0.0.1/24 scope global eth0\n${forever}`);
  assert.equal((await run(w, 0, "ip route")).text, "default via 10.0.0.254 dev eth0 \n10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1 \n");
  assert.equal((await run(w, 0, "ip route get 8.8.8.8")).text, "8.8.8.8 via 10.0.0.254 dev eth0 src 10.0.0.1 uid 0 \n    cache \n");
  assert.equal((await run(w, 0, "ip addr add 10.1.0.1/16 dev eth0")).code, 0);
  assert.equal((await run(w, 0, "ip route add 192.168.0.0/16 via 10.1.0.7")).code, 0);
  assert.match((await run(w, 0, "ip r")).text, /^192.168.0.0\/16 via 10.1.0.7 dev eth0 $/m);
  assert.equal((await run(w, 0, "ip route add 9.9.9.9 via 11.1.1.1")).text, "Error: Nexthop has invalid gateway.\n");
  await run(w, 0, "ping -c 1 10.0.0.2");
  assert.match((await run(w, 0, "ip neigh")).text, /^10.0.0.2 dev eth0 lladdr 40:44:00:00:00:02 REACHABLE $/m);
  assert.match((await run(w, 0, "arp -a")).text, /^\? \(10.0.0.2\) at 40:44:00:00:00:02 \[ether\] on eth0$/m);
  assert.deepEqual(await run(w, 0, "ip link show dev nope"), { text: 'Device "nope" does not exist.\n', code: 1 });
  const unknown = await run(w, 0, "vi notes");
  assert.equal(unknown.code, 127);
  assert.match(unknown.text, /^vi: command not found\n/);
});

test("nc talks TCP and UDP, through lost segments too", async () => {
  const w = world({}, {});
  let heard = "";
  const server = present(w.hosts[1]).exec(["nc", "-l", "-v", "8080"], (to, bytes) => (heard += to === "stdout" ? Buffer.from(bytes).toString() : ""), new TextEncoder().encode("welcome"));
  const text = "x".repeat(50_000);
  let frames = 0;
  w.drop = () => ++frames % 7 === 0;
  const client = await run(w, 0, "nc 10.0.0.2 8080", text);
  assert.equal(client.text, "welcome");
  assert.equal(await w.clock.run(server.exitCode), 0);
  assert.equal(heard, text);
  w.drop = () => false;
  assert.deepEqual(await run(w, 0, "nc -zv 10.0.0.2 81"), { text: "nc: connect to 10.0.0.2 port 81 (tcp) failed: Connection refused\n", code: 1 });
  heard = "";
  const udp = present(w.hosts[1]).exec(["nc", "-u", "-l", "53"], (_to, bytes) => (heard += Buffer.from(bytes).toString()));
  await run(w, 0, "nc -u -w 1 10.0.0.2 53", "question");
  udp.interrupt();
  assert.equal(heard, "question");
  assert.equal((await run(w, 0, "nc -u -w 1 10.0.0.2 54", "question")).code, 1);
});

test("traceroute ends at the host, marked by its closed port", async () => {
  const { text, code } = await run(world({}, {}), 0, "traceroute -n 10.0.0.2");
  assert.equal(code, 0);
  assert.match(text, /^traceroute to 10.0.0.2 \(10.0.0.2\), 30 hops max, 60 byte packets\n 1  10.0.0.2  \S+ ms  \S+ ms  \S+ ms\n$/);
  assert.match((await run(world({}, {}), 0, "traceroute -I -n -q 1 10.0.0.2")).text, / 1  10.0.0.2  \S+ ms\n$/);
});

test("addresses come by DHCP, by DHCPv6 and from routers", async () => {
  const w = world({ addresses: [], dhcp: true, dhcpv6: true });
  serveAddresses(w);
  const host = present(w.hosts[0]);
  await w.clock.run(new Promise<void>((resolve) => w.clock.after(20, resolve)));
  host.hurry();
  await w.clock.run(new Promise<void>((resolve) => w.clock.after(5000, resolve)));
  assert.ok(host.isConfigured);
  assert.deepEqual(host.addresses(), ["fe80::4244:ff:fe00:1/64", "172.16.1.2/24", "2001:db8:1::aa/128", "2001:db8:1:0:4244:ff:fe00:1/64"].sort((a, b) => host.addresses().indexOf(a) - host.addresses().indexOf(b)));
  assert.match((await run(w, 0, "ip route")).text, /^default via 172.16.1.1 dev eth0 proto dhcp $/m);
  assert.match((await run(w, 0, "ip -6 route")).text, /^default via fe80::99 dev eth0 proto ra metric 1024 pref medium $/m);
  const { text } = await run(w, 0, "dhclient -v eth0");
  assert.equal(text, `Listening on LPF/eth0/40:44:00:00:00:01
Sending on   LPF/eth0/40:44:00:00:00:01
Sending on   Socket/fallback
DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 3
DHCPOFFER of 172.16.1.2 from 172.16.1.1
DHCPREQUEST for 172.16.1.2 on eth0 to 255.255.255.255 port 67
DHCPACK of 172.16.1.2 from 172.16.1.1
bound to 172.16.1.2 -- renewal in 1800 seconds.
`);
});

/** Answers on the wire as OVN's switch does. */
function serveAddresses(w: World): void {
  const host = present(w.hosts[0]);
  const [routerMac, hostMac] = [present(parseMac("00:00:00:00:00:99")), host.options.mac];
  const [server, address, router] = [ip4Of("172.16.1.1"), ip4Of("172.16.1.2"), ip6Of("fe80::99")];
  const reply = (frame: Uint8Array): void => void w.clock.after(0.1, () => host.receive(frame));
  host.attach((frame) => {
    const ethernet = present(packet.parseEthernet(frame));
    const body = frame.subarray(14);
    const header4 = packet.parseIpv4Header(body);
    if (ethernet.type === 0x0800 && header4?.protocol === 17) {
      const m = packet.parseDhcpv4(body.subarray(28));
      if (m === undefined) return;
      const kind = packet.dhcpMessageType(m) === packet.dhcpMessage.discover ? packet.dhcpMessage.offer : packet.dhcpMessage.ack;
      const options = [{ code: 53, data: Uint8Array.of(kind) }, { code: 54, data: Uint8Array.of(172, 16, 1, 1) }, { code: 1, data: Uint8Array.of(255, 255, 255, 0) }, { code: 3, data: Uint8Array.of(172, 16, 1, 1) }, { code: 51, data: Uint8Array.of(0, 0, 14, 16) }];
      const answer = { ...m, op: 2, yourIp: address, options };
      const payload = new Uint8Array(packet.sizeofDhcpv4(answer));
      packet.emitDhcpv4(answer, payload);
      const udp = packet.udpDatagram(packet.ip4(server), packet.ip4(address), 67, 68, payload);
      reply(packet.ethernetFrame({ dst: hostMac, src: routerMac }, 0x0800, packet.ipv4Packet({ src: server, dst: address, protocol: 17 }, udp)));
    } else if (ethernet.type === 0x86dd) {
      const h = present(packet.parseIpv6Header(body));
      const m = h.nextHeader === 17 ? packet.parseDhcpv6(body.subarray(48)) : undefined;
      if (m !== undefined) {
        const iaAddress = { code: 5, data: packet.emitIaAddress({ address: ip6Of("2001:db8:1::aa"), preferredLifetime: 100, validLifetime: 200 }) };
        const answer = { type: m.type === 1 ? 2 : 7, transactionId: m.transactionId, options: [{ code: 2, data: Uint8Array.of(0, 3) }, { code: 3, data: packet.emitIdentityAssociation({ id: 1, t1: 0, t2: 0, options: [iaAddress] }) }] };
        const payload = new Uint8Array(packet.sizeofDhcpv6(answer));
        packet.emitDhcpv6(answer, payload);
        const udp = packet.udpDatagram(packet.ip6(router), packet.ip6(h.src), 547, 546, payload);
        reply(packet.ethernetFrame({ dst: hostMac, src: routerMac }, 0x86dd, packet.ipv6Packet({ src: router, dst: h.src, nextHeader: 17 }, udp)));
      } else if (h.nextHeader === 58 && body[40] === 133) {
        const advert: packet.Nd = {
          kind: "router-advert", hopLimit: 64, managed: true, otherConfig: false, preference: 0, lifetime: 1800, reachableMs: 0, retransmitMs: 0,
          options: [{ kind: "source-mac", mac: routerMac }, { kind: "prefix", length: 64, onLink: true, autonomous: true, validLifetime: 1000, preferredLifetime: 500, prefix: ip6Of("2001:db8:1::") }],
        };
        const allNodes = ip6Of("ff02::1");
        reply(packet.ethernetFrame({ dst: present(parseMac("33:33:00:00:00:01")), src: routerMac }, 0x86dd, packet.ipv6Packet({ src: router, dst: allNodes, nextHeader: 58, hopLimit: 255 }, packet.ndMessage(advert, router, allNodes))));
      }
    }
  });
}

const ip4Of = (text: string): Ipv4 => present(parseIpv4(text));
const ip6Of = (text: string): Ipv6 => present(parseIpv6(text));

test("random frames never stop a host", () => {
  const w = world({ dhcp: true });
  const random = new SeededRandom(4);
  const host = present(w.hosts[0]);
  for (let i = 0; i < 20000; i++) {
    const frame = random.bytes(random.below(120));
    if (frame.length > 34) {
      frame.set([0x40, 0x44, 0, 0, 0, 1], 0);
      frame.set(random.pick([[8, 0, 0x45], [8, 6, 0], [0x86, 0xdd, 0x60]]), 12);
      // Sizes and a checksum that are right, so that what lies deeper is reached.
      if (frame[12] === 8 && frame[13] === 0) {
        packet.writeU16(frame, 16, frame.length - 14);
        packet.fillChecksum(frame.subarray(14, 34), 10, 0);
      } else if (frame[13] === 0xdd && frame.length > 54) packet.writeU16(frame, 18, frame.length - 54);
    }
    host.receive(frame);
  }
});
