/**
 * How long traffic stops when something dies: `npm run bench -- failover [SCENARIO|all] [RUNS]`, after a build.
 *
 * A ping every 10 ms goes on while the thing happens; the longest silence between two replies is the outage. What heals it has a
 * detection time (BFD's multiplier times its interval); the aim is that and 100 ms. On a busy machine the tail is the machine's.
 * Where there is no other way to take (`withdraws`), it is from the last reply until the route has gone from the kernel.
 */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isthmus, root, run } from "../test/lab-fixture.ts";

interface Scenario {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Of the BFD that notices; 0: nothing has to. */
  readonly detectionMs: number;
  /** What happens, as arguments of isthmus. */
  readonly fault: readonly string[];
  readonly repair: readonly string[];
  /** True when all is as it was: a command of a node that succeeds. */
  readonly whole: readonly [node: string, command: string];
  /** Seconds of pinging. */
  readonly seconds: number;
  /** What the kernel of `from` says when it has given up the way. */
  readonly withdraws?: RegExp;
  /** Set before the first run. */
  readonly prepare?: readonly [node: string, command: string];
}

const isOn = (port: string, chassis: string): string => `test "$(ovn-sbctl --bare --columns=chassis find Port_Binding logical_port=${port})" = "$(ovn-sbctl --bare --columns=_uuid find Chassis name=${chassis})"`;
const gateway = { file: "bench/failover.lab.yml", from: "vm1", to: "172.24.4.254", detectionMs: 300, whole: ["central", isOn("cr-router1-public", "gw1")], seconds: 4 } as const;
const faster = "ovn-nbctl --wait=hv set NB_Global . options:bfd-min-rx=100 options:bfd-min-tx=100 options:bfd-mult=3";

const scenarios: Readonly<Record<string, Scenario>> = {
  "gateway-link": { ...gateway, fault: ["link", "gw1/eth1", "cut"], repair: ["link", "gw1/eth1", "mend"] },
  "gateway-switch": { ...gateway, fault: ["kill", "gw1", "ovs-vswitchd"], repair: ["restart", "gw1"] },
  "gateway-controller": { ...gateway, detectionMs: 0, fault: ["kill", "gw1", "ovn-controller"], repair: ["restart", "gw1"] },
  "gateway-node": { ...gateway, fault: ["kill", "gw1"], repair: ["restart", "gw1"] },
  "external-port": {
    file: "examples/external-ports.lab.yml", from: "host1", to: "192.168.0.11", detectionMs: 300, fault: ["kill", "gw2"], repair: ["restart", "gw2"],
    whole: ["central", isOn("pext", "gw2")], seconds: 4, prepare: ["central", faster],
  },
  uplink: {
    file: "examples/spine-leaf.lab.yml", from: "vm1", to: "10.0.0.20", detectionMs: 900, fault: ["link", "worker2-b", "cut"], repair: ["link", "worker2-b", "mend"],
    whole: ["central", "! isthmus exec --dir .. central ip route show 10.0.0.20 | grep -q dead"], seconds: 5,
  },
  // FRR's BFD between gateway and ToR: five times 400 ms.
  "bgp-gateway": {
    file: "examples/bgp-unnumbered.lab.yml", from: "tor1", to: "172.16.10.2", detectionMs: 2000, fault: ["kill", "ovn-gw-1"], repair: ["restart", "ovn-gw-1"],
    whole: ["ovn-central", "isthmus exec --dir .. tor1 ping -c 1 -W 1 172.16.10.2"], seconds: 6, withdraws: /^\[([^\]]+)\] Deleted 172\.16\.10\.2 /m,
  },
  // The way by ToR 1 is the preferred one; the same BFD between ToR and spine.
  "bgp-tor": {
    file: "examples/bgp-spine.lab.yml", from: "spine", to: "172.16.10.2", detectionMs: 2000, fault: ["kill", "tor1"], repair: ["restart", "tor1"],
    whole: ["ovn-central", "isthmus exec --dir .. spine ip route show 172.16.10.2 | grep -q 'dev eth1' && isthmus exec --dir .. spine ping -c 1 -W 1 172.16.10.2"], seconds: 6,
    prepare: ["ovn-central", "isthmus exec --dir .. spine vtysh -c configure -c 'router bgp 4200000000' -c 'address-family ipv4 unicast' -c 'neighbor eth1 weight 100' -c end -c 'clear bgp * soft in'"],
  },
};

const [wanted = "all", runsText = "20"] = process.argv.slice(2);
const runs = Number(runsText);
const names = wanted === "all" ? Object.keys(scenarios) : [wanted];

class Lab {
  readonly scratch = mkdtempSync(join(tmpdir(), "isthmus-failover-"));
  readonly folder = join(this.scratch, "l");

  command(args: readonly string[]): void {
    const [name = "", ...rest] = args;
    const { code, stdout, stderr } = run(isthmus, [name, "--dir", this.folder, ...rest]);
    if (code !== 0) throw new Error(`isthmus ${args.join(" ")}: ${stdout}${stderr}`);
  }

  shell(node: string, text: string): boolean {
    return run("bash", ["-c", `eval "$('${isthmus}' env --dir '${this.folder}' ${node})"; cd '${this.folder}/${node}'; ${text}`]).code === 0;
  }

  /** When the kernel of the machine has changed its routes in this way, in seconds since the epoch; undefined: it has not. */
  watchRoutes(on: string, pattern: RegExp): { readonly found: () => number | undefined; stop(): void } {
    const child = spawn(isthmus, ["exec", "--dir", this.folder, on, "ip", "-ts", "monitor", "route"], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString("utf8");
    });
    const found = (): number | undefined => {
      const time = pattern.exec(text)?.[1];
      return time === undefined ? undefined : Date.parse(time) / 1000;
    };
    return { found, stop: () => child.kill("SIGINT") };
  }

  /** Seconds since the epoch at which replies came. */
  ping({ from, to, seconds }: Scenario): { readonly replies: Promise<number[]> } {
    const child = spawn(isthmus, ["exec", "--dir", this.folder, from, "ping", "-D", "-i", "0.01", "-c", String(seconds * 100), "-W", "1", to], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString("utf8");
    });
    return { replies: new Promise((resolve) => child.on("close", () => resolve([...text.matchAll(/^\[([\d.]+)\] \d+ bytes from/gm)].map((m) => Number(m[1]))))) };
  }

  async until(node: string, text: string): Promise<void> {
    for (let attempt = 0; !this.shell(node, text); attempt++) {
      if (attempt > 100) throw new Error(`${node}: ${text}: never`);
      await sleep(200);
    }
  }

  down(): void {
    run(isthmus, ["down", "--dir", this.folder]);
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function outages(scenario: Scenario): Promise<number[]> {
  const lab = new Lab();
  try {
    const file = join(lab.scratch, "topology.lab.yml");
    copyFileSync(join(root, scenario.file), file);
    const up = run(isthmus, ["up", file, "--dir", lab.folder, "--detach"]);
    if (up.code !== 0) throw new Error(`${up.stdout}${up.stderr}`);
    if (scenario.from === "host1") lab.command(["exec", "host1", "dhclient", "pext.170"]);
    if (scenario.prepare !== undefined) lab.shell(...scenario.prepare);
    await sleep(3_000);
    const found: number[] = [];
    for (let i = 0; i < runs; i++) {
      await lab.until(...scenario.whole);
      await sleep(1_000);
      const { replies } = lab.ping(scenario);
      const routes = scenario.withdraws === undefined ? undefined : lab.watchRoutes(scenario.from, scenario.withdraws);
      await sleep(1_000);
      lab.command(scenario.fault);
      const times = await replies;
      const gaps = times.slice(1).map((time, n) => (time - (times[n] ?? time)) * 1000);
      const withdrawn = routes?.found();
      routes?.stop();
      if (routes !== undefined) found.push(withdrawn === undefined ? Number.POSITIVE_INFINITY : (withdrawn - (times.at(-1) ?? 0)) * 1000);
      else found.push(times.length < 2 ? Number.POSITIVE_INFINITY : Math.max(...gaps));
      lab.command(scenario.repair);
    }
    return found;
  } finally {
    lab.down();
  }
}

for (const name of names) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${Object.keys(scenarios).join(", ")}, all`);
  const sorted = (await outages(scenario)).sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0).padStart(5);
  const within = sorted.filter((ms) => ms <= scenario.detectionMs + 100).length;
  process.stdout.write(`${name.padEnd(20)} ${sorted.length} runs  shortest ${at(0)}  median ${at(0.5)}  90 % ${at(0.9)}  longest ${at(1)} ms; ${within} within ${scenario.detectionMs} + 100 ms\n`);
}
