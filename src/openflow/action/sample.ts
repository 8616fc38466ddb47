/** Samples for IPFIX collectors (ovs-actions(7), "The sample action"). */
import type { Action, Sample } from "./action.ts";
import type { Forms } from "./form.ts";
import { headerOf, nicira, ofsNbits, unpack } from "./layout.ts";
import { fieldOfNxmHeader } from "../match/oxm.ts";
import { formatSubfield, parseSubfield, type Subfield } from "../match/subfield.ts";
import { formatPort, parsePort, ports } from "../message/port.ts";
import type { WireReader } from "../message/wire-reader.ts";
import type { WireWriter } from "../message/wire-writer.ts";
import { Complaint, parseBounded, splitKeyValues } from "../text-input.ts";

/** By number on the wire. */
const directions = [undefined, "ingress", "egress"] as const;

function parseSample(text: string, complaint: Complaint): Action | undefined {
  let sample: Sample = { kind: "sample", probability: 0, collectorSet: 0, domain: 0, point: 0, samplingPort: ports.none };
  for (const { key, value } of splitKeyValues(text)) {
    if (key === "probability") sample = { ...sample, probability: parseBounded(value, 16, key, complaint) ?? 0 };
    else if (key === "collector_set_id") sample = { ...sample, collectorSet: parseBounded(value, 32, key, complaint) ?? 0 };
    else if (key === "obs_domain_id") sample = { ...sample, domain: parseSource(value, key, complaint) };
    else if (key === "obs_point_id") sample = { ...sample, point: parseSource(value, key, complaint) };
    else if (key === "sampling_port") sample = { ...sample, samplingPort: parsePort(value) ?? complaint.say(`${value}: unknown port`) ?? 0 };
    else if (key === "ingress" || key === "egress") sample = { ...sample, direction: key };
    else return complaint.say(`invalid key "${key}" in "sample" argument`);
  }
  return sample.probability === 0 ? complaint.say('non-zero "probability" must be specified on sample') : sample;
}

function parseSource(value: string, what: string, complaint: Complaint): number | Subfield {
  const number = parseBounded(value, 32, what, new Complaint());
  const s = number === undefined ? parseSubfield(value, complaint) : undefined;
  if (s !== undefined && s.bits > 32) complaint.say(`size of ${what} field (${s.bits}) exceeds maximum (32)`);
  return number ?? s ?? 0;
}

function formatSample(a: Sample): string {
  const source = (s: number | Subfield): string => (typeof s === "number" ? String(s) : formatSubfield(s));
  const port = a.samplingPort === ports.none ? "" : `,sampling_port=${formatPort(a.samplingPort)}`;
  const direction = a.direction === undefined ? "" : `,${a.direction}`;
  return `sample(probability=${a.probability},collector_set_id=${a.collectorSet},obs_domain_id=${source(a.domain)},obs_point_id=${source(a.point)}${port}${direction})`;
}

/** The oldest of four subtypes that can say it. */
function subtypeOf({ domain, point, direction, samplingPort }: Sample): 29 | 38 | 41 | 51 {
  if (typeof domain !== "number" || typeof point !== "number") return 51;
  if (direction !== undefined) return 41;
  return samplingPort === ports.none ? 29 : 38;
}

function encodeSample(w: WireWriter, action: Sample): void {
  const subtype = subtypeOf(action);
  nicira(w, subtype, () => {
    w.u16(action.probability);
    w.u32(action.collectorSet);
    for (const source of [action.domain, action.point]) putSource(w, source, subtype === 51);
    if (subtype === 29) return;
    w.u16(action.samplingPort);
    w.u8(directions.indexOf(action.direction));
    w.zeros(5);
  });
}

function putSource(w: WireWriter, source: number | Subfield, mayBeField: boolean): void {
  if (typeof source === "number") {
    if (mayBeField) w.u32(0);
    w.u32(source);
  } else {
    w.u32(headerOf(w, source));
    w.u16(ofsNbits(source));
    w.zeros(2);
  }
}

function pullSource(r: WireReader, mayBeField: boolean): number | Subfield {
  const header = mayBeField ? r.u32() : 0;
  if (header === 0) return r.u32();
  const from = unpack(r, fieldOfNxmHeader(r, header), r.u16());
  r.skip(2);
  return from ?? 0;
}

function decodeSample(r: WireReader, subtype: 29 | 38 | 41 | 51): Sample {
  const [probability, collectorSet] = [r.u16(), r.u32()];
  const [domain, point] = [pullSource(r, subtype === 51), pullSource(r, subtype === 51)];
  const [samplingPort, number] = subtype === 29 ? [ports.none, 0] : [r.u16(), r.u8()];
  if (subtype !== 29) r.zeros(5, "NXBRC_MUST_BE_ZERO");
  if (number >= directions.length || probability === 0) r.fail("OFPBAC_BAD_ARGUMENT");
  const direction = directions[number];
  return { kind: "sample", probability, collectorSet, domain, point, samplingPort, ...(direction !== undefined && { direction }) };
}

export const samples: Forms<"sample"> = {
  sample: {
    parse: { sample: parseSample },
    format: formatSample,
    encode: encodeSample,
    nicira: { 29: (r) => decodeSample(r, 29), 38: (r) => decodeSample(r, 38), 41: (r) => decodeSample(r, 41), 51: (r) => decodeSample(r, 51) },
  },
};
