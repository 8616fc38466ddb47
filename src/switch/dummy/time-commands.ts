/** time/stop and time/warp (ovs-vswitchd's timeval commands), for tests. */
import { type UnixctlCommand, UnixctlError } from "../../daemon/index.ts";
import type { WarpedClock } from "../../host/index.ts";

export function timeCommands(clock: WarpedClock): readonly UnixctlCommand[] {
  return [
    {
      name: "time/stop", usage: "", minArgs: 0, maxArgs: 0,
      run() {
        clock.stop();
        return "";
      },
    },
    {
      name: "time/warp", usage: "[large_msecs] msecs", minArgs: 1, maxArgs: 2,
      async run(args) {
        const [step, total = step] = [...args].reverse().map(Number);
        if (step === undefined || total === undefined || !(step > 0) || !(total >= step)) throw new UnixctlError("invalid MSECS");
        await clock.warpInSteps(total, step);
        return "warped";
      },
    },
  ];
}
