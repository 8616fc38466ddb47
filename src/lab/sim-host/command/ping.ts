/** ping, with the words, numbers and exit codes of iputils. */
import { formatIp, parseIp } from "../../../net/index.ts";
import { type Command, type CommandContext, parseOptions } from "./command.ts";
import type { PingPlan } from "./ping-plan.ts";
import { PingRun } from "./ping-run.ts";

const usage = "Usage\n  ping [-4|-6] [-DnOq] [-c count] [-i interval] [-I source] [-M do|want|dont] [-s size] [-t ttl] [-w deadline] [-W timeout] destination\n";

export const ping: Command = {
  name: "ping",
  summary: "ping [-4|-6] [-c count] [-i interval] [-W timeout] [-w deadline] [-s size] [-I source] [-t ttl] [-nqDO] destination",
  run: (context, args) => {
    const plan = planOf(context, args);
    return plan === undefined ? Promise.resolve(2) : new PingRun(context, plan).run();
  },
};

function planOf(context: CommandContext, args: readonly string[]): PingPlan | undefined {
  const fail = (text: string): undefined => {
    context.err(text);
    return undefined;
  };
  const options = parseOptions(args, "46DnOqvVbc:i:I:M:s:t:w:W:Q:l:p:");
  if ("unknown" in options) return fail(`ping: invalid option -- '${options.unknown}'\n\n${usage}`);
  if ("needsValue" in options) return fail(`ping: option requires an argument -- '${options.needsValue}'\n\n${usage}`);
  const { flags, values, words } = options;
  const [target] = words;
  if (target === undefined) return fail("ping: usage error: Destination address required\n");
  const numbers = numbersOf(values);
  if (typeof numbers === "string") return fail(`ping: invalid argument: '${numbers}'\n`);
  const family = flags.has("4") ? 4 : flags.has("6") ? 6 : undefined;
  const ip = parseIp(target) ?? context.host.resolve(target, family);
  if (ip === undefined) return fail(`ping: ${target}: Name or service not known\n`);
  if (family !== undefined && ip.family !== family) return fail(`ping: ${target}: Address family for hostname not supported\n`);
  const from = values.get("I");
  const source = from === undefined ? undefined : parseIp(from);
  if (from !== undefined && source === undefined && !context.host.ip.devices.has(from) && from !== "lo") return fail(`ping: unknown iface: ${from}\n`);
  if (source !== undefined && !context.host.network.isOwn(source)) return fail("ping: bind: Cannot assign requested address\n");
  return {
    target, ip, source, interfaceName: source === undefined ? from : undefined, ...numbers, isNumeric: flags.has("n") || formatIp(ip) === target || parseIp(target) !== undefined,
    quiet: flags.has("q"), stamped: flags.has("D"), reportsMissing: flags.has("O"), dontFragment: values.get("M") === "do",
  };
}

type Numbers = Pick<PingPlan, "count" | "intervalMs" | "timeoutMs" | "deadlineMs" | "size" | "ttl">;

/** The text that is no number of its kind, if one is not. */
function numbersOf(values: ReadonlyMap<string, string>): Numbers | string {
  const integer = (letter: string, min: number, max: number): number | undefined | string => {
    const text = values.get(letter);
    if (text === undefined) return undefined;
    const value = Number(text);
    return /^\d+$/.test(text) && value >= min && value <= max ? value : text;
  };
  const seconds = (letter: string, minMs: number): number | undefined | string => {
    const text = values.get(letter);
    if (text === undefined) return undefined;
    const ms = Number(text) * 1000;
    return /^\d*\.?\d+$/.test(text) && ms >= minMs && ms <= 2 ** 31 ? ms : text;
  };
  const all = { count: integer("c", 1, 2 ** 31), size: integer("s", 0, 65507), ttl: integer("t", 1, 255), intervalMs: seconds("i", 0), timeoutMs: seconds("W", 0), deadlineMs: seconds("w", 0) };
  for (const value of Object.values(all)) if (typeof value === "string") return value;
  const number = (value: number | undefined | string): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    count: number(all.count), size: number(all.size) ?? 56, ttl: number(all.ttl) ?? 64, intervalMs: Math.max(2, number(all.intervalMs) ?? 1000),
    timeoutMs: number(all.timeoutMs), deadlineMs: number(all.deadlineMs),
  };
}
