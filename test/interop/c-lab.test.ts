/** Each of our programs alone in a lab of real ones: the lab pings across zones with it. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLab, cLabMissing, mainSchemas, type Parts, root } from "./c-lab.ts";

const missing = cLabMissing();
const ours = (program: string): string => join(root, "bin", program);

function pings(name: string, parts: Parts, release: "installed" | "main" = "installed"): void {
  const absent = Object.values(parts).find((program) => !existsSync(program));
  test(name, { skip: missing ?? (absent === undefined ? false : `${absent} is not built`) }, () => {
    const schemas = release === "main" ? mainSchemas() : undefined;
    const lab = new CLab(parts, schemas);
    try {
      lab.up();
      const output = lab.ping();
      assert.match(output, /3 packets transmitted, 3 received, 0% packet loss/);
      assert.equal(output.match(/ttl=62/g)?.length, 3, output);
    } finally {
      lab.down();
      if (schemas !== undefined) rmSync(schemas, { recursive: true });
    }
  });
}

pings("the real programs alone", {});
pings("our ovsdb-server serves all databases", { "ovsdb-server": ours("ovsdb-server"), "ovsdb-tool": ours("ovsdb-tool") });
pings("our command lines", Object.fromEntries(["ovn-nbctl", "ovn-sbctl", "ovn-ic-nbctl", "ovs-vsctl"].map((program) => [program, ours(program)])));
pings("our ovn-ic in the west zone", { "ovn-ic@west": ours("ovn-ic") });
// The flows of main's pipelines are more than 23.03's controllers can take, as they would be from OVN's own northd.
pings(
  "our ovn-northd and ovn-controller in the east zone",
  { "ovn-northd@east": ours("ovn-northd"), "ovn-controller@worker_east": ours("ovn-controller"), "ovn-controller@gw_east": ours("ovn-controller") },
  "main",
);
pings("our ovn-controller on worker_east", { "ovn-controller@worker_east": ours("ovn-controller") });
pings("our ovn-controller on gw_west", { "ovn-controller@gw_west": ours("ovn-controller") });
pings(
  "everything ours but the switches",
  Object.fromEntries(
    ["ovsdb-server", "ovsdb-tool", "ovn-northd", "ovn-ic", "ovn-controller", "ovn-nbctl", "ovn-sbctl", "ovn-ic-nbctl", "ovs-vsctl"].map((program) => [program, ours(program)]),
  ),
  "main",
);
