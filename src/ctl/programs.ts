/** The programs by name, for whoever runs several of them in one process. Each is loaded when it is first asked for. */
import { type CtlPlace, runCtl } from "./run-ctl.ts";

type Run = (args: readonly string[], place: CtlPlace) => Promise<number>;

const programs = {
  "ovn-nbctl": async (args, place) => runCtl((await import("./nb/program.ts")).nbctl, args, place),
  "ovn-sbctl": async (args, place) => runCtl((await import("./sb/program.ts")).sbctl, args, place),
  "ovn-ic-nbctl": async (args, place) => runCtl((await import("./ic/northbound-program.ts")).icNbctl, args, place),
  "ovn-ic-sbctl": async (args, place) => runCtl((await import("./ic/southbound-program.ts")).icSbctl, args, place),
  "ovs-vsctl": async (args, place) => runCtl((await import("./vs/program.ts")).vsctl, args, place),
  "ovs-ofctl": async (args, place) => (await import("./of/ofctl.ts")).runOfctl(args, place),
  "ovs-appctl": async (args, place) => {
    const { ovsAppctl, runAppctl } = await import("./appctl.ts");
    return runAppctl(ovsAppctl, args, place);
  },
  "ovn-appctl": async (args, place) => {
    const { ovnAppctl, runAppctl } = await import("./appctl.ts");
    return runAppctl(ovnAppctl, args, place);
  },
} as const satisfies { readonly [name: string]: Run };

export type ProgramName = keyof typeof programs;
export const programNames: readonly string[] = Object.keys(programs);
export const isProgramName = (name: string): name is ProgramName => Object.hasOwn(programs, name);

/** The exit code. Keeps nothing but what `place.connections` keeps. */
export const runProgram = (name: ProgramName, args: readonly string[], place: CtlPlace): Promise<number> => programs[name](args, place);
