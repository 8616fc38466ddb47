/** traceroute: UDP datagrams (or echo requests with -I) of growing TTL, three for each hop. */
import { formatIp, type Ip, parseIp } from "../../../net/index.ts";
import { icmpv4Message, icmpv6Message, ipProtocol, ipv6Size, readU16, writeU16 } from "../../../packet/index.ts";
import type { DeliveryError } from "../ip-core.ts";
import { type Command, type CommandContext, parseOptions } from "./command.ts";

interface Plan {
  readonly target: string;
  readonly ip: Ip;
  readonly isNumeric: boolean;
  readonly usesEcho: boolean;
  readonly maxHops: number;
  readonly firstHop: number;
  readonly queries: number;
  readonly waitMs: number;
}

const basePort = 33434;
const payloadSize = 32;

export const traceroute: Command = {
  name: "traceroute",
  summary: "traceroute [-4|-6] [-n] [-I] [-f first_ttl] [-m max_ttl] [-q nqueries] [-w seconds] host",
  run: async (context, args) => {
    const options = parseOptions(args, "46nIUf:m:q:w:");
    if ("unknown" in options || "needsValue" in options) {
      context.err(`Bad option \`-${"unknown" in options ? options.unknown : options.needsValue}'\n`);
      return 2;
    }
    const { flags, values, words } = options;
    const [target] = words;
    if (target === undefined) {
      context.err("Usage:\n  traceroute [-4|-6] [-nI] [-f first_ttl] [-m max_ttl] [-q nqueries] [-w seconds] host\n");
      return 2;
    }
    const family = flags.has("6") ? 6 : flags.has("4") ? 4 : undefined;
    const ip = parseIp(target) ?? context.host.resolve(target, family);
    if (ip === undefined) {
      context.err(`${target}: Name or service not known\nCannot handle "host" cmdline arg \`${target}' on position 1 (argc ${args.length})\n`);
      return 2;
    }
    const number = (letter: string, fallback: number, max: number): number => Math.min(max, Math.max(1, Number(values.get(letter) ?? fallback) || fallback));
    return new Trace(context, {
      target, ip, isNumeric: flags.has("n"), usesEcho: flags.has("I"), maxHops: number("m", 30, 255), firstHop: number("f", 1, 255), queries: number("q", 3, 10),
      waitMs: (Number(values.get("w") ?? 5) || 5) * 1000,
    }).run();
  },
};

interface Answer {
  readonly from: Ip;
  readonly ms: number;
  readonly mark: string;
  readonly isEnd: boolean;
}

class Trace {
  readonly #context: CommandContext;
  readonly #plan: Plan;
  readonly #identifier: number;
  readonly #waiting = new Map<number, (from: Ip, mark: string, isEnd: boolean) => void>();
  #isInterrupted = false;

  constructor(context: CommandContext, plan: Plan) {
    this.#context = context;
    this.#plan = plan;
    this.#identifier = 32768 + (context.host.random.next32() % 28232);
  }

  async run(): Promise<number> {
    const { host, out, err } = this.#context;
    const { target, ip, maxHops, firstHop, queries } = this.#plan;
    if (host.network.sourceFor(ip) === undefined || (host.network.routeTo(ip) === undefined && !host.network.isOwn(ip))) {
      err("connect: Network is unreachable\n");
      return 1;
    }
    out(`traceroute to ${target} (${formatIp(ip)}), ${maxHops} hops max, ${(ip.family === 4 ? 28 : 48) + payloadSize} byte packets\n`);
    const stops = [host.ip.onError((error) => this.#failed(error)), host.echo.onReply(this.#identifier, ({ from, sequence }) => this.#waiting.get(sequence)?.(from, "", true))];
    this.#context.onInterrupt(() => {
      this.#isInterrupted = true;
      for (const give of [...this.#waiting.values()]) give(ip, "", false);
    });
    for (let ttl = firstHop, isOver = false; ttl <= maxHops && !isOver && !this.#isInterrupted; ttl++) {
      const answers = await Promise.all(Array.from({ length: queries }, (_, i) => this.#probe(ttl, (ttl - 1) * queries + i + 1)));
      if (!this.#isInterrupted) out(`${String(ttl).padStart(2)} ${this.#line(answers)}\n`);
      isOver = answers.some((a) => a?.isEnd === true);
    }
    for (const stop of stops) stop();
    this.#context.onInterrupt(undefined);
    return this.#isInterrupted ? 130 : 0;
  }

  #line(answers: readonly (Answer | undefined)[]): string {
    let last = "";
    return answers
      .map((a) => {
        if (a === undefined) return " *";
        const who = formatIp(a.from);
        const name = who === last ? "" : ` ${this.#plan.isNumeric ? who : `${who} (${who})`}`;
        last = who;
        return `${name}  ${a.ms.toFixed(3)} ms${a.mark}`;
      })
      .join("");
  }

  #probe(ttl: number, sequence: number): Promise<Answer | undefined> {
    const { host } = this.#context;
    const sentAt = host.clock.now();
    return new Promise((resolve) => {
      const timer = host.clock.after(this.#plan.waitMs, () => done(undefined));
      const done = (answer: Answer | undefined): void => {
        timer.cancel();
        this.#waiting.delete(sequence);
        resolve(answer);
      };
      this.#waiting.set(sequence, (from, mark, isEnd) => done(this.#isInterrupted ? undefined : { from, mark, isEnd, ms: host.clock.now() - sentAt }));
      if (this.#send(ttl, sequence) !== "sent") done(undefined);
    });
  }

  #send(ttl: number, sequence: number): string {
    const { host } = this.#context;
    const { ip, usesEcho } = this.#plan;
    const src = host.network.sourceFor(ip);
    const payload = new Uint8Array(payloadSize).fill(0x40);
    if (!usesEcho) {
      const socket = host.udp.open(this.#identifier, () => {});
      const result = socket?.send(ip, basePort + sequence - 1, payload, { ttl }) ?? "unreachable";
      socket?.close();
      return result;
    }
    if (ip.family === 4) return host.ip.send(ip, ipProtocol.icmp, icmpv4Message({ type: 8, code: 0, word: ((this.#identifier << 16) | sequence) >>> 0, data: payload }), { ttl });
    const body = new Uint8Array(4 + payload.length);
    writeU16(body, 0, this.#identifier);
    writeU16(body, 2, sequence);
    return src?.family === 6 ? host.ip.send(ip, ipProtocol.icmpv6, icmpv6Message({ type: 128, code: 0, body }, src.address, ip.address), { ttl }) : "unreachable";
  }

  #failed({ from, type, code, original }: DeliveryError): void {
    const isV4 = this.#plan.ip.family === 4;
    const at = isV4 ? ((original[0] ?? 0) & 15) * 4 : ipv6Size;
    const isOurs = readU16(original, this.#plan.usesEcho ? at + 4 : at) === this.#identifier;
    if (!isOurs) return;
    const sequence = this.#plan.usesEcho ? readU16(original, at + 6) : readU16(original, at + 2) - basePort + 1;
    const isUnreachable = type === (isV4 ? 3 : 1);
    const isPort = isUnreachable && code === (isV4 ? 3 : 4);
    const marks = isV4 ? ["!N", "!H", "!P", "", "!F"] : ["!N", "!X", "!S", "!H", ""];
    this.#waiting.get(sequence)?.(from, isUnreachable && !isPort ? ` ${marks[code] ?? `!${code}`}` : "", isUnreachable);
  }
}
