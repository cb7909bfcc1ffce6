// Makes maps, groups and outliers from the page, and shows how far they are.
import { byId, complain, element, get, post, tell, text } from "./common.js";

const OFTEN = 1000; // milliseconds between two questions
let watching = 0;
let opensFirst = false; // whether the first map opens by itself

// Fills the form. done(run) is called when a map that was made here is ready; isFirst opens the form.
export async function offerMaking(done, isFirst) {
  const answer = await tell("", () => get("api/sources"));
  if (!answer) return;
  const option = (value, title) => element("option", { value }, title);
  byId("what").replaceChildren(...answer.kinds.map((kind) => option(kind, text(`make_${kind}`))));
  byId("of").replaceChildren(...answer.sources.map((row) => option(row, row)));
  [byId("make").open, opensFirst] = [isFirst, isFirst];
  byId("making").addEventListener("submit", async (event) => {
    event.preventDefault();
    const made = await tell("", () => post("api/fit", { kind: byId("what").value, source: byId("of").value }));
    if (made) watch(done);
  });
  watch(done);
}

async function watch(done) {
  clearTimeout(watching);
  const answer = await get("api/jobs").catch(() => null);
  if (!answer) return;
  byId("jobs").replaceChildren(...answer.jobs.map((job) => line(job, done)));
  const first = answer.jobs.find((job) => job.state === "done" && ["map", "space"].includes(job.kind));
  if (opensFirst && first) return done(first);
  if (answer.jobs.some((job) => ["waiting", "running"].includes(job.state))) watching = setTimeout(() => watch(done), OFTEN);
}

function line(job, done) {
  const words = `${text(`make_${job.kind}`)}, ${job.source}: ${text(`job_${job.state}`, { seconds: Math.round(job.seconds) })} ${job.message}`;
  const parts = [words];
  if (["waiting", "running"].includes(job.state)) {
    const stop = () => post("api/cancel", { job: job.job }).then(() => watch(done), (error) => complain(error.message));
    parts.push(element("progress", { "aria-label": words }), element("button", { type: "button", class: "flat", onclick: stop }, text("cancel")));
  }
  if (job.run) parts.push(element("button", { type: "button", onclick: () => done(job) }, text("open_it")));
  return element("li", {}, ...parts);
}
