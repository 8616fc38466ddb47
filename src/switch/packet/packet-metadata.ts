/** What a controller is told of a packet beside its bytes, and what it tells the switch of one: the key's words as a match. */
import { field, type Field, Match, MatchBuilder, type TlvMapping } from "../../openflow/index.ts";
import { firstHeaderWord, firstPacketWord, type FlowKey, placeNamed, placeOf, readPlace, spread, tunMetadataFields, W } from "../flow/flow-key.ts";

type Row = readonly [Field, NonNullable<ReturnType<typeof placeOf>>];

function row(name: Parameters<typeof field>[0]): readonly Row[] {
  const place = placeNamed(name);
  return place === undefined ? [] : [[field(name), place]];
}

/** In the order in which OVS gives them; each only where it is not zero. */
const rows: readonly Row[] = [
  ...row("dp_hash"), ...row("recirc_id"), ...row("tun_id"), ...row("tun_src"), ...row("tun_dst"), ...row("tun_ipv6_src"), ...row("tun_ipv6_dst"), ...row("metadata"),
  ...Array.from({ length: 32 }, (_, i) => row(`reg${i}` as Parameters<typeof field>[0])).flat(),
  ...row("pkt_mark"), ...row("ct_state"), ...row("ct_zone"), ...row("ct_mark"), ...row("ct_label"),
];
const tupleRows: readonly Row[] = [...row("ct_nw_src"), ...row("ct_nw_dst"), ...row("ct_ipv6_src"), ...row("ct_ipv6_dst"), ...row("ct_nw_proto"), ...row("ct_tp_src"), ...row("ct_tp_dst")];

export function metadataOf(key: FlowKey, tlvs: ReadonlyMap<number, TlvMapping>): Match {
  const builder = new MatchBuilder();
  builder.add(field("in_port"), key[W.inPort] ?? 0);
  for (const [f, place] of (key[W.ctNwProto] ?? 0) === 0 ? rows : [...rows, ...tupleRows]) {
    const value = readPlace(key, place);
    if (value !== 0 && value !== 0n) builder.add(f, f.isWide ? BigInt(value) : Number(value));
  }
  for (let i = 0; i < tunMetadataFields; i++) {
    if (((key[W.tunMetadataPresent] ?? 0) & (1 << i)) === 0 || !tlvs.has(i)) continue;
    builder.add(field(`tun_metadata${i}` as Parameters<typeof field>[0]), BigInt(key[W.tunMetadata + i] ?? 0));
  }
  return builder.build();
}

/** Puts what a match says into the key: for packet-out and resume. */
export function putMetadata(key: FlowKey, match: Match): void {
  for (const { field: f, value } of match.terms) {
    const place = placeOf(f);
    if (place === undefined || place.word >= firstHeaderWord) continue;
    spread(place, value, (word, bits) => {
      key[word] = (key[word] ?? 0) | bits;
    });
    if (place.word >= W.tunMetadata && place.word < W.tunMetadataPresent) {
      key[W.tunMetadataPresent] = (key[W.tunMetadataPresent] ?? 0) | (1 << (place.word - W.tunMetadata));
    }
  }
}

/** The key that a packet-in tells of: what the walk has written, and for the rest what came with this packet. */
export function keyAtNotice(packetKey: FlowKey, walkKey: FlowKey, written: FlowKey): FlowKey {
  const key = walkKey.slice();
  for (let w = firstPacketWord; w < firstHeaderWord; w++) {
    if (w === W.inPort) continue;
    const mask = written[w] ?? 0;
    key[w] = ((packetKey[w] ?? 0) & ~mask) | ((walkKey[w] ?? 0) & mask);
  }
  key[W.recircId] = 0;
  return key;
}
