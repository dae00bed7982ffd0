/* What is shown now, and how one moves: a tick, a second, a verdict, a difference, or in real time. */

const now = { tick: 0, chosen: null, playing: null };
const canvases = [];
const decoded = new Map();
let unfolded = null;
const KEPT = 48;
const AHEAD = 3;

function buildViews() {
  episode.cameras.forEach((camera, number) => {
    const canvas = make("canvas", { width: 1, height: 1, role: "img", ariaLabel: `Camera ${camera}` });
    canvas.dataset.camera = camera;
    const note = make("span", {});
    const figure = make("figure", { className: "camera" },
      make("figcaption", {}, make("span", { text: camera }), note), canvas);
    byId("views").insertBefore(figure, byId("scene"));
    canvases.push({ canvas, note, number });
  });
  if (!canvases.length) {
    byId("views").prepend(make("p", { className: "nothing", text: "No picture is in this episode." }));
  }
}

/** The picture of a camera at a tick; null where it gave none. Few are kept, the last used ones. */
function picture(number, tick) {
  const name = `frame-${number}-${tick}`, source = byId(name);
  if (!source) return null;
  let image = decoded.get(name);
  if (image) {
    decoded.delete(name);
  } else {
    image = new Image();
    image.src = `data:image/png;base64,${source.textContent}`;
  }
  decoded.set(name, image);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return image;
}

async function drawFrame({ canvas, note, number }, tick) {
  const image = picture(number, tick);
  let broken = false;
  if (image) await image.decode().catch(() => { broken = true; });
  if (now.tick !== tick) return;
  note.textContent = !image ? "no picture at this tick" : broken ? "damaged picture" : "";
  const context = canvas.getContext("2d");
  if (image && !broken) {
    if (canvas.width !== image.naturalWidth || canvas.height !== image.naturalHeight) fit(canvas, image);
    context.drawImage(image, 0, 0);
  } else {
    context.clearRect(0, 0, canvas.width, canvas.height);
  }
  canvas.dataset.tick = tick;
}

/** Take a picture's size, and tell the layout how wide all cameras are beside one another. */
function fit(canvas, image) {
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const aspects = canvases.reduce((sum, view) => sum + view.canvas.width / view.canvas.height, 0);
  document.documentElement.style.setProperty("--aspects", aspects);
  drawScene(now.tick);
}

/** Go to a tick; `chosen` is the event that led there, if one did. */
function show(tick, chosen = null) {
  now.tick = Math.min(Math.max(tick, 0), last);
  now.chosen = chosen;
  for (const view of canvases) {
    drawFrame(view, now.tick);
    for (let ahead = 1; ahead <= AHEAD; ahead += 1) picture(view.number, now.tick + ahead);
  }
  byId("seek").value = now.tick;
  byId("clock").textContent = count ? `${times[now.tick].toFixed(1)} s · tick ${now.tick} of ${last}` : "no ticks";
  document.body.dataset.tick = now.tick;
  readOut(now.tick);
  drawScene(now.tick);
  drawPlan(now.tick);
  followLog(now.tick, chosen);
  keepInView();
}

/** Go to an event, and unfold what is known of it, unless a click on it does that anyway. */
function choose(index, unfold = true) {
  pause();
  if (unfolded) unfolded.open = false;
  unfolded = unfold ? rows[index].querySelector("details") : null;
  if (unfolded) unfolded.open = true;
  show(events[index].tick, index);
}

/** Go to the next (1) or the previous (-1) of some events; `list` holds their indices. */
function hop(list, way) {
  const apart = (index) => events[index].tick - now.tick || index - (now.chosen ?? -1);
  const target = way > 0 ? list.find((index) => apart(index) > 0) : list.findLast((index) => apart(index) < 0);
  if (target !== undefined) choose(target);
}

function step(by) {
  pause();
  show(now.tick + by);
}

function pause() {
  now.playing = null;
  byId("play").textContent = "Play";
  byId("play").ariaPressed = "false";
}

function play() {
  if (now.tick >= last) show(0);
  // Each run has a token of its own: one that was paused does not go on beside the next.
  const run = now.playing = {};
  byId("play").textContent = "Pause";
  byId("play").ariaPressed = "true";
  let time = times[now.tick] || 0, then = performance.now();
  const onward = (stamp) => {
    if (now.playing !== run) return;
    time += (Number(byId("speed").value) * Math.max(0, stamp - then)) / 1000;
    then = Math.max(stamp, then);
    const tick = tickAt(time);
    if (tick !== now.tick) show(tick);
    if (tick >= last) pause();
    else requestAnimationFrame(onward);
  };
  requestAnimationFrame(onward);
}

function toggle() {
  if (now.playing) pause();
  else play();
}

const KEYS = {
  ArrowLeft: (event) => step(event.shiftKey ? -Math.round(1 / period) : -1),
  ArrowRight: (event) => step(event.shiftKey ? Math.round(1 / period) : 1),
  Home: () => step(-count),
  End: () => step(count),
  " ": toggle,
  v: () => hop(verdicts, 1),
  V: () => hop(verdicts, -1),
  d: () => hop(marks, 1),
  D: () => hop(marks, -1),
  "+": () => setZoom(2 * zoom),
  "=": () => setZoom(2 * zoom),
  "-": () => setZoom(zoom / 2),
};

/** What has the focus may want the key itself: a button its space, the slider its arrows. */
function wanted(event) {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("select, audio")) return false;
  if (target.closest("button, summary")) return event.key !== " ";
  return !(target.closest("input") && /^(Arrow|Home|End)/.test(event.key) && !event.shiftKey);
}

function buildControls() {
  byId("seek").max = last;
  byId("seek").addEventListener("input", (event) => step(Number(event.target.value) - now.tick));
  const clicks = {
    back: () => step(-1), on: () => step(1), play: toggle, narrow: () => setZoom(zoom / 2), widen: () => setZoom(2 * zoom),
    "next-verdict": () => hop(verdicts, 1), "last-verdict": () => hop(verdicts, -1),
    "next-mark": () => hop(marks, 1), "last-mark": () => hop(marks, -1),
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  for (const id of ["next-verdict", "last-verdict"]) byId(id).disabled = !verdicts.length;
  byId("mark-jumps").hidden = !marks.length;
  document.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || !wanted(event)) return;
    event.preventDefault();
    act(event);
  });
  // After a click with the mouse, space plays again rather than clicking once more.
  document.addEventListener("click", (event) => {
    if (event.detail > 0) event.target.closest("button, summary")?.blur();
  });
}

function buildHeader() {
  const outcome = ended ? ended.result.outcome : "unfinished";
  const command = started ? started.command : "The episode ends before its mission began";
  document.title = `${command} · Bosun`;
  byId("command").textContent = command;
  byId("outcome").textContent = words(outcome);
  byId("outcome").classList.add(outcome);
  const facts = [`${seconds(duration)}`, `${count} ticks`];
  if (ended && ended.result.replans) facts.push(`${ended.result.replans} replans`);
  if (metadata.seed !== undefined && metadata.seed !== null) facts.push(`seed ${metadata.seed}`);
  if (metadata.bosun) facts.push(`Bosun ${metadata.bosun}`);
  byId("facts").textContent = [...facts, episode.path].join(" · ");
  byId("banner").hidden = !episode.loss;
  byId("banner").textContent = episode.loss;
}

buildHeader();
buildViews();
buildTracks();
buildLog();
buildControls();
show(0);
