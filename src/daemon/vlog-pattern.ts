/** The form of a log line (ovs-appctl(8), "Log Pattern"): %-fields in a text. */
export interface LinePlace {
  readonly program: string;
  readonly pid: number;
  /** The running number of the message. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds since the program's start. */
  readonly sinceStartMs: number;
  readonly module: string;
  readonly level: string;
  readonly text: string;
}

const field = /%(-?)(0?)(\d*)(?:([cdD])(?:\{([^}]*)\})?|([\s\S]))/g;
const timeForm = "%Y-%m-%d %H:%M:%S.###";

export function formatLine(pattern: string, line: LinePlace): string {
  return pattern.replace(field, (_, left: string, zero: string, width: string, braced: string, argument: string, plain: string) => {
    const value = braced === undefined ? plainField(plain, line) : bracedField(braced, argument, line);
    const size = Number(width);
    return left === "-" ? value.padEnd(size) : value.padStart(size, zero === "0" ? "0" : " ");
  });
}

function bracedField(letter: string, argument: string | undefined, line: LinePlace): string {
  // Local time is UTC here: logs of several zones are read side by side.
  return letter === "c" ? line.module : formatTime(argument ?? timeForm, line.wallMs);
}

function plainField(letter: string, line: LinePlace): string {
  switch (letter) {
    case "A":
      return line.program;
    case "m":
      return line.text.replace(/\n+$/, "");
    case "N":
      return String(line.number);
    case "n":
      return "\n";
    case "p":
      return line.level;
    case "P":
      return String(line.pid);
    case "r":
      return String(Math.floor(line.sinceStartMs));
    case "t":
      return "main";
    case "T":
    case "B":
    case "E":
      return "";
    default:
      return letter;
  }
}

/** strftime(3) as far as log patterns use it; \`###\` stands for milliseconds. In UTC. */
export function formatTime(form: string, wallMs: number): string {
  const iso = new Date(wallMs).toISOString();
  const parts: Readonly<Record<string, string>> = {
    Y: iso.slice(0, 4), m: iso.slice(5, 7), d: iso.slice(8, 10), H: iso.slice(11, 13), M: iso.slice(14, 16), S: iso.slice(17, 19),
    y: iso.slice(2, 4), T: iso.slice(11, 19), F: iso.slice(0, 10), "%": "%",
  };
  return form.replace(/%([A-Za-z%])/g, (whole, letter: string) => parts[letter] ?? whole).replace("###", iso.slice(20, 23));
}
