/** What Port_Binding.mac and nat_addresses say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMac, formatPrefix } from "../net/index.ts";
import { parsePortAddresses } from "./port-addresses.ts";

const read = (text: string): string => {
  const found = parsePortAddresses(text);
  return found === undefined ? "-" : [formatMac(found.mac), ...found.ips.map(formatPrefix)].join(" ");
};

test("a MAC address, then addresses up to the first other word", () => {
  assert.equal(read("0a:00:00:00:00:01"), "0a:00:00:00:00:01");
  assert.equal(read(" 0a:00:00:00:00:01 10.0.0.1 10.0.0.2/24 fd00::1/64"), "0a:00:00:00:00:01 10.0.0.1/32 10.0.0.2/24 fd00::1/64");
  assert.equal(read('0a:00:00:00:00:01 10.0.0.1 is_chassis_resident("cr-r")'), "0a:00:00:00:00:01 10.0.0.1/32");
  assert.equal(read("unknown"), "-");
  assert.equal(read("router"), "-");
});
