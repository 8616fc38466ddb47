import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, formatIpv6, formatMac, ipv4Of } from "../net/index.ts";
import { isMisfit, parsePortSecurity } from "./port-security-entry.ts";

/** `mac | v4/mask broadcast, ... | v6/mask, ... | vrrp4 | vrrp6`, or what is wrong with what */
function check(text: string, expected: string): void {
  const entry = parsePortSecurity(text);
  const shown = isMisfit(entry) ? `${entry.reason}: ${entry.text}` : [
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
  check("10.0.0.4", "No MAC address found: 10.0.0.4");
  check("0a:00:00:00:00:01 10.0.0.4 nonsense", "Invalid IP or MAC: nonsense");
  check("0a:00:00:00:00:01 10.0.0.4/33", "Invalid IP or MAC: 10.0.0.4/33");
  for (const mac of ["00:00:5e:00:01:00", "00:00:5e:00:00:00/32", "00:00:5e:00:03:01", "00:00:5e:00:01:05/40"]) {
    check(`VRRPv3 0a:00:00:00:00:01 ${mac}`, `Invalid VRRPv3 MAC: ${mac}`);
  }
  check("VRRPv3 0a:00:00:00:00:01 00:00:5e:00:01:08/45", "0a:00:00:00:00:01|||00:00:5e:00:01:08/45|");
});

test("no text brings the parser down", () => {
  fc.assert(fc.property(fc.string(), (text) => void parsePortSecurity(text)));
});
