/**
 * `--ovs`: beside each logical flow the switch's flows that it became, found by their cookie, which is the first 32 bits of
 * the logical flow's UUID.
 */
import { describeError } from "../daemon/index.ts";
import type { Host, Log } from "../host/index.ts";
import { formatFlowStats } from "../openflow/index.ts";
import { FlowDumper } from "./flow-dumper.ts";
import type { TraceFlow } from "./model.ts";
import type { TraceNode } from "./node.ts";

/** Puts the switch's flows at the beginning of every table node; a switch that cannot be reached is warned of, no more. */
export async function addOpenflow(host: Host, remote: string, flowOf: ReadonlyMap<TraceNode, TraceFlow>, log: Log): Promise<void> {
  const dumper = await FlowDumper.connect(host, remote).catch((error: unknown) => {
    log.warn(`${remote}: connection failed (${describeError(error)})`);
    return undefined;
  });
  if (dumper === undefined) return;
  for (const [node, { uuid }] of flowOf) node.children.unshift(...(await flowsOf(dumper, uuid, remote, log)));
  dumper.close();
}

async function flowsOf(dumper: FlowDumper, uuid: string, remote: string, log: Log): Promise<TraceNode[]> {
  const leaf = (kind: "action" | "error", text: string): TraceNode => ({ kind, text, children: [], alwaysIndent: false });
  try {
    const flows = await dumper.flowsWithCookie(BigInt(`0x${uuid.slice(0, 8)}`));
    return flows.length === 0 ? [leaf("error", "*** no OpenFlow flows")] : flows.map((flow) => leaf("action", formatFlowStats(flow)));
  } catch (error) {
    const reason = describeError(error);
    log.warn(`${remote}: error obtaining flow stats (${reason})`);
    return [leaf("error", `*** error obtaining flow stats (${reason})`)];
  }
}
