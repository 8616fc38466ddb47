/** What the programs say they are: the versions of OVN's and OVS's main branch that their behaviour follows, and ours. */
declare const ISTHMUS_VERSION: string;

export const ovnVersion = "26.03.90";
/** By which controllers tell whether they are of one version with northd: release, southbound schema, actions. */
export const ovnInternalVersion = `${ovnVersion}-21.11.0-82.15`;
export const ovsVersion = "3.7.90";
export const isthmusVersion: string = typeof ISTHMUS_VERSION === "string" ? ISTHMUS_VERSION : "0.0.0";

/** Whose program a program is: decides version, run directory and variables. */
export type Family = "ovn" | "ovs";

/** The text of `--version` and of unixctl's `version`, ending in a new line. */
export function versionText(program: string, family: Family, more: readonly string[] = []): string {
  const first = family === "ovn" ? `${program} ${ovnVersion}` : `${program} (Open vSwitch) ${ovsVersion}`;
  return [first, `Isthmus ${isthmusVersion}`, ...more].map((line) => `${line}\n`).join("");
}
