/** How ovsdb-tool and ovsdb-client end: with a text on standard error and an exit code, from wherever they are. */
export class Fatal extends Error {
  override name = "Fatal";
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

export const fatal = (text: string, code = 1): never => {
  throw new Fatal(text, code);
};
