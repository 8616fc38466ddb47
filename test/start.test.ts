/** The main job, as `npm start -- --once` runs it. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isthmus, run } from "./lab-fixture.ts";

test("isthmus start --once comes up, pings, and leaves nothing behind", () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-start-"));
  const folder = join(scratch, "l");
  try {
    const { code, stdout, stderr } = run(isthmus, ["start", "--once", "--dir", folder]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^ +[\d.]+ s {2}first reply across zones: vm1 <- 192\.168\.2\.12$/m);
    for (const command of ["ovn-nbctl show", "ovn-sbctl show", "ovn-ic-nbctl show", "ovn-ic-sbctl show", "ovs-vsctl show"]) {
      assert.ok(stdout.includes(`]# ${command}\n`), command);
    }
    assert.equal(stdout.match(/icmp_seq=\d+ ttl=62/g)?.length, 3, stdout);
    assert.ok(stdout.endsWith("The lab is down.\n"));
    assert.equal(existsSync(folder), false);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test("what cannot be is said, not tried", () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-start-"));
  try {
    const said = (...args: string[]): string => {
      const { code, stderr } = run(isthmus, args);
      assert.equal(code, 1, stderr);
      return stderr;
    };
    assert.match(said("up", join(scratch, "none.yml")), /none\.yml: cannot be read \(ENOENT\)/);
    assert.match(said("inspect", "--dir", scratch), /holds no lab: start one with/);
    assert.match(said("up", "examples/east-west.lab.yml", "--dir", join(scratch, "x".repeat(100))), /path is too long|cannot be read/);
    assert.match(said("fly"), /unknown command 'fly'/);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
