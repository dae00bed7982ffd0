/* The scene as believed, from above, and the plan that is being carried out. */

const COLOURS = ["red", "green", "blue", "yellow", "white"];
const scenes = events.filter((event) => event.topic === "/scene");
const view = extents();

/** The corners of the box the shield keeps the tool in, m; older logs have it among the settings. */
function workspace() {
  const { workspace_low: low, workspace_high: high } = metadata.config?.shield || {};
  return metadata.workspace || (low && high ? [low, high] : undefined);
}

/** What part of the table is shown, in m: all that was ever seen, and wherever the tool went. */
function extents() {
  const box = workspace();
  const points = [[0, 0], ...scenes.flatMap((scene) => scene.objects.map((one) => one.position))];
  if (box) points.push(...box);
  values("tool x").forEach((x, tick) => points.push([x, values("tool y")[tick]]));
  const within = points.filter(([x, y]) => isNumber(x) && isNumber(y) && Math.abs(x) < 3 && Math.abs(y) < 3);
  const xs = within.map(([x]) => x), ys = within.map(([, y]) => y);
  const reach = (list, pick) => list.reduce((a, b) => pick(a, b));
  const margin = 0.05;
  const [near, far] = [reach(xs, Math.min) - margin, reach(xs, Math.max) + margin];
  const [right, left] = [reach(ys, Math.min) - margin, reach(ys, Math.max) + margin];
  return { x: -left, y: -far, width: left - right, height: far - near, box };
}

function drawScene(tick) {
  const svg = byId("scene").querySelector("svg");
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  // One px of the screen, in m: what is drawn has a size of its own, however large the table.
  view.px = Math.max(view.width / (svg.clientWidth || 300), view.height / (svg.clientHeight || 300));
  const scene = before(tick, (event) => event.topic === "/scene");
  svg.replaceChildren(...ground());
  byId("scene-age").textContent = scene ? `seen at ${seconds(scene.time_s)}` : "not seen yet";
  const objects = scene ? scene.objects : [];
  const taken = objects.map(({ position: [x, y] }) => ({ from: -y - 6 * view.px, to: -y + 6 * view.px, at: -x + 4 * view.px }));
  const drawn = objects.map((one) => thing(one, taken));
  svg.append(...drawn.map(({ shape }) => shape), ...tool(tick), ...drawn.map(({ label }) => label));
}

/** The robot stands at the bottom and looks up the page, as its operator does. */
function ground() {
  const drawn = [make("circle", { cx: 0, cy: 0, r: 9 * view.px, className: "base" }, make("title", { text: "the robot's base" }))];
  if (view.box) {
    const [low, high] = view.box;
    drawn.unshift(make("rect", { x: -high[1], y: -high[0], width: high[1] - low[1], height: high[0] - low[0], className: "workspace" }));
  }
  return drawn;
}

function thing(one, taken) {
  const [x, y] = [-one.position[1], -one.position[0]], size = 6 * view.px;
  const colour = COLOURS.find((name) => one.name.startsWith(name)) || "other";
  const classes = `thing ${colour} ${one.kind}`;
  const square = { x: x - size, y: y - size, width: 2 * size, height: 2 * size, className: classes };
  const shape = ["block", "drawer"].includes(one.kind)
    ? make("rect", square)
    : make("circle", { cx: x, cy: y, r: one.kind === "button" ? size * 0.7 : size * 1.1, className: classes });
  if (one.kind === "button" && one.articulation > 0.5) shape.classList.add("lit");
  shape.setAttribute("opacity", 0.35 + 0.65 * Math.min(1, one.presence));
  shape.append(make("title", { text: `${one.name}: on ${one.support} (${percent(one.support_confidence)}), there ${percent(one.presence)}, `
    + `at ${one.position.map((at) => number(at)).join(", ")} m, seen ${number(one.age_s)} s before` }));
  const label = make("text", { text: one.name + state(one), "font-size": 10.5 * view.px });
  place(label, x, y, size, taken);
  return { shape, label };
}

function state(one) {
  if (one.kind === "drawer" && isNumber(one.articulation)) return ` ${Math.round(100 * one.articulation)} cm out`;
  if (one.kind === "button" && isNumber(one.articulation)) return one.articulation > 0.5 ? " lit" : " unlit";
  if (one.support === "hand") return " in the hand";
  return one.support === "table" ? "" : ` on ${one.support}`;
}

/** Beside its thing where there is room, else a line or two above or below; `taken` holds boxes. */
function place(label, x, y, size, taken) {
  const line = 12 * view.px, length = 5.8 * view.px * label.textContent.length, gap = 1.5 * size;
  const middle = y + 0.3 * line;
  const right = { from: x + gap, to: x + gap + length, anchor: "start" };
  const left = { from: x - gap - length, to: x - gap, anchor: "end" };
  const sides = x > view.x + 0.6 * view.width ? [left, right] : [right, left];
  const spots = [0, 1, -1, 2, -2].flatMap((lines) => sides.map((side) => ({ ...side, at: middle + lines * line })));
  const spot = spots.find(({ from, to, at }) => from > view.x && to < view.x + view.width
    && !taken.some((box) => Math.abs(box.at - at) < 0.9 * line && box.from < to && from < box.to)) || spots[0];
  taken.push(spot);
  label.setAttribute("x", spot.anchor === "end" ? spot.to : spot.from);
  label.setAttribute("y", spot.at);
  label.setAttribute("text-anchor", spot.anchor);
}

/** Where the tool is, and was over the last two seconds. */
function tool(tick) {
  const [xs, ys] = [values("tool x"), values("tool y")];
  if (!isNumber(xs[tick]) || !isNumber(ys[tick])) return [];
  const from = tickAt((times[tick] || 0) - 2), size = 8 * view.px;
  let trail = "";
  for (let one = from; one <= tick; one += 1) trail += `${one === from ? "M" : "L"}${-ys[one]} ${-xs[one]}`;
  const [x, y] = [-ys[tick], -xs[tick]];
  return [make("path", { d: trail, className: "trail" }),
    make("path", { d: `M${x - size} ${y}H${x + size}M${x} ${y - size}V${y + size}`, className: "tool" },
      make("title", { text: `the tool, ${number(values("tool z")[tick])} m high` }))];
}

function drawPlan(tick) {
  const planned = before(tick, (event) => event.kind === "/plan planned" && accepted(event));
  const list = byId("plan").querySelector("ol"), look = byId("look");
  const run = runAt(tick);
  byId("plan-note").textContent = planned ? planNote(planned) : "none yet";
  byId("says").textContent = planned ? planned.plan.reply : "";
  const since = planned ? events.indexOf(planned) : 0;
  list.replaceChildren(...(planned ? planned.plan.subgoals : []).map((subgoal, step) => {
    const tries = runs.filter((one) => one.step === step && one.attempt > 0 && one.index > since && one.first <= tick);
    const done = tries.findLast((one) => one.end !== undefined && one.end <= tick + 1);
    const current = run && tries.includes(run);
    const item = make("li", { className: current ? "current" : "" }, make("span", { text: subgoal.phrase }));
    if (current) item.setAttribute("aria-current", "step");
    if (done) item.append(verdictChip(done));
    else if (current) item.append(make("em", { text: run.attempt > 1 ? `try ${run.attempt}` : "now" }));
    return item;
  }));
  look.hidden = !(run && run.attempt === 0);
  look.textContent = look.hidden ? "" : `check: ${run.phrase}`;
}

function planNote(planned) {
  const plans = events.filter((event) => event.kind === "/plan planned" && accepted(event));
  return plans.length > 1 ? `${plans.indexOf(planned) + 1} of ${plans.length}` : "";
}

function verdictChip(run) {
  const verdict = run.verdict;
  return make("em", { className: verdict.value, text: `${MARKS[verdict.value]} ${words(verdict.reason)}`,
    title: `${verdict.value}: ${words(verdict.reason)} ${percent(verdict.confidence)}` });
}
