/**
 * A zone with two gateways loses one: packets between zones go on by the other as soon as BFD has told, without a word from the
 * control plane. And BFD between logical routers: sessions that the controllers run come up, and go down with their peer.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RunningLab } from "./lab-fixture.ts";

const intervalS = 0.02;
const count = 300;

/** How many answers in a row were missed at most. */
function longestGap(pings: string): number {
  const numbers = [...pings.matchAll(/icmp_seq=(\d+)/g)].map(([, n]) => Number(n));
  return Math.max(...numbers.map((n, i) => n - (numbers[i - 1] ?? 0) - 1), count - (numbers.at(-1) ?? 0));
}

const publicPort = "cr-lrp-router_east-ts1";

test("a gateway dies: the other takes over, BFD of logical routers goes down, and its routes go", { timeout: 180_000 }, async () => {
  const lab = new RunningLab("east-west-public.lab.yml");
  const central = (text: string): string => lab.shell("central_east", text).stdout.trim();
  const nbctl = (text: string): string => central(`ovn-nbctl --timeout=20 ${text}`);
  const sessionTo = (port: string, peer: string, prefix: string, router: string): string =>
    `--id=@b create BFD logical_port=${port} dst_ip=${peer} min_tx=100 min_rx=100 detect_mult=3 -- ` +
    `--id=@r create Logical_Router_Static_Route ip_prefix=${prefix} nexthop=${peer} bfd=@b -- add Logical_Router ${router} static_routes @r`;
  const becomes = (port: string, status: string): number | null =>
    lab.shell("central_east", `ovn-nbctl --timeout=20 wait-until BFD $(ovn-nbctl --bare --columns=_uuid find BFD logical_port=${port}) status=${status}`).code;
  const routes = (): string => {
    nbctl("--wait=sb sync");
    return central("ovn-sbctl lflow-list ra | grep -c 10.77.0.0");
  };
  try {
    nbctl("set NB_Global . options:bfd-min-rx=100 options:bfd-min-tx=100 options:bfd-mult=3");
    nbctl("lr-add ra -- set Logical_Router ra options:chassis=gw2_east -- lrp-add ra ra-j 00:00:00:00:0a:01 10.9.0.1/24");
    nbctl("lr-add rb -- set Logical_Router rb options:chassis=gw_east -- lrp-add rb rb-j 00:00:00:00:0b:01 10.9.0.2/24");
    nbctl("ls-add jj -- lsp-add-router-port jj jj-ra ra-j -- lsp-add-router-port jj jj-rb rb-j");
    nbctl(sessionTo("ra-j", "10.9.0.2", "10.77.0.0/16", "ra"));
    nbctl(sessionTo("rb-j", "10.9.0.1", "10.78.0.0/16", "rb"));
    assert.deepEqual([becomes("ra-j", "up"), becomes("rb-j", "up")], [0, 0]);
    assert.notEqual(routes(), "0");

    const pings = lab.pingInBackground("vm1", "192.168.2.12", count, intervalS);
    lab.shell("central_east", "sleep 1");
    assert.equal(lab.isthmus("kill", "gw_east").code, 0);
    const output = await pings;
    // Detection takes 300 ms; the rest is for a machine that has other things to do.
    assert.ok(longestGap(output) * intervalS < 2, output);
    assert.equal(central(`ovn-sbctl --bare --columns=name list Chassis $(ovn-sbctl --bare --columns=chassis find Port_Binding logical_port=${publicPort})`), "gw2_east");
    assert.equal(becomes("ra-j", "down"), 0);
    assert.equal(routes(), "0");
  } finally {
    lab.down();
  }
});
