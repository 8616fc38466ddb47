/** Captured frames as bytes for whoever asked: a pcap file piece by piece, or lines of text. */
import { pcapHeader, pcapRecord } from "../packet/index.ts";
import type { CapturedFrame } from "../switch/index.ts";
import { frameText } from "./frame-text.ts";

export function captureWriter(format: "pcap" | "text", write: (bytes: Uint8Array) => void): (frame: CapturedFrame) => void {
  if (format === "text") {
    return (frame) => {
      const time = new Date(frame.wallMs).toISOString().slice(11, 23);
      write(new TextEncoder().encode(`${time} ${frame.direction.padEnd(3)} ${frameText(frame.bytes)}\n`));
    };
  }
  write(pcapHeader());
  return ({ bytes, wallMs }) => write(pcapRecord({ timeUs: Math.round(wallMs * 1000), bytes, originalSize: bytes.length }));
}
