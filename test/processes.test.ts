/** Any one daemon killed at its worst moment: what does not need it goes on, and after a restart all is as before. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Result, RunningLab } from "./lab-fixture.ts";

const succeeded = ({ code, stdout, stderr }: Result): string => {
  assert.equal(code, 0, stdout + stderr);
  return stdout;
};

describe("one daemon killed at a time", () => {
  let lab: RunningLab;
  let settled: string;
  before(() => {
    lab = new RunningLab("east-west.lab.yml", ["--processes"]);
    settled = state();
  });
  after(() => lab?.down());

  /** What the zones' databases and a gateway's switch come to, less what differs from run to run. */
  const state = (): string =>
    ["central_east", "central_west"]
      .map((node) => {
        const flows = succeeded(lab.shell(node, "ovn-sbctl lflow-list")).replace(/uuid=0x[0-9a-f]+, /g, "").split("\n").sort();
        return [...flows, ...succeeded(lab.shell(node, "ovn-sbctl --bare --columns=logical_port,type,tunnel_key,up list Port_Binding | sort")).split("\n"),
          succeeded(lab.shell(node, "ovn-nbctl lr-route-list router_east 2>/dev/null || ovn-nbctl lr-route-list router_west"))].join("\n");
      })
      .join("\n");

  const returnsToState = (what: string): void => {
    let now = "";
    for (let attempt = 0; attempt < 40; attempt++) {
      now = state();
      if (now === settled) return;
    }
    assert.equal(now, settled, `after ${what}`);
  };

  // A switch carries the packets, so its own node is cut off while it is away; all the rest only directs.
  const bystanders: readonly (readonly [string, string])[] = [
    ["central_east", "ovnnb_db"], ["central_east", "ovnsb_db"], ["central_east", "ovn-northd"], ["central_west", "ovn-ic"], ["central_ic", "ovn_ic_nb_db"],
    ["central_ic", "ovn_ic_sb_db"], ["gw_east", "ovn-controller"], ["worker_west", "ovn-controller"], ["gw_west", "ovsdb-server"],
  ];
  for (const [node, daemon] of bystanders) {
    test(`${daemon} of ${node}: established traffic goes on`, async () => {
      const pinging = lab.pingInBackground("vm1", "192.168.2.12", 20, 0.1);
      process.kill(lab.pid(node, daemon), "SIGKILL");
      const output = await pinging;
      assert.match(output, /20 packets transmitted, 20 received, 0% packet loss/);
      succeeded(lab.isthmus("restart", node, daemon));
      returnsToState(`the restart of ${daemon} on ${node}`);
      succeeded(lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "192.168.2.12"));
    });
  }

  test("ovs-vswitchd of gw_west: traffic returns with it", () => {
    process.kill(lab.pid("gw_west", "ovs-vswitchd"), "SIGKILL");
    assert.equal(lab.exec("vm1", "ping", "-c", "1", "-W", "1", "192.168.2.12").code, 1);
    succeeded(lab.isthmus("restart", "gw_west", "ovs-vswitchd"));
    assert.match(succeeded(lab.exec("vm1", "ping", "-c", "30", "-i", "0.2", "192.168.2.12")), / ttl=62 /);
    returnsToState("the restart of gw_west's switch");
  });

  test("with both interconnection databases down each zone works on", () => {
    for (const daemon of ["ovn_ic_nb_db", "ovn_ic_sb_db"]) process.kill(lab.pid("central_ic", daemon), "SIGKILL");
    succeeded(lab.shell("central_east", "ovn-nbctl --wait=hv --timeout=10 ls-add meanwhile -- lsp-add meanwhile m1 -- lsp-set-addresses m1 '00:00:00:00:aa:01 10.1.1.1'"));
    succeeded(lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "192.168.2.12"));
    succeeded(lab.shell("central_east", "ovn-nbctl --wait=sb --timeout=10 ls-del meanwhile"));
    for (const daemon of ["ovn_ic_nb_db", "ovn_ic_sb_db"]) succeeded(lab.isthmus("restart", "central_ic", daemon));
    returnsToState("the return of the interconnection databases");
  });

  test("no acknowledged transaction is lost", () => {
    // In one shell, so that the kill falls between or into the transactions.
    const output = succeeded(
      lab.shell(
        "central_west",
        `(sleep 1.5; kill -9 ${lab.pid("central_west", "ovnnb_db")}) & for i in $(seq 40); do ovn-nbctl --timeout=2 ls-add kept$i 2>/dev/null && echo kept$i || break; done; wait`,
      ),
    );
    const acknowledged = output.trim().split("\n");
    succeeded(lab.isthmus("restart", "central_west", "ovnnb_db"));
    const there = new Set(succeeded(lab.shell("central_west", "ovn-nbctl --bare --columns=name list Logical_Switch")).split("\n"));
    assert.ok(acknowledged.length > 0);
    assert.deepEqual(acknowledged.filter((name) => !there.has(name)), []);
    const made = [...there].filter((name) => name.startsWith("kept"));
    succeeded(lab.shell("central_west", `ovn-nbctl ${made.map((name) => `ls-del ${name}`).join(" -- ")}`));
    returnsToState("the return of the northbound database");
  });
});
