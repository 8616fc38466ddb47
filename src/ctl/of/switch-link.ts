/** An OpenFlow connection to a switch for one program's questions, one after the other; a barrier ends each. */
import { describeError } from "../../daemon/index.ts";
import { type Host, parseActiveTarget, type Stream } from "../../host/index.ts";
import { decodeMessage, encodeMessage, type Message, MessageFramer, of10, type OfVersion } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";

interface Answer {
  /** Those that came before the barrier's reply, with the number of the question. */
  readonly messages: readonly { readonly message: Message; readonly xid: number }[];
  readonly version: OfVersion;
}

export class SwitchLink {
  readonly #stream: Stream;
  readonly #framer = new MessageFramer();
  #xid = 1;
  #messages: { message: Message; xid: number }[] = [];
  #waiting: { readonly barrier: number; resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  readonly #versions: readonly OfVersion[];
  #version: OfVersion | undefined;
  /** Called when it is known which version is spoken. */
  #greeted: (() => void) | undefined;

  private constructor(stream: Stream, versions: readonly OfVersion[]) {
    this.#stream = stream;
    this.#versions = versions;
    stream.attach({ data: (bytes) => this.#received(bytes), closed: (error) => this.#fail(error ?? new Error("the switch closed the connection")) });
    stream.write(encodeMessage(this.offers, this.#xid++, { kind: "hello", versions: versions.reduce((bits, v) => bits | (1 << v), 0) }));
  }

  /** The highest version that is spoken here. */
  get offers(): OfVersion {
    return this.#versions.reduce<OfVersion>((highest, v) => (v > highest ? v : highest), of10);
  }

  /** `name`: a bridge of the switch whose run folder this is, or `unix:FILE`, `tcp:HOST:PORT`. */
  static async connect(host: Host, runFolder: string, name: string, versions: readonly OfVersion[]): Promise<SwitchLink> {
    const target = parseActiveTarget(name) ?? { kind: "unix" as const, path: name.startsWith("/") ? name : `${runFolder}/${name}.mgmt` };
    if (!name.includes(":") && target.kind === "unix" && !host.disk.exists(target.path)) throw new CommandError(`${name} is not a bridge or a socket`);
    try {
      return new SwitchLink(await host.streams.connect(target), versions);
    } catch (error) {
      throw new CommandError(`${name}: failed to connect to socket (${describeError(error)})`);
    }
  }

  /** Sends the messages and waits until the switch has dealt with all of them. The last one's number is `xid`. */
  ask(messages: readonly Message[]): Promise<Answer & { readonly xid: number }> {
    this.#messages = [];
    return new Promise((resolve, reject) => {
      const send = (version: OfVersion): void => {
        // Without this a flow_mod of OpenFlow 1.0 has no room for its table.
        if (version === of10 && messages.some((m) => m.kind === "flow_mod")) this.#send(version, { kind: "flow_mod_table_id", enabled: true });
        let xid = 0;
        for (const message of messages) xid = this.#send(version, message);
        const barrier = this.#send(version, { kind: "barrier_request" });
        this.#waiting = { barrier, resolve: (answer) => resolve({ ...answer, xid }), reject };
      };
      this.#waiting = { barrier: -1, resolve: () => {}, reject };
      this.#greeted = () => this.#version !== undefined && send(this.#version);
      if (this.#version !== undefined) send(this.#version);
    });
  }

  close(): void {
    this.#stream.close();
  }

  #send(version: OfVersion, message: Message): number {
    const xid = this.#xid++;
    this.#stream.write(encodeMessage(version, xid, message));
    return xid;
  }

  #received(bytes: Uint8Array): void {
    for (const whole of this.#framer.push(bytes)) {
      const decoded = decodeMessage(whole);
      if ("error" in decoded) return this.#fail(new Error(`the switch sent what is no OpenFlow: ${decoded.error.name}`));
      const { message, xid, version } = decoded;
      if (message.kind === "hello") {
        this.#hello(message.versions);
        continue;
      }
      if (message.kind === "echo_request") this.#stream.write(encodeMessage(version, xid, { kind: "echo_reply", data: message.data }));
      else if (message.kind === "barrier_reply" && xid === this.#waiting?.barrier) this.#waiting.resolve({ messages: this.#messages, version });
      else this.#messages.push({ message, xid });
    }
    if (this.#framer.error !== undefined) this.#fail(new Error("the switch sent what is no OpenFlow"));
  }

  #hello(theirs: number): void {
    const common = this.#versions.filter((v) => (theirs & (1 << v)) !== 0);
    if (common.length === 0) return this.#fail(new Error("the switch speaks none of the OpenFlow versions asked for (see --protocols)"));
    this.#version = common.reduce((a, b) => (a > b ? a : b));
    this.#greeted?.();
  }

  #fail(error: Error): void {
    this.#waiting?.reject(new CommandError(describeError(error)));
    this.#waiting = undefined;
  }
}
