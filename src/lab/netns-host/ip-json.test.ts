import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddresses } from "./ip-json.ts";

test("addresses as ip prints them; anything else is none", () => {
  const link = { ifname: "vm1", addr_info: [{ family: "inet", local: "192.168.1.11", prefixlen: 24, scope: "global" }, { family: "inet6", local: "fe80::1", prefixlen: 64 }] };
  assert.deepEqual(parseAddresses(JSON.stringify([{}, link])), ["192.168.1.11/24", "fe80::1/64"]);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.json().map((text) => `[${text}]`)), (text) => {
    assert.ok(parseAddresses(text).every((a) => typeof a === "string"));
  }));
});
