import assert from "node:assert/strict";
import { test } from "node:test";
import { isDatapathFlowError, parseDatapathFlow } from "./datapath-flow-parse.ts";
import { composeFrame, expandFrame } from "./compose-frame.ts";
import { firstHeaderWord, W } from "../flow/flow-key.ts";
import { Packet } from "./packet.ts";

const eth = "in_port(1),eth(src=f0:00:00:00:00:01,dst=f0:00:00:00:00:02)";
const ip = "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2";

const flows: readonly string[] = [
  `${eth},${ip},proto=6,tos=0x20,ttl=64,frag=no),tcp(src=7777,dst=80),tcp_flags(syn|ack)`,
  `${eth},${ip},proto=17,tos=0,ttl=1,frag=first),udp(src=53,dst=65535)`,
  `${eth},${ip},proto=17,tos=0,ttl=1,frag=later)`,
  `${eth},${ip},proto=1,ttl=64),icmp(type=8,code=0)`,
  `${eth},eth_type(0x8100),vlan(vid=7,pcp=3),encap(${ip},proto=132,ttl=64),sctp(src=1,dst=2))`,
  `${eth},eth_type(0x86dd),ipv6(src=fe80::1,dst=ff02::1:ff00:2,label=0x12345,proto=58,tclass=0x70,hlimit=255,frag=no),icmpv6(type=135,code=0),nd(target=fe80::2,sll=f0:00:00:00:00:01)`,
  `${eth},eth_type(0x86dd),ipv6(src=::1,dst=::2,proto=6,hlimit=64),tcp(src=1,dst=2),tcp_flags(0x10)`,
  `${eth},eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=f0:00:00:00:00:01,tha=00:00:00:00:00:00)`,
  `${eth},eth_type(0x1234)`,
  eth,
];

function keyOf(text: string): Uint32Array {
  const key = parseDatapathFlow(text);
  assert.ok(!isDatapathFlowError(key), text);
  return key;
}

test("a frame that is made of a flow reads as that flow, also when it is made longer", () => {
  for (const text of flows) {
    const key = keyOf(text);
    const short = composeFrame(key, 0);
    for (const frame of [short, composeFrame(key, 64), expandFrame(short, key, 200)]) {
      const packet = new Packet(frame);
      packet.readHeaders();
      // Which option of neighbour discovery there is follows from its address.
      packet.key[W.ndOptionsType] = 0;
      assert.deepEqual(packet.key.slice(firstHeaderWord), key.slice(firstHeaderWord), text);
    }
  }
});

test("what is no flow says where", () => {
  for (const [text, error] of [
    ["eth(src=1", "syntax error at eth(src=1"], ["eth(src=nonsense)", "syntax error at eth(src=nonsense)"], ["what(1)", "syntax error at what(1)"],
    ["in_port(p9)", "syntax error at in_port(p9)"],
  ] as const) {
    assert.deepEqual(parseDatapathFlow(text), { error });
  }
});
