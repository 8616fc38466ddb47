/**
 * How long traffic stops when an uplink of the routed fabric dies: `npm run bench -- uplink-loss [RUNS]`, after a build.
 *
 * Brings examples/spine-leaf.lab.yml up, pings from vm1 to vm2 every 10 ms, cuts worker2's link that the flow takes, and counts the echoes
 * that stay out; then mends it and waits until BFD has it back. The detection time is 3 x 300 ms (RFC 5880, section 6.8.4: the
 * multiplier times the agreed interval; the last packet came up to an interval before the cut). With `--bgp` the same in
 * spine-leaf-bgp.lab.yml, where FRR's BFD watches (3 x 100 ms) and BGP takes the routes away.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = process.env["ISTHMUS_ROOT"] ?? process.cwd();
const isthmus = join(root, "bin/isthmus");
const usesBgp = process.argv.includes("--bgp");
const runs = Number(process.argv.slice(2).find((a) => /^\d+$/.test(a)) ?? 20);
const intervalMs = 10;
const detectionMs = usesBgp ? 300 : 900;
const folder = mkdtempSync(join(tmpdir(), "isthmus-uplink-"));
const lab = join(folder, "l");

function call(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(isthmus, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`isthmus ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

const on = (command: string, ...args: string[]): string => call(command, "--dir", lab, ...args);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds without an answer while `links` are cut. */
async function outage(links: readonly string[]): Promise<number> {
  const ping = spawn(isthmus, ["exec", "--dir", lab, "vm1", "ping", "-i", String(intervalMs / 1000), "-c", "350", "-W", "1", "10.0.0.20"], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  ping.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  await pause(700);
  for (const link of links) on("link", link, "cut");
  await new Promise((resolve) => ping.on("exit", resolve));
  const answered = [...output.matchAll(/icmp_seq=(\d+) ttl/g)].map((m) => Number(m[1]));
  let longest = 0;
  for (let i = 1; i < answered.length; i++) longest = Math.max(longest, (answered[i] ?? 0) - (answered[i - 1] ?? 0) - 1);
  return longest * intervalMs;
}

async function untilMended(links: readonly string[]): Promise<void> {
  for (const link of links) on("link", link, "mend");
  for (let tries = 0; tries < 100; tries++) {
    const routes = on("exec", "central", "ip", "route");
    if ((routes.match(/nexthop/g)?.length ?? 0) >= 4 && !routes.includes("dead")) return;
    await pause(200);
  }
  throw new Error("the link does not come back");
}

try {
  call("up", join(root, `examples/spine-leaf${usesBgp ? "-bgp" : ""}.lab.yml`), "--dir", lab, "--detach");
  const outages: number[] = [];
  for (let i = 0; i < runs; i++) {
    const links = usesBgp ? [i % 2 === 0 ? "worker2-b" : "worker2-a"] : ["worker2-b"];
    await untilMended(links);
    await pause(500);
    const ms = await outage(links);
    outages.push(ms);
    console.log(`${String(i + 1).padStart(2)}  ${String(ms).padStart(5)} ms`);
    await untilMended(links);
  }
  const sorted = [...outages].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const late = sorted.filter((ms) => ms > detectionMs + 100).length;
  console.log(`uplink loss, ${runs} runs: least ${at(0)} ms, median ${at(0.5)} ms, nine of ten below ${at(0.9)} ms, most ${sorted.at(-1)} ms; BFD's detection time is ${detectionMs} ms; ${late} took more than 100 ms beyond it`);
} finally {
  spawnSync(isthmus, ["down", "--dir", lab]);
  rmSync(folder, { recursive: true, force: true });
}
