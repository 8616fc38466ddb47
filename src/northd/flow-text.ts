/**
 * Text of the logical-flow language, as northd writes it. The two tags keep matches and actions apart for the type checker;
 * what they make are plain strings, byte for byte those of OVN's northd, since ovn-controller, tests and people read them.
 */
declare const matchBrand: unique symbol;
declare const actionsBrand: unique symbol;

export type Match = string & { readonly [matchBrand]: true };
export type Actions = string & { readonly [actionsBrand]: true };

type Piece = string | number;

/** Joined at once: added up piece by piece, a string stays the tree of its pieces for as long as it lives. */
const join = (texts: TemplateStringsArray, pieces: readonly Piece[]): string => {
  if (pieces.length === 0) return texts[0] ?? "";
  const parts: Piece[] = [];
  for (let i = 0; i < pieces.length; i++) parts.push(texts[i] ?? "", pieces[i] ?? "");
  parts.push(texts[pieces.length] ?? "");
  return parts.join("");
};

export const match = (texts: TemplateStringsArray, ...pieces: readonly Piece[]): Match => join(texts, pieces) as Match;
export const actions = (texts: TemplateStringsArray, ...pieces: readonly Piece[]): Actions => join(texts, pieces) as Actions;

/** A match that the northbound database holds as text. */
export const asMatch = (text: string): Match => text as Match;

export const everything = match`1`;
export const next = actions`next;`;

/** A port's name as a string constant of the language. */
export const quoted = (name: string): string => JSON.stringify(name);

/** One address alone, or several in braces. */
export const oneOrSet = (items: readonly string[]): string => (items.length === 1 ? (items[0] ?? "") : `{${items.join(", ")}}`);
