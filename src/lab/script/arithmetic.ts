/** `$((expression))`: integers, names, + - * / % and parentheses (XCU 2.6.4). */

/** The value of `expression`; a message if it has none. Unset names are 0, as in the shell. */
export function evaluateArithmetic(expression: string, lookUp: (name: string) => string): number | { readonly error: string } {
  const tokens = expression.match(/\d+|[A-Za-z_][A-Za-z0-9_]*|[-+*/%()]|\S/g) ?? [];
  let at = 0;
  let error: string | undefined;
  const fail = (message: string): number => {
    error ??= message;
    return 0;
  };
  const primary = (): number => {
    const token = tokens[at++];
    if (token === undefined) return fail("an operand is missing");
    if (token === "-") return -primary();
    if (token === "+") return primary();
    if (token === "(") {
      const value = sum();
      return tokens[at++] === ")" ? value : fail("a ( is never closed");
    }
    if (/^\d/.test(token)) return Number(token);
    if (/^[A-Za-z_]/.test(token)) {
      const text = lookUp(token).trim();
      return text === "" ? 0 : /^-?\d+$/.test(text) ? Number(text) : fail(`${token} is not a number: "${text}"`);
    }
    return fail(`unexpected "${token}"`);
  };
  const product = (): number => {
    let value = primary();
    while (tokens[at] === "*" || tokens[at] === "/" || tokens[at] === "%") {
      const operator = tokens[at++];
      const right = primary();
      if (operator === "*") value *= right;
      else if (right === 0) return fail("division by zero");
      else value = operator === "/" ? Math.trunc(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") value = tokens[at++] === "+" ? value + product() : value - product();
    return value;
  };
  // Deep nesting would overflow the stack before it meant anything.
  if (tokens.length > 1000) return { error: "the expression is too long" };
  const value = sum();
  if (error === undefined && at < tokens.length) error = `unexpected "${tokens[at]}"`;
  return error === undefined ? value : { error };
}
