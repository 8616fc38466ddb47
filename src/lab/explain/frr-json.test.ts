import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBgpRoute, parseBgpVrfs } from "./frr-json.ts";

test("a route that is announced, and one that came from another VRF", () => {
  const announced = `{"prefix":"172.16.10.2/32","version":1,"advertisedTo":{"ext0-bgp":{"hostname":"tor1"}},"paths":[{"aspath":{"string":"Local","segments":[],"length":0},
    "origin":"incomplete","metric":1000,"weight":32768,"valid":true,"bestpath":{"bestpathFromAs":0,"overall":true},"nexthops":[{"ip":"0.0.0.0"}],"peer":{"peerId":"0.0.0.0","routerId":"14.14.14.14"}}]}`;
  assert.deepEqual(parseBgpRoute(announced), {
    prefix: "172.16.10.2/32",
    paths: [{ metric: 1000, asPath: "Local", isBest: true, importedFrom: undefined, peerHostname: undefined }],
    advertisedTo: new Map([["ext0-bgp", "tor1"]]),
  });
  const imported = '{"prefix":"192.168.10.0/24","paths":[{"aspath":{"string":"Local"},"nhVrfName":"ovnvrf100","metric":1000,"bestpath":{"overall":true}}]}';
  assert.equal(parseBgpRoute(imported)?.paths[0]?.importedFrom, "ovnvrf100");
  assert.equal(parseBgpRoute("{}"), undefined);
  assert.deepEqual(parseBgpVrfs('{"vrfs":{"ovnvrf20":{"vrfId":1},"default":{"vrfId":0}},"totalVrfs":2}'), ["ovnvrf20", "default"]);
});

test("no output makes the readers throw", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    parseBgpRoute(text);
    parseBgpVrfs(text);
  }), { numRuns: 1000 });
  const key = fc.constantFrom("prefix", "paths", "advertisedTo", "aspath", "string", "bestpath", "overall", "peer", "hostname", "metric", "vrfs");
  const value = fc.letrec((tie) => ({
    node: fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean(), fc.array(tie("node"), { maxLength: 3 }), fc.dictionary(key, tie("node"), { maxKeys: 4 })),
  })).node;
  fc.assert(fc.property(value, (any) => {
    parseBgpRoute(JSON.stringify(any));
    parseBgpVrfs(JSON.stringify(any));
  }), { numRuns: 2000 });
});
