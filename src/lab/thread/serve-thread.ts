/** In a thread of the lab's process: runs daemons and set-up commands of the nodes that were put there. */
import { type Channel, type Host, joinedStreams, type Listener, mappedHost } from "../../host/index.ts";
import { assert } from "../../std/index.ts";
import { framesSocket, serveFrames } from "../../switch/index.ts";
import { carriersOf } from "../carriers.ts";
import { type CtlRunner, ctlRunner } from "../ctl-runner.ts";
import { inProcessLauncher } from "../in-process-launcher.ts";
import type { DaemonLauncher, LaunchedDaemon } from "../launcher.ts";
import { nodeFolder } from "../layout.ts";
import type { CommandResult } from "../script/run.ts";
import type { TopologyNode } from "../topology/nodes.ts";
import type { ThreadAnswer, ThreadRequest } from "./messages.ts";

type Begin = Extract<ThreadRequest, { kind: "begin" }>;
type Asked = Exclude<ThreadRequest, Begin>;

export function serveLabThread(host: Host, channel: Channel<ThreadAnswer, ThreadRequest>): void {
  let nodes: NodesOfThread | undefined;
  channel.onMessage((request) => {
    if (request.kind === "begin") {
      nodes = new NodesOfThread(host, request, channel);
      return;
    }
    assert(nodes !== undefined, "a thread is told to begin first");
    nodes.answer(request).then(
      (result) => channel.post({ kind: "done", id: request.id, result }),
      (error: unknown) => channel.post({ kind: "failed", id: request.id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
}

class NodesOfThread {
  readonly #host: Host;
  readonly #begin: Begin;
  readonly #channel: Channel<ThreadAnswer, ThreadRequest>;
  readonly #launcher: DaemonLauncher;
  readonly #commands: CtlRunner = ctlRunner();
  readonly #daemons = new Map<string, LaunchedDaemon>();
  readonly #frames = new Map<string, Listener>();

  constructor(host: Host, begin: Begin, channel: Channel<ThreadAnswer, ThreadRequest>) {
    this.#host = { ...host, streams: joinedStreams(host.streams) };
    this.#begin = begin;
    this.#channel = channel;
    this.#launcher = inProcessLauncher(begin.folder, begin.pid, (node, daemon) => this.#channel.post({ kind: "ended", node, daemon }));
  }

  async answer(request: Asked): Promise<CommandResult | undefined> {
    switch (request.kind) {
      case "launch":
        await this.#launch(request);
        return undefined;
      case "stop":
        await this.#remove(request)?.stop();
        return undefined;
      case "kill":
        this.#remove(request)?.kill();
        return undefined;
      case "run":
        return this.#commands.run({ node: request.node, host: this.#hostOf(request.node), environment: request.environment }, request.argv);
    }
  }

  async #launch({ node, plan }: Extract<Asked, { kind: "launch" }>): Promise<void> {
    const host = this.#hostOf(node);
    // One that has ended by itself may still be listed.
    this.#remove({ node: node.name, daemon: plan.name });
    const daemon = await this.#launcher.launch(host, node, plan);
    const key = `${node.name}/${plan.name}`;
    this.#daemons.set(key, daemon);
    if (plan.kind !== "switch") return;
    const frames = await serveFrames(host, `${nodeFolder(this.#begin.folder, node.name)}/${framesSocket}`, {
      attachPort: (name, receive) => daemon.attachPort(name, receive),
      tap: (port, see) => daemon.tap(port, see).stop,
    });
    this.#frames.set(key, frames);
  }

  #remove({ node, daemon }: { readonly node: string; readonly daemon: string }): LaunchedDaemon | undefined {
    const key = `${node}/${daemon}`;
    const found = this.#daemons.get(key);
    this.#daemons.delete(key);
    this.#frames.get(key)?.close();
    this.#frames.delete(key);
    return found;
  }

  #hostOf(node: TopologyNode): Host {
    return mappedHost(this.#host, carriersOf(node.address, this.#begin.carriers));
  }
}
