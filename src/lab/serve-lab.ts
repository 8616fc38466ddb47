/** What the process that runs a lab answers on its control socket. */
import type { Host } from "../host/index.ts";
import type { Json } from "../ovsdb/index.ts";
import { parseCaptureFilter } from "./capture-filter/capture-filter.ts";
import { limitFrames, maxWaitingBytes } from "./capture.ts";
import { captureWriter } from "./capture-writer.ts";
import { frameText } from "./frame-text.ts";
import { ControlError, type ControlHandler } from "./control.ts";
import type { Lab } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import { reportOf } from "./report.ts";
import type { AddressMap } from "../host/index.ts";

const text = (value: Json | undefined, what: string): string => {
  if (typeof value !== "string") throw new ControlError(`${what} must be a string`);
  return value;
};

const optionalText = (value: Json | undefined, what: string): string | undefined => (value === undefined || value === null ? undefined : text(value, what));

export interface ServedLab {
  readonly lab: Lab;
  readonly host: Host;
  readonly folder: string;
  readonly carriers: AddressMap;
  /** Asks the process to take the lab down and end. */
  end(): void;
}

export function labHandlers(served: ServedLab): ReadonlyMap<string, ControlHandler> {
  return new Map<string, ControlHandler>([
    ["exec", guarded(execHandler(served))],
    ["entry", guarded(async ([host, argv]) => [...((await served.lab.realCommand(text(host, "host"), words(argv))) ?? [])])],
    ["inspect", inspectHandler(served)],
    ["capture", guarded(captureHandler(served))],
    ["restart", guarded(async ([node, daemon]) => (await served.lab.restart(text(node, "node"), optionalText(daemon, "daemon"))).map((d) => [d.plan.name, d.pid]))],
    ["kill", guarded(([node, daemon]) => served.lab.kill(text(node, "node"), optionalText(daemon, "daemon")).join(" "))],
    ["links", () => served.lab.links().map((link) => ({ ...link }))],
    ["link", guarded(linkHandler(served))],
    [
      "down",
      () => {
        served.host.clock.after(0, served.end);
        return true;
      },
    ],
  ]);
}

/** What the user got wrong goes back as an answer; what we got wrong is logged by the control socket. */
function guarded(handler: ControlHandler): ControlHandler {
  return async (params, exchange) => {
    try {
      return await handler(params, exchange);
    } catch (error) {
      if (error instanceof LabError) throw new ControlError(error.message);
      throw error;
    }
  };
}

function inspectHandler({ lab, folder, carriers }: ServedLab): ControlHandler {
  return async () => {
    await Promise.all([...lab.hosts.values()].map((host) => host.refresh()));
    return reportOf(lab, folder, carriers);
  };
}

function words(argv: Json | undefined): readonly string[] {
  if (!Array.isArray(argv)) throw new ControlError("the command must be an array of strings");
  return argv.map((a) => text(a, "argument"));
}

function execHandler({ lab }: ServedLab): ControlHandler {
  return ([host, argv], exchange) => {
    const running = lab.exec(text(host, "host"), words(argv), (to, bytes) => exchange.write(to, bytes));
    exchange.onInterrupt(() => running.interrupt());
    return running.exitCode;
  };
}

function linkHandler({ lab }: ServedLab): ControlHandler {
  return ([name, direction, words]) => {
    if (!Array.isArray(words)) throw new ControlError("what happens to the link must be an array of strings");
    const way = direction === "out" || direction === "in" ? direction : "both";
    lab.changeLink(text(name, "link"), way, words.map((w) => text(w, "word")));
    return true;
  };
}

function captureHandler({ lab }: ServedLab): ControlHandler {
  return ([node, port, count, format, only, filter], exchange) => {
    const nodeName = text(node, "node");
    const isWanted = parseCaptureFilter(optionalText(filter, "filter") ?? "");
    if (typeof isWanted !== "function") throw new LabError(`can't parse filter expression: ${isWanted.wrong}`);
    return new Promise((resolve) => {
      const writer = captureWriter(format === "text" ? "text" : "pcap", (bytes) => exchange.write("stdout", bytes));
      const tell = (line: string): void => exchange.write("stderr", new TextEncoder().encode(`${line}\n`));
      let shown = 0;
      let dropped = 0;
      let stop = (): void => {};
      const done = (): void => {
        stop();
        if (dropped > 0) tell(`${dropped} packets dropped: they came faster than they were taken`);
        resolve(shown);
      };
      const see = limitFrames(Number(count ?? 0), (frame) => {
        shown++;
        writer(frame);
      }, done);
      const portName = text(port, "port");
      const wanted = optionalText(only, "only");
      const tap = lab.tap(nodeName, portName, (frame) => {
        if (!isWanted(frame.bytes)) return;
        if (wanted !== undefined && !frameText(frame.bytes).includes(wanted)) return;
        if (exchange.backlogSize > maxWaitingBytes) dropped++;
        else see(frame);
      });
      const until = Number(count ?? 0) > 0 ? `${String(count)} packets` : "until Ctrl-C";
      stop = () => tap.stop();
      void tap.attached.then(() => tell(`capturing on ${nodeName}, ${portName}, ${until}`));
      exchange.onInterrupt(done);
    });
  };
}
