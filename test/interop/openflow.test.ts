// Our OpenFlow against ovs-ofctl's: it prints the messages that we encode, and parses the flows that we print.
// `OVS_OFCTL` names another ovs-ofctl than that of the PATH.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Action, encodeMessage, type FlowMod, formatFlowMod, isTextError, Match, of13, of14, of15, parseFlow, ports } from "../../src/openflow/index.ts";
import { randomFlowMod } from "../../src/openflow/random-flow.ts";
import { SeededRandom } from "../../src/std/index.ts";

const ofctl = process.env["OVS_OFCTL"] ?? "ovs-ofctl";
const skip = spawnSync(ofctl, ["--version"]).status === 0 ? false : "ovs-ofctl is not installed";

function withFile<T>(content: Uint8Array | string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-openflow-"));
  try {
    writeFileSync(join(folder, "file"), content);
    return use(join(folder, "file"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without what a flow may do only if it matches on a tracked connection: ovs-ofctl would refuse it. */
function randomFlow(random: SeededRandom): FlowMod {
  const flow = randomFlowMod(random);
  const plain = (actions: readonly Action[]): Action[] =>
    actions.filter((a) => a.kind !== "resubmit" || a.ct !== true).map((a) => (a.kind === "clone" ? { ...a, actions: plain(a.actions) } : a));
  return { ...flow, actions: plain(flow.actions) };
}

const print = (messages: readonly Uint8Array[]): string =>
  withFile(Buffer.concat(messages), (path) => spawnSync(ofctl, ["ofp-parse", path], { encoding: "utf8", maxBuffer: 1 << 26 }).stdout);

test("ovs-ofctl prints our flow_mods as we do", { skip }, () => {
  const random = new SeededRandom(21);
  for (const version of [of13, of14, of15]) {
    const flows = Array.from({ length: 400 }, () => randomFlow(random));
    const theirs = print(flows.map((flow, i) => encodeMessage(version, i, flow))).split("\n").filter((line) => line.startsWith("OFPT_FLOW_MOD"));
    assert.equal(theirs.length, flows.length);
    flows.forEach((flow, i) => assert.equal(theirs[i]?.replace(/^.*?: /, "").replace(/load:\S*?->(?=NXM)/g, "load->"), expected(formatFlowMod(flow)), `version ${version}`));
  }
});

/** Loads are compared elsewhere: before OpenFlow 1.5 they stand for partial sets. */
const expected = (text: string): string => text.replace(/load:\S*?->(?=NXM)/g, "load->");

test("ovs-ofctl makes of our text the flow that we make of it", { skip }, () => {
  const random = new SeededRandom(22);
  const texts = Array.from({ length: 300 }, () => formatFlowMod(randomFlow(random)).replace(/^ADD (table:\d+ )?/, "").replace(/cookie:\S+ /, "").replace(/(idle|hard):(\d+)/g, "$1_timeout=$2"));
  // Actions that need more than the flow's match promises are refused by ovs-ofctl: these it is not asked about.
  // Nor does it read an IPv6 mask that begins with a digit: it takes the digits for a prefix length.
  const asked = texts.filter((text) => !/CONTROLLER|ct\(|\/\d[0-9a-f]*:/.test(text));
  const theirs = withFile(`${asked.join("\n")}\n`, (path) => spawnSync(ofctl, ["-O", "OpenFlow15", "parse-flows", path], { encoding: "utf8", maxBuffer: 1 << 26 }));
  const lines = theirs.stdout.split("\n").filter((line) => line.startsWith("OFPT_FLOW_MOD")).map((line) => line.replace(/^.*?: /, ""));
  assert.equal(lines.length, asked.length, theirs.stderr);
  asked.forEach((text, i) => {
    const flow = parseFlow(text);
    if (isTextError(flow)) assert.fail(`${text}: ${flow.error}`);
    assert.equal(lines[i]?.replace("table:255 ", ""), formatFlowMod(flow));
  });
});

test("ovs-ofctl understands our other messages", { skip }, () => {
  const metadata = Match.of(["in_port", 4], ["reg0", 7], ["metadata", 5n]);
  const group = {
    group: 5, type: "select", selectionMethod: "dp_hash", selectionParameter: 0n, selectionFields: Match.any,
    buckets: [{ id: 0, weight: 100, watchPort: ports.none, watchGroup: 0xffffffff, actions: [{ kind: "resubmit", port: ports.inPort, table: 9 }] }],
  } as const;
  const text = print([
    encodeMessage(of15, 1, { kind: "hello", versions: 0x70 }),
    encodeMessage(of15, 2, { kind: "group_mod", command: "add", commandBucket: 0xffffffff, ...group }),
    encodeMessage(of15, 3, { kind: "meter_mod", command: "add", meter: 1, flags: 9, bands: [{ type: "drop", rate: 10, burst: 20 }] }),
    encodeMessage(of15, 4, { kind: "tlv_table_mod", command: "add", mappings: [{ optionClass: 0x102, optionType: 0x80, optionSize: 4, index: 0 }] }),
    encodeMessage(of15, 5, { kind: "bundle_control", bundle: 7, control: "open_request", flags: 3 }),
    encodeMessage(of15, 6, { kind: "packet_out", bufferId: 0xffffffff, metadata, actions: [{ kind: "output", port: 3 }], packet: new Uint8Array(20) }),
    encodeMessage(of15, 7, {
      kind: "packet_in", extended: true, packet: new Uint8Array(60), totalLength: 60, bufferId: 0xffffffff, reason: "action", table: 9, cookie: 0x12n, metadata,
      userdata: Uint8Array.of(0, 0, 0, 5),
    }),
    encodeMessage(of15, 8, { kind: "flow_removed", match: metadata, cookie: 1n, priority: 2, reason: "idle", table: 3, durationNs: 4_000_000_000n, idleTimeout: 5, hardTimeout: 6, packets: 7n, bytes: 8n }),
    encodeMessage(of15, 9, {
      kind: "flow_stats_reply",
      flows: [{ table: 1, priority: 5, cookie: 6n, match: metadata, actions: [], durationNs: 1_500_000_000n, idleTimeout: 0, hardTimeout: 0, packets: 3n, bytes: 4n, importance: 0, flags: {} }],
    }),
    encodeMessage(of15, 10, { kind: "error", error: "OFPBRC_BAD_LEN", data: encodeMessage(of15, 3, { kind: "barrier_request" }) }),
    encodeMessage(of15, 11, { kind: "set_async", packetIn: [7, 0], portStatus: [7, 0], flowRemoved: [0, 0] }),
    encodeMessage(of15, 12, {
      kind: "port_desc_reply",
      ports: [{ port: 1, mac: 0x0a0000000001, name: "p1", config: 0, state: 0, current: 0, advertised: 0, supported: 0, peer: 0, currentSpeed: 0, maxSpeed: 0 }],
    }),
    encodeMessage(of15, 13, { kind: "role_request", role: "primary", generation: 5n }),
    encodeMessage(of15, 14, { kind: "ct_flush_zone", zone: 5 }),
  ]);
  const check = (part: string): void => assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
  check("version bitmap: 0x04, 0x05, 0x06");
  check("ADD group_id=5,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:100,actions=resubmit(,9)");
  check("ADD meter=1 kbps stats bands=");
  check("0x102  0x80       4  tun_metadata0");
  check("bundle_id=0x7 type=OPEN_REQUEST flags=atomic ordered");
  check("in_port=4 actions=output:3 data_len=20");
  check("table_id=9 cookie=0x12 total_len=60 reg0=0x7,metadata=0x5,in_port=4 (via action)");
  check("userdata=00.00.00.05");
  check("reason=idle table_id=3 cookie:0x1 duration4s idle5 hard6 pkts7 bytes8");
  check("cookie=0x6, duration=1.500s, table=1, n_packets=3, n_bytes=4, priority=5,reg0=0x7,metadata=0x5,in_port=4 actions=drop");
  check("OFPT_ERROR (OF1.5) (xid=0xa): OFPBRC_BAD_LEN");
  check("1(p1): addr:0a:00:00:00:00:01");
  check("role=primary generation_id=5");
  check("zone_id=5");
});
