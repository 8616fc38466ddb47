/** The set-up scripts of a topology file: those of one node in order, those of different nodes at once. */
import type { Clock, Random } from "../host/index.ts";
import { LabError } from "./lab-error.ts";
import { type CommandResult, runScript } from "./script/run.ts";
import { parseScript, ScriptError } from "./script/syntax.ts";
import type { SetupStep } from "./topology/setup.ts";

/** How long nothing may come of the scripts before they are taken to wait for something. */
const patienceMs = 200;

export interface SetUpOptions {
  readonly clock: Clock;
  readonly random: Random;
  execute(node: string, argv: readonly string[]): Promise<CommandResult>;
}

export class SetUp {
  readonly #options: SetUpOptions;
  #commandsEnded = 0;

  constructor(options: SetUpOptions) {
    this.#options = options;
  }

  async run(steps: readonly SetupStep[]): Promise<void> {
    const byNode = new Map<string, SetupStep[]>();
    for (const step of steps) byNode.set(step.on, [...(byNode.get(step.on) ?? []), step]);
    await Promise.all([...byNode].map(([node, ofNode]) => this.#runNode(node, ofNode)));
  }

  /** Resolves when no command has ended for a while: what the scripts wait for may need the daemons that are not up. */
  untilItWaits(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let ended = this.#commandsEnded;
      const look = (): void => {
        if (this.#commandsEnded === ended) return resolve();
        ended = this.#commandsEnded;
        clock.after(patienceMs, look);
      };
      clock.after(patienceMs, look);
    });
  }

  async #runNode(node: string, steps: readonly SetupStep[]): Promise<void> {
    const { random, execute } = this.#options;
    const variables = new Map<string, string>();
    const counted = async (argv: readonly string[]): Promise<CommandResult> => {
      const result = await execute(node, argv);
      this.#commandsEnded++;
      return result;
    };
    for (const step of steps) {
      try {
        await runScript(parseScript(step.run), { execute: counted, random: () => random.next32() & 0x7fff }, variables);
      } catch (error) {
        if (!(error instanceof ScriptError)) throw error;
        throw new LabError(`set-up of ${node}, line ${step.line + error.line - 1}: ${error.message}`);
      }
    }
  }
}
