/** A Bridge row put into force: the bridge, its OpenFlow side, its listeners, and the ports it has by Port row. */
import type { Host, Listener } from "../host/index.ts";
import type { Uuid } from "../ovsdb/index.ts";
import type { BridgeService } from "./openflow/bridge-service.ts";
import type { Bridge } from "./bridge.ts";
import type { SwitchPort } from "./port/switch-port.ts";

export interface ConfiguredPort {
  /** Of the Port row. */
  readonly uuid: Uuid<"Port">;
  readonly interfaceUuid: Uuid<"Interface">;
  readonly name: string;
  /** Undefined while there can be none. */
  port: SwitchPort | undefined;
  /** The number it had when it was last open: it gets it again. */
  lastNumber: number | undefined;
  /** What a patch port lacks. */
  patchError: string | undefined;
}

export class ConfiguredBridge {
  readonly uuid: Uuid<"Bridge">;
  readonly bridge: Bridge;
  readonly service: BridgeService;
  readonly ports = new Map<Uuid<"Port">, ConfiguredPort>();
  readonly datapathType: string;
  readonly listening: Promise<void>;
  #listeners: Listener[] = [];
  #isClosed = false;
  #lastNumber = 0;

  constructor(uuid: Uuid<"Bridge">, bridge: Bridge, service: BridgeService, datapathType: string, host: Host, runFolder: string) {
    this.uuid = uuid;
    this.bridge = bridge;
    this.service = service;
    this.datapathType = datapathType;
    this.listening = this.#listen(host, runFolder);
  }

  /** The number that was asked for or had before if it is free, else the next free one; undefined if there is none. */
  chooseNumber(wanted: readonly (number | undefined)[]): number | undefined {
    const taken = this.bridge.portsByNumber;
    for (const number of wanted) if (number !== undefined && number >= 1 && number < 0xff00 && !taken.has(number)) return number;
    for (let i = 0; i < 0xfeff; i++) {
      this.#lastNumber = (this.#lastNumber % 0xfeff) + 1;
      if (!taken.has(this.#lastNumber)) return this.#lastNumber;
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners) listener.close();
    this.service.close();
  }

  async #listen(host: Host, runFolder: string): Promise<void> {
    const log = host.log.module("ofproto");
    for (const socket of ["mgmt", "snoop"] as const) {
      const path = `${runFolder}/${this.bridge.name}.${socket}`;
      try {
        const listener = await host.streams.listen({ kind: "punix", path }, (stream) => this.service.accept(stream, socket === "snoop" ? "onlooker" : "service"));
        if (this.#isClosed) listener.close();
        else this.#listeners.push(listener);
      } catch (error) {
        log.err(`failed to listen on punix:${path}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
