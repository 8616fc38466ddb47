/**
 * Stories in Markdown, with commands that run. In a block marked `console`, a line that begins with a prompt is a command, and
 * what follows is what it prints (see `src/lab/validate/expected-text.ts` for what may differ):
 *
 *     $ bin/isthmus up examples/east-west.lab.yml --detach
 *     [central_east]# ovn-nbctl show           in a shell that has that node's environment
 *     > continuation of the line above
 *
 * A block marked `console machines` needs network namespaces, one marked `console frr` FRR. A `mermaid` block must be what `isthmus graph` draws.
 */
export interface StoryCommand {
  readonly text: string;
  /** The node in whose environment it runs. */
  readonly node: string | undefined;
  readonly expected: string;
  readonly line: number;
  /** `machines`, `frr`: what it takes. */
  readonly needs: readonly string[];
}

export interface Story {
  readonly commands: readonly StoryCommand[];
  readonly mermaid: string | undefined;
  /** Pictures that it shows, by file name. */
  readonly pictures: readonly string[];
}

const promptPattern = /^(?:\$|\[([A-Za-z][\w.-]*)\]#) (.*)$/;

export function parseStory(markdown: string): Story {
  const commands: StoryCommand[] = [];
  let mermaid: string | undefined;
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w+)(.*)$/.exec(lines[at] ?? "");
    if (fence === null) continue;
    const end = lines.findIndex((l, i) => i > at && l.startsWith("```"));
    if (end < 0) throw new Error(`line ${at + 1}: a block is never closed`);
    const body = lines.slice(at + 1, end);
    if (fence[1] === "mermaid") mermaid = `${body.join("\n")}\n`;
    if (fence[1] === "console") commands.push(...commandsOf(body, at + 2, (fence[2] ?? "").split(/\s+/).filter((word) => word !== "")));
    at = end;
  }
  return { commands, mermaid, pictures: [...markdown.matchAll(/!\[[^\]]*\]\(([^)]+\.svg)\)/g)].map((m) => m[1] ?? "") };
}

function commandsOf(body: readonly string[], firstLine: number, needs: readonly string[]): StoryCommand[] {
  const commands: { text: string; node: string | undefined; output: string[]; line: number }[] = [];
  for (const [i, line] of body.entries()) {
    const prompt = promptPattern.exec(line);
    const last = commands.at(-1);
    if (prompt !== null) commands.push({ text: prompt[2] ?? "", node: prompt[1], output: [], line: firstLine + i });
    else if (last === undefined) throw new Error(`line ${firstLine + i}: output before any command`);
    else if (line.startsWith("> ") && last.output.length === 0) last.text += `\n${line.slice(2)}`;
    else last.output.push(line);
  }
  return commands.map(({ text, node, output, line }) => ({ text, node, expected: output.join("\n"), line, needs }));
}

/** A shell script that runs the commands one after the other; `marker` stands before the output of each. */
export function storyScript(commands: readonly StoryCommand[], marker: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const one = ({ text, node }: StoryCommand, i: number): string => {
    const body = node === undefined ? text : `eval "$(bin/isthmus env ${node})"\n${text}`;
    return `printf '\\n%s\\n' ${quoted(`${marker} ${i}`)}\n( ${body}\n)`;
  };
  return `export PATH="$PWD/bin:$PATH"\n${commands.map(one).join("\n")}\n`;
}

/** The outputs, by command. */
export function outputsOf(text: string, marker: string): string[] {
  const parts = text.split(new RegExp(`\\n${marker} \\d+\\n`));
  return parts.slice(1);
}
