/** What `ip -j addr` says, as far as it is needed. */
import * as z from "zod";

const schema = z.array(z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).optional() }));

/** Addresses with their lengths, in the order given; none where the text is something else. */
export function parseAddresses(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const links = schema.safeParse(value);
  return links.success ? links.data.flatMap((link) => (link.addr_info ?? []).map((a) => `${a.local}/${a.prefixlen}`)) : [];
}
