import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMapping } from "./monitored-backends.ts";
import { parseEndpoint, parseVip } from "./vips.ts";

function check(key: string, value: string, family: 4 | 6 | undefined, expected: string): void {
  const parsed = parseVip(key, value, family);
  if (parsed.kind === "bad") assert.equal(parsed.reason, expected);
  else {
    const { ip, port, backends } = parsed.vip;
    assert.equal(`${ip} ${port ?? "-"} ${parsed.vip.family}: ${backends.map((b) => `${b.ip} ${b.portText ?? "-"}`).join(", ")}`, expected);
  }
}

test("services", () => {
  check("30.0.0.1:80", "10.0.0.1:8080,10.0.0.2:8080", undefined, "30.0.0.1 80 4: 10.0.0.1 8080, 10.0.0.2 8080");
  check("30.0.0.1", "10.0.0.1", undefined, "30.0.0.1 - 4: 10.0.0.1 -");
  check("[FD30::1]:80", "[fd00::1]:80", undefined, "fd30::1 80 6: fd00::1 80");
  check("fd30::1", "fd00::1,fd00::2", undefined, "fd30::1 - 6: fd00::1 -, fd00::2 -");
  check("30.0.0.1:80", "", undefined, "30.0.0.1 80 4: ");
});

test("services that cannot be used", () => {
  check("nonsense", "10.0.0.1", undefined, "nonsense: should be an IP address (or an IP address and a port number with : as a separator).");
  check("30.0.0.1:80", "10.0.0.1,x", undefined, "10.0.0.1: should be an IP address and a port number with : as a separator, x: should be an IP address and a port number with : as a separator.");
  check("30.0.0.1", "10.0.0.1:80", undefined, "10.0.0.1:80: should be an IP address.");
  check("30.0.0.1", "fd00::1", undefined, "fd00::1: IP address family is different from VIP 30.0.0.1.");
});

test("templates", () => {
  check("^vip:^port", "^backends", 4, "^vip ^port 4: ^backends -");
  check("^vip:80", "^ip1:^port1,10.0.0.1:8080", 4, "^vip 80 4: ^ip1 ^port1, 10.0.0.1 8080");
  check("^a:^b:^c", "", 6, "^a:^b:^c: should be a template of the form: '^vip_variable[:^port_variable|:port]'.");
  check("^vip", "^a:^b:^c", 6, "invalid backend: template (^a:^b:^c: should be a template of the form: '^backendip_variable1[:^port_variable1|:port]'.)");
});

test("ports of backends, and where they are checked from", () => {
  const here = { port: "p1", sourceIp: "10.0.0.254", remoteZone: undefined };
  assert.deepEqual(parseMapping("p1:10.0.0.254", false), here);
  assert.deepEqual(parseMapping("p1:10.0.0.254:zone2", false), { ...here, remoteZone: "zone2" });
  assert.deepEqual(parseMapping("p1:[FD00::1]", false), { ...here, sourceIp: "fd00::1" });
  assert.deepEqual(parseMapping("p1:[fd00::1]:zone2", false), { port: "p1", sourceIp: "fd00::1", remoteZone: "zone2" });
  assert.deepEqual(parseMapping("p1", true), { port: "p1", sourceIp: undefined, remoteZone: undefined });
  for (const bad of ["p1", "p1:10.0.0.254:", "p1:[fd00::1", "p1:[fd00::1]:"]) assert.deepEqual(Object.keys(parseMapping(bad, false)), ["reason"], bad);
});

test("source addresses that are none are complained of twice, unless they look like IPv6", () => {
  for (const source of ["", "nonsense", "10.0.0", "[nonsense]"]) {
    const bare = source.replace(/[[\]]/g, "");
    assert.deepEqual(parseMapping(`p1:${source}`, false), { reason: `Invalid svc mon src IP ${bare}`, badAddress: bare });
  }
  assert.deepEqual(parseMapping("p1:[fd00::x]", false), { reason: "Invalid svc mon src IP fd00::x" });
});

test("no text of a service or a mapping is too much for them", () => {
  const text = fc.stringMatching(/^[0-9a-f^:.,[\]% ]{0,24}$/);
  fc.assert(fc.property(text, text, fc.constantFrom(4, 6, undefined), fc.boolean(), (key, value, family, alone) => {
    parseVip(key, value, family);
    parseMapping(value, alone);
    const endpoint = parseEndpoint(key);
    assert.ok(endpoint === undefined || (endpoint.port >= 0 && endpoint.port <= 65535));
  }));
});
