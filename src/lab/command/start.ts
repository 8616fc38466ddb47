/** `isthmus start`, which `npm start` runs: the two-zone lab, the first reply across zones, what it looks like, how to go on. */
import { ctlRunner } from "../ctl-runner.ts";
import { mappedHost } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import { carriersOf } from "../carriers.ts";
import { nodeEnvironment } from "../layout.ts";
import { bringUp, type RunningLab, within } from "./up.ts";
import { type Terminal, UserError } from "./terminal.ts";
import { readRecord } from "./find-lab.ts";

/** What a reader sees of the databases: the listings of seed and manual alike. */
const listings: readonly { readonly node: string; readonly argv: readonly string[] }[] = [
  { node: "central_east", argv: ["ovn-nbctl", "show"] },
  { node: "central_east", argv: ["ovn-sbctl", "show"] },
  { node: "central_ic", argv: ["ovn-ic-nbctl", "show"] },
  { node: "central_ic", argv: ["ovn-ic-sbctl", "show"] },
  { node: "gw_west", argv: ["ovs-vsctl", "show"] },
];

const firstReplyLimitMs = 20_000;

export async function startCommand(terminal: Terminal, options: { readonly once: boolean; readonly dir?: string | undefined; readonly processes: boolean; readonly real?: boolean | undefined }): Promise<number> {
  const { process, host } = terminal;
  const say = (text: string): void => process.out(`${text}\n`);
  const elapsed = (): string => `${(host.clock.now() / 1000).toFixed(2)} s`;
  say("Isthmus: two OVN zones, east and west, joined by a transit switch\n");
  const running = await bringUp(terminal, `${terminal.examplesFolder}/east-west.lab.yml`, {
    dir: options.dir,
    processes: options.processes,
    real: options.real,
    setup: true,
    progress: (step) => say(`  ${elapsed()}  ${step}`),
  });
  try {
    const probe = present(running.lab.topology.probe, "probe of the example");
    const from = running.lab.host(probe.from);
    if (!(await within(terminal, firstReplyLimitMs, from.firstReply(probe.to)))) {
      throw new UserError(`no reply from ${probe.to} within ${firstReplyLimitMs / 1000} s; the logs are in ${running.folder}`);
    }
    say(`  ${elapsed()}  first reply across zones: ${probe.from} <- ${probe.to}\n`);
    await showListings(terminal, running);
    if (options.once) return await pingOnce(terminal, running, probe.from, probe.to);
    say(howToGoOn(terminal, running.folder));
    await running.ended;
    return 0;
  } finally {
    await running.down();
    say("The lab is down.");
  }
}

async function showListings(terminal: Terminal, running: RunningLab): Promise<void> {
  const commands = ctlRunner();
  const { topology } = running.lab;
  const carriers = new Map(present(readRecord(terminal, running.folder)).carriers);
  for (const { node: name, argv } of listings) {
    const node = present(topology.nodes.get(name));
    const place = { node, host: mappedHost(terminal.host, carriersOf(node.address, carriers)), environment: nodeEnvironment(running.folder, topology, node, carriers) };
    const result = await commands.run(place, argv);
    terminal.process.out(`[${name}]# ${argv.join(" ")}\n${result.stdout}${result.stderr}\n`);
    if (result.exitCode !== 0) throw new UserError(`${argv.join(" ")} on ${name} failed`);
  }
}

async function pingOnce(terminal: Terminal, running: RunningLab, from: string, to: string): Promise<number> {
  const argv = ["ping", "-c", "3", "-i", "0.2", to];
  terminal.process.out(`[${from}]# ${argv.join(" ")}\n`);
  const ping = running.lab.host(from).exec(argv, (_to, bytes) => terminal.process.out(new TextDecoder().decode(bytes)));
  const exitCode = await ping.exitCode;
  terminal.process.out("\n");
  return exitCode;
}

function howToGoOn(terminal: Terminal, folder: string): string {
  const dir = folder === `${terminal.process.folder}/east-west` ? "" : ` --dir ${folder}`;
  return [
    "The lab runs until Ctrl-C. In another terminal, from this folder:",
    "",
    `  bin/isthmus exec${dir} vm1 ping -c 3 192.168.2.12`,
    `  bin/isthmus inspect${dir}`,
    `  eval "$(bin/isthmus env${dir} central_east)"; ovn-nbctl show`,
    `  ovn-trace --ovs --friendly-names --ct=new net_east 'inport == "vm1" && eth.src == 40:44:00:00:00:01 && eth.dst == 40:44:00:00:00:04 && ip4.src == 192.168.1.11 && ip4.dst == 192.168.2.12 && ip.ttl == 64 && icmp4.type == 8'`,
    `  bin/isthmus capture${dir} gw_east -c 8 -w gw_east.pcap`,
  ].join("\n");
}
