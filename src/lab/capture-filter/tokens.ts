/** The words of a capture filter: names, numbers, addresses, signs. */

export type Token =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "number"; readonly text: string; readonly value: number }
  | { readonly kind: "address"; readonly text: string }
  | { readonly kind: "sign"; readonly text: string };

const patterns: readonly (readonly [Token["kind"], RegExp])[] = [
  ["address", /^(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}(?![\w:])/],
  ["address", /^\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?(?![\w.])/],
  ["address", /^(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]+(?:\/\d{1,3})?(?![\w:])/],
  ["number", /^(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})(?![\w.])/],
  ["word", /^[A-Za-z][A-Za-z0-9_.-]*/],
  ["sign", /^(?:&&|\|\||<<|>>|<=|>=|==|!=|[()[\]:+\-*/%&|^<>=!])/],
];

/** Or where something stands that is none. */
export function tokensOf(text: string): readonly Token[] | { readonly illegalAt: number } {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const space = /^\s+/.exec(text.slice(at));
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const token = tokenAt(text.slice(at));
    if (token === undefined) return { illegalAt: at };
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(rest: string): Token | undefined {
  for (const [kind, pattern] of patterns) {
    const text = pattern.exec(rest)?.[0];
    if (text === undefined) continue;
    // A leading zero means base eight, as in C.
    if (kind === "number") return { kind, text, value: /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text) };
    return { kind, text };
  }
  return undefined;
}
