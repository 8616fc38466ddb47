/** Hosts of kind netns: real ones for any user whom the kernel lets have namespaces, and nothing of them stays, however the lab ends. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../src/host/index.ts";
import { nodeMachines } from "../src/host/node/index.ts";
import { isthmus, root, run, RunningLab } from "./lab-fixture.ts";

const obstacle = await nodeMachines(silentLog).obstacle();
const skip = obstacle ?? (spawnSync("ping", ["-V"]).status === 0 ? false : "needs ping (iputils-ping)");

/** Whether any process lives in the network namespace `net:[...]`. */
function isInhabited(namespace: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
    } catch {
      // It has gone meanwhile, or is another user's.
      return false;
    }
  });
}

async function untilDeserted(namespaces: readonly string[]): Promise<void> {
  for (let i = 0; i < 100 && namespaces.some(isInhabited); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(namespaces.filter(isInhabited), []);
}

const namespacesOf = (lab: RunningLab): string[] => ["vm1", "vm2"].map((host) => lab.exec(host, "readlink", "/proc/self/ns/net").stdout.trim());

test("every host a namespace: pings across zones, and gone after down", { skip }, async () => {
  const lab = new RunningLab("east-west.lab.yml", ["--real"]);
  let namespaces: string[] = [];
  try {
    namespaces = namespacesOf(lab);
    assert.match(namespaces.join(" "), /^net:\[\d+\] net:\[\d+\]$/);
    assert.notEqual(namespaces[0], namespaces[1]);
    assert.match(lab.exec("vm1", "ping", "-c", "2", "-i", "0.2", "vm2").stdout, /2 packets transmitted, 2 received, 0% packet loss/);
    assert.equal(lab.exec("vm1", "sh", "-c", "exit 7").code, 7);
    assert.match(lab.exec("vm1", "ip", "-br", "link").stdout, /^vm1 +UNKNOWN|^vm1@\S+ +UP/m);
    assert.match(lab.isthmus("inspect").stdout, /vm1 .*192\.168\.1\.11\/24/);
    // A process that a user left there in the background.
    lab.exec("vm1", "sh", "-c", "sleep 1000 > /dev/null 2>&1 &");
  } finally {
    lab.down();
  }
  await untilDeserted(namespaces);
});

test("a lab that is killed takes its hosts along, and the folder alone is enough to clear up", { skip }, async () => {
  const lab = new RunningLab("east-west.lab.yml", ["--real"]);
  const namespaces = namespacesOf(lab);
  const { pid } = JSON.parse(run("cat", [join(lab.folder, "lab.json")]).stdout) as { readonly pid: number };
  process.kill(pid, "SIGKILL");
  await untilDeserted(namespaces);
  assert.match(lab.isthmus("down").stdout, /east-west is down/);
  lab.down();
});

test("Ctrl-C while it comes up leaves nothing", { skip }, async () => {
  const scratch = mkdtempSync(join(tmpdir(), "isthmus-netns-"));
  const before = new Set(readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)));
  const lab = spawn(isthmus, ["up", join(root, "examples/east-west.lab.yml"), "--real", "--dir", join(scratch, "l")], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((resolve) => {
    lab.stdout.on("data", (bytes: Buffer) => {
      if (bytes.toString().includes("hosts plugged in")) resolve(undefined);
    });
  });
  lab.kill("SIGINT");
  const code = await new Promise((resolve) => lab.on("close", resolve));
  assert.equal(code, 130);
  const holders = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && !before.has(pid) && run("ps", ["-o", "ppid=", "-p", pid]).stdout.trim() === String(lab.pid));
  assert.deepEqual(holders, []);
  rmSync(scratch, { recursive: true });
});
