// Code of all pages: texts, requests, messages, tables, the SQL, and the link of the page.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const TOKEN = document.querySelector("meta[name=csrf-token]").content;
export const MAX_BYTES = Number(document.body.dataset.largest);

export const byId = (id) => document.getElementById(id);
export const text = (key, values = {}) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
export const number = (value, digits = 3) =>
  value == null ? "" : Number.isInteger(value) ? String(value) : Number(value).toFixed(digits);

export function say(message) {
  byId("status").textContent = message;
}

export function complain(message) {
  byId("error").textContent = message;
  byId("error").hidden = !message;
}

async function answered(request) {
  let response;
  try {
    response = await fetch(request);
  } catch {
    throw new Error(text("unreachable"));
  }
  let value = {};
  try {
    value = await response.json();
  } catch {
    if (response.ok) throw new Error(text("failed"));
  }
  if (!response.ok) {
    const key = value.error || (response.status === 413 ? "too_large" : "failed");
    throw new Error([text(key), value.detail].filter(Boolean).join(" "));
  }
  return value;
}

const address = (path, query) => `${path}?${new URLSearchParams(query)}`;
export const get = (path, query = {}) => answered(address(path, query));
export const post = (path, query = {}, body = "") =>
  answered(new Request(address(path, query), { method: "POST", body, headers: { "X-CSRF-Token": TOKEN } }));

// Runs a task that may fail. Shows its progress, and its error.
export async function tell(message, work) {
  complain("");
  say(message);
  document.body.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch (error) {
    complain(error.message);
    return undefined;
  } finally {
    say("");
    document.body.removeAttribute("aria-busy");
  }
}

const ENOUGH = 1024; // pixels of the longest side of a picture that is sent: models see 512 at most
const SMALL = 300_000; // bytes of a file that is sent as it is

// Returns a large picture made smaller, so that a slow line can send it. What the browser cannot read is sent as it is.
export async function shrunk(file) {
  if (file.size <= SMALL) return file;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file;
  const size = Math.min(1, ENOUGH / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width * size, bitmap.height * size].map((each) => Math.max(1, Math.round(each)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob((blob) => done(blob && blob.size < file.size ? blob : file), "image/jpeg", 0.92));
}

export function checkPicture(file) {
  if (file.size > MAX_BYTES) throw new Error(text("too_large"));
  return file;
}

// Shows statements. Long ones are shortened on the page, and copied in full.
let statements = [];
export function showSQL(...parts) {
  statements = parts.filter(Boolean);
  byId("sql").textContent = statements.join(";\n").replace(/(base64,[^']{24})[^']{200,}/g, "$1…");
  offerRunning();
}

// Statements that only read can be changed and run on the page.
const READING = document.body.dataset.reading === "yes";
function offerRunning() {
  const reads = READING && statements.length > 0 && statements.every((each) => /^SELECT /.test(each));
  byId("run-sql").hidden = !reads;
  byId("sql").contentEditable = reads ? "plaintext-only" : "false";
  byId("sql").setAttribute("aria-readonly", String(!reads));
}

byId("run-sql").addEventListener("click", async () => {
  const answer = await tell(text("working"), () => post("api/sql", {}, byId("sql").textContent));
  if (!answer) return;
  const tables = answer.answers.flatMap(({ columns, rows, more }) => {
    const table = element("table", {});
    fill(table, columns.map((title, at) => ({ title, show: (row) => row[at] ?? "", long: true })), rows);
    return [table, element("p", { class: "note" }, text(more ? "first_rows" : "all_rows", { count: rows.length }))];
  });
  byId("answers").querySelector("div").replaceChildren(...tables);
  byId("answers").showModal();
});

byId("copy").addEventListener("click", async () => {
  let told = "copied";
  try {
    await navigator.clipboard.writeText(statements.join(";\n"));
  } catch {
    getSelection().selectAllChildren(byId("sql"));
    told = "copy_by_hand";
  }
  say(text(told));
  byId("copied").textContent = text(told);
  setTimeout(() => (byId("copied").textContent = ""), 4000);
});

// Changes the query of the link, so that the link has the state of the page. A step is one that Back takes back.
export const state = new URLSearchParams(location.search);
export function remember(changes, isStep = false) {
  for (const [name, value] of Object.entries(changes)) {
    state.delete(name);
    for (const each of [value].flat()) if (each != null && each !== "") state.append(name, each);
  }
  state.delete("lang");
  history[isStep ? "pushState" : "replaceState"](null, "", state.size ? `?${state}` : location.pathname);
  linkLanguages();
  sessionStorage.setItem(location.pathname, location.search);
}

// The links of the header lead to where the user was on a page.
for (const link of document.querySelectorAll("header nav:not(.languages) a")) {
  link.addEventListener("click", () => {
    const kept = sessionStorage.getItem(link.pathname);
    if (kept && !link.search) link.search = kept;
  });
}

function linkLanguages() {
  for (const link of document.querySelectorAll("[data-language]")) {
    const query = new URLSearchParams(state);
    query.set("lang", link.dataset.language);
    link.href = `?${query}`;
    if (link.dataset.language === document.documentElement.lang) link.setAttribute("aria-current", "true");
  }
}
linkLanguages();

// Returns a table. A column is {key, title, number, digits, show}, and show returns an element or a text.
export function fill(table, columns, rows, { caption = "", mark = () => false } = {}) {
  const head = element("thead", {}, element("tr", {}, ...columns.map((column) => cell("th", column, column.title))));
  const body = element("tbody", {}, ...rows.map((row, place) => line(columns, row, place, mark)));
  table.replaceChildren(...(caption ? [element("caption", {}, caption)] : []), head, body);
}

function line(columns, row, place, mark) {
  const cells = columns.map((column) => {
    const value = column.show ? column.show(row, place) : row[column.key];
    return cell("td", column, typeof value === "number" && column.number ? number(value, column.digits) : value);
  });
  return element("tr", mark(row) ? { class: "mark" } : {}, ...cells);
}

function cell(tag, column, value) {
  const names = [column.number ? "number" : "", column.long ? "long" : ""].join(" ").trim();
  const given = { ...(names && { class: names }), ...(tag === "th" && { scope: "col" }) };
  return element(tag, given, value ?? "");
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

// Takes a picture from a file input, a drop or a paste.
export function takePictures(inputs, area, use) {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      if (input.files.length) use(input.files[0]);
      input.value = "";
    });
  }
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) use(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) use(event.clipboardData.files[0]);
  });
}
