/**
 * The connection that flows go by, up to where they can: finds out which tun_metadata field stands for OVN's Geneve option, or
 * asks for one, then hands over to the installer (controller/ofctrl.c, S_NEW to S_UPDATE_FLOWS).
 */
import type { ActiveTarget, Host, Log } from "../host/index.ts";
import { type ErrorMessage, type Message, type TlvMapping, type TlvSizes } from "../openflow/index.ts";
import type { FlowInstaller } from "./flow-installer.ts";
import { OpenFlowLink } from "./openflow-link.ts";

const geneveOption = { optionClass: 0x0102, optionType: 0x80, optionSize: 4 } as const;
const tunMetadataFields = 64;

type State =
  | { readonly kind: "closed" }
  | { readonly kind: "asked"; readonly xid: number }
  | { readonly kind: "added"; readonly index: number; readonly xid: number; readonly barrier: number }
  | { readonly kind: "ready" };

export interface FlowConnectionEvents {
  /** The switch can be told of flows. Which field stands for OVN's Geneve option; undefined: none, and so no Geneve. */
  negotiated(index: number | undefined): void;
  lost(): void;
}

export class FlowConnection {
  readonly #log: Log;
  readonly #installer: FlowInstaller;
  readonly #events: FlowConnectionEvents;
  readonly #link: OpenFlowLink;
  #state: State = { kind: "closed" };
  #mayInstall = false;

  constructor(host: Host, target: ActiveTarget, installer: FlowInstaller, tlvSizes: TlvSizes, events: FlowConnectionEvents) {
    this.#log = host.log.module("ofctrl");
    this.#installer = installer;
    this.#events = events;
    this.#link = new OpenFlowLink(host, "ofctrl", target, {
      connected: () => this.#ask(),
      message: (message, xid) => this.#received(message, xid),
      disconnected: () => this.#disconnected(),
    }, tlvSizes);
  }

  get isConnected(): boolean {
    return this.#link.isConnected;
  }

  poke(): void {
    this.#link.poke();
  }

  setProbeInterval(ms: number): void {
    this.#link.setProbeInterval(ms);
  }

  close(): void {
    this.#link.close();
  }

  /** The first flows are worked out: what the switch holds from before may go. */
  allowInstalling(): void {
    if (this.#mayInstall) return;
    this.#mayInstall = true;
    if (this.#state.kind === "ready") this.#begin();
  }

  #ask(): void {
    this.#state = { kind: "asked", xid: this.#link.send({ kind: "tlv_table_request" }) };
  }

  #disconnected(): void {
    this.#state = { kind: "closed" };
    this.#installer.stop();
    this.#events.lost();
  }

  #received(message: Message, xid: number): void {
    const state = this.#state;
    if (state.kind === "asked" && xid === state.xid) {
      if (message.kind === "tlv_table_reply") this.#choose(message.mappings);
      else this.#settle(undefined, message.kind === "error" ? `switch refused to allocate Geneve option (${describe(message)})` : "unexpected reply to TLV table request");
    } else if (state.kind === "added" && xid === state.barrier && message.kind === "barrier_reply") this.#settle(state.index);
    else if (state.kind === "added" && xid === state.xid && message.kind === "error") this.#refused(message);
    else if (message.kind === "barrier_reply") this.#installer.barrierReplied(xid);
    else if (message.kind === "error") {
      this.#log.info(`OpenFlow error: OFPT_ERROR (OF1.5) (xid=0x${xid.toString(16)}): ${describe(message)}`);
      if (!this.#installer.mayFail(xid)) this.#link.reconnect();
    }
  }

  #choose(mappings: readonly TlvMapping[]): void {
    const ours = mappings.find((m) =>
      m.optionClass === geneveOption.optionClass && m.optionType === geneveOption.optionType && m.optionSize === geneveOption.optionSize);
    if (ours !== undefined) {
      this.#settle(ours.index);
      return;
    }
    const taken = new Set(mappings.map((m) => m.index));
    const index = Array.from({ length: tunMetadataFields }, (_, i) => i).find((i) => !taken.has(i));
    if (index === undefined) {
      this.#settle(undefined, "no Geneve options free for use by OVN");
      return;
    }
    const xid = this.#link.send({ kind: "tlv_table_mod", command: "add", mappings: [{ ...geneveOption, index }] });
    this.#state = { kind: "added", index, xid, barrier: this.#link.send({ kind: "barrier_request" }) };
  }

  #refused(error: ErrorMessage): void {
    if (error.error === "NXTTMFC_ALREADY_MAPPED" || error.error === "NXTTMFC_DUP_ENTRY") {
      this.#log.info(`raced with another controller adding Geneve option (${describe(error)}); trying again`);
      this.#ask();
    } else this.#settle(undefined, `error adding Geneve option (${describe(error)})`);
  }

  #settle(index: number | undefined, complaint?: string): void {
    if (complaint !== undefined) this.#log.err(complaint);
    this.#state = { kind: "ready" };
    this.#events.negotiated(index);
    if (this.#mayInstall) this.#begin();
  }

  #begin(): void {
    this.#installer.start((message) => this.#link.sendIfItFits(message));
    this.#installer.run();
  }
}

const describe = (error: ErrorMessage): string => error.error ?? `type ${error.type ?? 0}, code ${error.code ?? 0}`;
