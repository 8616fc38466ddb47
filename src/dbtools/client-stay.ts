/**
 * Commands of ovsdb-client that stay until they are told to end: monitors and locks. With --detach they go on in the background, their
 * output still where it went, with a control socket (ovsdb-client(1), "Daemon Options"); with --pidfile they say which process they are.
 */
import {
  commandTable, describeError, type Directories, type GivenOption, inFolder, isGiven, lastValue, pidfilePath, serveUnixctl, type UnixctlCommand,
  type UnixctlServer, versionText, type Vlog,
} from "../daemon/index.ts";
import type { BackgroundManner, Host, Process } from "../host/index.ts";
import { fatal } from "./fatal.ts";

export interface StayPlace {
  readonly host: Host;
  readonly process: Process;
  readonly vlog: Vlog;
  readonly folders: Directories;
  readonly options: readonly GivenOption[];
}

export interface StayManner {
  /** On the control socket, which only a child in the background has; none without. */
  readonly commands?: readonly UnixctlCommand[];
  /** Once in the background, what goes wrong is nobody's to read. */
  readonly hidesErrors?: boolean;
}

export class Stay {
  readonly #place: StayPlace;
  readonly #background: BackgroundManner;
  readonly #pidfile: string | undefined;
  #unixctl: UnixctlServer | undefined;
  #exit: () => void = () => undefined;
  /** Resolves when the control socket's `exit` was asked for. */
  readonly asked: Promise<void>;

  private constructor(place: StayPlace, hidesErrors: boolean) {
    this.#place = place;
    this.#background = { keeps: hidesErrors ? ["output"] : ["output", "errors"] };
    this.#pidfile = pidfilePath(place.options, "ovsdb-client", place.folders);
    this.asked = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  /** In the parent of a background child this waits until the child is up, and then ends the process. */
  static async begin(place: StayPlace, { commands, hidesErrors = false }: StayManner): Promise<Stay> {
    const { options, process, host } = place;
    const stay = new Stay(place, hidesErrors);
    const isDetached = isGiven(options, "detach");
    if (isDetached && !process.background.isChild) {
      const { code } = await process.background.start(stay.#pidfile, stay.#background);
      return process.exit(code);
    }
    const pidfile = stay.#pidfile;
    if (pidfile !== undefined && process.background.heldPidfile !== pidfile) host.disk.replace(pidfile, `${process.pid}\n`);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      process.onSignal(signal, () => {
        stay.leave();
        process.dieOf(signal);
      });
    }
    if (isDetached && commands !== undefined) await stay.#listen(commands);
    return stay;
  }

  async #listen(commands: readonly UnixctlCommand[]): Promise<void> {
    const { host, folders, options, process, vlog } = this.#place;
    const path = inFolder(folders.run, lastValue(options, "unixctl") ?? `ovsdb-client.${process.pid}.ctl`);
    const table = commandTable(commands, {
      clock: host.clock, vlog, version: versionText("ovsdb-client", "ovs"), usage: () => process.usage(),
      // The reply goes out first.
      exit: () => void host.clock.after(0, () => this.#exit()),
    });
    try {
      this.#unixctl = await serveUnixctl(host, path, () => table);
    } catch (error) {
      this.leave();
      fatal(`failed to create unixctl server (${describeError(error)})`);
    }
  }

  /** The first answer has been shown: a script that started this may go on. */
  ready(): void {
    this.#place.process.background.ready("", this.#background);
  }

  leave(): void {
    const { disk } = this.#place.host;
    this.#unixctl?.close();
    if (this.#unixctl !== undefined) disk.remove(this.#unixctl.path);
    if (this.#pidfile !== undefined) disk.remove(this.#pidfile);
    this.#unixctl = undefined;
  }
}
