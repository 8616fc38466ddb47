/** ovs-ofctl against a switch of ours: the seeds' commands, and what Open vSwitch's own program prints of the same flows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { run, RunningLab } from "./lab-fixture.ts";

const theirs = run("sh", ["-c", "test -x /usr/bin/ovs-ofctl"]).code === 0;

describe("ovs-ofctl", () => {
  let lab: RunningLab;
  before(() => {
    lab = new RunningLab("geneve.lab.yml");
  });
  after(() => lab?.down());

  const prints = (text: string): string => {
    const { code, stdout, stderr } = lab.shell("worker1", text);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };

  test("flows are added, changed, shown and deleted, by cookie as the seed does it", () => {
    prints("ovs-vsctl --no-wait add-br br-x; until test -S $OVS_RUNDIR/br-x.mgmt; do sleep 0.05; done; ovs-ofctl del-flows br-x");
    prints("printf 'cookie=0xb9394db0,table=3,priority=50,arp,arp_tpa=10.0.0.20,actions=drop # a comment\\ncookie=0x7c4824a5,arp,actions=NORMAL\\n' > flows.txt; ovs-ofctl add-flows br-x flows.txt; rm flows.txt");
    assert.equal(prints("ovs-ofctl --no-stats dump-flows br-x table=3"), " cookie=0xb9394db0, table=3, priority=50,arp,arp_tpa=10.0.0.20 actions=drop\n");
    prints("ovs-ofctl mod-flows br-x arp,actions=LOCAL");
    assert.match(prints("ovs-ofctl dump-flows br-x"), /^NXST_FLOW reply \(xid=0x\d+\):\n(.*\n)* cookie=0x7c4824a5, duration=[\d.]+s, table=0, n_packets=0, n_bytes=0, (idle_age=\d+, )?arp actions=LOCAL\n/);
    prints("ovs-ofctl del-flows br-x cookie=0xb9394db0/-1");
    assert.equal(prints("ovs-ofctl --no-stats dump-flows br-x"), " cookie=0x7c4824a5, arp actions=LOCAL\n");
  });

  test("what it cannot do it says", () => {
    const says = (text: string): string => {
      const { code, stderr } = lab.shell("worker1", text);
      assert.equal(code, 1);
      return stderr;
    };
    assert.equal(says("ovs-ofctl dump-flows br-none"), "ovs-ofctl: br-none is not a bridge or a socket\n");
    assert.match(says("ovs-ofctl add-flow br-x nonsense=1,actions=drop"), /^ovs-ofctl: .*nonsense/);
    assert.match(says("ovs-ofctl fly br-x"), /unknown command 'fly'; there are dump-flows/);
    assert.match(says("ovs-ofctl add-flow br-x actions=group:99999"), /OFPT_ERROR|no such group|OFPBAC_BAD_OUT_GROUP/);
  });

  test("Open vSwitch's own ovs-ofctl prints the same", { skip: theirs ? false : "needs openvswitch-switch" }, () => {
    // Older releases give ct_state 32 bits, of which eight mean something.
    const sorted = (text: string): string[] => text.replaceAll("CT_STATE[0..7]", "CT_STATE[]").split("\n").filter((line) => line.startsWith(" ")).sort();
    const ours = sorted(prints("ovs-ofctl --no-stats dump-flows br-int"));
    const other = sorted(prints("/usr/bin/ovs-ofctl -O OpenFlow15 --no-stats --no-names dump-flows unix:$OVS_RUNDIR/br-int.mgmt"));
    assert.ok(ours.length > 100, `${ours.length} flows`);
    assert.deepEqual(ours, other);
  });
});
