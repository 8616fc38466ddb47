/** ovn-trace: what would happen to this packet, and why. */
export type { MulticastGroup, PortSecurity, TraceDatapath, TraceFlow, TraceModel, TracePort } from "./model.ts";
export { type NodeKind, printDetailed, printMinimal, printSummary, type TraceNode } from "./node.ts";
export { readModel, tracedTables } from "./read-model.ts";
export { type TracedZone, traceMicroflow, type TraceResult } from "./trace-microflow.ts";
export { traceMain } from "./trace-program.ts";
export { openTraceSession, type TraceSession, type TraceSettings } from "./trace-session.ts";
export type { TraceOptions } from "./walk.ts";
