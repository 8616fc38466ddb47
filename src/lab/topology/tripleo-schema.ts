/** What a topology file says about a TripleO deployment (see `tripleo.ts`). */
import * as z from "zod";
import { ip, mac, name } from "./names.ts";

export function tripleoSchema() {
  const nic = z.strictObject({ interface: z.string().min(1).max(15).optional(), mac: mac.optional(), plug: z.string().min(1) });
  return z.strictObject({
    environment: z.string().min(1),
    machines: z.record(name, z.strictObject({ role: z.string().min(1), nics: z.record(name, nic), addresses: z.record(z.string().min(1), ip).default({}) })),
  });
}

export type TripleoEntry = z.infer<ReturnType<typeof tripleoSchema>>;
