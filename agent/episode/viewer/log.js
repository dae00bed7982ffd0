/* Everything that happened, one line each, and all that is known of it folded below. */

const SHOWN_BY_LINE = new Set(["topic", "kind", "tick", "ticks", "time_s", "audio"]);
const rows = [];

const LINES = {
  "/event mission_started": (e) => ["begin", e.command],
  "/event mission_ended": (e) => ["end", `${words(e.result.outcome)} after ${seconds(e.result.seconds)}${e.result.question ? `: ${e.result.question}` : ""}`],
  "/event answered": (e) => ["answer", `“${e.answer}” to: ${e.question}`],
  "/event corrected": (e) => ["wish", e.wish],
  "/event stopped": (e) => ["stop", `by ${words(e.source)}`],
  "/event stop_word_judged": (e) => ["stop word", stopWordText(e)],
  "/scene": (e) => ["scene", sceneText(e)],
  "/plan planned": (e) => ["plan", planText(e)],
  "/model consulted": (e) => ["model", modelText(e)],
  "/heard heard": (e) => ["heard", heardText(e)],
  "/subgoal started": (e) => ["subgoal", e.subgoal.phrase + (e.attempt > 1 ? ` (try ${e.attempt})` : "")],
  "/subgoal ended": (e) => ["ended", `${words(e.result.outcome)}: ${e.result.subgoal.phrase}, ${e.result.ticks} ticks`],
  "/verdict given": (e) => ["verdict", verdictText(e)],
  mark: (e) => ["differs", e.title],
};

function planText(e) {
  if (e.problems.length) return `refused: ${e.problems.join(" ")}`;
  if (e.plan.question) return `asks: ${e.plan.question}`;
  return e.plan.subgoals.map((subgoal) => subgoal.phrase).join(", ");
}

/** What is believed of a scene that was not of the one before. */
function sceneText(e) {
  const old = scenes[scenes.indexOf(e) - 1];
  if (!old) return e.objects.map((one) => one.name).join(", ") || "nothing is seen";
  const known = new Map(old.objects.map((one) => [one.name, one]));
  const news = e.objects.flatMap((one) => {
    const then = known.get(one.name);
    if (!then) return [`${one.name} is seen`];
    if (then.support !== one.support) return [`${one.name} now on ${one.support}`];
    const far = Math.abs(then.articulation - one.articulation) > 0.02;
    return far ? [`${one.name}${state(one)}`] : [];
  });
  return news.join(", ") || "nothing new";
}

function modelText(e) {
  return `${e.model}, ${e.decision}: ${e.fault ? words(e.fault) : `${e.tokens_in} + ${e.tokens_out} tokens`}, ${seconds(e.seconds)}`;
}

function heardText(e) {
  return `${e.text ? `“${e.text}”` : "no words"}: ${words(e.became)}`;
}

function stopWordText(e) {
  return e.confirmed ? "it was the stop word" : "it was something else";
}

function verdictText(e) {
  const verdict = e.verdict;
  return `${verdict.value}: ${words(verdict.reason)} ${percent(verdict.confidence)}, ${e.subgoal.phrase}`;
}

function buildLog() {
  const list = byId("log").querySelector("ol");
  events.forEach((event, index) => {
    const [label, text] = (LINES[event.kind] || ((e) => [e.kind, ""]))(event);
    const summary = make("summary", {},
      make("time", { text: event.time_s.toFixed(1) }), make("b", { className: tone(event), text: label }), make("span", { text }));
    const details = make("details", {}, summary);
    // What is folded is made when it is first looked at: a mission may have hundreds of events.
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(known(event));
    });
    summary.addEventListener("click", () => choose(index, false));
    const item = make("li", {}, details);
    item.dataset.event = index;
    rows.push(item);
    list.append(item);
  });
}

function tone(event) {
  if (event.topic === "/verdict") return event.verdict.value;
  if (event.kind === "/subgoal ended") return event.result.outcome;
  if (event.kind === "/event stopped" || (event.problems || []).length || event.fault) return "refuted";
  return { mark: "difference", "/heard": "speech", "/model": "model" }[event.topic] || "plain";
}

function known(event) {
  const body = make("div", { className: "known" });
  if (event.topic === "/verdict") {
    body.append(table({ verdict: event.verdict.value, reason: event.verdict.reason,
      confidence: event.verdict.confidence, evidence: event.verdict.evidence }));
    return body;
  }
  if (event.audio) body.append(sound(event.audio));
  const rest = Object.entries(event).filter(([key]) => !SHOWN_BY_LINE.has(key));
  const { turns, reply, ...others } = Object.fromEntries(rest);
  for (const turn of turns || []) body.append(folded(turn.role, turn.text));
  if (turns) body.append(folded("reply", reply));
  body.append(table(turns || reply === undefined ? others : { reply, ...others }));
  return body;
}

function folded(title, text) {
  return make("details", { className: "turn" },
    make("summary", { text: `${title} · ${text.length} characters` }), make("pre", { text }));
}

function sound(name) {
  const data = byId(name).textContent;
  return make("audio", { controls: true, preload: "none", src: `data:audio/flac;base64,${data}` });
}

/** Names and values; what has parts of its own is a table in the table. */
function table(value) {
  const list = make("dl", {});
  for (const [key, one] of Object.entries(value)) {
    if (one === null || one === "" || (typeof one === "object" && !Object.keys(one).length)) continue;
    const nested = typeof one === "object" && !flat(one);
    list.append(make("dt", { text: words(key) }),
      nested ? make("dd", { className: "parts" }, table(one)) : make("dd", { text: key === "unix_s" ? new Date(1000 * one).toISOString() : plainly(one) }));
  }
  return list;
}

function flat(value) {
  return Array.isArray(value) && value.every((one) => typeof one !== "object");
}

function plainly(value) {
  if (Array.isArray(value)) return value.map(plainly).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return isNumber(value) ? number(value) : String(value);
}

/** Light up what happened at a tick, dim what is still to come, and keep the former in view. */
function followLog(tick, chosen) {
  let latest = null;
  rows.forEach((item, index) => {
    const event = events[index];
    const here = chosen === null ? event.tick === tick : chosen === index;
    item.classList.toggle("here", here);
    item.classList.toggle("later", event.tick > tick);
    if (event.tick <= tick) latest = item;
  });
  const target = chosen === null ? latest : rows[chosen];
  const list = byId("log");
  if (target && !list.matches(":hover")) {
    list.scrollTop = target.offsetTop - list.clientHeight / 2;
  }
}
