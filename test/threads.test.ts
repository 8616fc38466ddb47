/** The second zone of a lab runs in a thread of its own, where there is a second core: its nodes answer as those of the first. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RunningLab } from "./lab-fixture.ts";

let lab: RunningLab;
before(() => {
  lab = new RunningLab("east-west.lab.yml");
});
after(() => lab.down());

const reaches = (count: number): boolean => (lab.exec("vm1", "ping", "-c", "5", "-W", "1", "192.168.2.12").stdout.match(/ttl=62/g)?.length ?? 0) >= count;

test("its daemons restart", () => {
  for (const [node, daemon] of [["worker_west", "ovs-vswitchd"], ["gw_west", "ovn-controller"], ["central_west", "ovnsb_db"], ["central_west", "ovn-northd"]] as const) {
    assert.match(lab.isthmus("restart", node, daemon).stdout, new RegExp(`${daemon} on ${node} runs again`));
  }
  assert.ok(reaches(4));
});

test("what somebody else ends there is seen to have ended, and starts again", () => {
  assert.equal(lab.shell("worker_west", `ovs-appctl -t "$OVS_RUNDIR"/ovs-vswitchd.*.ctl exit`).code, 0);
  assert.ok(!reaches(1));
  lab.isthmus("restart", "worker_west", "ovs-vswitchd");
  assert.ok(reaches(3));
});

test("its gateway's tunnel is seen by a capture", async () => {
  const ping = lab.pingInBackground("vm1", "192.168.2.12", 20, 0.1);
  const { stdout } = lab.isthmus("capture", "gw_west", "-c", "2");
  assert.match(stdout, /192\.168\.50\.10[12]\.\d+ > 192\.168\.50\.10[13]\.6081: Geneve/);
  assert.match(await ping, /icmp_seq=1 ttl=62/);
});
