/**
 * A JSON-RPC connection that is kept alive: to one of several remotes, with backoff between attempts and probes of the
 * silent peer (ovsdb(7), "Connection Methods"; the pacing is reconnect.ts). What was asked and not answered when the
 * connection ends is answered with "lost".
 */
import { type ActiveTarget, type Host, parseActiveTarget, type Stream, type Timer } from "../../host/index.ts";
import type { Json } from "../json/json.ts";
import { type JsonRpcMessage, JsonRpcSession } from "../json/json-rpc.ts";
import { Reconnect, type ReconnectLimits } from "./reconnect.ts";
import { errorText } from "../system-error.ts";

export type RpcAnswer =
  | { readonly kind: "result"; readonly result: Json }
  | { readonly kind: "error"; readonly error: Json }
  | { readonly kind: "lost" };

export interface RpcLinkEvents {
  connected(): void;
  /** After everything unanswered has been told "lost". */
  disconnected(): void;
  notified(method: string, params: readonly Json[]): void;
}

interface Target {
  readonly text: string;
  readonly target: ActiveTarget;
}

/** The targets of a list like `tcp:10.0.0.1:6641,tcp:10.0.0.2:6641`; undefined if one of them is none. */
export function parseRemotes(remote: string): readonly Target[] | undefined {
  const targets: Target[] = [];
  for (const text of remote.split(",").map((t) => t.trim()).filter((t) => t !== "")) {
    const target = parseActiveTarget(text);
    if (target === undefined) return undefined;
    targets.push({ text, target });
  }
  return targets.length === 0 ? undefined : targets;
}

export class RpcLink {
  readonly #host: Host;
  readonly #events: RpcLinkEvents;
  readonly #pacing: Reconnect;
  #targets: readonly Target[];
  #next = 0;
  #session: JsonRpcSession | undefined;
  #seenSize = 0;
  #nextId = 0;
  #pending = new Map<number, (answer: RpcAnswer) => void>();
  #timer: Timer | undefined;
  /** Tells a late result of an attempt that was given up from that of the current one. */
  #attempt = 0;
  #isClosed = false;

  /** `targets` are tried in a random order, so that many clients spread over a cluster's servers. */
  constructor(host: Host, targets: readonly Target[], events: RpcLinkEvents, limits: Partial<ReconnectLimits>) {
    this.#host = host;
    this.#events = events;
    this.#targets = shuffled(targets, host);
    this.#pacing = new Reconnect(this.#targets[0]?.text ?? "", host.log, limits);
    this.#pacing.setFreeTries(targets.length);
    this.#pacing.enable(host.clock.now());
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Bytes on their way out. */
  get backlogSize(): number {
    return this.#session?.backlogSize ?? 0;
  }

  start(): void {
    this.#run();
  }

  setTargets(targets: readonly Target[]): void {
    this.#targets = shuffled(targets, this.#host);
    this.#next = 0;
    this.reconnectSoon();
  }

  /** Drops the connection and tries every remote once without a pause. */
  reconnectSoon(): void {
    // One more, since the end of the present connection uses one up.
    this.#pacing.setFreeTries(this.#targets.length + 1);
    this.reconnect();
  }

  setLimits(limits: Partial<ReconnectLimits>): void {
    this.#pacing.setLimits(limits);
    this.#run();
  }

  /** Drops the connection; the next attempt comes after the usual pause. */
  reconnect(): void {
    this.#pacing.force(this.#host.clock.now());
    this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#attempt++;
    this.#drop();
    this.#pacing.disable(this.#host.clock.now());
  }

  /** `done` is called exactly once. */
  request(method: string, params: readonly Json[], done: (answer: RpcAnswer) => void): void {
    if (this.#session === undefined) {
      done({ kind: "lost" });
      return;
    }
    const id = this.#nextId++;
    this.#pending.set(id, done);
    this.#session.send({ kind: "request", method, params, id });
  }

  #run(): void {
    for (;;) {
      this.#timer?.cancel();
      this.#timer = undefined;
      if (this.#isClosed) return;
      const now = this.#host.clock.now();
      this.#noteActivity(now);
      const action = this.#pacing.run(now);
      if (action === undefined) break;
      if (action === "connect") void this.#connect(now);
      else if (action === "probe") this.#session?.send({ kind: "request", method: "echo", params: [], id: "echo" });
      else this.#end(undefined);
    }
    const deadline = this.#pacing.deadline();
    if (deadline === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#host.clock.after(Math.max(0, deadline - this.#host.clock.now()), () => this.#run());
  }

  #noteActivity(now: number): void {
    const size = this.#session?.receivedSize ?? 0;
    if (size === this.#seenSize) return;
    this.#seenSize = size;
    this.#pacing.activity(now);
  }

  async #connect(now: number): Promise<void> {
    const target = this.#targets[this.#next++ % this.#targets.length];
    if (target === undefined) return;
    this.#pacing.name = target.text;
    this.#pacing.connecting(now);
    const attempt = ++this.#attempt;
    try {
      const stream = await this.#host.streams.connect(target.target);
      if (attempt === this.#attempt) this.#connected(stream);
      else this.#discard(stream);
    } catch (error) {
      if (attempt === this.#attempt) this.#end(errorText(error));
    }
  }

  #discard(stream: Stream): void {
    stream.attach({ data: () => undefined, closed: () => undefined });
    stream.close();
  }

  #connected(stream: Stream): void {
    const session = new JsonRpcSession(stream, this.#host.log);
    this.#session = session;
    this.#seenSize = 0;
    this.#pacing.connected(this.#host.clock.now());
    session.attach({
      message: (message) => {
        if (this.#session === session) this.#receive(session, message);
      },
      closed: (error) => {
        if (this.#session === session) this.#end(error === undefined ? undefined : errorText(error));
      },
    });
    this.#run();
    this.#events.connected();
  }

  #receive(session: JsonRpcSession, message: JsonRpcMessage): void {
    this.#noteActivity(this.#host.clock.now());
    switch (message.kind) {
      case "notification":
        this.#events.notified(message.method, message.params);
        return;
      case "request":
        if (message.method === "echo") session.send({ kind: "reply", result: message.params, id: message.id });
        else session.send({ kind: "error", error: "unknown method", id: message.id });
        return;
      default: {
        if (typeof message.id !== "number") return;
        const done = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        done?.(message.kind === "reply" ? { kind: "result", result: message.result } : { kind: "error", error: message.error });
      }
    }
  }

  #end(reason: string | undefined): void {
    this.#attempt++;
    this.#noteActivity(this.#host.clock.now());
    this.#pacing.disconnected(this.#host.clock.now(), reason);
    this.#drop();
    this.#run();
  }

  #drop(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    session.close();
    const pending = this.#pending;
    this.#pending = new Map();
    for (const done of pending.values()) done({ kind: "lost" });
    this.#events.disconnected();
  }
}

function shuffled<T>(items: readonly T[], host: Host): readonly T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = host.random.next32() % (i + 1);
    const [a, b] = [result[i], result[j]];
    if (a === undefined || b === undefined) continue;
    [result[i], result[j]] = [b, a];
  }
  return result;
}
