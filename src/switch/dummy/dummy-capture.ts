/**
 * What goes through a dummy device, written to pcap files: `rxq_pcap` what it receives, `tx_pcap` what is sent out of it, `pcap`
 * both in one. A file is appended to, and each packet is there for readers as soon as it has passed.
 */
import type { AppendFile, Clock, Disk, Log } from "../../host/index.ts";
import { pcapHeader, pcapRecord } from "../../packet/index.ts";

export class DummyCapture {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #files = new Map<string, AppendFile>();
  #receivedPath: string | undefined;
  #sentPath: string | undefined;

  constructor(disk: Disk, clock: Clock, log: Log) {
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
  }

  /** From now on into these files; those that are named no more are closed. */
  apply(options: ReadonlyMap<string, string>): void {
    const both = options.get("pcap");
    const [received, sent] = [both ?? options.get("rxq_pcap"), both ?? options.get("tx_pcap")];
    if (received === this.#receivedPath && sent === this.#sentPath) return;
    [this.#receivedPath, this.#sentPath] = [received, sent];
    this.reopen();
  }

  /** A file that somebody has removed is there again afterwards. */
  reopen(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
    for (const path of [this.#receivedPath, this.#sentPath]) if (path !== undefined && !this.#files.has(path)) this.#open(path);
  }

  #open(path: string): void {
    try {
      const file = this.#disk.openAppend(path);
      if (file.size === 0) file.append(pcapHeader());
      this.#files.set(path, file);
    } catch (error) {
      this.#log.warn(`${path}: failed to open pcap file for appending (${error instanceof Error ? error.message : String(error)})`);
    }
  }

  received(frame: Uint8Array): void {
    this.#write(this.#receivedPath, frame);
  }

  sent(frame: Uint8Array): void {
    this.#write(this.#sentPath, frame);
  }

  #write(path: string | undefined, frame: Uint8Array): void {
    const file = path === undefined ? undefined : this.#files.get(path);
    file?.append(pcapRecord({ timeUs: this.#clock.wall() * 1000, bytes: frame, originalSize: frame.length }));
  }

  close(): void {
    this.#receivedPath = undefined;
    this.#sentPath = undefined;
    this.reopen();
  }
}
