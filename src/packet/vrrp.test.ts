import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ipv4Of } from "../net/index.ts";
import { emitVrrp, parseVrrp, sizeofVrrp, type Vrrp } from "./index.ts";

const [src, dst] = [ipv4Of(0xac110148), ipv4Of(0xe0000012)];

test("VRRP advertisements are read as they are written, and nothing else is", () => {
  const advert: Vrrp = { group: 1, priority: 254, interval: 100, addresses: [ipv4Of(0xac110130)] };
  const b = new Uint8Array(sizeofVrrp(advert));
  emitVrrp(advert, src, dst, b);
  assert.equal(Buffer.from(b).toString("hex").replace(/^(.{12})..../, "$1----"), "3101fe010064----ac110130");
  assert.deepEqual(parseVrrp(b, src, dst), advert);
  assert.equal(parseVrrp(b, src, src), undefined);
  for (let size = 0; size < b.length; size++) assert.equal(parseVrrp(b.subarray(0, size), src, dst), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void parseVrrp(bytes, src, dst)));
});
