/** A program on a simulated host: arguments in, text out, an exit code at the end. */
import type { HostServices } from "../host-services.ts";

export interface CommandContext {
  readonly host: HostServices;
  /** What stands on its standard input. */
  readonly input: Uint8Array;
  out(text: string): void;
  err(text: string): void;
  /** Called once when the user interrupts (Ctrl-C); undefined again: nobody listens. */
  onInterrupt(action: (() => void) | undefined): void;
  writeBytes(bytes: Uint8Array): void;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  run(context: CommandContext, args: readonly string[]): Promise<number>;
}

/** Options as getopt takes them: letters with a `:` have a value, in the same word or the next. */
export interface ParsedOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

export type OptionError = { readonly unknown: string } | { readonly needsValue: string };

export function parseOptions(args: readonly string[], letters: string): ParsedOptions | OptionError {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    for (let j = 1; j < arg.length; j++) {
      const letter = arg[j] ?? "";
      const at = letters.indexOf(letter);
      if (at < 0 || letter === ":") return { unknown: letter };
      if (letters[at + 1] !== ":") flags.add(letter);
      else {
        const value = j + 1 < arg.length ? arg.slice(j + 1) : args[++i];
        if (value === undefined) return { needsValue: letter };
        values.set(letter, value);
        break;
      }
    }
  }
  return { flags, values, words };
}
