// Names the fish in a picture.
import { byId, checkPicture, element, fill, get, number, post, remember, say, showSQL, state, takePictures, tell, text } from "./common.js";

const adding = document.body.dataset.adding === "yes";
let picture = null; // the file that was sent; null for a sample

function showNames(answer, source) {
  byId("preview").src = source;
  byId("verdict").textContent = verdict(answer);
  byId("drawings").hidden = !answer.only_drawings;
  const columns = [
    { key: "name", title: text("name"), show: nameOf },
    { key: "kanji", title: text("kanji"), show: (row) => element("span", { lang: "ja" }, row.kanji ?? "") },
    { key: "english", title: text("english"), show: (row) => element("span", { lang: "en" }, row.english ?? "") },
    { key: "score", title: text("score"), number: true },
    ...(answer.names.some((row) => row.photos) ? LEARNT() : []),
  ];
  fill(byId("names"), columns, answer.names);
  showSQL(answer.sql);
  byId("teaching").hidden = !adding || !picture;
  byId("result").hidden = false;
  byId("verdict").focus();
}

const LEARNT = () => [
  { key: "probability", title: text("probability"), number: true },
  { key: "photos", title: text("photos"), number: true },
];

// How sure the answer is, in a sentence.
function verdict(answer) {
  const { name, english = "", best = "", probability = null } = answer.answer ?? {};
  const first = answer.names[0]?.name ?? "";
  return text(answer.verdict, { name: name ?? first, english, best, chance: number(probability, 2) });
}

// Returns a name, and below it the button that adds the photo.
function nameOf(row) {
  const name = element("span", { lang: "ja" }, row.name);
  if (!adding || !picture) return name;
  const label = text("is_right_of", { name: row.name });
  const button = { type: "button", class: "link", "aria-label": label, onclick: () => add(row.name) };
  return element("div", {}, name, element("br"), element("button", button, text("is_right")));
}

async function add(name) {
  const answer = await tell(text("working"), () => post("api/add", { label: name }, picture));
  if (!answer) return;
  const next = await tell(text("working"), () => post("api/identify", {}, picture));
  if (!next) return;
  showNames(next, byId("preview").src);
  showSQL(answer.sql, next.sql);
  say(text(answer.changed ? "added" : "was_there", { name: answer.label }));
}

byId("none").addEventListener("click", async () => {
  const answer = await tell(text("working"), () => post("api/none", {}, picture));
  if (!answer) return;
  showSQL(answer.sql);
  say(text("marked_none"));
});

byId("teaching").addEventListener("submit", (event) => {
  event.preventDefault();
  add(byId("label").value);
});

async function send(file) {
  const answer = await tell(text("working"), () => post("api/identify", {}, checkPicture(file)));
  byId("result").hidden = !answer;
  if (!answer) return showSQL();
  picture = file;
  remember({ sample: null });
  if (byId("preview").src.startsWith("blob:")) URL.revokeObjectURL(byId("preview").src);
  showNames(answer, URL.createObjectURL(file));
}

async function show(sample) {
  const answer = await tell(text("working"), () => get("api/sample", { name: sample }));
  byId("result").hidden = !answer;
  if (!answer) return showSQL();
  picture = null;
  remember({ sample });
  showNames(answer, `samples/${sample}`);
}

function listSamples() {
  const items = document.body.dataset.samples.split(" ").map((name) => {
    const image = element("img", { src: `samples/${name}`, alt: name, loading: "lazy" });
    const open = (event) => {
      event.preventDefault();
      show(name);
    };
    return element("li", {}, element("a", { href: `?sample=${name}`, onclick: open }, image));
  });
  byId("samples").querySelector("ul").replaceChildren(...items);
}

takePictures([byId("file"), byId("camera")], byId("drop"), send);
byId("samples").addEventListener("toggle", listSamples, { once: true });
if (state.get("sample")) show(state.get("sample"));
