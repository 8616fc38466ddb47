import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, Timer } from "../../host/index.ts";
import { parseMac, parsePrefix } from "../../net/index.ts";
import { Heap, present, SeededRandom } from "../../std/index.ts";
import { SimulatedHost, type SimulatedHostOptions } from "./index.ts";

/** Time that passes only as far as something is due. */
class VirtualClock implements Clock {
  #now = 0;
  readonly #due = new Heap<{ at: number; order: number; run: (() => void) | undefined }>((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry: { at: number; order: number; run: (() => void) | undefined } = { at: this.#now + delayMs, order: this.#order++, run: action };
    this.#due.push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** Until `until` settles; promises get their turn after every step. */
  async run<T>(until: Promise<T>, limitMs = 600_000): Promise<T> {
    let result: { value: T } | undefined;
    void until.then((value) => (result = { value }));
    for (;;) {
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      if (result !== undefined) return result.value;
      const next = this.#due.pop();
      if (next === undefined || next.at > limitMs) throw new Error("nothing is due any more");
      this.#now = Math.max(this.#now, next.at);
      next.run?.();
    }
  }
}

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
