import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "../../host/index.ts";
import { parseMac, parsePrefix } from "../../net/index.ts";
import { present, SeededRandom } from "../../std/index.ts";
import { SimulatedHost } from "./index.ts";

/** Two hosts, a router with two links to each other router: a - r1 = (x, y) = r2 - b. */
function twoRouters() {
  const clock = new VirtualClock();
  const random = new SeededRandom(3);
  let lastMac = 0;
  const seen: string[] = [];
  const machine = (name: string, devices: Record<string, string>, by: string[]): SimulatedHost => {
    const [first, ...rest] = Object.entries(devices);
    const mac = () => present(parseMac(`02:00:00:00:00:${String(++lastMac).padStart(2, "0")}`));
    const made = new SimulatedHost({ clock, random }, {
      name, interfaceName: present(first)[0], mac: mac(), mtu: 1500, addresses: [present(parsePrefix(present(first)[1]))], gateways: [], dhcp: false, dhcpv6: false, isConfiguredByHand: true,
    });
    for (const [device] of rest) made.addDevice({ name: device, mac: mac(), mtu: 1500 });
    made.start();
    for (const [device, address] of rest) made.services.network.setAddress({ prefix: present(parsePrefix(address)), device, origin: "static", validUntil: undefined, preferredUntil: undefined });
    for (const command of by) made.exec(command.split(" "), (_, bytes) => assert.fail(`${command}: ${new TextDecoder().decode(bytes)}`));
    return made;
  };
  const a = machine("a", { eth0: "10.0.1.2/24" }, ["ip route add default via 10.0.1.1"]);
  const b = machine("b", { eth0: "10.0.2.2/24" }, ["ip route add default via 10.0.2.1"]);
  const to2 = "nexthop via 10.1.0.2 dev x nexthop via 10.2.0.2 dev y";
  const to1 = "nexthop via 10.1.0.1 dev x nexthop via 10.2.0.1 dev y";
  const r1 = machine("r1", { lan: "10.0.1.1/24", x: "10.1.0.1/24", y: "10.2.0.1/24" }, [`ip route add 10.0.2.0/24 ${to2}`, "sysctl -q -w net.ipv4.ip_forward=1"]);
  const r2 = machine("r2", { lan: "10.0.2.1/24", x: "10.1.0.2/24", y: "10.2.0.2/24" }, [`ip route add 10.0.1.0/24 ${to1}`, "sysctl -q -w net.ipv4.ip_forward=1"]);
  const wire = (m: SimulatedHost, d: string, n: SimulatedHost, e: string): void => {
    const [one, other] = [present(m.services.ip.devices.get(d)), present(n.services.ip.devices.get(e))];
    one.attach((frame) => void clock.after(0.1, () => (seen.push(d), other.receive(frame))));
    other.attach((frame) => void clock.after(0.1, () => (seen.push(e), one.receive(frame))));
  };
  wire(a, "eth0", r1, "lan");
  wire(r1, "x", r2, "x");
  wire(r1, "y", r2, "y");
  wire(b, "eth0", r2, "lan");
  const run = async (on: SimulatedHost, command: string): Promise<string> => {
    let text = "";
    await clock.run(on.exec(command.split(" "), (_, bytes) => (text += new TextDecoder().decode(bytes))).exitCode);
    return text;
  };
  return { a, b, r1, r2, run, seen };
}

test("routers forward, count down, and answer traceroute", async () => {
  const { a, run } = twoRouters();
  assert.match(await run(a, "ping -c 1 10.0.2.2"), /64 bytes from 10\.0\.2\.2: icmp_seq=1 ttl=62 /);
  const route = await run(a, "traceroute -n -q 1 10.0.2.2");
  assert.match(route, / 1 {2}10\.0\.1\.1 .*\n 2 {2}10\.[12]\.0\.2 .*\n 3 {2}10\.0\.2\.2 /);
  assert.match(await run(a, "ping -c 1 -W 1 10.0.3.3"), /From 10\.0\.1\.1 icmp_seq=1 Destination Net Unreachable/);
  assert.match(await run(a, "ping -c 1 -t 1 10.0.2.2"), /From 10\.0\.1\.1 icmp_seq=1 Time to live exceeded/);
});

test("flows are spread over hops, each keeps its own, and a dead link is left", async () => {
  const { a, r1, run, seen } = twoRouters();
  await run(a, "ping -c 1 10.0.2.2");
  const used = (): string[] => [...new Set(seen.splice(0))].filter((d) => d === "x" || d === "y");
  used();
  const both = new Set<string>();
  for (let seed = 0; seed < 8; seed++) {
    await run(r1, `sysctl -q net.ipv4.fib_multipath_hash_seed=${seed}`);
    const path = await run(a, "ip -4 route get 10.0.2.2");
    assert.match(path, /via 10\.0\.1\.1/);
    const route = await run(r1, "ip route get 10.0.2.2");
    both.add(/dev (\w)/.exec(route)?.[1] ?? "");
  }
  assert.deepEqual([...both].sort(), ["x", "y"]);
  assert.equal(await run(r1, "ip route show 10.0.2.0/24"), "10.0.2.0/24 \n\tnexthop via 10.1.0.2 dev x weight 1 \n\tnexthop via 10.2.0.2 dev y weight 1 \n");
  await run(r1, "ip link set x down");
  used();
  await run(a, "ping -c 2 -i 0.1 10.0.2.2");
  assert.ok(used().includes("y"));
  assert.match(await run(r1, "ip route show 10.0.2.0/24"), /dev x weight 1 dead \n\tnexthop via 10\.2\.0\.2 dev y weight 1 \n/);
});

test("what a link cannot carry is refused or cut", async () => {
  const { a, r1, run } = twoRouters();
  for (const device of ["x", "y"]) await run(r1, `ip link set ${device} mtu 1000`);
  assert.match(await run(a, "ping -c 1 -s 1200 -M do 10.0.2.2"), /Frag(mentation)? needed.*mtu = 1000/);
});

test("proxy ARP answers for what is behind another device, and for nothing else", async () => {
  const { b, r2, run } = twoRouters();
  await run(b, "ip route flush");
  await run(b, "ip address flush dev eth0");
  await run(b, "ip address add 10.0.2.2/8 dev eth0");
  await run(r2, "ip route add 10.0.1.2 via 10.1.0.1 dev x");
  assert.match(await run(b, "ping -c 1 -W 1 10.0.1.2"), /100% packet loss/);
  await run(r2, "sysctl -w net.ipv4.conf.lan.proxy_arp=1");
  assert.match(await run(b, "ping -c 1 10.0.1.2"), / 0% packet loss/);
  const lan = present(r2.services.ip.devices.get("lan"));
  assert.match(await run(b, "ip neigh show dev eth0"), new RegExp(`10\\.0\\.1\\.2 dev eth0 lladdr ${lan.mac.toString(16).padStart(12, "0").replace(/..(?!$)/g, "$&:")} REACHABLE`));
  assert.match(await run(b, "ping -c 1 -W 1 10.0.2.77"), /100% packet loss/);
});

test("tcpdump shows what passes a device", async () => {
  const { a, r1, run } = twoRouters();
  let text = "";
  const watching = r1.exec("tcpdump -i lan -c2 -ne -v icmp".split(" "), (_, bytes) => (text += new TextDecoder().decode(bytes)));
  await run(a, "ping -c 1 10.0.2.2");
  await run(a, "sleep 1");
  assert.equal(await watching.exitCode, 0);
  const lines = text.replace(/\bid \d+/g, "id N").replace(/^\d\d:\d\d:\d\d\.\d{6}/gm, "TIME").split("\n");
  assert.deepEqual(lines, [
    "tcpdump: listening on lan, link-type EN10MB (Ethernet), snapshot length 262144 bytes",
    "TIME 02:00:00:00:00:01 > 02:00:00:00:00:03, ethertype IPv4 (0x0800), length 98: (tos 0x0, ttl 64, id N, offset 0, flags [DF], proto ICMP (1), length 84)",
    "    10.0.1.2 > 10.0.2.2: ICMP echo request, id N, seq 1, length 64",
    "TIME 02:00:00:00:00:03 > 02:00:00:00:00:01, ethertype IPv4 (0x0800), length 98: (tos 0x0, ttl 62, id N, offset 0, flags [none], proto ICMP (1), length 84)",
    "    10.0.2.2 > 10.0.1.2: ICMP echo reply, id N, seq 1, length 64",
    "2 packets captured", "2 packets received by filter", "0 packets dropped by kernel", "",
  ]);
  assert.match(await run(a, "tcpdump -i eth9"), /eth9: No such device exists/);
  assert.match(await run(a, "tcpdump -c 0"), /invalid packet count 0/);
  assert.match(await run(a, "tcpdump icmp and"), /can't parse filter expression: syntax error at the end/);
  assert.match(await run(a, "tcpdump -w x"), /a simulated machine has no files/);
});

test("no command line and no frame makes a machine throw", async () => {
  const { r1, run } = twoRouters();
  const word = fc.constantFrom(
    "ip", "route", "addr", "neigh", "link", "add", "del", "replace", "show", "get", "flush", "set", "nexthop", "via", "dev", "weight", "metric", "src", "blackhole", "default",
    "10.0.0.0/8", "10.1.0.2", "x", "y", "lo", "up", "down", "mtu", "address", "02:00:00:00:00:77", "-6", "fe80::1", "::/0", "1", "-1", "999999999999",
  );
  await fc.assert(fc.asyncProperty(fc.array(word, { maxLength: 9 }), async (words) => void (await run(r1, ["ip", ...words].join(" ")))), { numRuns: 500 });
  await fc.assert(fc.asyncProperty(fc.constantFrom("net.ipv4.ip_forward", "net.ipv4.conf.x.proxy_arp", "net.none", ""), fc.string({ maxLength: 5 }), async (key, value) => {
    await run(r1, `sysctl -w ${key}=${value.replaceAll(" ", "")}`);
  }));
  const x = present(r1.services.ip.devices.get("x"));
  x.isUp = true;
  const header = fc.constantFrom("0800", "86dd", "0806", "8100001408004500");
  const to = x.mac.toString(16).padStart(12, "0");
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 90 }), fc.boolean(), (type, body, isIpv4) => {
      const frame = Uint8Array.from([...Buffer.from(`${to}020000000099${type}`, "hex"), ...(isIpv4 ? [0x45, 0, 0, Math.min(90, body.length + 10)] : []), ...body]);
      x.receive(frame);
    }),
    { numRuns: 2000 },
  );
});
