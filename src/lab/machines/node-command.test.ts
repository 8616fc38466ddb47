import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryRouting } from "../../host/index.ts";
import { memoryCommand } from "./node-command.ts";

test("a node without a kernel shows its routing tables as ip does", async () => {
  const routing = memoryRouting();
  const table = { id: 10, vrf: "ovnvrf10" };
  await routing.createVrf(table);
  await routing.change(table, [], [
    { kind: "blackhole", destination: "172.16.10.2/32", protocol: 84, metric: 1000, nextHops: [] },
    { kind: "unicast", destination: "0.0.0.0/0", protocol: 186, metric: 20, nextHops: [{ address: "fe80::1", device: "ext1" }] },
  ]);
  const shown = "blackhole 172.16.10.2 proto 84 metric 1000 \ndefault via inet6 fe80::1 dev ext1 proto bgp metric 20 \n";
  for (const words of ["ip route show vrf ovnvrf10", "ip -4 route show table 10", "ip route show vrf ovnvrf10 table 10"]) {
    assert.deepEqual(memoryCommand(routing, "gw", words.split(" ")), { exitCode: 0, stdout: shown, stderr: "" });
  }
  assert.match(memoryCommand(routing, "gw", ["ip", "route", "show", "vrf", "other"]).stderr, /Invalid VRF/);
  assert.match(memoryCommand(routing, "gw", ["ip", "link", "show", "type", "vrf"]).stdout, /^ovnvrf10: /);
  assert.equal(memoryCommand(routing, "gw", ["vtysh"]).exitCode, 127);
});
