/** What one run of ping is to do. */
import type { Ip } from "../../../net/index.ts";

export interface PingPlan {
  /** As the user wrote it. */
  readonly target: string;
  readonly ip: Ip;
  readonly isNumeric: boolean;
  readonly source: Ip | undefined;
  readonly interfaceName: string | undefined;
  readonly count: number | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly size: number;
  readonly ttl: number;
  readonly quiet: boolean;
  readonly stamped: boolean;
  readonly reportsMissing: boolean;
  readonly dontFragment: boolean;
}
