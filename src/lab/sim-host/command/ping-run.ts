/** One run of ping: sends, listens, prints, counts, and knows when to end. */
import type { Timer } from "../../../host/index.ts";
import { formatIp, type Ip } from "../../../net/index.ts";
import { icmpv4Message, icmpv6Message, ipProtocol, ipv6Size, parseIcmpv4, parseIcmpv6, readU16, writeU16 } from "../../../packet/index.ts";
import type { EchoReply } from "../echo.ts";
import type { DeliveryError } from "../ip-core.ts";
import type { CommandContext } from "./command.ts";
import { describeIcmpError } from "./icmp-error-text.ts";
import type { PingPlan } from "./ping-plan.ts";

/** Room for the time that is sent along; without it there are no round-trip times. */
const stampSize = 16;
const defaultLingerMs = 10_000;
const maxRemembered = 65536;

export class PingRun {
  readonly #context: CommandContext;
  readonly #plan: PingPlan;
  readonly #identifier: number;
  readonly #sentAt = new Map<number, number>();
  readonly #answered = new Set<number>();
  readonly #startedAt: number;
  #lastSentAt = 0;
  #transmitted = 0;
  #received = 0;
  #duplicates = 0;
  #errors = 0;
  #pipe = 0;
  #times = { min: Infinity, max: 0, sum: 0, squares: 0 };
  readonly #query: { readonly device?: string };
  #timer: Timer | undefined;
  #deadline: Timer | undefined;
  #stops: (() => void)[] = [];
  #finish: (code: number) => void = () => {};
  #isOver = false;

  constructor(context: CommandContext, plan: PingPlan) {
    this.#context = context;
    this.#plan = plan;
    this.#identifier = context.host.random.next32() & 0xffff;
    this.#startedAt = context.host.clock.now();
    this.#query = plan.interfaceName === undefined || plan.interfaceName === "lo" ? {} : { device: plan.interfaceName };
  }

  run(): Promise<number> {
    const { host } = this.#context;
    const { ip, deadlineMs } = this.#plan;
    const isReachable = (host.network.isOwn(ip) || host.network.routeTo(ip, this.#query) !== undefined) && host.network.sourceFor(ip, this.#query) !== undefined;
    if (!isReachable) {
      this.#context.err("ping: connect: Network is unreachable\n");
      return Promise.resolve(2);
    }
    this.#printHeader();
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#stops.push(host.echo.onReply(this.#identifier, (reply) => this.#replied(reply)), host.ip.onError((error) => this.#failed(error)));
      this.#context.onInterrupt(() => this.#end());
      if (deadlineMs !== undefined) this.#deadline = host.clock.after(deadlineMs, () => this.#end());
      this.#send();
    });
  }

  #printHeader(): void {
    const { target, ip, size, source, interfaceName } = this.#plan;
    const address = formatIp(ip);
    const own = source ?? (interfaceName === undefined ? undefined : this.#context.host.network.sourceFor(ip, this.#query));
    const from = own === undefined ? "" : ` from ${formatIp(own)} ${interfaceName ?? ""}:`;
    if (ip.family === 4) this.#context.out(`PING ${target} (${address})${from} ${size}(${size + 28}) bytes of data.\n`);
    else this.#context.out(`PING ${target}(${target === address ? address : `${target} (${address})`})${from} ${size} data bytes\n`);
  }

  #send(): void {
    const { host } = this.#context;
    const { count, intervalMs, ttl, size, dontFragment, source, ip } = this.#plan;
    const sequence = (this.#transmitted + 1) & 0xffff;
    if (this.#plan.reportsMissing && this.#transmitted > 0 && !this.#answered.has(this.#transmitted & 0xffff)) {
      this.#context.out(`${this.#stamp()}no answer yet for icmp_seq=${this.#transmitted & 0xffff}\n`);
    }
    this.#transmitted++;
    this.#lastSentAt = host.clock.now();
    this.#answered.delete(sequence);
    this.#sentAt.set(sequence, this.#lastSentAt);
    if (this.#sentAt.size > maxRemembered) this.#sentAt.delete(this.#sentAt.keys().next().value ?? 0);
    const data = Uint8Array.from({ length: size }, (_, i) => (i < stampSize && size >= stampSize ? 0 : i & 0xff));
    const from = source ?? host.network.sourceFor(ip, this.#query);
    const options = { ttl, dontFragment: dontFragment || ip.family === 4 && size + 28 <= host.ip.mtuTo(ip), ...this.#query, ...(from !== undefined && { src: from }) };
    const result = host.ip.send(ip, ip.family === 4 ? ipProtocol.icmp : ipProtocol.icmpv6, this.#request(sequence, data, from), options);
    if (result === "too-big") {
      this.#errors++;
      this.#context.out(`ping: local error: message too long, mtu=${host.ip.mtuTo(ip)}\n`);
    } else if (result === "unreachable") {
      this.#errors++;
      this.#context.err("ping: sendmsg: Network is unreachable\n");
    }
    if (count !== undefined && this.#transmitted >= count) this.#wait();
    else this.#timer = host.clock.after(intervalMs, () => this.#send());
  }

  #request(sequence: number, data: Uint8Array, from: Ip | undefined): Uint8Array {
    const { ip } = this.#plan;
    if (ip.family === 4) return icmpv4Message({ type: 8, code: 0, word: ((this.#identifier << 16) | sequence) >>> 0, data });
    const body = new Uint8Array(4 + data.length);
    writeU16(body, 0, this.#identifier);
    writeU16(body, 2, sequence);
    body.set(data, 4);
    return icmpv6Message({ type: 128, code: 0, body }, from?.family === 6 ? from.address : ip.address, ip.address);
  }

  /** All is sent: waits for what is still out, twice as long as the slowest answer took, but not less than an interval. */
  #wait(): void {
    if (this.#isDone()) return this.#end();
    if (this.#deadline !== undefined) return;
    const lingerMs = this.#received > 0 ? Math.max(2 * this.#times.max, this.#plan.intervalMs) : (this.#plan.timeoutMs ?? defaultLingerMs);
    this.#timer = this.#context.host.clock.after(lingerMs, () => this.#end());
  }

  #isDone(): boolean {
    const { count, deadlineMs } = this.#plan;
    if (deadlineMs !== undefined && this.#errors > 0) return true;
    return count !== undefined && this.#received + this.#errors >= count;
  }

  #replied({ from, sequence, ttl, size }: EchoReply): void {
    const sentAt = this.#sentAt.get(sequence);
    if (sentAt === undefined) return;
    const ms = this.#context.host.clock.now() - sentAt;
    const hasTime = this.#plan.size >= stampSize;
    const isDuplicate = this.#answered.has(sequence);
    if (isDuplicate) this.#duplicates++;
    else {
      this.#received++;
      this.#answered.add(sequence);
      this.#note(sequence);
    }
    if (hasTime) {
      const t = this.#times;
      this.#times = { min: Math.min(t.min, ms), max: Math.max(t.max, ms), sum: t.sum + ms, squares: t.squares + ms * ms };
    }
    if (!this.#plan.quiet) {
      const who = this.#plan.isNumeric ? formatIp(from) : `${this.#plan.target} (${formatIp(from)})`;
      const time = hasTime ? ` time=${formatTime(ms)} ms` : "";
      this.#context.out(`${this.#stamp()}${size} bytes from ${who}: icmp_seq=${sequence} ttl=${ttl}${time}${isDuplicate ? " (DUP!)" : ""}\n`);
    }
    if (this.#isDone()) this.#end();
  }

  /** How many packets were under way at once. */
  #note(sequence: number): void {
    const outstanding = ((this.#transmitted & 0xffff) - sequence) & 0xffff;
    if (outstanding > 0x7fff) return;
    this.#pipe = Math.max(this.#pipe, outstanding + 1);
  }

  #failed(error: DeliveryError): void {
    const { original } = error;
    const isV4 = this.#plan.ip.family === 4;
    const at = isV4 ? ((original[0] ?? 0) & 15) * 4 : ipv6Size;
    const echo = isV4 ? parseIcmpv4(original.subarray(at)) : parseIcmpv6(original.subarray(at));
    if (echo === undefined || echo.type !== (isV4 ? 8 : 128) || readU16(original, at + 4) !== this.#identifier) return;
    const isRedirect = isV4 && error.type === 5;
    const sequence = readU16(original, at + 6);
    if (!isRedirect) {
      this.#errors++;
      this.#note(sequence);
    }
    if (!this.#plan.quiet) this.#context.out(`${this.#stamp()}From ${formatIp(error.from)} icmp_seq=${sequence} ${describeIcmpError(error)}\n`);
    if (this.#isDone()) this.#end();
  }

  #stamp(): string {
    return this.#plan.stamped ? `[${(this.#context.host.clock.wall() / 1000).toFixed(6)}] ` : "";
  }

  #end(): void {
    // The last answer may come while its request is still being sent.
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#deadline?.cancel();
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#context.onInterrupt(undefined);
    this.#printStatistics();
    const { count, deadlineMs } = this.#plan;
    const isShort = deadlineMs !== undefined && count !== undefined && this.#received < count;
    this.#finish(this.#received === 0 || isShort ? 1 : 0);
  }

  #printStatistics(): void {
    const parts = [`${this.#transmitted} packets transmitted`, `${this.#received} received`];
    if (this.#duplicates > 0) parts.push(`+${this.#duplicates} duplicates`);
    if (this.#errors > 0) parts.push(`+${this.#errors} errors`);
    const lost = ((this.#transmitted - this.#received) * 100) / this.#transmitted;
    parts.push(`${formatG(lost)}% packet loss`, `time ${Math.round(this.#lastSentAt - this.#startedAt)}ms`);
    const pipe = this.#pipe > 1 ? `pipe ${this.#pipe}` : "";
    let rtt = "";
    if (this.#received > 0 && this.#plan.size >= stampSize) {
      const count = this.#received + this.#duplicates;
      const average = this.#times.sum / count;
      const deviation = Math.sqrt(Math.max(0, this.#times.squares / count - average * average));
      rtt = `rtt min/avg/max/mdev = ${[this.#times.min, average, this.#times.max, deviation].map((ms) => ms.toFixed(3)).join("/")} ms`;
    }
    const last = [rtt, pipe].filter((text) => text !== "").join(", ");
    this.#context.out(`\n--- ${this.#plan.target} ping statistics ---\n${parts.join(", ")}\n${last}\n`.replace(/\n\n$/, "\n\n"));
  }
}

/** Three digits below a millisecond, and fewer the longer it took, as iputils prints times. */
export function formatTime(ms: number): string {
  const us = Math.round(ms * 1000);
  if (us >= 100_000 - 50) return String(Math.floor((us + 500) / 1000));
  if (us >= 10_000 - 5) return (Math.floor((us + 50) / 100) / 10).toFixed(1);
  if (us >= 1000) return (Math.floor((us + 5) / 10) / 100).toFixed(2);
  return (us / 1000).toFixed(3);
}

/** C's %g: six significant digits, no zeros at the end. */
const formatG = (value: number): string => String(Number(value.toPrecision(6)));

