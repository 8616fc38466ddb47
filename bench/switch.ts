/**
 * How many packets a second one core forwards once their flows are in the cache, how long a walk through forty tables
 * takes, and how fast flows are added.
 *
 *     npm run bench -- switch
 */
import { macOf } from "../src/net/index.ts";
import { type Action, field, Match, noBuffer, ports as reserved } from "../src/openflow/index.ts";
import { writeU16, writeU32 } from "../src/packet/index.ts";
import { Bridge } from "../src/switch/bridge.ts";
import { Datapath } from "../src/switch/datapath.ts";
import { applyFlowMod } from "../src/switch/openflow/flow-mod.ts";
import { Journal } from "../src/switch/openflow/journal.ts";
import { PortTaps } from "../src/switch/port/port-taps.ts";
import { SwitchPort } from "../src/switch/port/switch-port.ts";

/** Milliseconds of the processor's time, not of the clock's: other programs on the machine do not count. */
const cpuMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

const bridge = new Bridge("br", "br", macOf(1), 1n);
const nowMs = (): number => performance.now();
const nothing = (): void => undefined;
const datapath = new Datapath(
  { nowMs, toController: nothing, throughTunnel: nothing, track: () => true, trackFragment: (_action, fragment, goOn) => goOn(fragment), learn: nothing, takes: () => false, warn: (text) => console.error(text) },
  new PortTaps(() => 0),
);
let delivered = 0;
const ports = [1, 2].map((number) => {
  const port = new SwitchPort(`p${number}`, number, datapath.ports.nextNumber(), { type: "system" }, macOf(number), 1500, { mode: "trunk", tag: 0, trunks: undefined }, 0);
  port.deliver = () => void delivered++;
  datapath.ports.add(bridge, port);
  return port;
});

function add(table: number, priority: number, match: Match, actions: readonly Action[]): void {
  const error = applyFlowMod(
    { bridge, nowMs: nowMs(), journal: new Journal(), credit: nothing, removed: nothing },
    {
      kind: "flow_mod", command: "add", table, cookie: 0n, cookieMask: 0n, idleTimeout: 0, hardTimeout: 0, priority, bufferId: noBuffer,
      outPort: reserved.none, outGroup: 0xffffffff, importance: 0, flags: {}, match, actions,
    },
  );
  if (error !== undefined) throw new Error(String(error));
}
const set = (name: Parameters<typeof field>[0], value: number | bigint): Action => ({ kind: "set_field", field: field(name), value, mask: field(name).full });
const next = (table: number): Action => ({ kind: "resubmit", port: reserved.inPort, table });

/** Forty tables, each with flows for a thousand ports and addresses, the packet changed as a router would. */
function pipeline(): number {
  const startedMs = cpuMs();
  let flows = 0;
  add(0, 100, Match.of(["in_port", 1]), [set("metadata", 1n), set("reg14", 1), next(8)]);
  for (let table = 8; table < 48; table++) {
    add(table, 0, Match.of(["metadata", 1n]), [next(table + 1)]);
    for (let i = 0; i < 250; i++) {
      add(table, 100, Match.of(["metadata", 1n], ["eth_type", 0x800], ["ip_dst", 0x0b000000 + i]), [next(table + 1)]);
      add(table, 90, Match.of(["metadata", 1n], ["eth_dst", 0x020000001000 + i]), [next(table + 1)]);
      add(table, 80, Match.of(["metadata", 2n], ["eth_type", 0x800], ["nw_proto", 6], ["tcp_dst", i]), [next(table + 1)]);
      flows += 3;
    }
  }
  add(48, 1, Match.of(["metadata", 1n], ["eth_type", 0x800]), [{ kind: "dec_ttl", controllers: [0] }, set("eth_src", 0x02000000ff01), set("eth_dst", 0x020000000002), { kind: "output", port: 2 }]);
  const perSecond = (flows / (cpuMs() - startedMs)) * 1000;
  console.log(`${flows} flows added, ${Math.round(perSecond)} a second`);
  return flows;
}

function packet(flow: number): Uint8Array {
  const b = new Uint8Array(98);
  writeU16(b, 0, 0x0200);
  writeU32(b, 2, 0xff01);
  writeU16(b, 6, 0x0200);
  writeU32(b, 8, 1);
  writeU16(b, 12, 0x0800);
  writeU32(b, 14, 0x45000054);
  b[22] = 64;
  b[23] = 17;
  writeU32(b, 26, 0x0a000001);
  writeU32(b, 30, 0x0a000100 + (flow >>> 8));
  writeU32(b, 34, (0x8000_0000 + (flow << 16) + 53) >>> 0);
  return b;
}

function forward(name: string, frames: readonly Uint8Array[], count: number): void {
  const [port] = ports;
  if (port === undefined) return;
  for (const frame of frames) datapath.receive(port, frame);
  delivered = 0;
  const startedMs = cpuMs();
  for (let i = 0; i < count; i++) datapath.receive(port, frames[i % frames.length] ?? new Uint8Array(0));
  const elapsedMs = cpuMs() - startedMs;
  const { exactHits, hits, misses, count: entries, maskCount } = datapath.cache;
  console.log(
    `${name}: ${Math.round(count / elapsedMs)} kpps (${delivered} of ${count} delivered, ${entries} entries of ${maskCount} masks, ${exactHits}/${hits}/${misses} exact/hit/missed)`,
  );
}

pipeline();
forward("one flow, changed as a router does", [packet(1)], 1_000_000);
forward("1,000 flows", Array.from({ length: 1000 }, (_, i) => packet(i)), 1_000_000);
forward("20,000 flows", Array.from({ length: 20_000 }, (_, i) => packet(i)), 500_000);
const startedMs = cpuMs();
const [port] = ports;
for (let i = 0; i < 5000 && port !== undefined; i++) {
  datapath.cache.clear();
  datapath.receive(port, packet(i));
}
console.log(`a walk through 41 tables: ${((cpuMs() - startedMs) / 5).toFixed(0)} us`);
