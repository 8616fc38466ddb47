/** ovs-ofctl: what a bridge has, read and written over OpenFlow (ovs-ofctl(8)). One file for each noun. */
import { directories, informationOptions, type OptionSpec, optionList, parseOptions, versionText } from "../../daemon/index.ts";
import { isKnownVersion, of10, type OfVersion, versionNames } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import type { CtlPlace } from "../run-ctl.ts";
import { flowCommands } from "./flows.ts";
import { groupCommands } from "./groups.ts";
import { meterCommands } from "./meters.ts";
import type { OfCommand } from "./of-command.ts";
import { portCommands } from "./ports.ts";
import { SwitchLink } from "./switch-link.ts";
import { tableCommands } from "./tables.ts";

const specs: readonly OptionSpec[] = [
  { name: "protocols", short: "O", argument: "required" },
  { name: "flow-format", short: "F", argument: "required" },
  { name: "timeout", short: "t", argument: "required" },
  { name: "more", short: "m", argument: "none" },
  { name: "strict", argument: "none" },
  { name: "no-stats", argument: "none" },
  { name: "bundle", argument: "none" },
  { name: "may-create", argument: "none" },
  { name: "names", argument: "none" },
  { name: "no-names", argument: "none" },
  ...informationOptions,
];

const commands: ReadonlyMap<string, OfCommand> = new Map([...flowCommands, ...groupCommands, ...meterCommands, ...portCommands, ...tableCommands]);

export async function runOfctl(args: readonly string[], place: CtlPlace): Promise<number> {
  try {
    return await run(args, place);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    place.err(`ovs-ofctl: ${error.message}\n`);
    return 1;
  }
}

async function run(args: readonly string[], place: CtlPlace): Promise<number> {
  const parsed = parseOptions(args, specs, true);
  if (parsed.kind === "error") throw new CommandError(parsed.text);
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  const say = (text: string): number => {
    place.out(text);
    return 0;
  };
  if (has("help")) return say(help());
  if (has("option")) return say(optionList(specs, true));
  if (has("version")) return say(versionText("ovs-ofctl", "ovs"));
  const [name, ...rest] = parsed.rest;
  if (name === undefined) throw new CommandError("missing command name; use --help for help");
  const command = commands.get(name);
  if (command === undefined) throw new CommandError(`unknown command '${name}'; there are ${[...commands.keys()].join(", ")}`);
  if (rest.length < command.minArgs) throw new CommandError(`'${name}' command requires at least ${command.minArgs} arguments`);
  if (rest.length > command.maxArgs) throw new CommandError(`'${name}' command takes at most ${command.maxArgs} arguments`);
  const link = await SwitchLink.connect(place.host, directories(place.environment, "ovs").run, rest[0] ?? "", offered(parsed.options.findLast((o) => o.name === "protocols")?.value) ?? [command.speaks ?? of10]);
  try {
    await command.run({ place, args: rest, has }, link);
    return 0;
  } finally {
    link.close();
  }
}

function help(): string {
  const lines = [...commands].map(([name, { usage, help: text }]) => `  ${`${name} ${usage}`.padEnd(32)}${text}`);
  return `ovs-ofctl: what a bridge has, over OpenFlow\nusage: ovs-ofctl [OPTIONS] COMMAND [ARG...]\n\n${lines.join("\n")}\n`;
}

/** `OpenFlow13,OpenFlow15`: of these the highest that the switch speaks too. */
function offered(text: string | undefined): readonly OfVersion[] | undefined {
  return text?.split(",").map((name) => {
    const number = [...versionNames].find(([, known]) => known.toLowerCase() === name.trim().toLowerCase())?.[0];
    if (number === undefined) throw new CommandError(`${name}: not an OpenFlow version`);
    if (!isKnownVersion(number)) throw new CommandError(`${name} is not spoken here; OpenFlow10, OpenFlow13, OpenFlow14 and OpenFlow15 are`);
    return number;
  });
}
