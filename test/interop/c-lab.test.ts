/** Each of our programs alone in a lab of real ones: the lab pings across zones with it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLab, cLabMissing, type Parts, root } from "./c-lab.ts";

const missing = cLabMissing();
const ours = (program: string): string => join(root, "bin", program);

function pings(name: string, parts: Parts, look: (lab: CLab) => void = () => {}): void {
  const absent = Object.values(parts).find((program) => !existsSync(program));
  test(name, { skip: missing ?? (absent === undefined ? false : `${absent} is not built`) }, () => {
    const lab = new CLab(parts);
    try {
      lab.up();
      const output = lab.ping();
      assert.match(output, /3 packets transmitted, 3 received, 0% packet loss/);
      assert.equal(output.match(/ttl=62/g)?.length, 3, output);
      look(lab);
    } finally {
      lab.down();
    }
  });
}

pings("the real programs alone", {});
