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

  test("groups are added, changed, shown and deleted, in each version", () => {
    prints("ovs-ofctl add-group br-x group_id=5,type=select,bucket=weight:10,output:1,bucket=output:2; ovs-ofctl -O OpenFlow13 add-group br-x group_id=6,type=all; ovs-ofctl add-flow br-x table=9,actions=group:5");
    const select = "group_id=5,type=select,bucket=bucket_id:0,weight:10,actions=output:1,bucket=bucket_id:1,actions=output:2";
    assert.equal(prints("ovs-ofctl dump-groups br-x"), `NXST_GROUP_DESC reply (xid=0x2):\n ${select}\n group_id=6,type=all\n`);
    assert.equal(prints("ovs-ofctl -O OpenFlow13,OpenFlow15 dump-groups br-x 5"), `OFPST_GROUP_DESC reply (OF1.5) (xid=0x2):\n ${select}\n`);
    const counts = / group_id=5,duration=[\d.]+s,ref_count=1,packet_count=0,byte_count=0,bucket0:packet_count=0,byte_count=0,bucket1:packet_count=0,byte_count=0\n$/;
    for (const version of ["OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"]) assert.match(prints(`ovs-ofctl -O ${version} dump-group-stats br-x 5`), counts);
    prints("ovs-ofctl --may-create mod-group br-x group_id=7,type=indirect,bucket=output:3; ovs-ofctl -O OpenFlow15 del-groups br-x group_id=5");
    assert.match(prints("ovs-ofctl dump-groups br-x"), /:\n group_id=6,type=all\n group_id=7,type=indirect,bucket=bucket_id:0,actions=output:3\n$/);
    prints("ovs-ofctl del-groups br-x; ovs-ofctl -O OpenFlow10 add-flow br-x table=7,priority=3,actions=drop");
    assert.equal(prints("ovs-ofctl dump-groups br-x"), "NXST_GROUP_DESC reply (xid=0x2):\n");
    assert.equal(prints("ovs-ofctl --no-stats dump-flows br-x table=7; ovs-ofctl del-flows br-x table=7"), " table=7, priority=3 actions=drop\n");
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
    assert.match(says("ovs-ofctl -O OpenFlow10 dump-meters br-x"), /meters need OpenFlow 1\.3 or later/);
    assert.match(says("ovs-ofctl -O OpenFlow12 show br-x"), /OpenFlow12 is not spoken here/);
    assert.match(says("ovs-ofctl -O OpenFlow13 mod-group br-x group_id=3,type=all"), /OFPT_ERROR \(OF1\.3\): OFPGMFC_UNKNOWN_GROUP/);
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

  test("Open vSwitch's own ovs-ofctl prints the same of ports, tables, groups and meters", { skip: theirs ? false : "needs openvswitch-switch" }, () => {
    const common = (text: string): string => text.replace(/xid=0x[0-9a-f]+/g, "xid").replace(/duration=[\d.]+s/g, "duration");
    const commands = [
      "show", "dump-ports-desc", "dump-groups", "-O OpenFlow13 show", "-O OpenFlow15 show", "-O OpenFlow15 dump-ports-desc", "-O OpenFlow13 dump-groups",
      "-O OpenFlow15 dump-groups", "-O OpenFlow13 dump-meters", "-O OpenFlow15 meter-stats",
    ];
    // Of a bridge that no packets pass.
    for (const [bridge, command] of [...commands.map((c) => ["br-int", c] as const), ...["dump-ports", "-O OpenFlow13 dump-ports", "-O OpenFlow15 dump-ports", "-O OpenFlow15 dump-tables"].map((c) => ["br-x", c] as const)]) {
      const other = common(prints(`/usr/bin/ovs-ofctl ${command} unix:$OVS_RUNDIR/${bridge}.mgmt`));
      assert.equal(common(prints(`ovs-ofctl ${command} ${bridge}`)), other, command);
    }
  });
});
