/** `ovsdb-client lock`, `steal` and `unlock`: what the server answers and tells, until the connection ends. */
import type { UnixctlCommand } from "../daemon/index.ts";
import type { Call } from "./client-call.ts";

export async function lock(call: Call, method: string): Promise<void> {
  call.connection.onNotification(({ method: notified, params }) => {
    call.process.out(`${notified}\n`);
    call.print(params);
  });
  const ask = async (asked: string, name: string): Promise<void> => call.print(await call.connection.call(asked, [name]));
  const verb = (name: string): UnixctlCommand => ({
    name, usage: "LOCK", minArgs: 1, maxArgs: 1,
    run: ([of = ""]) => {
      // A failure ends the connection, and with it this command.
      void ask(name, of).catch(() => undefined);
      return "";
    },
  });
  const stay = await call.stay({ commands: ["lock", "steal", "unlock"].map(verb), hidesErrors: true });
  try {
    await ask(method, call.args[0] ?? "");
    stay.ready();
    await Promise.race([call.connection.ended, stay.asked]);
  } finally {
    stay.leave();
  }
}
