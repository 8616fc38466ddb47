import assert from "node:assert/strict";
import { test } from "node:test";
import { linePlotSvg } from "../plot/line-plot.ts";
import { distributionLines, distributionTable } from "./distribution.ts";

const counts = [{ stage: "lr_out_egr_loop", flows: 423414 }, { stage: "lr_in_ip_routing", flows: 212199 }, { stage: "lr_in_ip_input", flows: 44708 }];

test("a distribution reads as the shell would count it, or as a table", () => {
  assert.equal(distributionLines(counts, 2), "lr_out_egr_loop: 423414  62.24%\nlr_in_ip_routing: 212199  31.19%\n");
  assert.equal(
    distributionTable(counts, 2),
    [
      " FLOWS   SHARE  STAGE",
      "423414  62.24%  lr_out_egr_loop",
      "212199  31.19%  lr_in_ip_routing",
      "680321          in 3 stages, 1 more not shown",
      "",
    ].join("\n"),
  );
  assert.equal(distributionTable([], 0), "FLOWS  SHARE  STAGE\n    0         in 0 stages\n");
});

test("a plot spans as many powers of ten as it takes, and says what is measured", () => {
  const svg = linePlotSvg({
    title: "a < b", xLabel: "x", yLabel: "y",
    series: [{ label: "measured", isMeasured: true, points: [[1, 260], [200, 2449]] }, { label: "formula", isMeasured: false, points: [[1, 3], [200, 120000]] }],
  });
  assert.match(svg, /a &lt; b/);
  assert.match(svg, />1,000,000<\/text>/);
  assert.match(svg, /2,449 at 200/);
  assert.equal(svg.match(/<polyline [^>]*stroke-dasharray/g)?.length, 1);
  assert.match(linePlotSvg({ title: "", xLabel: "", yLabel: "", series: [] }), /^<svg .*<\/svg>\n$/s);
});
