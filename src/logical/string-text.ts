/** Quoted strings of the logical-flow language, escaped as JSON's are. */

/** `"text"`, escaped as JSON is. */
export const quote = (text: string): string => {
  let plain = true;
  for (let i = 0; i < text.length && plain; i++) {
    const c = text.charCodeAt(i);
    plain = c >= 0x20 && c !== 0x22 && c !== 0x5c && c !== 0x7f;
  }
  return plain ? `"${text}"` : JSON.stringify(text);
};

/** What stands for itself after a backslash, as in JSON. */
const escapes: ReadonlyMap<string, string> = new Map([["b", "\b"], ["f", "\f"], ["n", "\n"], ["r", "\r"], ["t", "\t"], ['"', '"'], ["\\", "\\"], ["/", "/"]]);

/** The text between the quotes of a string with backslashes in it, or, of kind "error", what is wrong with it. */
export function unescape(inside: string): { readonly kind: "string" | "error"; readonly text: string } {
  const fail = (text: string) => ({ kind: "error", text }) as const;
  let out = "";
  for (let i = 0; i < inside.length; i++) {
    if (inside.charCodeAt(i) !== 92) {
      out += inside[i];
      continue;
    }
    const escape = inside[++i];
    if (escape === undefined) return fail("quoted string may not end with backslash");
    const simple = escapes.get(escape);
    if (simple !== undefined) out += simple;
    else if (escape !== "u") return fail(`bad escape \\${escape}`);
    else {
      const hex = inside.slice(i + 1, i + 5);
      if (hex.length < 4) return fail("quoted string ends within \\u escape");
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) return fail("malformed \\u escape");
      const unit = Number.parseInt(hex, 16);
      if (unit === 0) return fail("null bytes not supported in quoted strings");
      out += String.fromCharCode(unit);
      i += 4;
    }
  }
  return { kind: "string", text: out };
}
