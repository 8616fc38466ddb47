/** `isthmus validate`: what it says and how it ends; and that every shipped example is what it claims to be. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../src/host/index.ts";
import { nodeMachines } from "../src/host/node/index.ts";
import { isthmus, root, run } from "./lab-fixture.ts";

const small = `
name: small
nodes:
  n0: { address: 10.0.0.1, zone: z, roles: [central, chassis] }
hosts:
  vm1: { node: n0, mac: "40:44:00:00:00:01", addresses: [192.168.1.11/24] }
  vm2: { node: n0, mac: "40:44:00:00:00:02", addresses: [192.168.1.12/24] }
setup:
  - on: n0
    run: ovn-nbctl ls-add net -- lsp-add net vm1 -- lsp-set-addresses vm1 "40:44:00:00:00:01 192.168.1.11" -- lsp-add net vm2 -- lsp-set-addresses vm2 "40:44:00:00:00:02 192.168.1.12"
`;

/** What `isthmus validate` makes of the small lab with these steps. */
function validate(steps: string): { readonly code: number | null; readonly text: string } {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-validate-"));
  try {
    writeFileSync(join(scratch, "small.lab.yml"), `${small}${steps}`);
    const { code, stdout, stderr } = run(isthmus, ["validate", join(scratch, "small.lab.yml"), "--dir", join(scratch, "l")]);
    return { code, text: stdout + stderr };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

test("claims that hold: exit code 0 and a table", () => {
  const { code, text } = validate(`
validate:
  - claim: neighbours reach each other
    ping: { from: vm1, to: vm2, ttl: 64 }
    within: 10
  - claim: the pipe works
    on: n0
    run: ovn-nbctl show | grep port | sort
    prints: |
      ...port vm1
      ...port vm2
  - claim: a request and a reply leave vm2's port
    on: vm1
    run: ping -c 1 vm2
    captures: [{ on: n0, port: vm2, only: ICMP echo, frames: 2, shows: "ttl 64\\nttl 64", lacks: ttl 63 }]
`);
  assert.equal(code, 0, text);
  assert.match(text, /^1 +holds +[\d.]+ s +neighbours reach each other +vm1: ping -c 3 -i 0\.2 -W 1 vm2$/m);
  assert.match(text, /all 3 claims hold/);
});

test("claims that fail: exit code 1, and what is wrong with each", () => {
  const { code, text } = validate(`
validate:
  - { claim: there is a vm3, on: n0, run: ovn-nbctl show, shows: port vm3 }
  - { claim: nothing is lost when the node dies, ping: { from: vm1, to: vm2, count: 15, interval: 0.1 }, kill: n0 }
`);
  assert.equal(code, 1, text);
  assert.match(text, /1\. there is a vm3 \(.*small\.lab\.yml:\d+\)\n {2}no line with "port vm3":\n {4}port vm3\n {2}got:\n {4}switch UUID \(net\)/);
  assert.match(text, /2\. nothing is lost .*\n {2}\d+ of 15 echoes had no reply/);
  assert.match(text, /2 of 2 claims fail/);
});

test("nothing to check: exit code 2; what makes no sense is pointed at", () => {
  assert.deepEqual([validate("").code, validate("").text.includes("nothing to check")], [2, true]);
  const said = (step: string): string => validate(`validate:\n  - ${step}\n`).text;
  assert.match(said("{ claim: something }"), /a claim needs something to hold it to/);
  assert.match(said("{ claim: x, on: n9, run: ls }"), /no such node or host; there are n0, vm1, vm2/);
  assert.match(said("{ claim: x, ping: { from: n0, to: vm1 } }"), /no such host; there are vm1, vm2/);
  assert.match(said("{ claim: x, kill: n7/ovn-northd }"), /n7\/ovn-northd: no such node/);
  assert.match(said("{ claim: x, shows: y, kill: n0 }"), /there is no output without "run"/);
});

/** FRR speaks for routers and nodes with `frr:`, each in a network namespace. */
const bgpObstacle = ["/usr/lib/frr/bgpd", "/usr/libexec/frr/bgpd"].some((path) => existsSync(path)) ? await nodeMachines(silentLog).obstacle() : "needs FRR";

for (const example of readdirSync(join(root, "examples")).filter((f) => f.endsWith(".lab.yml"))) {
  const text = readFileSync(join(root, "examples", example), "utf8");
  test(`${example} is what it claims to be`, { skip: /^validate:/m.test(text) ? (/^ +frr:/m.test(text) ? (bgpObstacle ?? false) : false) : "no claims in it yet" }, () => {
    const scratch = mkdtempSync(join(tmpdir(), "isthmus-validate-"));
    try {
      const { code, stdout, stderr } = run(isthmus, ["validate", join(root, "examples", example), "--dir", join(scratch, "l")]);
      assert.equal(code, 0, stdout + stderr);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** Of OVN's own: main's, where there is a build of it. */
const realProgram = (folder: string, name: string): string => (process.env["ISTHMUS_OVN"] === undefined ? `/usr/bin/${name}` : join(process.env["ISTHMUS_OVN"], folder, name));
const mainNorthd = realProgram("northd", "ovn-northd");
const mainController = realProgram("controller", "ovn-controller");
const without = (program: string): false | string => (run("test", ["-x", program]).code === 0 ? false : `needs ${basename(program)}`);

test("another northd in place of ours", { skip: without(mainNorthd) }, () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-validate-"));
  try {
    writeFileSync(join(scratch, "small.lab.yml"), `${small}validate:\n  - { claim: it carries packets, ping: { from: vm1, to: vm2 }, within: 10 }\n`);
    const validate = (program: string): ReturnType<typeof run> => run(isthmus, ["validate", join(scratch, "small.lab.yml"), "--dir", join(scratch, "l"), "--program", program]);
    const { code, stdout, stderr } = validate(`ovn-northd=${mainNorthd}`);
    assert.equal(code, 0, stdout + stderr);
    assert.match(validate("ovn-northd=/no/such/program").stderr, /\/no\/such\/program.* did not start: .*not found/);
    assert.match(validate("northd").stderr, /expected PROGRAM=PATH, where PROGRAM is one of ovn-northd, ovn-ic, ovn-controller/);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test("another controller and northd in place of ours, over our databases and switch", { skip: without(mainController) }, () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-validate-"));
  try {
    const steps = `validate:
  - { claim: it carries packets, ping: { from: vm1, to: vm2 }, within: 10 }
  - claim: that was the other one
    on: n0
    run: ovn-appctl -t ovn-controller version; ovs-vsctl get Open_vSwitch . external_ids:ovn-remote-n0
    shows: |
      Open vSwitch Library
      "tcp:
`;
    writeFileSync(join(scratch, "small.lab.yml"), `${small}${steps}`);
    const programs = [`ovn-northd=${mainNorthd}`, `ovn-controller=${mainController}`];
    const { code, stdout, stderr } = run(isthmus, ["validate", join(scratch, "small.lab.yml"), "--dir", join(scratch, "l"), "--program", ...programs]);
    assert.equal(code, 0, stdout + stderr);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
