/** `nc`: TCP and UDP by hand. Standard input is what was given with the command; with -l it prints what comes. */
import { formatIp, type Ip, parseIp } from "../../../net/index.ts";
import type { TcpConnection } from "../tcp-connection.ts";
import { type Command, type CommandContext, parseOptions } from "./command.ts";

interface Plan {
  readonly isVerbose: boolean;
  readonly isUdp: boolean;
  readonly onlyProbes: boolean;
  readonly keepsListening: boolean;
  readonly waitMs: number | undefined;
}

export const nc: Command = {
  name: "nc",
  summary: "nc [-46uvzkN] [-w seconds] [-p port] [-l] [host] port",
  run: (context, args) => {
    const options = parseOptions(args, "46lukvznNw:p:q:");
    if ("unknown" in options || "needsValue" in options) return usage(context);
    const { flags, values, words } = options;
    const waitMs = values.has("w") ? Number(values.get("w")) * 1000 : undefined;
    const plan: Plan = { isVerbose: flags.has("v"), isUdp: flags.has("u"), onlyProbes: flags.has("z"), keepsListening: flags.has("k"), waitMs };
    if (flags.has("l")) {
      const port = Number(values.get("p") ?? words.at(-1));
      if (!isPort(port)) return usage(context);
      return plan.isUdp ? listenUdp(context, plan, port) : listenTcp(context, plan, port);
    }
    const [target, portText = ""] = words;
    const port = Number(portText);
    if (target === undefined || !isPort(port)) return usage(context);
    const ip = parseIp(target) ?? context.host.resolve(target, flags.has("6") ? 6 : flags.has("4") ? 4 : undefined);
    if (ip === undefined) {
      context.err(`nc: getaddrinfo for host "${target}" port ${port}: Name or service not known\n`);
      return Promise.resolve(1);
    }
    return plan.isUdp ? talkUdp(context, plan, ip, port) : talkTcp(context, plan, ip, port);
  },
};

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65536;

function usage(context: CommandContext): Promise<number> {
  context.err("usage: nc [-46uvzkN] [-w seconds] [-p port] [-l] [host] port\n");
  return Promise.resolve(1);
}

function talkTcp(context: CommandContext, plan: Plan, ip: Ip, port: number): Promise<number> {
  const { host } = context;
  return new Promise((resolve) => {
    let isOpen = false;
    const finish = (code: number): void => {
      timer?.cancel();
      context.onInterrupt(undefined);
      resolve(code);
    };
    const timer = plan.waitMs === undefined ? undefined : host.clock.after(plan.waitMs, () => {
      if (!isOpen && plan.isVerbose) context.err(`nc: connect to ${formatIp(ip)} port ${port} (tcp) timed out: Operation now in progress\n`);
      connection?.abort();
      finish(isOpen ? 0 : 1);
    });
    const connection: TcpConnection | undefined = host.tcp.connect(ip, port, {
      connected: () => {
        isOpen = true;
        if (plan.isVerbose) context.err(`Connection to ${formatIp(ip)} ${port} port [tcp/*] succeeded!\n`);
        if (!plan.onlyProbes) connection?.write(context.input);
        connection?.end();
        if (plan.onlyProbes) finish(0);
      },
      data: (bytes) => context.writeBytes(bytes),
      closed: (reason) => {
        const words = { refused: "Connection refused", reset: "Connection reset by peer", timeout: "Connection timed out" };
        if (reason !== undefined && !isOpen) context.err(plan.isVerbose ? `nc: connect to ${formatIp(ip)} port ${port} (tcp) failed: ${words[reason]}\n` : "");
        finish(isOpen && reason === undefined ? 0 : 1);
      },
    });
    if (connection === undefined) {
      context.err(`nc: connect to ${formatIp(ip)} port ${port} (tcp) failed: Network is unreachable\n`);
      finish(1);
      return;
    }
    context.onInterrupt(() => {
      connection.abort();
      finish(130);
    });
  });
}

function listenTcp(context: CommandContext, plan: Plan, port: number): Promise<number> {
  return new Promise((resolve) => {
    if (plan.isVerbose) context.err(`Listening on 0.0.0.0 ${port}\n`);
    const stop = context.host.tcp.listen(port, (peer, connection) => {
      if (plan.isVerbose) context.err(`Connection received on ${formatIp(peer.ip)} ${peer.port}\n`);
      if (!plan.keepsListening) stop?.();
      connection.setEvents({
        data: (bytes) => context.writeBytes(bytes),
        ended: () => connection.end(),
        closed: () => {
          if (!plan.keepsListening) finish(0);
        },
      });
      if (context.input.length > 0) connection.write(context.input);
    });
    const finish = (code: number): void => {
      stop?.();
      context.onInterrupt(undefined);
      resolve(code);
    };
    if (stop === undefined) {
      context.err("nc: Address already in use\n");
      finish(1);
    } else context.onInterrupt(() => finish(130));
  });
}

function talkUdp(context: CommandContext, plan: Plan, ip: Ip, port: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = context.host.udp.open(0, (message) => context.writeBytes(message.payload));
    const stopErrors = context.host.ip.onError(() => finish(1));
    const finish = (code: number): void => {
      timer?.cancel();
      stopErrors();
      socket?.close();
      context.onInterrupt(undefined);
      resolve(code);
    };
    const timer = context.host.clock.after(plan.waitMs ?? 1000, () => finish(0));
    if (plan.isVerbose) context.err(`Connection to ${formatIp(ip)} ${port} port [udp/*] succeeded!\n`);
    context.onInterrupt(() => finish(130));
    if (socket?.send(ip, port, context.input) !== "sent") {
      context.err("nc: Network is unreachable\n");
      finish(1);
    }
  });
}

function listenUdp(context: CommandContext, plan: Plan, port: number): Promise<number> {
  return new Promise((resolve) => {
    if (plan.isVerbose) context.err(`Bound on 0.0.0.0 ${port}\n`);
    let isFirst = true;
    const socket = context.host.udp.open(port, ({ src, srcPort, payload }) => {
      if (isFirst && plan.isVerbose) context.err(`Connection received on ${formatIp(src)} ${srcPort}\n`);
      if (isFirst && context.input.length > 0) socket?.send(src, srcPort, context.input);
      isFirst = false;
      context.writeBytes(payload);
      if (plan.waitMs !== undefined) context.host.clock.after(plan.waitMs, () => finish(0));
    });
    const finish = (code: number): void => {
      socket?.close();
      context.onInterrupt(undefined);
      resolve(code);
    };
    if (socket === undefined) {
      context.err("nc: Address already in use\n");
      finish(1);
    } else context.onInterrupt(() => finish(130));
  });
}
