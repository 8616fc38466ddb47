import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix, parsePrefix } from "../net/index.ts";
import { addressOfVip } from "./route-advertise.ts";
import { addressesOf, isLinkLocal, isOwnMakingIpv6 } from "./transit-port.ts";

test("the address of a load balancer's key", () => {
  const check = (key: string, expected: string | undefined): void => {
    const prefix = addressOfVip(key);
    assert.equal(prefix === undefined ? undefined : formatPrefix(prefix), expected, key);
  };
  check("10.0.0.1", "10.0.0.1/32");
  check("10.0.0.1:80", "10.0.0.1/32");
  check("fd00::1", "fd00::1/128");
  check("[fd00::1]:80", "fd00::1/128");
  check("[fd00::1]", "fd00::1/128");
  check("10.0.0.1:http", undefined);
  check("", undefined);
});

test("the addresses that a port is announced with", () => {
  const check = (address: string, expected: string | undefined): void => assert.equal(addressesOf(address)?.map(formatPrefix).join(" "), expected, address);
  check("aa:aa:aa:aa:aa:01 169.254.100.1/24 2001:db8::1/64", "169.254.100.1/24 2001:db8::1/64");
  check("aa:aa:aa:aa:aa:01", "");
  check("aa:aa:aa:aa:aa:01 10.0.0.1 junk 10.0.0.2", "10.0.0.1/32");
  check("unknown", undefined);
  check("", undefined);
});

test("what is of link-local scope goes nowhere", () => {
  const check = (text: string, expected: boolean): void => {
    const prefix = parsePrefix(text);
    assert.ok(prefix !== undefined);
    assert.equal(isLinkLocal(prefix), expected, text);
  };
  check("169.254.1.0/24", true);
  check("169.254.0.0/16", true);
  check("169.254.0.0/15", false);
  check("169.253.0.0/16", false);
  check("fe80::/10", true);
  check("febf::1/128", true);
  check("fec0::/10", false);
  check("fe80::/9", false);
});

test("a next hop that a router made for itself", () => {
  const check = (text: string, expected: boolean): void => {
    const prefix = parsePrefix(text);
    assert.ok(prefix !== undefined);
    assert.equal(isOwnMakingIpv6(prefix), expected, text);
  };
  check("fe80::a8aa:aaff:feaa:1", true);
  check("fe80:10::2", false);
  check("169.254.0.1", false);
});
