/** Controllers that a Bridge row names: connections made, and made again when they break; or listeners for them. */
import { type Host, type Listener, parseActiveTarget, parsePassiveTarget, type Timer } from "../../host/index.ts";
import type { BridgeService } from "./bridge-service.ts";

const minBackoffMs = 1000;
const maxBackoffMs = 8000;

interface Link {
  readonly close: () => void;
  isConnected: boolean;
}

export class Controllers {
  readonly #host: Host;
  /** Told when a bridge's controller has come or gone. */
  changed: (service: BridgeService) => void = () => undefined;
  readonly #links = new Map<BridgeService, Map<string, Link>>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** From now on these targets and no others. */
  apply(service: BridgeService, targets: ReadonlySet<string>): void {
    const links = this.#links.get(service) ?? new Map<string, Link>();
    for (const [target, link] of links) {
      if (targets.has(target)) continue;
      link.close();
      links.delete(target);
    }
    for (const target of targets) if (!links.has(target)) links.set(target, this.#open(service, target));
    if (links.size > 0) this.#links.set(service, links);
    else this.#links.delete(service);
  }

  isConnected(service: BridgeService, target: string): boolean {
    return this.#links.get(service)?.get(target)?.isConnected ?? false;
  }

  #open(service: BridgeService, target: string): Link {
    const log = this.#host.log.module("rconn");
    const active = parseActiveTarget(target);
    if (active !== undefined) return this.#connect(service, target, active);
    const passive = parsePassiveTarget(target, 6653);
    if (passive === undefined) {
      log.warn(`${service.bridge.name}: ${target}: unknown controller target`);
      return { close: () => undefined, isConnected: false };
    }
    let listener: Listener | undefined;
    let isClosed = false;
    this.#host.streams.listen(passive, (stream) => service.accept(stream)).then(
      (l) => {
        if (isClosed) l.close();
        else listener = l;
      },
      (error: unknown) => log.err(`failed to listen on ${target}: ${error instanceof Error ? error.message : String(error)}`),
    );
    return {
      isConnected: false,
      close: () => {
        isClosed = true;
        listener?.close();
      },
    };
  }

  #connect(service: BridgeService, target: string, to: NonNullable<ReturnType<typeof parseActiveTarget>>): Link {
    const log = this.#host.log.module("rconn");
    let isClosed = false;
    let timer: Timer | undefined;
    let backoffMs = minBackoffMs;
    let drop: () => void = () => undefined;
    const link: Link = {
      isConnected: false,
      close: () => {
        isClosed = true;
        timer?.cancel();
        drop();
      },
    };
    const become = (isConnected: boolean): void => {
      if (link.isConnected === isConnected) return;
      link.isConnected = isConnected;
      this.changed(service);
    };
    const again = (): void => {
      if (isClosed) return;
      become(false);
      timer = this.#host.clock.after(backoffMs, attempt);
      backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
    };
    const attempt = (): void => {
      this.#host.streams.connect(to).then(
        (stream) => {
          if (isClosed) return stream.close();
          const connection = service.accept(stream, "controller", again);
          if (connection === undefined) return again();
          backoffMs = minBackoffMs;
          drop = () => connection.close();
          log.info(`${service.bridge.name}<->${target}: connected`);
          become(true);
        },
        (error: NodeJS.ErrnoException) => {
          log.info(`${service.bridge.name}<->${target}: connection failed (${error.code ?? error.message})`);
          again();
        },
      );
    };
    attempt();
    return link;
  }
}
