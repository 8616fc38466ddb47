// `npm start`: set up, then the main job: the two-zone lab of examples/east-west.lab.yml.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { installDependencies, root } from "./setup.mjs";

installDependencies();
const { build } = await import("./build.mjs");
await build();

const child = spawn(process.execPath, [join(root, "bin/isthmus"), "start", ...process.argv.slice(2)], { stdio: "inherit" });
// The lab tears itself down on these; this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
