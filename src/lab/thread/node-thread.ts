/** The lab's end of a thread: a launcher of daemons and a runner of commands, for the nodes that are put there. */
import type { AddressMap, Channel, Host } from "../../host/index.ts";
import { present } from "../../std/index.ts";
import { connectPort, connectTap, framesSocket } from "../../switch/index.ts";
import type { CommandPlace, CommandRunner } from "../command-runner.ts";
import type { DaemonPlan } from "../daemon-plan.ts";
import type { DaemonLauncher, LaunchedDaemon } from "../launcher.ts";
import { nodeFolder } from "../layout.ts";
import type { CommandResult } from "../script/run.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import type { ThreadAnswer, ThreadRequest } from "./messages.ts";

interface Waiting {
  done(result: CommandResult | undefined): void;
  failed(error: Error): void;
}

export class NodeThread implements DaemonLauncher, CommandRunner {
  readonly #channel: Channel<ThreadRequest, ThreadAnswer>;
  readonly #folder: string;
  readonly #pid: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #running = new Set<string>();
  #lastId = 0;

  constructor(channel: Channel<ThreadRequest, ThreadAnswer>, folder: string, pid: number, carriers: AddressMap) {
    this.#channel = channel;
    this.#folder = folder;
    this.#pid = pid;
    channel.onMessage((answer) => this.#take(answer));
    channel.post({ kind: "begin", folder, pid, carriers });
  }

  async launch(host: Host, node: TopologyNode, plan: DaemonPlan): Promise<LaunchedDaemon> {
    const key = `${node.name}/${plan.name}`;
    await this.#ask((id) => ({ kind: "launch", id, node, plan }));
    this.#running.add(key);
    const isRunning = (): boolean => this.#running.has(key);
    const frames = `${nodeFolder(this.#folder, node.name)}/${framesSocket}`;
    return {
      plan,
      node: node.name,
      pid: this.#pid,
      get isRunning() {
        return isRunning();
      },
      stop: async () => {
        if (this.#running.delete(key)) await this.#ask((id) => ({ kind: "stop", id, node: node.name, daemon: plan.name }));
      },
      kill: () => {
        if (this.#running.delete(key)) void this.#ask((id) => ({ kind: "kill", id, node: node.name, daemon: plan.name }));
      },
      attachPort: (name, receive) => connectPort(host, frames, name, receive),
      tap: (port, see) => connectTap(host, frames, port, see),
    };
  }

  async run(place: CommandPlace, argv: readonly string[]): Promise<CommandResult> {
    const { node, environment } = place;
    return present(await this.#ask((id) => ({ kind: "run", id, node, environment, argv })), "result of a command");
  }

  #ask(request: (id: number) => ThreadRequest): Promise<CommandResult | undefined> {
    const id = ++this.#lastId;
    this.#channel.post(request(id));
    return new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
  }

  #take(answer: ThreadAnswer): void {
    if (answer.kind === "ended") {
      this.#running.delete(`${answer.node}/${answer.daemon}`);
      return;
    }
    const waiting = present(this.#waiting.get(answer.id), "request that is answered");
    this.#waiting.delete(answer.id);
    if (answer.kind === "done") waiting.done(answer.result);
    else waiting.failed(new Error(answer.message));
  }
}
