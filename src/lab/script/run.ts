/** Runs the shell lines of a topology file: expands words, hands each command to `execute`, stops at the first failure. */
import { evaluateArithmetic } from "./arithmetic.ts";
import { type Command, type Script, ScriptError, type Word } from "./syntax.ts";

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Execute = (argv: readonly string[], environment: ReadonlyMap<string, string>) => Promise<CommandResult>;

export interface ScriptContext {
  readonly execute: Execute;
  /** The shell's $RANDOM: 0 to 32767. */
  readonly random: () => number;
  /** Called with each command before it runs. */
  readonly announce?: (argv: readonly string[], line: number) => void;
}

/** Output of all commands, joined. Throws ScriptError, with the line, where a command fails that nothing catches. */
export async function runScript(script: Script, context: ScriptContext, variables = new Map<string, string>()): Promise<string> {
  let output = "";
  let succeeded = true;
  for (const [i, command] of script.entries()) {
    if (command.after === "success" && !succeeded) continue;
    if (command.after === "failure" && succeeded) continue;
    const argv = await expandCommand(command, context, variables);
    if (argv.length === 0) {
      succeeded = true;
      continue;
    }
    context.announce?.(argv, command.line);
    const result = await context.execute(argv, variables);
    output += result.stdout;
    succeeded = result.exitCode === 0;
    const isCaught = script[i + 1]?.after === "failure";
    if (!succeeded && !isCaught) {
      const words = result.stderr.trim() || `exit code ${result.exitCode}`;
      throw new ScriptError(command.line, `${argv.join(" ")}\n${words}`);
    }
  }
  return output;
}

async function expandCommand(command: Command, context: ScriptContext, variables: Map<string, string>): Promise<string[]> {
  for (const { name, value } of command.assignments) {
    variables.set(name, (await expandWord(value, command.line, context, variables)).join(" "));
  }
  const argv: string[] = [];
  for (const word of command.words) argv.push(...(await expandWord(word, command.line, context, variables)));
  return argv;
}

/** One word may become none (an unset variable) or several (an unquoted value with blanks). */
async function expandWord(word: Word, line: number, context: ScriptContext, variables: Map<string, string>): Promise<string[]> {
  const fields: string[] = [];
  let current: string | undefined;
  for (const part of word) {
    if (part.kind === "text") {
      current = (current ?? "") + part.text;
      continue;
    }
    const text = await expandPart(part, line, context, variables);
    if (part.isQuoted) {
      current = (current ?? "") + text;
      continue;
    }
    const pieces = text.split(/\s+/);
    for (const [i, piece] of pieces.entries()) {
      if (i > 0 && current !== undefined) {
        fields.push(current);
        current = undefined;
      }
      if (piece !== "") current = (current ?? "") + piece;
    }
  }
  if (current !== undefined) fields.push(current);
  return fields;
}

async function expandPart(
  part: Exclude<Word[number], { kind: "text" }>, line: number, context: ScriptContext, variables: Map<string, string>,
): Promise<string> {
  const lookUp = (name: string): string => (name === "RANDOM" ? String(context.random()) : (variables.get(name) ?? ""));
  switch (part.kind) {
    case "variable":
      return lookUp(part.name);
    case "command":
      return (await runScript(part.script, context, variables)).replace(/\n+$/, "");
    case "arithmetic": {
      const value = evaluateArithmetic(part.expression, lookUp);
      if (typeof value !== "number") throw new ScriptError(line, `$((${part.expression})): ${value.error}`);
      return String(value);
    }
  }
}
