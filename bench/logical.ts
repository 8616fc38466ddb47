/**
 * What reading and encoding logical flows costs: the flows that OVN's northd made of forty random networks, over and over,
 * until they are 40,000. The first round is a program that has just started: hardly anything of it is compiled yet.
 *
 *     npm run bench -- logical
 */
import {
  dhcpv4Options, dhcpv6Options, outputInit, ovnSymbols, type Pipeline, pipelineLength, readLogicalFlow, translateLogicalFlow, type TranslationContext,
} from "../src/logical/index.ts";
import { readRecordings } from "../test/northd-oracle/recordings.ts";

interface FlowText {
  readonly pipeline: Pipeline;
  readonly table: number;
  readonly match: string;
  readonly actions: string;
}

/** `ls0 ls_in_l2_lkup ingress 33 50 MATCH | ACTIONS | ...` */
function flowText(line: string): FlowText[] {
  const found = /^l[sr]\S+ \S+ (ingress|egress) (\d+) \d+ (.*?) \| (.*?) \| \[/.exec(line);
  if (found === null) return [];
  const [, pipeline, table, match = "", actions = ""] = found;
  return [{ pipeline: pipeline === "ingress" ? "ingress" : "egress", table: Number(table), match, actions }];
}

const flows = readRecordings("test/northd-oracle/networks.json.br").flatMap(({ expected }) => expected.flatMap(flowText));
const symbols = ovnSymbols();
const context: TranslationContext = {
  lookupPort: () => 5, isLocalPort: () => true, tunnelPort: () => 5, isChassisResident: () => true, isSwitch: true, pipeline: "ingress", outputTable: outputInit,
  groupId: () => 1, meterId: () => 1, controllerMeter: undefined, hasCollectorSet: () => true, flowUuid: "aaaaaaaa-bbbb-bbbb-cccc-ccccdddddddd", datapathKey: 1,
  commonNatZone: "reg11", features: { ctZeroSnat: true, meters: true, hashL4Symmetric: true },
};

for (let round = 0; round < 4; round++) {
  const started = process.cpuUsage();
  let count = 0;
  let matches = 0;
  const wanted = round === 0 ? 500 : 40_000;
  for (let i = 0; count < wanted; i = (i + 1) % flows.length) {
    const flow = flows[i];
    if (flow === undefined) break;
    count++;
    const { pipeline, table, match, actions } = flow;
    const read = readLogicalFlow(match, actions, { symbols, dhcpOptions: dhcpv4Options, dhcpv6Options, pipeline, table, tables: pipelineLength[pipeline] }, { addressSet: () => [], portGroup: () => [] });
    if (read.kind === "parsed") matches += translateLogicalFlow(read.value, context).matches.length;
  }
  const { user, system } = process.cpuUsage(started);
  console.log(`${count} logical flows, ${matches} matches: ${Math.round((user + system) / 1000)} ms of CPU${round === 0 ? ", just started" : ""}`);
}
