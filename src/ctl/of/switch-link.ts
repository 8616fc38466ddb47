/** An OpenFlow 1.5 connection to a switch for one program's questions, one after the other; a barrier ends each. */
import { describeError } from "../../daemon/index.ts";
import { type Host, parseActiveTarget, type Stream } from "../../host/index.ts";
import { decodeMessage, encodeMessage, type Message, MessageFramer, of15 } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";

interface Answer {
  /** Those that came before the barrier's reply, with the number of the question. */
  readonly messages: readonly { readonly message: Message; readonly xid: number }[];
}

export class SwitchLink {
  readonly #stream: Stream;
  readonly #framer = new MessageFramer();
  #xid = 1;
  #messages: { message: Message; xid: number }[] = [];
  #waiting: { readonly barrier: number; resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  private constructor(stream: Stream) {
    this.#stream = stream;
    stream.attach({ data: (bytes) => this.#received(bytes), closed: (error) => this.#fail(error ?? new Error("the switch closed the connection")) });
    this.#send({ kind: "hello", versions: 1 << of15 });
  }

  /** `name`: a bridge of the switch whose run folder this is, or `unix:FILE`, `tcp:HOST:PORT`. */
  static async connect(host: Host, runFolder: string, name: string): Promise<SwitchLink> {
    const target = parseActiveTarget(name) ?? { kind: "unix" as const, path: name.startsWith("/") ? name : `${runFolder}/${name}.mgmt` };
    if (!name.includes(":") && target.kind === "unix" && !host.disk.exists(target.path)) throw new CommandError(`${name} is not a bridge or a socket`);
    try {
      return new SwitchLink(await host.streams.connect(target));
    } catch (error) {
      throw new CommandError(`${name}: failed to connect to socket (${describeError(error)})`);
    }
  }

  /** Sends the messages and waits until the switch has dealt with all of them. The last one's number is `xid`. */
  ask(messages: readonly Message[]): Promise<Answer & { readonly xid: number }> {
    this.#messages = [];
    let xid = 0;
    for (const message of messages) xid = this.#send(message);
    const barrier = this.#send({ kind: "barrier_request" });
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting = { barrier, resolve, reject };
    }).then((answer) => ({ ...answer, xid }));
  }

  close(): void {
    this.#stream.close();
  }

  #send(message: Message): number {
    const xid = this.#xid++;
    this.#stream.write(encodeMessage(of15, xid, message));
    return xid;
  }

  #received(bytes: Uint8Array): void {
    for (const whole of this.#framer.push(bytes)) {
      const decoded = decodeMessage(whole);
      if ("error" in decoded) return this.#fail(new Error(`the switch sent what is no OpenFlow: ${decoded.error.name}`));
      const { message, xid } = decoded;
      if (message.kind === "echo_request") this.#stream.write(encodeMessage(of15, xid, { kind: "echo_reply", data: message.data }));
      else if (message.kind === "barrier_reply" && xid === this.#waiting?.barrier) this.#waiting.resolve({ messages: this.#messages });
      else this.#messages.push({ message, xid });
    }
    if (this.#framer.error !== undefined) this.#fail(new Error("the switch sent what is no OpenFlow"));
  }

  #fail(error: Error): void {
    this.#waiting?.reject(new CommandError(describeError(error)));
    this.#waiting = undefined;
  }
}
