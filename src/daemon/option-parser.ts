/**
 * Command-line options as GNU getopt_long reads them: long names may be shortened as long as they stay unique, `--name
 * VALUE` equals `--name=VALUE`, short options may be joined, `--` ends them.
 */
export interface OptionSpec {
  readonly name: string;
  /** One character. */
  readonly short?: string;
  readonly argument: "none" | "required" | "optional";
}

export interface GivenOption {
  readonly name: string;
  readonly value: string | undefined;
}

export type ParsedOptions =
  | { readonly kind: "parsed"; readonly options: readonly GivenOption[]; readonly rest: readonly string[] }
  /** getopt's own words, to be printed after the program's name; `brief` as ovn-nbctl and ovn-sbctl put it. */
  | { readonly kind: "error"; readonly text: string; readonly brief: string };

/**
 * `permute`: options may also follow other arguments (daemons); otherwise the first argument that is no option ends them
 * (the ctl programs, whose commands have options of their own).
 */
export function parseOptions(args: readonly string[], specs: readonly OptionSpec[], permute: boolean): ParsedOptions {
  const options: GivenOption[] = [];
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      rest.push(...args.slice(at + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      if (!permute) {
        rest.push(...args.slice(at));
        break;
      }
      rest.push(arg);
      continue;
    }
    const taken = arg.startsWith("--") ? long(arg.slice(2), args[at + 1], specs) : shorts(arg.slice(1), args[at + 1], specs);
    if ("text" in taken) return { kind: "error", ...taken };
    options.push(...taken.options);
    if (taken.usedNext) at++;
  }
  return { kind: "parsed", options, rest };
}

type Taken = { readonly options: readonly GivenOption[]; readonly usedNext: boolean };
type Refused = { readonly text: string; readonly brief: string };

/** The options that `given`, whole or shortened, may stand for. */
export function findOptions(given: string, specs: readonly OptionSpec[]): readonly OptionSpec[] {
  const exact = specs.find((s) => s.name === given);
  return exact === undefined ? specs.filter((s) => s.name.startsWith(given)) : [exact];
}

function long(text: string, next: string | undefined, specs: readonly OptionSpec[]): Taken | Refused {
  const equals = text.indexOf("=");
  const given = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  const candidates = findOptions(given, specs);
  const [spec] = candidates;
  const unrecognized = `unrecognized option '--${text}'`;
  if (spec === undefined) return { text: unrecognized, brief: unrecognized };
  if (candidates.length > 1) {
    return { text: `option '--${text}' is ambiguous; possibilities: ${candidates.map((c) => `'--${c.name}'`).join(" ")}`, brief: unrecognized };
  }
  const { name } = spec;
  if (spec.argument === "none" && value !== undefined) {
    return { text: `option '--${name}' doesn't allow an argument`, brief: `option '--${text}' doesn't allow an argument` };
  }
  if (spec.argument !== "required" || value !== undefined) return { options: [{ name, value }], usedNext: false };
  if (next === undefined) return { text: `option '--${name}' requires an argument`, brief: `option '--${text}' requires an argument` };
  return { options: [{ name, value: next }], usedNext: true };
}

function shorts(text: string, next: string | undefined, specs: readonly OptionSpec[]): Taken | Refused {
  const options: GivenOption[] = [];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] ?? "";
    const spec = specs.find((s) => s.short === letter);
    if (spec === undefined) return { text: `invalid option -- '${letter}'`, brief: `unrecognized option '${letter}'` };
    if (spec.argument === "none") {
      options.push({ name: spec.name, value: undefined });
      continue;
    }
    const joined = text.slice(i + 1);
    if (joined !== "") return { options: [...options, { name: spec.name, value: joined }], usedNext: false };
    if (spec.argument === "optional") return { options: [...options, { name: spec.name, value: undefined }], usedNext: false };
    if (next === undefined) return { text: `option requires an argument -- '${letter}'`, brief: `option '-${text}' requires an argument` };
    return { options: [...options, { name: spec.name, value: next }], usedNext: true };
  }
  return { options, usedNext: false };
}

/** One option a line, by which shells complete. `marked` tells arguments that may be left out from those that must be given. */
export function optionList(specs: readonly OptionSpec[], marked = false): string {
  const lines = specs.flatMap(({ name, short, argument }) => {
    const word = argument === "none" ? "" : marked && argument === "optional" ? "[ARG]" : "ARG";
    return [word === "" ? `--${name}` : `--${name}=${word}`, ...(short === undefined ? [] : [word === "" && !marked ? `-${short}` : `-${short} ${word}`])];
  });
  return lines.map((line) => `${line}\n`).join("");
}
