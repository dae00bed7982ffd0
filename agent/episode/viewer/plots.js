/* The numbers by tick as plots: which there are, and how one is drawn. */

const STRAIN = "How many widths the monitor's signals, fused, lie above their usual course; shaded where that is "
  + "over the limit. Below, the signal that strays farthest.";

/** Columns that are drawn together; a series without values is left out, and so is an empty plot. */
function plots() {
  const spec = [
    { title: "subgoal heads", unit: "0..1", low: 0, high: 1, series: [
      { name: "progress", column: "progress" },
      { name: "success", column: "success" },
    ], dots: true, limits: [limit("success threshold", metadata.config?.monitor?.success_threshold)] },
    { title: "strain", unit: "widths", low: -1, cap: capOfStrain(), alarming: true, hint: STRAIN, series: [
      { name: "score", column: "score" },
      { name: "limit", column: "limit", dashed: true },
    ] },
    { title: "spread of heads", unit: "mm", low: 0, scale: 1000, series: [
      { name: "spread", column: "spread" },
    ] },
    ...actionPlots(),
  ];
  for (const plot of spec) plot.series = plot.series.filter((one) => values(one.column).some(isNumber));
  return spec.filter((plot) => plot.series.length > 0);
}

/** One plot per unit of the action, what was asked for against what was sent. */
function actionPlots() {
  const names = metadata.action || [];
  const groups = new Map();
  for (let at = 0; `raw ${at}` in ticks; at += 1) {
    const [, name, unit] = /^(.*?)(?:\s*\[(.*)\])?$/.exec(names[at] || `${at}`);
    if (!groups.has(unit || "")) groups.set(unit || "", []);
    groups.get(unit || "").push({ name, at });
  }
  return [...groups].map(([unit, dimensions]) => {
    const gripper = dimensions.some(({ name }) => name === "gripper");
    const metres = unit === "m";
    const series = dimensions.flatMap(({ name, at }, hue) => [
      { name: `${name} raw`, column: `raw ${at}`, hue, faint: true, step: true, of: name },
      { name, column: `sent ${at}`, hue, step: true },
    ]);
    if (gripper) series.push({ name: "measured", column: "gripper", hue: dimensions.length });
    return {
      title: gripper && dimensions.length === 1 ? "gripper" : "action",
      unit: metres ? "mm" : unit, scale: metres ? 1000 : 1, series, zero: !gripper,
      low: gripper ? 0 : undefined, high: gripper ? 1 : undefined,
    };
  });
}

function capOfStrain() {
  return 2.5 * Math.max(1, ...values("limit").filter(isNumber));
}

function limit(name, value) {
  return isNumber(value) ? { name, value } : undefined;
}

function isNumber(value) {
  return typeof value === "number";
}

function values(column) {
  return ticks[column] || [];
}

/** The lowest and the highest value that is drawn. */
function range(plot) {
  const scale = plot.scale || 1;
  let low = plot.low ?? Infinity, high = plot.high ?? -Infinity;
  for (const { column } of plot.series) {
    for (const value of values(column)) {
      if (!isNumber(value)) continue;
      low = plot.low === undefined ? Math.min(low, value * scale) : Math.min(low, plot.low);
      if (plot.high === undefined) high = Math.max(high, value * scale);
    }
  }
  if (plot.cap !== undefined) high = Math.min(high, plot.cap);
  if (plot.zero) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
  if (!(high > low)) high = low + 1;
  return [low, high];
}

/** A plot: 100 units high, as wide as the mission is long; lines stay as thin as they are. */
function drawn(plot) {
  const [low, high] = range(plot), margin = 0.06 * (high - low);
  const y = (value) => 100 * (1 - (value - low + margin) / (high - low + 2 * margin));
  const svg = make("svg", { viewBox: `0 0 ${duration} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const run of runs) {
    if (run.to === undefined) continue;
    svg.append(make("line", { x1: run.to, x2: run.to, y1: 0, y2: 100, className: `edge ${run.outcome}` }));
  }
  if (low < 0 && high > 0) svg.append(make("line", { x1: 0, x2: duration, y1: y(0), y2: y(0), className: "zero" }));
  for (const one of (plot.limits || []).filter(Boolean)) {
    svg.append(make("line", { x1: 0, x2: duration, y1: y(one.value), y2: y(one.value), className: "limit" },
      make("title", { text: `${one.name} ${one.value}` })));
  }
  if (plot.alarming) svg.append(alarms(y));
  if (plot.dots) svg.append(...confidences(y));
  plot.series.forEach((one, at) => {
    const classes = `line hue-${one.hue ?? at} ${one.faint ? "faint" : ""} ${one.dashed ? "dashed" : ""}`;
    svg.append(make("path", { d: path(one, plot.scale || 1, y), className: classes }));
  });
  return { svg, low, high, digits: Math.max(0, 2 - Math.floor(Math.log10(high - low))) };
}

function path(series, scale, y) {
  let text = "", pen = false;
  values(series.column).forEach((value, tick) => {
    if (!isNumber(value)) {
      pen = false;
      return;
    }
    const x = times[tick], height = y(value * scale).toFixed(2);
    if (!pen) text += `M${x} ${height}`;
    else text += series.step ? `H${x}V${height}` : `L${x} ${height}`;
    pen = true;
  });
  return text;
}

/** How sure the monitor was of each verdict; a line without length, whose round ends make a dot. */
function confidences(y) {
  return verdicts.map((index) => {
    const { time_s: time, verdict } = events[index];
    return make("path", { d: `M${time} ${y(verdict.confidence)}h0`, className: `dot ${verdict.value}` });
  });
}

/** Where the score is above its limit, shaded from top to bottom. */
function alarms(y) {
  const group = make("g", {});
  values("score").forEach((score, tick) => {
    const limited = values("limit")[tick];
    // A limit that is no number has no end: nothing is above it.
    if (score === null || score === undefined || score <= limited || !isNumber(limited)) return;
    group.append(make("rect", { x: times[tick], y: 0, width: period, height: 100, className: "alarm" }));
  });
  return group;
}
