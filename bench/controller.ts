/**
 * What the controller costs: switches with ports here and elsewhere and some logical flows for each port; working them all
 * out, and one change, from the transaction until the switch's barrier came back (less that of a change of nothing).
 *
 *     npm run bench -- controller [SWITCHES] [PORTS]
 */
import { ChassisBench } from "../test/chassis-bench.ts";

const switches = Number(process.argv[2] ?? 20);
const portsEach = Number(process.argv[3] ?? 50);
/** One port of each switch is here. */
const bench = await ChassisBench.open();
const now = (): number => performance.now();
const macOf = (n: number): string => `0a:00:00:${[n >> 16, n >> 8, n].map((b) => (b & 255).toString(16).padStart(2, "0")).join(":")}`;
const ipOf = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

await bench.until("chassis", () => bench.sb.tables.Chassis.size === 1);
await bench.until("bridge", () => bench.bridge !== undefined);
const other = await bench.inSb((txn) => txn.insert("Chassis", {
  name: "hv2", hostname: "hv2", encaps: [txn.insert("Encap", { type: "geneve", ip: "127.99.0.2", chassis_name: "hv2", options: { csum: "true" } })],
}));
await bench.until("hv2", () => bench.sb.tables.Chassis.size === 2);
const hv2 = [...bench.sb.tables.Chassis].find((c) => c.name === "hv2")?._uuid ?? other;

let flowCount = 0;
for (let s = 0; s < switches; s++) {
  await bench.inSb((txn) => {
    const datapath = txn.insert("Datapath_Binding", { tunnel_key: s + 1, type: "logical-switch", external_ids: { name: `ls${s}`, "logical-switch": "x" } });
    const flow = (table_id: number, priority: number, match: string, actions: string, pipeline: "ingress" | "egress" = "ingress"): void => {
      flowCount++;
      txn.insert("Logical_Flow", { logical_datapath: datapath, pipeline, table_id, priority, match, actions });
    };
    for (let t = 0; t < 30; t++) flow(t, 0, "1", "next;");
    for (let t = 0; t < 12; t++) flow(t, 0, "1", "next;", "egress");
    const ports = Array.from({ length: portsEach }, (_, p) => {
      const n = s * portsEach + p;
      const name = `p${n}`;
      const mac = macOf(n);
      flow(27, 50, `arp.tpa == ${ipOf(n)} && arp.op == 1`, `eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa = arp.spa; arp.spa = ${ipOf(n)}; outport = inport; flags.loopback = 1; output;`);
      flow(27, 100, `arp.tpa == ${ipOf(n)} && arp.op == 1 && inport == "${name}"`, "next;");
      flow(33, 50, `eth.dst == ${mac}`, `outport = "${name}"; output;`);
      flow(0, 50, `inport == "${name}"`, "reg0[15] = check_in_port_sec(); next;");
      return txn.insert("Port_Binding", {
        logical_port: name, datapath, tunnel_key: p + 1, type: "", mac: [`${mac} ${ipOf(n)}`], up: false, ...(p === 0 ? {} : { chassis: hv2 }),
      });
    });
    txn.insert("Multicast_Group", { datapath, name: "_MC_flood", tunnel_key: 32768, ports });
  });
}
const started = now();
for (let s = 0; s < switches; s++) await bench.plug(`tap${s}`, `p${s * portsEach}`);
await bench.settle();
console.log(`${switches} switches of ${portsEach} ports, ${flowCount} logical flows: ${(await bench.flows()).length} flows in ${(now() - started).toFixed(0)} ms, ${Math.round(process.memoryUsage().rss / 1e6)} MB in all`);

async function measure(what: string, change: (round: number) => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 30; round++) {
    const before = now();
    await change(round);
    await bench.settle();
    times.push(now() - before);
  }
  times.sort((a, b) => a - b);
  const median = times[15] ?? 0;
  if (what === "") base = median;
  else console.log(`${what.padEnd(34)} ${(median - base).toFixed(2)} ms`);
}
let base = 0;

const [global] = bench.sb.tables.SB_Global;
await measure("", (round) => bench.inSb((txn) => global && txn.update(global, { external_ids: { round: String(round) } })));
const flows = [...bench.sb.tables.Logical_Flow];
await measure("logical flow changes", (round) => bench.inSb((txn) => flows[100] && txn.update(flows[100], { priority: 60 + round })));
const port = [...bench.sb.tables.Port_Binding].find((p) => p.logical_port === "p1");
await measure("a port moves to another chassis", (round) => bench.inSb((txn) => port && txn.update(port, { chassis: round % 2 === 0 ? undefined : hv2 })));
await measure("MAC binding", (round) => bench.inSb((txn) => port && txn.insert("MAC_Binding", {
  logical_port: "p1", ip: `10.200.0.${round}`, mac: "0a:00:00:00:00:01", datapath: port.datapath, timestamp: 1,
})));
const group = [...bench.sb.tables.Multicast_Group].find((g) => g.datapath === port?.datapath);
const key = { next: 1000 };
await measure("port added", () => bench.inSb((txn) => {
  if (port === undefined || group === undefined) return;
  const added = txn.insert("Port_Binding", { logical_port: `new${key.next}`, datapath: port.datapath, tunnel_key: key.next++, type: "", up: false, chassis: hv2 });
  txn.update(group, { ports: [...group.ports, added] });
  txn.insert("Logical_Flow", { logical_datapath: port.datapath, pipeline: "ingress", table_id: 33, priority: 50, match: `eth.dst == ${macOf(key.next)}`, actions: `outport = "new${key.next - 1}"; output;` });
}));
await bench.close();
