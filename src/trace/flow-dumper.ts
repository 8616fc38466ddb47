/** Asks a switch for its flows, by cookie, over OpenFlow 1.5. One question at a time. */
import { type Host, parseActiveTarget, type Stream } from "../host/index.ts";
import { decodeMessage, encodeMessage, type FlowStats, groups, Match, type Message, MessageFramer, of15, ports } from "../openflow/index.ts";

/** How long the switch may take for one answer. */
const answerMs = 10_000;

interface Waiting {
  readonly xid: number;
  readonly flows: FlowStats[];
  resolve(flows: readonly FlowStats[]): void;
  reject(error: Error): void;
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

export class FlowDumper {
  readonly #host: Host;
  readonly #stream: Stream;
  readonly #framer = new MessageFramer();
  #waiting: Waiting | undefined;
  #xid = 0;

  private constructor(host: Host, stream: Stream) {
    this.#host = host;
    this.#stream = stream;
    stream.attach({
      data: (bytes) => this.#received(bytes),
      closed: (error) => this.#fail(error ?? failure("ECONNRESET")),
    });
    this.#send({ kind: "hello", versions: 1 << of15 });
  }

  /** Rejects with the system's error if there is no switch. */
  static async connect(host: Host, remote: string): Promise<FlowDumper> {
    const target = parseActiveTarget(remote);
    if (target === undefined) throw failure("EAFNOSUPPORT");
    return new FlowDumper(host, await host.streams.connect(target));
  }

  close(): void {
    this.#stream.close();
  }

  flowsWithCookie(cookie: bigint): Promise<readonly FlowStats[]> {
    return new Promise((resolve, reject) => {
      const timer = this.#host.clock.after(answerMs, () => this.#fail(failure("ETIMEDOUT")));
      const xid = ++this.#xid;
      this.#waiting = {
        xid, flows: [],
        resolve: (flows) => {
          timer.cancel();
          resolve(flows);
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      };
      this.#send({ kind: "flow_stats_request", table: 0xff, outPort: ports.none, outGroup: groups.any, cookie, cookieMask: (1n << 64n) - 1n, match: Match.any }, xid);
    });
  }

  #send(message: Message, xid = ++this.#xid): void {
    this.#stream.write(encodeMessage(of15, xid, message));
  }

  #received(bytes: Uint8Array): void {
    for (const whole of this.#framer.push(bytes)) {
      const decoded = decodeMessage(whole);
      if ("error" in decoded) this.#fail(failure("EPROTO"));
      else this.#handle(decoded.message, decoded.xid);
    }
    if (this.#framer.error !== undefined) this.#fail(failure("EPROTO"));
  }

  #handle(message: Message, xid: number): void {
    if (message.kind === "echo_request") this.#send({ kind: "echo_reply", data: message.data }, xid);
    const waiting = this.#waiting;
    if (waiting?.xid !== xid) return;
    if (message.kind === "error") this.#fail(failure("EPROTO"));
    if (message.kind !== "flow_stats_reply") return;
    waiting.flows.push(...message.flows);
    if (message.more === true) return;
    this.#waiting = undefined;
    waiting.resolve(waiting.flows);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
