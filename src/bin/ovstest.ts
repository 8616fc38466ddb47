/** The subcommands of OVN's ovstest that ask about the logical-flow language: `ovstest test-ovn parse-expr < FILE`. */
import { nodeProcess } from "../host/node/index.ts";
import { testOvn } from "../logical/index.ts";

const process = nodeProcess();
const [suite = "", command = "", ...args] = process.args;
const needsInput = !["dump-symtab", "composition", "exhaustive"].includes(command);
const output = suite === "test-ovn" ? testOvn(command, args, needsInput ? process.input() : "") : undefined;
if (output !== undefined) process.out(output);
else process.err(`ovstest: unknown command '${suite} ${command}'\n`);
process.exit(output === undefined ? 1 : 0);
