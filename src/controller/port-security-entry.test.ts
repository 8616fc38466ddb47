import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, formatIpv6, formatMac, ipv4Of } from "../net/index.ts";
import { parsePortSecurity } from "./port-security-entry.ts";

/** `mac | v4/mask broadcast, ... | v6/mask, ... | vrrp4 | vrrp6` */
function check(text: string, expected: string | undefined): void {
  const entry = parsePortSecurity(text);
  const shown = entry && [
    formatMac(entry.mac),
    entry.ip4.map((a) => `${formatIpv4(a.address)}/${formatIpv4(a.mask)} ${a.broadcast === 0 ? "-" : formatIpv4(ipv4Of(a.broadcast))}`).join(),
    entry.ip6.map((a) => `${formatIpv6(a.address)}/${formatIpv6(a.mask)}`).join(),
    entry.vrrp4.map((m) => `${formatMac(m.mac)}/${m.prefixLength}`).join(), entry.vrrp6.map((m) => `${formatMac(m.mac)}/${m.prefixLength}`).join(),
  ].join("|");
  assert.equal(shown, expected, text);
}

test("entries of port_security", () => {
  check("0a:00:00:00:00:01", "0a:00:00:00:00:01||||");
  check("0a:00:00:00:00:01 10.0.0.4", "0a:00:00:00:00:01|10.0.0.4/255.255.255.255 -|||");
  check("0a:00:00:00:00:01 10.0.0.4/24", "0a:00:00:00:00:01|10.0.0.4/255.255.255.255 10.0.0.255|||");
  check("0a:00:00:00:00:01 10.0.0.0/24", "0a:00:00:00:00:01|10.0.0.0/255.255.255.0 -|||");
  check("0a:00:00:00:00:01 fd00::4/64 fd01::/64", "0a:00:00:00:00:01||fd00::4/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,fd01::/ffff:ffff:ffff:ffff::||");
  check("VRRPv3 0a:00:00:00:00:01", "0a:00:00:00:00:01|||00:00:5e:00:01:00/40|00:00:5e:00:02:00/40");
  check("VRRPv3 0a:00:00:00:00:01 00:00:5e:00:01:05 10.0.0.1", "0a:00:00:00:00:01|10.0.0.1/255.255.255.255 -||00:00:5e:00:01:05/48|");
  check("10.0.0.4", undefined);
  check("0a:00:00:00:00:01 10.0.0.4 nonsense", undefined);
  check("VRRPv3 0a:00:00:00:00:01 00:00:5e:00:01:00", undefined);
});

test("no text brings the parser down", () => {
  fc.assert(fc.property(fc.string(), (text) => void parsePortSecurity(text)));
});
