import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchFailures, disguisedNextHops, parseRoutes, reasonOf, routeLine, undisguised } from "./ip-text.ts";

const blackhole = { kind: "blackhole", destination: "10.1.0.0/24", protocol: 84, metric: 100, nextHops: [] } as const;

test("routes as ip -N -j route show prints them", () => {
  assert.deepEqual(parseRoutes('[{"type":"6","dst":"10.1.0.0/24","protocol":"84","metric":100,"flags":[]}]', 4), [blackhole]);
  assert.deepEqual(parseRoutes('[{"type":"6","dst":"2001:db8::/64","dev":"lo","protocol":"84","metric":1000,"flags":[],"pref":"medium"}]', 6), [
    { kind: "blackhole", destination: "2001:db8::/64", protocol: 84, metric: 1000, nextHops: [{ address: undefined, device: "lo" }] },
  ]);
  assert.deepEqual(parseRoutes('[{"dst":"default","via":{"family":"inet6","host":"fe80::1"},"dev":"ext1","protocol":"186","metric":20,"flags":[]}]', 4), [
    { kind: "unicast", destination: "0.0.0.0/0", protocol: 186, metric: 20, nextHops: [{ address: "fe80::1", device: "ext1" }] },
  ]);
  assert.deepEqual(
    parseRoutes('[{"dst":"10.3.0.1","protocol":"186","flags":[],"nexthops":[{"gateway":"10.9.0.2","dev":"a","weight":1,"flags":[]},{"gateway":"10.9.0.3","dev":"b"}]}]', 4),
    [{
      kind: "unicast", destination: "10.3.0.1/32", protocol: 186, metric: 0,
      nextHops: [{ address: "10.9.0.2", device: "a" }, { address: "10.9.0.3", device: "b" }],
    }],
  );
  // What ip prints of a table that does not exist.
  assert.deepEqual(parseRoutes("[", 4), []);
});

test("lines for ip -batch, and what it says of those that fail", () => {
  assert.equal(routeLine("add", blackhole, 10), "route add blackhole 10.1.0.0/24 proto 84 metric 100 table 10");
  assert.equal(routeLine("add", { ...blackhole, destination: "2001:db8::/64" }, 10), "route add blackhole 2001:db8::/64 proto 84 metric 100 table 10");
  const routed = { kind: "unicast", destination: "10.1.0.0/24", protocol: 84, metric: 1000, nextHops: [{ address: "fe80::1", device: undefined }] } as const;
  assert.equal(routeLine("del", routed, undefined), "route del 10.1.0.0/24 via inet6 fe80::1 proto 84 metric 1000");
  assert.deepEqual(
    [...batchFailures("RTNETLINK answers: File exists\nCommand failed -:1\nError: Nexthop has invalid gateway.\nCommand failed -:12\n")],
    [[1, "File exists"], [12, "Nexthop has invalid gateway"]],
  );
  assert.equal(reasonOf("Error: Unknown device type.\n"), "Unknown device type");
});

test("the IPv6 next hop behind the IPv4 one that FRR writes in a namespace", () => {
  const neighbor = (dst: string, lladdr: string): string => `{"dst":"${dst}","dev":"ext0-bgp","lladdr":"${lladdr}","state":["PERMANENT"]}`;
  const disguised = parseRoutes('[{"dst":"203.0.113.0/24","gateway":"169.254.0.1","dev":"ext0-bgp","protocol":"186","metric":20,"flags":["onlink"]}]', 4);
  const meant = (...neighbors: readonly string[]) => undisguised(disguised, disguisedNextHops(`[${neighbors.join(",")}]`))[0]?.nextHops[0]?.address;
  const mac = "12:fb:d6:66:99:0c";
  assert.equal(meant(neighbor("169.254.0.1", mac)), "fe80::10fb:d6ff:fe66:990c");
  assert.equal(meant(neighbor("169.254.0.1", mac), neighbor("fe80::99", mac)), "fe80::99");
  assert.equal(meant(neighbor("fe80::99", mac)), "169.254.0.1");
});

test("no output makes the readers throw", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    parseRoutes(text, 4);
    batchFailures(text);
    disguisedNextHops(text);
  }), { numRuns: 1000 });
  const odd = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.dictionary(fc.string(), fc.string())), fc.dictionary(fc.constant("host"), fc.string()));
  const item = fc.dictionary(fc.constantFrom("dst", "type", "via", "gateway", "dev", "protocol", "metric", "nexthops"), odd);
  fc.assert(fc.property(fc.array(item), (items) => {
    for (const route of parseRoutes(JSON.stringify(items), 6)) {
      assert.ok(Number.isSafeInteger(route.metric) && Number.isSafeInteger(route.protocol) && route.destination.includes("/"));
    }
  }), { numRuns: 2000 });
});
