import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpv6, formatIpv6, formatMac, parseMac } from "./index.ts";

test("addresses survive a round trip through text", () => {
  for (const text of ["::", "::1", "fe80::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4", "1::2:0:0:3", "64:ff9b::102:304"]) {
    const ip = parseIpv6(text);
    assert.ok(ip !== undefined, text);
    assert.equal(formatIpv6(ip), text);
  }
  assert.equal(formatMac(parseMac("0A:b:0:00:00:ff") ?? assert.fail()), "0a:0b:00:00:00:ff");
  assert.equal(parseIpv6("1:::2"), undefined);
});
