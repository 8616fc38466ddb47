/** The examples with this machine's kernel and tools for every host, and every machine outside: all their claims hold there too. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../../src/host/index.ts";
import { nodeMachines } from "../../src/host/node/index.ts";
import { isthmus, root } from "../lab-fixture.ts";

const obstacle = await nodeMachines(silentLog).obstacle();
const examples: Readonly<Record<string, readonly string[]>> = {
  "east-west": ["ping"],
  "external-ports": ["ping", "dhclient"],
  "spine-leaf": ["ping"],
  "bgp-unnumbered": ["ping", "/usr/lib/frr/bgpd"],
};

for (const [name, tools] of Object.entries(examples)) {
  const file = join(root, "examples", `${name}.lab.yml`);
  const missing = tools.filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
  const skip = obstacle ?? (missing.length > 0 ? `needs ${missing.join(", ")}` : existsSync(isthmus) ? false : "needs npm run build");
  test(`${name} with real hosts: all its claims hold`, { skip }, () => {
    const scratch = mkdtempSync(join(tmpdir(), "isthmus-real-"));
    try {
      const { status, stdout, stderr } = spawnSync(isthmus, ["validate", file, "--real", "--dir", join(scratch, "l")], { encoding: "utf8", timeout: 240_000 });
      assert.equal(status, 0, `${stdout}${stderr}`);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
