/** Template variables: `^name` in a match or in actions stands for what Chassis_Template_Var gives for this chassis. */
import { Lexer } from "./lexer.ts";

export type TemplateLookup = (name: string) => string | undefined;

/** The text with every variable replaced; undefined if one is unknown. Tokens move together, as in the C program. */
export function expandTemplates(text: string, lookup: TemplateLookup): string | undefined {
  if (!text.includes("^")) return text;
  const lexer: Lexer = new Lexer(text);
  let expanded = "";
  let complete = true;
  for (; lexer.kind !== "end"; lexer.advance()) {
    if (lexer.kind !== "template") {
      expanded += lexer.formatToken();
      continue;
    }
    const value = lookup(lexer.name);
    // Goes on all the same, so that the caller learns of every variable that the text depends on.
    if (value === undefined) complete = false;
    else expanded += value;
  }
  return complete ? expanded : undefined;
}
