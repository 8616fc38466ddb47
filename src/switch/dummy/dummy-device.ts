/**
 * A network device that is none: frames come to it by command or through a cable to another dummy, and what is sent out of it
 * goes into that cable and into a capture file. It answers ARP for the addresses it was given, as the host behind it would.
 */
import type { DeviceFacts, Host } from "../../host/index.ts";
import { formatMac, type Mac, type Prefix } from "../../net/index.ts";
import { arpFrame, arpOperation, ethernetSize, etherType, parseArp, readU16, vlanSize } from "../../packet/index.ts";
import type { PortLink } from "../port/port-links.ts";
import { DummyCable } from "./dummy-cable.ts";
import { DummyCapture } from "./dummy-capture.ts";

const defaultMtu = 1500;

export class DummyDevice implements PortLink {
  readonly name: string;
  mac: Mac;
  mtu = defaultMtu;
  isUp = true;
  /** Of its host. */
  readonly addresses: Prefix[] = [];
  readonly device: PortLink["device"];
  readonly #cable: DummyCable;
  readonly #capture: DummyCapture;
  #index = 0;
  #receiver: (frame: Uint8Array) => void = () => undefined;

  constructor(host: Host, name: string, mac: Mac) {
    this.name = name;
    this.mac = mac;
    this.#cable = new DummyCable(host, (frame) => this.receive(frame));
    this.#capture = new DummyCapture(host.disk, host.clock, host.log.module("pcap"));
    this.device = {
      attach: (receive) => {
        this.#receiver = receive;
      },
      send: (frame) => this.#send(frame),
    };
  }

  get facts(): DeviceFacts {
    return { index: this.#index, mac: formatMac(this.mac), mtu: this.mtu, isUp: this.isUp, isRunning: this.isUp };
  }

  /** Undefined: it has no cable of which it were known. */
  get isConnected(): boolean | undefined {
    return this.#cable.isConnected;
  }

  apply(options: ReadonlyMap<string, string>): void {
    const index = Number(options.get("ifindex") ?? Number.NaN);
    this.#index = Number.isInteger(index) && index >= 0 ? index : 0;
    this.#cable.apply(options);
    this.#capture.apply(options);
  }

  reopenCaptures(): void {
    this.#capture.reopen();
  }

  /** A frame arrives from outside. */
  receive(frame: Uint8Array): void {
    this.#capture.received(frame);
    this.#receiver(frame);
  }

  #send(frame: Uint8Array): void {
    const tagSize = readU16(frame, 12) === etherType.vlan ? vlanSize : 0;
    if (frame.length > this.mtu + ethernetSize + tagSize) return;
    this.#cable.send(frame);
    this.#answer(frame);
    this.#capture.sent(frame);
  }

  #answer(frame: Uint8Array): void {
    if (this.addresses.length === 0 || readU16(frame, 12) !== etherType.arp) return;
    const asked = parseArp(frame.subarray(ethernetSize));
    if (asked?.operation !== arpOperation.request || !this.addresses.some((own) => own.family === 4 && own.address === asked.targetIp)) return;
    this.receive(arpFrame({ dst: asked.senderMac, src: this.mac }, {
      operation: arpOperation.reply, senderMac: this.mac, senderIp: asked.targetIp, targetMac: asked.senderMac, targetIp: asked.senderIp,
    }));
  }

  close(): void {
    this.#receiver = () => undefined;
    this.#cable.close();
    this.#capture.close();
  }
}
