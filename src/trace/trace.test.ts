// A trace over a small database made by hand: a switch with two ports and a router's, and the router.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressConstants, dhcpv4Options, dhcpv6Options, type Pipeline } from "../logical/index.ts";
import { parseIpv4, parseMac } from "../net/index.ts";
import { present } from "../std/index.ts";
import { mappedIpv4, type MulticastGroup, type TraceDatapath, type TraceFlow, type TraceModel, type TracePort } from "./model.ts";
import { printDetailed, printMinimal, printSummary } from "./node.ts";
import { traceMicroflow } from "./trace-microflow.ts";
import type { TraceOptions } from "./walk.ts";

type FlowText = readonly [pipeline: Pipeline, table: number, priority: number, match: string, actions: string];

const binding = mappedIpv4(BigInt(present(parseIpv4("10.0.0.7"))));

function datapath(name: string, tunnelKey: number, texts: readonly FlowText[]): TraceDatapath & { readonly portsByKey: Map<number, TracePort>; readonly groups: MulticastGroup[] } {
  const flows = texts.map(([pipeline, table, priority, match, actions], i): TraceFlow => ({
    uuid: `${tunnelKey}${String(i).padStart(7, "0")}-0000-0000-0000-000000000000`, pipeline, table, priority, match, actions, stageName: `stage_${table}`, source: undefined,
  })).sort((a, b) => b.priority - a.priority);
  return {
    uuid: `${tunnelKey}0000000-0000-0000-0000-000000000000`, northboundUuid: name, name, name2: undefined, friendlyName: name, tunnelKey,
    groups: [], portsByKey: new Map(), hasLocalGateway: false, transitSwitch: name.startsWith("ts") ? name : undefined,
    flows: (pipeline, table) => flows.filter((flow) => flow.pipeline === pipeline && flow.table === table),
    macBinding: (port, ip) => (port === 2 && ip === binding ? [present(parseMac("00:00:00:00:00:77"))] : []),
    fdb: (mac) => (mac === 5n ? 1 : undefined),
  };
}

const sw = datapath("sw", 1, [
  ["ingress", 0, 100, "eth.src[40]", "drop;"],
  ["ingress", 0, 50, "1", "reg0[15] = check_in_port_sec(); next;"],
  ["ingress", 1, 100, "reg0[15] == 1", "drop;"],
  ["ingress", 1, 0, "1", "next;"],
  ["ingress", 2, 100, "arp.op == 1 && arp.tpa == 10.0.0.2", "eth.dst = eth.src; eth.src = 00:00:00:00:00:02; arp.op = 2; arp.tha = arp.sha; arp.sha = 00:00:00:00:00:02; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;"],
  ["ingress", 2, 90, "udp && udp.dst == 67", "reg0[3] = put_dhcp_opts(offerip = 10.0.0.1, lease_time = 60); next;"],
  ["ingress", 2, 80, "ip && tcp", "ct_next;"],
  ["ingress", 2, 0, "1", "next;"],
  ["ingress", 3, 100, "eth.mcast", 'outport = "_MC_flood"; output;'],
  ["ingress", 3, 60, "ct.est && tcp.dst == 22", 'outport = "p2"; output;'],
  ["ingress", 3, 50, "eth.dst == 00:00:00:00:00:02", 'outport = "p2"; output;'],
  ["ingress", 3, 50, "eth.dst == 00:00:00:00:00:0f", 'outport = "sw-lr"; output;'],
  ["ingress", 3, 40, 'inport == "p2" && ip4.dst == $blocked', "reject { outport <-> inport; next(pipeline=egress, table=0); };"],
  ["ingress", 3, 30, "eth.dst == 00:00:00:00:00:05", "outport = get_fdb(eth.dst); push(eth.src); eth.src = 00:00:00:00:00:09; pop(eth.src); output;"],
  ["egress", 0, 0, "1", "next;"],
  ["egress", 1, 100, "eth.mcast", "output;"],
  ["egress", 1, 0, "1", "reg0[15] = check_out_port_sec(); next;"],
  ["egress", 2, 0, "1", "output;"],
]);
const lr = datapath("lr", 2, [
  ["ingress", 0, 50, 'eth.dst == 00:00:00:00:00:0f && inport == "lr-sw"', "next;"],
  ["ingress", 1, 100, "ip4 && ip.ttl == {0, 1}", "icmp4 { ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 11; icmp4.code = 0; next; }; "],
  ["ingress", 1, 50, "ip4.dst == 10.0.0.0/24", 'ip.ttl--; reg0 = ip4.dst; outport = "lr-up"; get_arp(outport, reg0); next;'],
  ["ingress", 2, 0, "1", "output;"],
  ["egress", 0, 0, "1", "output;"],
]);
const port = (dp: typeof sw, name: string, tunnelKey: number, type: string, portSecurity: TracePort["portSecurity"] = []): TracePort & { peer: TracePort | undefined } => {
  const made = { datapath: dp, uuid: `${tunnelKey}`, name, name2: undefined, friendlyName: name, type, tunnelKey, peer: undefined, distributedPort: undefined, portSecurity };
  dp.portsByKey.set(tunnelKey, made);
  return made;
};
const p1 = port(sw, "p1", 1, "", [{ mac: present(parseMac("00:00:00:00:00:01")), ipv4s: [present(parseIpv4("10.0.0.1"))], ipv6s: [] }]);
const p2 = port(sw, "p2", 2, "");
const swLr = port(sw, "sw-lr", 3, "patch");
const lrSw = port(lr, "lr-sw", 1, "patch");
const up = port(lr, "lr-up", 2, "remote");
swLr.peer = lrSw;
lrSw.peer = swLr;
sw.groups.push({ name: "_MC_flood", tunnelKey: 32768, ports: [p1, p2] });
const model: TraceModel = {
  datapaths: new Map([[sw.uuid, sw], [lr.uuid, lr]]),
  ports: new Map([p1, p2, swLr, lrSw, up].map((one) => [one.name, one])),
  addressSet: (name) => (name === "blocked" ? addressConstants(["10.9.0.0/16"]) : undefined),
  portGroup: () => undefined, dhcpOptions: dhcpv4Options, dhcpv6Options, vips: [],
};
const options: TraceOptions = { ctStates: [], loadBalancerDestination: undefined, selectId: undefined, friendlyNames: true, random: () => 0, warn: () => {} };

function check(microflow: string, print: typeof printDetailed, expected: string, more: Partial<TraceOptions> = {}): void {
  const result = traceMicroflow(model, undefined, microflow, { ...options, ...more });
  assert.equal(result.kind === "traced" ? print(result.root) : result.text, expected);
}

const from1 = 'inport == "p1" && eth.src == 00:00:00:00:00:01';

test("unicast, table by table; tables that let all pass are not shown", () => {
  check(`${from1} && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.0.0.1`, printDetailed, `
ingress(dp="sw", inport="p1")
-----------------------------
 0. stage_0: 1, priority 50, uuid 10000001
    reg0[15] = check_in_port_sec();
    next;
 3. stage_3: eth.dst == 00:00:00:00:00:02, priority 50, uuid 10000010
    outport = "p2";
    output;

egress(dp="sw", inport="p1", outport="p2")
------------------------------------------
 1. stage_1: 1, priority 0, uuid 10000016
    reg0[15] = check_out_port_sec();
    next;
 2. stage_2: 1, priority 0, uuid 10000017
    output;
    /* output to "p2", type "" */
`);
});

test("port security refuses a stranger's address", () => {
  check(`${from1} && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.0.0.9`, printMinimal, "");
  check(`${from1} && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.0.0.1`, printMinimal, 'output("p2");\n');
});

test("a multicast group: a copy for each port, none back", () => {
  check(`${from1} && eth.dst == ff:ff:ff:ff:ff:ff`, printSummary, `ingress(dp="sw", inport="p1") {
    reg0[15] = check_in_port_sec();
    next;
    outport = "_MC_flood";
    output;
    multicast(dp="sw", mcgroup="_MC_flood") {
        egress(dp="sw", inport="p1", outport="p1") {
            /* omitting output because inport == outport && !flags.loopback */;
        };
        egress(dp="sw", inport="p1", outport="p2") {
            output;
            /* output to "p2", type "" */;
        };
    };
};
`);
});

test("an ARP request is answered where it came in", () => {
  check(`${from1} && arp.op == 1 && arp.sha == 00:00:00:00:00:01 && arp.spa == 10.0.0.1 && arp.tpa == 10.0.0.2`, printMinimal,
    `eth.dst = 00:00:00:00:00:01;
eth.src = 00:00:00:00:00:02;
arp.op = 2;
arp.tha = 00:00:00:00:00:01;
arp.sha = 00:00:00:00:00:02;
arp.tpa = 10.0.0.1;
arp.spa = 10.0.0.2;
output("p1");
`);
});

test("through the router, with the neighbor's MAC, to a remote port", () => {
  check(`${from1} && eth.dst == 00:00:00:00:00:0f && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.7 && ip.ttl == 64`, printMinimal,
    `ip.ttl--;
eth.dst = 00:00:00:00:00:77;
output("lr-up");
`);
  check(`${from1} && eth.dst == 00:00:00:00:00:0f && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.7 && ip.ttl == 1`, printMinimal,
    `icmp4 {
    ip4.dst = 10.0.0.1;
    ip4.src = 10.0.0.7;
    ip.ttl = 255;
    icmp4.type = 11;
    icmp4.code = 0;
    *** output to null logical port;
};
`);
});

test("conntrack says what it is told, else established", () => {
  const tcp = `${from1} && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.0.0.1 && tcp.dst == 22`;
  check(tcp, printMinimal, 'ct_next(ct_state=est|trk /* default (use --ct to customize) */) {\n    output("p2");\n};\n');
  check(tcp, printMinimal, 'ct_next(ct_state=new|trk) {\n    output("p2");\n};\n', { ctStates: [33n] });
});

test("DHCP, learned ports, the stack, refusal", () => {
  check(`${from1} && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.0.0.1 && udp.dst == 67`, printMinimal,
    '/* We assume that this packet is DHCPDISCOVER or DHCPREQUEST. */;\nput_dhcp_opts(offerip = 10.0.0.1, lease_time = 60);\noutput("p2");\n');
  check('inport == "p2" && eth.dst == 00:00:00:00:00:05', printMinimal,
    'push(eth.src) -> 0;\neth.src = 00:00:00:00:00:09;\npop(eth.src) <- 0;\noutput("p1");\n');
  check('inport == "p2" && ip4.src == 10.0.0.2 && ip4.dst == 10.9.1.1 && udp.dst == 9', printMinimal, 'icmp4 {\n    output("p2");\n};\n');
  check('inport == "p2" && eth.src == 01:00:00:00:00:00', printMinimal, "");
});

test("with another zone at hand a packet goes on beyond the transit switch", () => {
  const zone = (own: string, other: string): TraceModel => {
    const ts = datapath("ts1", 16711683, [
      ["ingress", 0, 0, "1", `outport = "${other}"; output;`],
      ["egress", 0, 10, "flags.tunnel_rx", "reg0 = 7; next;"],
      ["egress", 0, 0, "1", "next;"],
      ["egress", 1, 0, "1", "output;"],
    ]);
    const ports = [port(ts, "a", 1, own === "a" ? "" : "remote"), port(ts, "b", 2, own === "b" ? "" : "remote")];
    return { ...model, datapaths: new Map([[ts.uuid, ts]]), ports: new Map(ports.map((one) => [one.name, one])) };
  };
  const trace = (zones: Parameters<typeof traceMicroflow>[4]) => traceMicroflow(zone("a", "b"), undefined, 'inport == "a"', options, zones);
  const alone = trace([]);
  assert.ok(alone.kind === "traced");
  assert.equal(printMinimal(alone.root), 'output("b");\n');
  const followed = trace([{ name: "west", model: zone("b", "a") }]);
  assert.ok(followed.kind === "traced");
  assert.equal(printDetailed(followed.root).split("\n\n").at(-1), `egress(zone="west", dp="ts1", inport="a", outport="b")
------------------------------------------------------
 0. stage_0: flags.tunnel_rx, priority 10, uuid 16711683
    reg0 = 7;
    next;
 1. stage_1: 1, priority 0, uuid 16711683
    output;
    /* output to "b", type "" */
`);
});

test("what cannot be traced is refused in the C program's words", () => {
  check("ip4", printMinimal, "error parsing flow: flow match expression does not match on inport\n");
  check('inport == "p9"', printMinimal, 'unknown port "p9"\n');
  check(`${from1} && ip4 && ip6`, printMinimal, "error parsing flow: Constraints are contradictory.\n");
  check(`${from1} && tcp.dst == {1, 2}`, printMinimal, "error parsing flow: Constraints are ambiguous: inport == \"p1\" && eth.src == 0x1 && (tcp.dst == 0x1 || tcp.dst == 0x2) && ip.proto == 0x6 && (eth.type == 0x800 || eth.type == 0x86dd).\n");
  const result = traceMicroflow(model, "nowhere", from1, options);
  assert.deepEqual(result, { kind: "refused", text: 'unknown datapath "nowhere"\n' });
});

test("no microflow breaks a trace", () => {
  const part = fc.constantFrom(
    'inport == "p1"', 'inport == "p2"', "eth.dst == 00:00:00:00:00:0f", "eth.mcast", "ip4.dst == 10.0.0.7", "ip.ttl == 1", "tcp.dst == 22", "arp.op == 1",
    "icmp4.type == 8", "nd_ns", "vlan.vid == 5", "ct.new", "reg0 == 4", "eth.src == 00:00:00:00:00:01", "ip6", "!ip4", "{", "==", "outport == \"p2\"",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
    const result = traceMicroflow(model, undefined, parts.join(" && "), options);
    assert.ok((result.kind === "traced" ? printDetailed(result.root) : result.text).length > 0);
  }), { numRuns: 1000 });
});
