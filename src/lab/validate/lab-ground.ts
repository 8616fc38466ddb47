/** A running lab as the ground of `validate:` steps: over its control socket, like every command of isthmus. */
import type { Children, Host } from "../../host/index.ts";
import { type ControlClient, connectControl } from "../control.ts";
import { controlSocketPath, exportLines, type LabRecord, nodeEnvironment, nodeFolder } from "../layout.ts";
import { isMachineCommand } from "../machine-command.ts";
import { type CommandResult, runScript } from "../script/run.ts";
import { parseScript, ScriptError } from "../script/syntax.ts";
import { machinesOf, type Topology } from "../topology/topology.ts";
import type { Ground, SeenFrames } from "./ground.ts";

export interface RunningLabPlace {
  readonly host: Host;
  readonly children: Children;
  readonly folder: string;
  readonly record: LabRecord;
  readonly topology: Topology;
  /** Where ovn-nbctl and its sisters are. */
  readonly programsFolder: string;
}

export interface LabGround extends Ground {
  close(): void;
}

export async function labGround(place: RunningLabPlace): Promise<LabGround> {
  const { host, folder, topology } = place;
  const client = await connectControl(host, controlSocketPath(folder));
  return {
    clock: host.clock,
    run: (on, text) => (topology.nodes.has(on) && !isOfMachine(topology, on, text) ? runInShell(place, on, text) : runOnHost(client, on, text)),
    capture: (on, port) => startCapture(host, folder, on, port),
    async kill(node, daemon) {
      await client.request("kill", [node, daemon ?? null]);
    },
    async restart(node, daemon) {
      await client.request("restart", [node, daemon ?? null]);
    },
    async changeLink(name, words) {
      await client.request("link", [name, "both", [...words]]);
    },
    close: () => client.close(),
  };
}

/** Whether a node's network stack in the underlay is meant, rather than its databases. */
const isOfMachine = (topology: Topology, on: string, text: string): boolean => machinesOf(topology).has(on) && isMachineCommand(text.trim().split(/\s+/));

function runInShell({ children, folder, record, topology, programsFolder }: RunningLabPlace, on: string, text: string): Promise<CommandResult> {
  const node = topology.nodes.get(on);
  if (node === undefined) throw new Error(`no node ${on}`);
  const environment = nodeEnvironment(folder, topology, node, new Map(record.carriers));
  // Of a pipeline, too, every command must have done its part.
  const script = `set -e -o pipefail\n${exportLines(environment, programsFolder)}${text}`;
  return children.execute("bash", ["-c", script], { environment: new Map([["OVS_CTL_TIMEOUT", "30"]]), folder: nodeFolder(folder, on) }).then(({ code, stdout, stderr }) => ({ exitCode: code, stdout, stderr }));
}

/** A host has no shell of its own: a line is split as a shell does, and each command is run there. */
async function runOnHost(client: ControlClient, on: string, text: string): Promise<CommandResult> {
  let last: CommandResult = { exitCode: 0, stdout: "", stderr: "" };
  let stdout = "";
  const execute = async (argv: readonly string[]): Promise<CommandResult> => {
    const parts = { stdout: "", stderr: "" };
    const exitCode = await client.request("exec", [on, [...argv]], (to, bytes) => {
      parts[to] += Buffer.from(bytes).toString("utf8");
    });
    last = { exitCode: Number(exitCode), ...parts };
    stdout += parts.stdout;
    return last;
  };
  try {
    await runScript(parseScript(text), { execute, random: () => 0 });
    return { ...last, stdout };
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    return { exitCode: last.exitCode === 0 ? 1 : last.exitCode, stdout, stderr: error.message };
  }
}

/** On a connection of its own, so that ending it ends nothing else. */
async function startCapture(host: Host, folder: string, on: string, port: string): Promise<SeenFrames> {
  const client = await connectControl(host, controlSocketPath(folder));
  const frames: string[] = [];
  return new Promise((resolve, reject) => {
    let text = "";
    const seen = client.request("capture", [on, port, 0, "text"], (to, bytes) => {
      // Its first word says that it listens.
      if (to === "stderr") return resolve({ frames, stop });
      text += Buffer.from(bytes).toString("utf8");
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith(" ")) frames.push(`${frames.pop() ?? ""} ${line.trim()}`);
        else frames.push(line);
      }
    });
    seen.catch(reject);
    const stop = async (): Promise<void> => {
      client.interrupt();
      await seen.catch(() => undefined);
      client.close();
    };
  });
}
