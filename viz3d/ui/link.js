// "Copy link": the address of the present view, with the state of its data and the cameras of its
// charts; and the other way round: the cameras of a link that was opened.
//
// Cameras stand in a link as groups joined by "~". A group is the charts that share a camera and its
// numbers, joined by "*"; a chart is "<key>" or "<key>/<scene>", and the numbers are thousandths
// of eye, center and up, joined by "_", without a tail that is as usual. The group "apart" says that
// the cameras do not move as one.

const LONGEST = 1999; // of a link: some programs cut what is longer
const LONGEST_NAME = 60; // as in link_text.py
const CHART = /^[\w.-]{1,80}\/scene\d{0,3}$/;
const NUMBERS = /^-?\d{1,6}(_-?\d{1,6}){2,8}$/;
const USUAL = [0, 0, 0, 0, 0, 1]; // centre and up
const APART = "apart";

export default function ({ data, parentElement }) {
  seed(data.cameras);
  const [button, field, status] = ["button", "input", "p"].map((tag) => parentElement.querySelector(tag));
  if (!field.matches(":focus")) {
    // What was copied is not what is on the screen now.
    field.hidden = true;
    status.textContent = "";
  }
  button.onclick = async () => {
    const made = compose(location.href, data, camerasOnPage(), window.viz3d.linked);
    try {
      await navigator.clipboard.writeText(made.link);
      field.hidden = true;
      status.textContent = `Copied. ${made.remark}`;
    } catch {
      // Not every browser lets a page write there, and none does over plain HTTP.
      field.hidden = false;
      field.value = made.link;
      field.focus();
      field.select();
      status.textContent = `Copy the address from the field. ${made.remark}`;
    }
  };
}

// --- making a link ---

export function compose(href, { runs, state, digests }, cameras, linked = true) {
  const { origin, pathname, searchParams } = new URL(href);
  const own = runs ? ["run", "data", "cam"] : ["data", "cam"];
  const choices = [...searchParams].filter(([key]) => !own.includes(key));
  // Without one, the link would open on the runs of a first visit.
  const chosen = runs ? (runs.length ? runs : [""]).map((name) => ["run", name]) : [];
  const short = new Map(digests);
  const write = (longest, cam) => {
    const name = (value) => (escaped(value).length > longest && short.get(value)) || value;
    const parts = [...choices, ...chosen].map(([key, value]) => [key, name(value)]);
    if (runs?.length) parts.push(["data", state]);
    if (cam) parts.push(["cam", cam]);
    const query = parts.map(([key, value]) => `${escaped(key)}=${escaped(value)}`).join("&");
    return `${origin}${pathname}${query && "?"}${query}`;
  };
  const cam = encodeCameras(cameras, linked);
  let link = write(LONGEST_NAME, cam);
  if (link.length > LONGEST) link = write(13, cam);
  if (link.length <= LONGEST) return { link, remark: "" };
  link = write(13, "");
  const long = `It is ${link.length} characters long, which some programs cut.`;
  return { link, remark: `The cameras were left out. ${link.length > LONGEST ? long : ""}` };
}

// What may stand in a query as it is stays readable; what ends a link in running text is escaped.
function escaped(text) {
  return encodeURIComponent(text)
    .replace(/%20/g, "+")
    .replace(/%2F/g, "/")
    .replace(/%3A/g, ":")
    .replace(/[!'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}

function camerasOnPage() {
  const found = [];
  for (const div of document.querySelectorAll(".viz3d-scene")) {
    for (const scene of Object.keys(div.layout ?? {}).filter((id) => /^scene\d*$/.test(id))) {
      const chart = `${div.viz3dKey}/${scene}`;
      const camera = window.viz3d.cameras.get(chart);
      if (camera) found.push([chart, camera]);
    }
  }
  return found;
}

export function encodeCameras(cameras, linked = true) {
  const groups = new Map(); // numbers -> the charts that share them
  for (const [chart, { eye = {}, center = at(0, 0, 0), up = at(0, 0, 1) }] of cameras) {
    const all = [eye, center, up].flatMap(({ x, y, z }) => [x, y, z]);
    const numbers = all.map((part) => Math.round(1000 * part) + 0); // no minus zero
    while (numbers.length > 3 && numbers.at(-1) === 1000 * USUAL[numbers.length - 4]) numbers.pop();
    const text = numbers.join("_");
    if (!CHART.test(chart) || !NUMBERS.test(text)) continue;
    groups.set(text, [...(groups.get(text) ?? []), chart.replace(/\/scene$/, "")]);
  }
  const said = [...groups].map(([text, charts]) => [...charts, text].join("*"));
  return [...(linked ? [] : [APART]), ...said].join("~");
}

// --- opening one ---

export function decodeCameras(text) {
  const found = new Map();
  for (const group of String(text).split("~", 64)) {
    const charts = group.split("*", 64);
    const camera = toCamera(charts.pop());
    for (const name of camera ? charts : []) {
      const chart = name.includes("/") ? name : `${name}/scene`;
      if (CHART.test(chart)) found.set(chart, camera);
    }
  }
  return found;
}

function toCamera(text) {
  if (!NUMBERS.test(text)) return null;
  const numbers = text.split("_").map((number) => Number(number) / 1000);
  const all = [...numbers, ...USUAL.slice(numbers.length - 3)];
  const [eye, center, up] = [0, 3, 6].map((i) => at(...all.slice(i, i + 3)));
  const length = (a, b) => Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);
  // From there nothing is seen.
  if (length(eye, center) < 0.01 || length(up, at(0, 0, 0)) < 0.01) return null;
  return { eye, center, up };
}

function at(x, y, z) {
  return { x, y, z };
}

// Once for each load of the page: what the viewer turns afterwards counts.
function seed(text) {
  const shared = (window.viz3d ??= {}); // chart.js may come later and takes what is there
  if (!text || shared.seeded) return;
  shared.seeded = true;
  shared.cameras ??= new Map();
  shared.linked = !text.split("~").includes(APART);
  for (const [chart, camera] of decodeCameras(text)) {
    shared.cameras.delete(chart); // the latest come last
    shared.cameras.set(chart, camera);
  }
  window.dispatchEvent(new Event("viz3d:cameras"));
}
