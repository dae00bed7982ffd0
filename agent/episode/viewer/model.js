"use strict";

/* What the page knows of the episode, and what of it holds at a tick. */

const episode = JSON.parse(document.getElementById("episode").textContent);
const ticks = episode.ticks;
const times = ticks.time_s || [];
const count = times.length;
const last = Math.max(0, count - 1);

/** Events that begin something are seen at the first tick that follows, others at the one before. */
const BEGINS = new Set(["/subgoal started", "/plan planned", "/model consulted", "/scene", "/event mission_started"]);

const events = withMarks(episode.events.map((event) => {
  const kind = event.kind ? `${event.topic} ${event.kind}` : event.topic;
  const tick = BEGINS.has(kind) ? event.ticks : event.ticks - 1;
  return { ...event, kind, tick: Math.min(Math.max(tick, 0), last) };
}));

const started = events.find((event) => event.kind === "/event mission_started");
const ended = events.find((event) => event.kind === "/event mission_ended");
const metadata = started?.metadata || {};
const verdicts = indices((event) => event.topic === "/verdict");
const marks = indices((event) => event.topic === "mark");
const runs = subgoalRuns();
const period = 1 / (metadata.rate_hz || 10);
const duration = Math.max(period, (times[last] || 0) + period, ...events.map((event) => event.time_s));

function withMarks(logged) {
  const all = [...logged];
  for (const mark of episode.marks) {
    const at = all.findIndex((event) => event.time_s > mark.time_s);
    const tick = Math.max(0, times.filter((time) => time <= mark.time_s + 1e-6).length - 1);
    all.splice(at < 0 ? all.length : at, 0, { ...mark, topic: "mark", kind: "mark", tick, ticks: tick + 1 });
  }
  return all;
}

function indices(wanted) {
  return events.flatMap((event, index) => (wanted(event) ? [index] : []));
}

/** Every try of a subgoal: when it began and ended, and what came of it; it may have no end. */
function subgoalRuns() {
  const found = [];
  let step = 0;
  for (const [index, event] of events.entries()) {
    if (event.kind === "/plan planned" && accepted(event)) step = 0;
    if (event.kind === "/subgoal started") {
      found.push({ index, step, phrase: event.subgoal.phrase, attempt: event.attempt,
                   first: event.ticks, from: event.time_s, outcome: null });
    }
    const run = found[found.length - 1];
    if (event.kind === "/subgoal ended" && run) {
      const { outcome, verdict } = event.result;
      Object.assign(run, { end: event.ticks, to: event.time_s, outcome, verdict });
      if (run.attempt > 0 && run.outcome === "success") step += 1;
    }
  }
  return found;
}

function accepted(event) {
  return event.problems.length === 0 && event.plan.subgoals.length > 0;
}

/** The last event of a kind that was there before a tick came in. */
function before(tick, wanted) {
  return events.findLast((event) => event.ticks <= tick && wanted(event));
}

function runAt(tick) {
  return runs.findLast((run) => run.first <= tick && (run.end === undefined || tick < run.end));
}

function tickAt(time) {
  let low = 0, high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time + 1e-6) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** An element; `text` is only ever text, whatever it looks like. */
function make(tag, properties = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "rect", "line", "text", "title"].includes(tag);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "text") element.textContent = value;
    else if (name === "style") Object.assign(element.style, value);
    else if (name in element && !svg) element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value);
  }
  element.append(...children);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

function words(code) {
  return String(code).replaceAll("_", " ");
}

function percent(value) {
  return typeof value === "number" ? `${Math.round(100 * value)} %` : String(value);
}

function number(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

function seconds(value) {
  return typeof value === "number" ? `${value.toFixed(1)} s` : String(value);
}
