/* The time line: lanes with what happened, and the plots below them, all over the same time. */

const MARKS = { confirmed: "✓", refuted: "✕", insufficient: "?" };
/** Width of the labels in px, `--gutter` of the style. */
const GUTTER = 148;
const readouts = [];
let zoom = 1;

function buildTracks() {
  const tracks = byId("tracks");
  const lanes = [
    ["subgoals", runs.map(bar)],
    ["verdicts", pins("/verdict", (e) => [MARKS[e.verdict.value], e.verdict.value, verdictText(e)])],
    ["differences", pins("mark", (e) => ["≠", "difference", e.title])],
    ["planner", [...pins("/plan", planPin), ...pins("/model", (e) => ["◇", e.fault ? "refuted" : "model", modelText(e)])]],
    ["speech", pins("/heard", (e) => ["▸", e.became === "ignored" ? "plain" : "speech", heardText(e)])],
    ["stops and wishes", [...pins("/event stopped", (e) => ["■", "refuted", `stopped by ${words(e.source)}`]),
      ...pins("/event corrected", (e) => ["↺", "speech", `corrected: ${e.wish}`]),
      ...pins("/event answered", (e) => ["↵", "speech", `answered: ${e.answer}`]),
      ...pins("/event stop_word_judged", (e) => ["◉", e.confirmed ? "refuted" : "plain", stopWordText(e)])]],
  ];
  const top = make("div", { className: "lanes" }, row("axis", "", make("div", { id: "axis" })));
  for (const [name, items] of lanes) {
    if (items.length) top.append(row("lane", make("span", { text: name }), ...apart(items)));
  }
  tracks.append(top);
  for (const plot of plots()) tracks.append(plotRow(plot));
  drawAxis();
  window.addEventListener("resize", refit);
  byId("time").addEventListener("scroll", placeCursor);
  seekByPointer(byId("time"));
}

function row(className, label, ...items) {
  return make("div", { className: `row ${className}` },
    make("div", { className: "gutter" }, label), make("div", { className: "track" }, ...items));
}

function at(time) {
  return `${(100 * time) / duration}%`;
}

function bar(run) {
  const to = run.to ?? duration, tries = run.attempt > 1 ? ` (try ${run.attempt})` : "";
  const width = `max(3px, calc(${at(to - run.from)} - 1px))`;
  const outcome = run.outcome || "unfinished";
  return jump(run.index, { className: `bar ${outcome}`, text: run.phrase + tries, style: { left: at(run.from), width },
    title: `${run.phrase}${tries}: ${words(outcome)}, ${seconds(run.from)} to ${seconds(to)}` });
}

/** Pins of one moment beside one another, so that each can be seen and pressed. */
function apart(items) {
  const there = new Map();
  for (const item of items.filter((one) => one.classList.contains("pin"))) {
    const before = there.get(item.style.left) || 0;
    item.style.marginLeft = `${12 * before - 7}px`;
    there.set(item.style.left, before + 1);
  }
  return items;
}

/** A button per event of a topic, or of one kind of it. */
function pins(wanted, look) {
  return indices((event) => event.topic === wanted || event.kind === wanted).map((index) => {
    const [text, tone, title] = look(events[index]);
    const label = `${seconds(events[index].time_s)} ${title}`;
    const left = `clamp(7px, ${at(events[index].time_s)}, 100% - 7px)`;
    return jump(index, { className: `pin ${tone}`, text, style: { left }, title: label });
  });
}

function planPin(event) {
  if (event.problems.length) return ["◆", "refuted", `plan refused: ${event.problems[0]}`];
  if (event.plan.question) return ["?", "insufficient", `asks: ${event.plan.question}`];
  return ["◆", "plain", planText(event)];
}

function jump(index, properties) {
  const button = make("button", { type: "button", ariaLabel: properties.title, ...properties });
  button.dataset.event = index;
  button.addEventListener("click", () => choose(index));
  return button;
}

function plotRow(plot) {
  const { svg, low, high, digits } = drawn(plot);
  const legend = make("div", { className: "legend" });
  plot.series.forEach((one, hue) => {
    if (one.faint) return;
    const raw = plot.series.find((other) => other.faint && other.of === one.name);
    const value = make("output", {});
    readouts.push({ value, column: one.column, raw: raw?.column, scale: plot.scale || 1, digits });
    legend.append(make("span", { className: `key hue-${one.hue ?? hue} ${one.dashed ? "dashed" : ""}`, text: one.name }), value);
  });
  if (plot.alarming) legend.append(make("span", { id: "leading" }));
  if (plot.dots) legend.append(make("span", { className: "key dots", text: "verdict, confidence" }));
  const label = make("div", { className: "label" }, make("b", { text: plot.title }), make("span", { text: plot.unit }));
  const built = row("plot", "", svg, make("span", { className: "high", text: Number(high.toPrecision(2)) }),
    make("span", { className: "low", text: Number(low.toPrecision(2)) }));
  built.dataset.plot = `${plot.title} ${plot.unit}`;
  built.querySelector(".gutter").append(label, legend);
  built.title = plot.hint || "";
  return built;
}

/** The values at a tick, in the legends; what was asked for stands beside what was sent. */
function readOut(tick) {
  for (const { value, column, raw, scale, digits } of readouts) {
    const shown = (name) => {
      const one = values(name)[tick];
      return isNumber(one) ? (one * scale).toFixed(digits).replace(/^-(?=[0.]*$)/, "") : number(one);
    };
    const sent = shown(column);
    const asked = raw === undefined ? sent : shown(raw);
    value.textContent = asked === sent ? sent : `${asked} → ${sent}`;
  }
  const leading = byId("leading");
  if (leading) leading.textContent = strayingFarthest(tick);
  placeCursor();
}

/** The signal of the monitor that is farthest above its usual course. */
function strayingFarthest(tick) {
  const signals = Object.keys(ticks).filter((column) => column.startsWith("signal ") && isNumber(ticks[column][tick]));
  if (!signals.length) return "";
  const most = signals.reduce((a, b) => (ticks[b][tick] > ticks[a][tick] ? b : a));
  return `${most.slice("signal ".length)} ${ticks[most][tick].toFixed(1)}`;
}

function drawAxis() {
  const axis = byId("axis"), width = axis.clientWidth || 800;
  const wanted = (duration * 70) / width;
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120].find((one) => one >= wanted) || 300;
  axis.replaceChildren();
  for (let n = 0; n * step <= duration; n += 1) {
    axis.append(make("span", { text: `${Number((n * step).toFixed(1))}${n ? "" : " s"}`, style: { left: at(n * step) } }));
  }
}

/** Where a tick lies on the tracks, in px from their left end; `room` px of them are in view. */
function cursorAt() {
  const track = byId("tracks").clientWidth - GUTTER;
  return { x: (track * (times[now.tick] || 0)) / duration, room: byId("time").clientWidth - GUTTER };
}

/** The line at the tick that is shown, hidden where it would be under the labels. */
function placeCursor() {
  const { x } = cursorAt();
  byId("cursor").style.left = `${GUTTER + x}px`;
  byId("cursor").hidden = x < byId("time").scrollLeft;
}

function setZoom(factor) {
  zoom = Math.min(32, Math.max(1, factor));
  byId("tracks").style.width = `${100 * zoom}%`;
  const { x, room } = cursorAt();
  byId("time").scrollLeft = x - room / 2;
  refit();
}

/** What depends on how wide the tracks are. */
function refit() {
  drawAxis();
  placeCursor();
}

function keepInView() {
  const time = byId("time"), { x, room } = cursorAt();
  if (zoom > 1 && (x < time.scrollLeft || x > time.scrollLeft + room)) time.scrollLeft = x - room / 4;
}

/** Press and drag anywhere on the tracks, but for what is a button. */
function seekByPointer(area) {
  const seek = (event) => {
    const box = byId("axis").getBoundingClientRect();
    show(tickAt((duration * (event.clientX - box.left)) / box.width));
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest(".track") || event.target.closest("button")) return;
    pause();
    area.setPointerCapture(event.pointerId);
    seek(event);
    area.addEventListener("pointermove", seek);
    const release = () => area.removeEventListener("pointermove", seek);
    area.addEventListener("pointerup", release, { once: true });
    area.addEventListener("pointercancel", release, { once: true });
  });
}
