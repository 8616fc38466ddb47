import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDynamicAddress, memberAddress, parseCidr, parseIpsAlone, parseMacAndIps, parseRouterPort, routerPortText } from "./port-addresses.ts";

const texts = (text: string): readonly string[] | undefined => {
  const parsed = parseMacAndIps(text)?.addresses;
  return parsed === undefined ? undefined : [parsed.macText, ...parsed.ipv4.map((n) => `${n.text}/${n.length}`), ...parsed.ipv6.map((n) => `${n.text}/${n.length}`)];
};

test("a MAC and addresses, as many as can be read", () => {
  assert.deepEqual(texts("02:00:00:00:00:01 10.0.0.1 fd00::1 10.0.0.2/24"), ["02:00:00:00:00:01", "10.0.0.1/32", "10.0.0.2/24", "fd00::1/128"]);
  assert.deepEqual(texts("  2:0:0:0:0:A"), ["02:00:00:00:00:0a"]);
  assert.deepEqual(texts("02:00:00:00:00:01 10.0.0.1 nonsense 10.0.0.2"), ["02:00:00:00:00:01", "10.0.0.1/32"]);
  assert.deepEqual(texts("02:00:00:00:00:01 10.0.0.1/255.255.255.0"), ["02:00:00:00:00:01", "10.0.0.1/24"]);
  assert.deepEqual(texts("02:00:00:00:00:01 10.0.0.1/33"), ["02:00:00:00:00:01"]);
  assert.equal(parseMacAndIps("02:00:00:00:00:01 10.0.0.1 x")?.rest, " x");
  for (const text of ["", "unknown", "router", "10.0.0.1", "02:00:00:00:00", "02:00:00:00:00:gg"]) assert.equal(texts(text), undefined, text);
});

test("addresses alone", () => {
  assert.deepEqual(parseIpsAlone("10.0.0.1 fd00::1")?.ipv4.map((n) => n.text), ["10.0.0.1"]);
  assert.equal(parseIpsAlone("02:00:00:00:00:01 10.0.0.1"), undefined);
});

test("what asks for an address", () => {
  for (const text of ["dynamic", "dynamic 10.0.0.9", "dynamic fd00::9", "dynamic 10.0.0.9 fd00::9", "02:00:00:00:00:01 dynamic"]) assert.ok(isDynamicAddress(text), text);
  for (const text of ["", "unknown", "dynamics", "dynamic nobody", "02:00:00:00:00:01", "02:00:00:00:00:01 10.0.0.1 dynamic"]) assert.ok(!isDynamicAddress(text), text);
});

test("a router port has a link-local address after its own, and those that cannot be read are named", () => {
  const port = parseRouterPort("02:00:00:00:00:01", ["fd00::1/64", "10.0.0.1/24", "10.0.0.0.1/24"]);
  assert.ok(port !== undefined);
  assert.deepEqual(port.ipv6.map((n) => `${n.text}/${n.length}`), ["fd00::1/64", "fe80::ff:fe00:1/64"]);
  assert.deepEqual([port.ipv4[0]?.networkText, port.ipv4[0]?.broadcastText, port.bad], ["10.0.0.0", "10.0.0.255", ["10.0.0.0.1/24"]]);
  assert.equal(routerPortText(port), "02:00:00:00:00:01 10.0.0.1/24 fd00::1/64");
  assert.equal(memberAddress(port, "10.0.0.77"), "10.0.0.1");
  assert.equal(memberAddress(port, "fd00::77"), "fd00::1");
  assert.equal(memberAddress(port, "10.0.1.77"), undefined);
  assert.equal(parseRouterPort("nonsense", []), undefined);
});

test("text of any kind is read or refused, never an accident", () => {
  const piece = fc.oneof(
    fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom("02:00:00:00:00:01", "dynamic", "/", "/24", ":", "::", ".", " ", "0", "256", "router", "unknown"),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(" ")), (text) => {
    parseMacAndIps(text);
    parseIpsAlone(text);
    parseCidr(text);
    isDynamicAddress(text);
    parseRouterPort("02:00:00:00:00:01", [text]);
  }));
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (ip, length) => {
    const parsed = parseCidr(`${ip}/${length}`);
    assert.deepEqual([parsed?.text, parsed?.length], [ip, length]);
  }));
});
