/** The command line of `isthmus`: what there is to type, and where each thing goes. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { isthmusVersion } from "../../daemon/index.ts";
import { captureCommand } from "./capture.ts";
import { downCommand } from "./down.ts";
import { envCommand } from "./env.ts";
import { execCommand } from "./exec.ts";
import { explainRouteCommand } from "./explain.ts";
import { flowsCommand } from "./flows.ts";
import { graphCommand } from "./graph.ts";
import { inspectCommand } from "./inspect.ts";
import { killCommand } from "./kill.ts";
import { linkCommand } from "./link.ts";
import { restartCommand } from "./restart.ts";
import { startCommand } from "./start.ts";
import { type Terminal, UserError } from "./terminal.ts";
import { upCommand } from "./up-command.ts";
import { validateCommand } from "./validate.ts";

/** Runs one command line; resolves with its exit code. */
export async function runIsthmus(terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = commandLine(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...terminal.process.args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (!(error instanceof UserError)) throw error;
    terminal.process.err(`isthmus: ${error.message}\n`);
    return error.exitCode;
  }
}

function commandLine(terminal: Terminal, finish: (exitCode: number) => void): Command {
  const program = new Command("isthmus")
    .description("laboratories of interconnected OVN zones")
    .version(isthmusVersion)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.process.out(text), writeErr: (text) => terminal.process.err(text) });
  const dirOption = ["--dir <dir>", "the lab's folder (default: the only lab in the current folder)"] as const;
  const programOption = ["--program <name=path...>", "run another program in place of one of ours: ovn-northd=/usr/bin/ovn-northd"] as const;
  const add = (name: string, description: string): Command => program.command(name).description(description).exitOverride();

  add("up <file>", "bring up the lab that a topology file describes, and stay until Ctrl-C")
    .option("--dir <dir>", "where it keeps its state (default: a folder named after the lab)")
    .option("--detach", "leave it running in the background", false)
    .option("--processes", "each daemon in a process of its own", false)
    .option("--real", "make every host a network namespace of this machine, with its kernel and tools", false)
    .option(...programOption)
    .option("--no-setup", "leave the databases empty: do not run the file's set-up commands")
    .action(async (file: string, options) => finish(await upCommand(terminal, file, options)));
  add("start", "the two-zone lab, with a tour (what `npm start` runs)")
    .option("--dir <dir>", "where it keeps its state (default: ./east-west)")
    .option("--once", "ping three times, take it down, and end", false)
    .option("--processes", "each daemon in a process of its own", false)
    .option("--real", "make every host a network namespace of this machine, with its kernel and tools", false)
    .action(async (options) => finish(await startCommand(terminal, options)));
  add("down", "take a lab down and remove its folder").option(...dirOption).action((options) => downCommand(terminal, options));
  add("exec <host> <command...>", "run a command on a host, router or node of the lab")
    .option(...dirOption)
    .passThroughOptions()
    .action(async (host: string, argv: string[], options) => finish(await execCommand(terminal, host, argv, options)));
  add("inspect", "nodes, daemons, hosts and addresses")
    .option(...dirOption)
    .option("-f, --format <format>", "table or json", choice("table", "json"), "table")
    .action((options) => inspectCommand(terminal, options));
  add("capture <node> [expression...]", "watch the packets of a node's switch; of those, the ones that a filter as for tcpdump selects")
    .option(...dirOption)
    .option("-c, --count <packets>", "stop after so many", count, 0)
    .option("-i, --port <port>", 'a port of the switch; "tunnel" for all tunnels', "tunnel")
    .option("-w, --write <file>", 'write a pcap file ("-": standard output)')
    .option("--only <text>", "only packets whose text has this in it")
    .option("-x, --exec <host command>", "run this on a host meanwhile, and stop when it has ended")
    .action((node: string, expression: string[], options) => captureCommand(terminal, node, expression.join(" "), options));
  add("restart <node> [daemon]", "end a daemon if it still runs, and start it again (default: all of the node's that do not run)")
    .option(...dirOption)
    .action((node: string, daemon: string | undefined, options) => restartCommand(terminal, node, daemon, options));
  add("kill <node> [daemon]", "end a daemon, or all of a node's, without a word, as a power cut does")
    .option(...dirOption)
    .action((node: string, daemon: string | undefined, options) => killCommand(terminal, node, daemon, options));
  add("validate [file]", "put the claims of a topology file to the test; exit 0: all hold, 1: some fail, 2: there are none")
    .option("--dir <dir>", "a running lab's folder, or where the lab for the test keeps its state (default: a folder named after the lab)")
    .option("--processes", "each daemon in a process of its own", false)
    .option("--real", "make every host a network namespace of this machine, with its kernel and tools", false)
    .option(...programOption)
    .action(async (file: string | undefined, options) => finish(await validateCommand(terminal, file, options)));
  add("flows [node]", "how many logical flows each stage has, of the node's zone")
    .option(...dirOption)
    .option("-n, --top <stages>", "only so many, those with the most flows", count, 0)
    .option("-f, --format <format>", "table, or lines as the shell would count them", choice("table", "lines"), "table")
    .option("--grow <times>", "repeat a command and count after each time", count)
    .option("--each <command>", "the command; $i counts from 1")
    .option("--stage <stage...>", "with --grow: count these stages apart")
    .option("--plot <file>", "with --grow: draw the counts as SVG")
    .option("--curve <label=formula...>", "with --plot: draw a formula in i beside them")
    .option("--title <title>", "with --plot: what stands above the picture")
    .action((node: string | undefined, options) => flowsCommand(terminal, node, options));
  add("graph [file]", "draw the logical network from the lab's databases, or what lies below it")
    .option(...dirOption)
    .option("-f, --format <format>", "svg or mermaid", choice("svg", "mermaid"), "svg")
    .option("--view <view>", "logical, or underlay: switches, machines and links", choice("logical", "underlay"), "logical")
    .option("-o, --output <file>", "write it there (default: standard output)")
    .action((file: string | undefined, options) => graphCommand(terminal, file, options));
  add("link [name] [change...]", "the underlay's links; NAME cut|mend|clear, delay 10ms, jitter 1ms, loss 5%, rate 10mbit, limit 100")
    .option(...dirOption)
    .option("--way <way>", "both, out (from the first end to the second) or in", choice("both", "out", "in"), "both")
    .action((name: string | undefined, words: string[], options) => linkCommand(terminal, name, words, options));
  program.command("explain").description("why things are as they are").exitOverride()
    .command("route <address>").description("how the outside comes to know the way to an address: every link, and the command that shows it").exitOverride()
    .option(...dirOption)
    .action(async (address: string, options) => finish(await explainRouteCommand(terminal, address, options)));
  add("env <node>", 'print export lines: eval "$(isthmus env NODE)"')
    .option(...dirOption)
    .option("--no-path", "leave PATH alone, so that the machine's own OVN programs are found")
    .action((node: string, options) => envCommand(terminal, node, options));
  return program;
}

const choice = (...words: readonly string[]) => (word: string): string => {
  if (!words.includes(word)) throw new InvalidArgumentError(`expected ${words.join(" or ")}`);
  return word;
};

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a number of packets");
  return Number(text);
}
