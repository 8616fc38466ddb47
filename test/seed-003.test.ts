/**
 * Seed 003 as it was done: OVN answers ARP for the machine of the other worker, so nothing gets through; the answering flow is
 * deleted from each switch by its cookie; now the kernel's proxy ARP is heard, and the routed fabric carries the packets.
 * The example itself (`examples/spine-leaf.lab.yml`) tells OVN not to answer instead.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RunningLab } from "./lab-fixture.ts";

let lab: RunningLab;
before(() => {
  lab = new RunningLab("spine-leaf.lab.yml");
});
after(() => lab.down());

test("the ARP responder's flows, deleted by hand as in the seed", () => {
  const { code, stderr } = lab.shell("central", "ovn-nbctl --wait=hv lsp-set-options vm1 -- lsp-set-options vm2");
  assert.equal(code, 0, stderr);
  const flows = lab.shell("central", "ovn-sbctl --uuid lflow-list public | grep ls_in_arp_rsp").stdout;
  for (const [ip, mac] of [["10.0.0.20", "40:44:00:00:00:02"], ["10.0.0.10", "40:44:00:00:00:01"]]) {
    const action = `eth.dst = eth.src; eth.src = ${mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ${mac}; arp.tpa = arp.spa; arp.spa = ${ip}; outport = inport; flags.loopback = 1; output;`;
    const line = flows.split("\n").find((l) => l.includes(`arp.tpa == ${ip}`) && l.includes("priority=50"));
    assert.match(line ?? "", /^ *uuid=0x[0-9a-f]{8}, table=\d+ ?\(ls_in_arp_rsp *\), priority=50 /, flows);
    assert.ok(line?.includes(`action=(${action})`), line);
  }
  const cookieOf = (ip: string): string => new RegExp(`uuid=(0x[0-9a-f]+),.*priority=50 .*arp\\.tpa == ${ip.replaceAll(".", "\\.")} `).exec(flows)?.[1] ?? "";

  lab.exec("vm1", "ip", "neigh", "flush");
  lab.exec("vm2", "ip", "neigh", "flush");
  assert.match(lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "-W", "1", "10.0.0.20").stdout, /100% packet loss/);
  assert.match(lab.exec("vm1", "ip", "neigh").stdout, /10\.0\.0\.20 dev vm1 lladdr 40:44:00:00:00:02 /);

  for (const [worker, ip] of [["worker1", "10.0.0.20"], ["worker2", "10.0.0.10"]] as const) {
    const deleted = lab.shell(worker, `ovs-ofctl del-flows br-int cookie=${cookieOf(ip)}/-1 && ovs-ofctl dump-flows br-int cookie=${cookieOf(ip)}/-1`);
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.doesNotMatch(deleted.stdout, /arp/);
  }
  lab.exec("vm1", "ip", "neigh", "flush");
  lab.exec("vm2", "ip", "neigh", "flush");
  const ping = lab.exec("vm1", "ping", "10.0.0.20", "-c4", "-i", "0.2").stdout;
  assert.match(ping, /^PING 10\.0\.0\.20 \(10\.0\.0\.20\) 56\(84\) bytes of data\.$/m);
  for (let i = 1; i <= 4; i++) assert.match(ping, new RegExp(`^64 bytes from 10\\.0\\.0\\.20: icmp_seq=${i} ttl=61 time=`, "m"));
  assert.match(ping, /^4 packets transmitted, 4 received, 0% packet loss, time \d+ms$/m);
  assert.match(lab.exec("vm1", "ip", "nei").stdout, /10\.0\.0\.20 dev vm1 lladdr 9a:a1:47:9b:36:45 REACHABLE/);
  assert.match(lab.exec("vm2", "ip", "nei").stdout, /10\.0\.0\.10 dev vm2 lladdr 72:84:42:d8:f6:48 REACHABLE/);
});

test("what the links do is seen and can be undone", () => {
  assert.match(lab.isthmus("link").stdout, /^worker1-a +worker1\/eth2 - central\/eth2 +- +\d+$/m);
  const change = lab.isthmus("link", "worker2-b", "delay", "30ms");
  assert.equal(change.code, 0, change.stderr);
  assert.match(lab.isthmus("link", "worker2-b").stdout, /^worker2-b +worker2\/eth3 - central\/eth5 +delay 30ms +\d+$/m);
  // Requests come that way; replies take the other.
  const [, average] = /rtt min\/avg\/max\/mdev = [\d.]+\/([\d.]+)\//.exec(lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "10.0.0.20").stdout) ?? [];
  assert.ok(Number(average) >= 30, average);
  assert.equal(lab.isthmus("link", "--way", "out", "worker2-b", "clear").code, 0);
  assert.match(lab.isthmus("link", "worker2-b").stdout, /there: -; back: delay 30ms/);
  assert.equal(lab.isthmus("link", "worker2-b", "clear").code, 0);
  for (const [words, complaint] of [[["worker2-b", "loss", "5"], /loss 5: expected a share such as 5%/], [["worker9", "cut"], /no link worker9; there are /], [["worker2-b", "burn"], /"burn" is nothing that happens to a link/]] as const) {
    const wrong = lab.isthmus("link", ...words);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, complaint);
  }
});
