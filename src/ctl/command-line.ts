/** From the words after the global options to commands: `[--option]... COMMAND [ARG]... [-- [--option]... COMMAND ...]`. */
import type { OptionSpec } from "../daemon/index.ts";
import type { Database } from "../ovsdb/index.ts";
import type { Call, Command } from "./command.ts";
import { CommandError, fail } from "./command-error.ts";

export interface ParsedCommand<D extends Database> extends Call {
  readonly command: Command<D>;
}

/** `local`: options of the first command that stood among the global ones. */
export function parseCommands<D extends Database>(
  words: readonly string[],
  local: ReadonlyMap<string, string | undefined>,
  table: ReadonlyMap<string, Command<D>>,
): readonly ParsedCommand<D>[] {
  const parsed: ParsedCommand<D>[] = [];
  let pending = local;
  for (const group of splitAtDashes(words)) {
    if (group.length === 0) {
      if (pending.size > 0) fail("missing command name (use --help for help)");
      continue;
    }
    parsed.push(parseCommand(group, pending, table));
    pending = new Map();
  }
  if (parsed.length === 0) fail("missing command name (use --help for help)");
  return parsed;
}

function splitAtDashes(words: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [[]];
  for (const word of words) {
    if (word === "--") groups.push([]);
    else groups.at(-1)?.push(word);
  }
  return groups;
}

function parseCommand<D extends Database>(
  words: readonly string[], local: ReadonlyMap<string, string | undefined>, table: ReadonlyMap<string, Command<D>>,
): ParsedCommand<D> {
  const options = new Map(local);
  let at = 0;
  for (; at < words.length && (words[at] ?? "").startsWith("-"); at++) {
    const word = words[at] ?? "";
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    if (options.has(name)) fail(`'${word}' option specified multiple times`);
    options.set(name, equals < 0 ? undefined : word.slice(equals + 1));
  }
  const name = words[at];
  if (name === undefined) throw new CommandError("missing command name (use --help for help)");
  const command = table.get(name);
  if (command === undefined) throw new CommandError(`unknown command '${name}'; use --help for help`);
  for (const [option, value] of options) checkOption(command, option, value);
  const args = words.slice(at + 1);
  checkCount(command, args);
  return { command, args, options };
}

function checkOption<D extends Database>({ name, options }: Command<D>, option: string, value: string | undefined): void {
  const spec = optionSpecs(options).find((s) => `--${s.name}` === option);
  if (spec === undefined) fail(`'${name}' command has no '${option}' option`);
  if (spec.argument === "required" && value === undefined) fail(`missing argument to '${option}' option on '${name}' command`);
  if (spec.argument === "none" && value !== undefined) fail(`'${option}' option on '${name}' does not accept an argument`);
}

function checkCount<D extends Database>({ name, minArgs, maxArgs }: Command<D>, args: readonly string[]): void {
  if (args.length < minArgs) fail(`'${name}' command requires at least ${minArgs} arguments`);
  if (args.length <= maxArgs) return;
  const misplaced = args.some((a) => a.startsWith("-"));
  const note = misplaced ? ' (note that options must precede command names and follow a "--" argument)' : "";
  fail(`'${name}' command takes at most ${maxArgs} arguments${note}`);
}

/** `--may-exist,--policy=,--bfd?` as option specifications. */
export function optionSpecs(options: string): readonly OptionSpec[] {
  return options
    .split(",")
    .filter((item) => item !== "")
    .map((item) => {
      const [, name = "", mark] = /^--([^=?]+)([=?]?)$/.exec(item) ?? [];
      return { name, argument: mark === "=" ? "required" : mark === "?" ? "optional" : "none" };
    });
}
