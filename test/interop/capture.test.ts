// Our capture files, read by tshark: Geneve with OVN's option, and what is inside.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Ipv4, macOf, parseIpv4 } from "../../src/net/index.ts";
import * as packet from "../../src/packet/index.ts";
import { present } from "../../src/std/index.ts";

const skip = spawnSync("tshark", ["--version"]).status === 0 ? false : "tshark is not installed";
const ip = (text: string): Ipv4 => present(parseIpv4(text));

test("tshark sees our Geneve, and the echo inside it", { skip }, () => {
  const echo = packet.ipv4Packet({ src: ip("192.168.1.11"), dst: ip("192.168.2.12"), protocol: 1, ttl: 63 }, packet.icmpv4Message({ type: 8, code: 0, word: 0x00010001, data: new Uint8Array(56) }));
  const inner = packet.ethernetFrame({ dst: macOf(0xaaaaaaaaaa02), src: macOf(0xaaaaaaaaaa01) }, 0x0800, echo);
  const geneve = new Uint8Array(16);
  packet.emitGeneve(packet.ovnGeneve(5, 1, 2), geneve);
  const [outerSrc, outerDst] = [ip("192.168.50.102"), ip("192.168.50.103")];
  const udp = packet.udpDatagram(packet.ip4(outerSrc), packet.ip4(outerDst), 7549, packet.genevePort, packet.concatenate(geneve, inner));
  const frame = packet.ethernetFrame({ dst: macOf(2), src: macOf(1) }, 0x0800, packet.ipv4Packet({ src: outerSrc, dst: outerDst, protocol: 17, dontFragment: true }, udp));
  assert.equal(frame.length, 156);
  const record = { timeUs: 1_700_000_000_000_000, bytes: frame, originalSize: frame.length };
  for (const file of [packet.concatenate(packet.pcapHeader(), packet.pcapRecord(record)), packet.concatenate(packet.pcapngHeader("gw_east"), packet.pcapngRecord(record))]) {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-capture-"));
    try {
      writeFileSync(join(folder, "capture"), file);
      const fields = ["geneve.vni", "geneve.option.class", "geneve.option.type", "icmp.type", "ip.ttl", "eth.src"].flatMap((f) => ["-e", f]);
      const args = ["-r", join(folder, "capture"), "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", "!_ws.malformed && ip.checksum.status != 0 && udp.checksum.status != 0", "-T", "fields", ...fields];
      const { stdout, stderr } = spawnSync("tshark", args, { encoding: "utf8" });
      assert.match(stdout, /^0x000005\t0x0102\t0x80\t8\t64,63\t\S+,aa:aa:aa:aa:aa:01\n$/, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
