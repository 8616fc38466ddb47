/** Meters as Open vSwitch's ovs-ofctl prints them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type MeterConfig, meterFlags, meters } from "../../openflow/index.ts";
import { formatMeter, formatMeterStats } from "./meters.ts";

const { kbps, pktps, burst, stats } = meterFlags;

test("a meter's settings", () => {
  const check = (meter: MeterConfig, expected: string): void => assert.equal(formatMeter(meter), expected);
  check({ meter: 1, flags: pktps, bands: [{ type: "drop", rate: 100, burst: 0 }] }, "meter=1 pktps bands=\ntype=drop rate=100\n");
  check({ meter: 3, flags: kbps | burst | stats, bands: [{ type: "drop", rate: 9, burst: 7 }] }, "meter=3 kbps burst stats bands=\ntype=drop rate=9 burst_size=7\n");
  check({ meter: meters.controller, flags: kbps, bands: [{ type: "dscp_remark", rate: 9, burst: 0, precedence: 2 }] }, "meter=controller kbps bands=\ntype=dscp_remark rate=9 prec_level=2\n");
});

test("a meter's counters", () => {
  assert.equal(
    formatMeterStats({ meter: 2, flows: 1, packets: 3n, bytes: 4n, durationNs: 1_500_000_000n, bands: [{ packets: 5n, bytes: 6n }, { packets: 0n, bytes: 0n }] }),
    "meter:2 flow_count:1 packet_in_count:3 byte_in_count:4 duration:1.500s bands:\n0: packet_count:5 byte_count:6\n1: packet_count:0 byte_count:0\n",
  );
});
