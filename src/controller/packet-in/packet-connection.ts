/**
 * The connection that packets go by, apart from the flows', so that neither waits for the other (controller/pinctrl.c).
 * Every packet goes up whole, in Nicira's format, which carries what the action had to say.
 */
import type { ActiveTarget, Host, Log } from "../../host/index.ts";
import { type Action, type FlowStats, groups, Match, type Message, noBuffer, type PacketIn, ports, type TlvSizes } from "../../openflow/index.ts";
import { resubmit } from "../flow.ts";
import { OpenFlowLink } from "../openflow-link.ts";
import { fromController, type PacketSwitch } from "./arrival.ts";
import { dispatch, type DispatchPlace } from "./dispatch.ts";

const wholePackets = 0xffff;

export interface PacketEvents {
  connected(): void;
  /** What `count` has asked for. */
  counted(flows: readonly FlowStats[]): void;
}

export class PacketConnection implements PacketSwitch {
  readonly #log: Log;
  readonly #place: DispatchPlace;
  readonly #events: PacketEvents;
  readonly #link: OpenFlowLink;

  constructor(host: Host, target: ActiveTarget, place: DispatchPlace, tlvSizes: TlvSizes, events: PacketEvents) {
    this.#log = host.log.module("pinctrl");
    this.#place = place;
    this.#events = events;
    this.#link = new OpenFlowLink(host, "pinctrl", target, {
      connected: () => this.#connected(),
      message: (message) => this.#received(message),
      disconnected: () => {},
    }, tlvSizes);
    place.waiting.onResume((packetIn) => this.resume(packetIn));
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

  packetOut(packet: Uint8Array, actions: readonly Action[]): void {
    if (!this.#link.isConnected) return;
    this.#link.sendIfItFits({ kind: "packet_out", bufferId: noBuffer, metadata: fromController, actions, packet });
  }

  /** As if the packet had come in by the port. */
  inject(packet: Uint8Array, port: number): void {
    this.#link.sendIfItFits({ kind: "packet_out", bufferId: noBuffer, metadata: Match.of(["in_port", port]), actions: [resubmit(0)], packet });
  }

  /** How much the flows of a table have been used. */
  count(table: number): void {
    if (!this.#link.isConnected) return;
    this.#link.send({ kind: "flow_stats_request", table, outPort: ports.none, outGroup: groups.any, cookie: 0n, cookieMask: 0n, match: Match.any });
  }

  get isConnected(): boolean {
    return this.#link.isConnected;
  }

  resume({ kind: _kind, extended: _extended, ...packetIn }: PacketIn): void {
    if (this.#link.isConnected) this.#link.sendIfItFits({ kind: "resume", packetIn });
  }

  #connected(): void {
    this.#link.send({ kind: "get_config_request" });
    this.#link.send({ kind: "set_packet_in_format", format: "nxt_packet_in2" });
    this.#events.connected();
  }

  #received(message: Message): void {
    switch (message.kind) {
      case "get_config_reply":
        this.#link.send({ kind: "set_config", fragments: message.fragments, missSendLength: wholePackets });
        break;
      case "flow_stats_reply":
        this.#events.counted(message.flows);
        break;
      case "packet_in":
        dispatch(message, this.#place, this, this.#log);
        break;
      case "error":
        this.#log.info(`OpenFlow error: ${message.error ?? `type ${message.type ?? 0}, code ${message.code ?? 0}`}`);
        break;
      default:
        break;
    }
  }
}
