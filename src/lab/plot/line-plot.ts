/**
 * Lines over numbers, as SVG: for growth that spans several orders of magnitude the vertical axis counts in powers of ten.
 * The text of the picture depends on nothing but the numbers.
 */
export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What was measured is drawn in full, what is only a formula dashed. */
  readonly isMeasured: boolean;
}

export interface LinePlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const [width, height] = [760, 440];
const frame = { left: 70, right: 220, top: 48, bottom: 56 };
const colours = ["#0b6e4f", "#c1121f", "#1d4e89", "#e07a00", "#6a4c93", "#444444"];

/** Control characters have no place in XML 1.0 at all. */
export const escapeXml = (text: string): string => text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\uffff]/g, "\ufffd").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export function linePlotSvg(plot: LinePlot): string {
  const points = plot.series.flatMap((s) => s.points);
  const maxX = Math.max(1, ...points.map(([x]) => x));
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(10, ...points.map(([, y]) => y)))));
  const [innerWidth, innerHeight] = [width - frame.left - frame.right, height - frame.top - frame.bottom];
  const toX = (x: number): number => round(frame.left + (x / maxX) * innerWidth);
  const toY = (y: number): number => round(frame.top + innerHeight - (Math.log10(Math.max(1, y)) / decades) * innerHeight);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${frame.left}" y="26" font-size="16" font-weight="bold">${escapeXml(plot.title)}</text>`,
    ...Array.from({ length: decades + 1 }, (_, d) => gridLine(toY(10 ** d), `${(10 ** d).toLocaleString("en")}`)),
    ...ticks(maxX).map((x) => `<text x="${toX(x)}" y="${height - frame.bottom + 18}" text-anchor="middle">${x}</text>`),
    `<text x="${frame.left + innerWidth / 2}" y="${height - 14}" text-anchor="middle">${escapeXml(plot.xLabel)}</text>`,
    `<text x="18" y="${frame.top + innerHeight / 2}" text-anchor="middle" transform="rotate(-90 18 ${frame.top + innerHeight / 2})">${escapeXml(plot.yLabel)}</text>`,
    ...plot.series.flatMap((series, i) => seriesLines(series, i, toX, toY)),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function gridLine(y: number, label: string): string {
  return `<line x1="${frame.left}" y1="${y}" x2="${width - frame.right}" y2="${y}" stroke="#dddddd"/><text x="${frame.left - 8}" y="${round(y + 4)}" text-anchor="end">${label}</text>`;
}

/** Five steps of a round width. */
function ticks(max: number): number[] {
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power);
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => i * step);
}

function seriesLines({ label, points, isMeasured }: Series, index: number, toX: (x: number) => number, toY: (y: number) => number): string[] {
  const colour = colours[index % colours.length] ?? "#000000";
  const path = points.map(([x, y]) => `${toX(x)},${toY(y)}`).join(" ");
  const dash = isMeasured ? "" : ' stroke-dasharray="6 4"';
  const y = frame.top + 8 + index * 34;
  const last = points.at(-1);
  const value = last === undefined ? "" : `${last[1].toLocaleString("en")} at ${last[0]}`;
  const x = width - frame.right + 14;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<line x1="${x}" y1="${y}" x2="${x + 22}" y2="${y}" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<text x="${x + 28}" y="${y + 4}">${escapeXml(label)}</text>`,
    `<text x="${x + 28}" y="${y + 18}" fill="#666666">${escapeXml(value)}</text>`,
  ];
}
