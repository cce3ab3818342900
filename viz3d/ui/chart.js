// One chart in a Streamlit page: the 3D scene and its flat twin, both drawn by plotly.js.
//
// Streamlit calls the default export when the element appears, on every run of the page and when
// the theme changes; what it returns is called once, when the element goes away. State that must
// outlive one element (plotly.js itself, the cameras) hangs on the window. `Cameras`, `Marks`
// and `makeRoomForLegend` come from the files that stand before this one.

const TITLE_HEIGHT = 60; // of a figure, in pixels; the page takes it away
const MOST_CONTEXTS = 8; // each scene takes one WebGL context, and a browser allows few
const NO_WEBGL =
  "This browser has WebGL switched off, which the 3D view needs; here are the same numbers in 2D.";
const CROWDED =
  `A browser draws no more than ${MOST_CONTEXTS} scenes on one page; here are the same numbers in 2D.`;

const shared = (window.viz3d ??= {});
shared.plotly ??= null;
shared.charts ??= new Set();
shared.looked ??= new Map(); // key of a chart -> name of the place that it was moved to last
openCameras(shared);

export default function ({ data, parentElement }) {
  if (!(data instanceof Uint8Array)) {
    // The start of a page: fetch plotly.js now, before any figure has been computed.
    const holder = parentElement.closest('[data-testid="stElementContainer"]');
    if (holder) holder.style.display = "none";
    loadPlotly(data.plotly).catch(() => {});
    return undefined;
  }
  const chart = (parentElement.viz3dChart ??= new Chart(parentElement));
  chart.update(new TextDecoder().decode(data));
  return () => {
    chart.close();
    delete parentElement.viz3dChart;
  };
}

// A plain script tag: the browser then keeps the compiled code from visit to visit, which saves
// more than fetching the file by other means from its cache.
function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  shared.plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      shared.plotly = null; // the next chart tries again
      script.remove();
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return shared.plotly;
}

class Chart {
  constructor(parent) {
    this.root = element("div", "viz3d-chart");
    this.note = element("p", "viz3d-note");
    this.note.setAttribute("role", "status");
    this.ask = element("button", "viz3d-ask");
    this.ask.type = "button";
    this.ask.hidden = true;
    this.ask.textContent = "Draw this one in 3D";
    this.ask.title = "The scene that is farthest from here becomes flat instead";
    this.ask.addEventListener("click", () => this.takeScene());
    this.panels = element("div", "viz3d-panels");
    this.root.append(this.note, this.ask, this.panels);
    parent.append(this.root);
    this.plots = new Map(); // "figure" | "flat" -> the div that plotly.js draws in
    this.drawn = "";
    this.why = ""; // there is no scene
    this.turn = 0;
    this.contexts = 0;
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.root);
    shared.charts.add(this);
  }

  async update(text) {
    this.text = text;
    const [head, focus, figure, flat] = text.slice(1, -1).split("\n,");
    this.focus = parsePart(focus).focus;
    const theme = readTheme(this.root);
    const drawing = [head, figure, flat, JSON.stringify(theme)].join("\n");
    if (drawing === this.drawn) {
      this.showFocus();
      return;
    }
    this.drawn = drawing;
    const turn = ++this.turn;
    const payload = { ...parsePart(head), ...parsePart(figure) };
    this.beside = payload.beside;
    const before = this.contexts;
    const why = this.claim(payload.figure);
    if (why) payload.figure = null;
    const alone = payload.figure && !payload.beside;
    if (!alone) Object.assign(payload, parsePart(flat));
    const names = ["figure", "flat"].filter((name) => payload[name]);
    this.layPanels(names, payload);
    if (this.contexts < before) drawCrowded();
    let Plotly;
    try {
      Plotly = await loadPlotly(payload.plotly);
    } catch {
      this.drawn = "";
      if (turn === this.turn) this.note.textContent = "The chart could not be loaded; reload the page.";
      return;
    }
    // The flat twin is quick and says the same: where both are in view, it comes first.
    const twin = this.plots.get("flat");
    if (twin && twin.getBoundingClientRect().top < window.innerHeight) names.reverse();
    for (const name of names) {
      if (turn !== this.turn) return;
      await this.draw(Plotly, name, payload, theme);
      await painted();
    }
    this.why = why;
    this.showFocus();
  }

  // Take the WebGL contexts that the scenes need; return why there are none, if so.
  claim(figure) {
    const wanted = Object.keys(figure?.layout ?? {}).filter((name) => SCENE.test(name)).length;
    const none = wanted > 0 && !hasWebgl();
    // Where the twin stands beside the scene, less is lost without the scene.
    const gives = this.beside ? () => false : (chart) => chart.beside && !chart.asked;
    this.crowded = !none && wanted > 0 && !this.makeRoom(wanted, gives);
    this.contexts = none || this.crowded ? 0 : wanted;
    this.ask.hidden = !this.crowded;
    if (this.crowded) return CROWDED;
    return none ? NO_WEBGL : "";
  }

  // Let other charts that give way become flat, the farthest first, until there is room for so many
  // contexts; return whether there is.
  makeRoom(wanted, gives) {
    const others = [...shared.charts].filter((chart) => chart !== this && chart.contexts);
    let free = MOST_CONTEXTS - others.reduce((sum, chart) => sum + chart.contexts, 0);
    const place = (chart) => chart.root.getBoundingClientRect().top;
    const far = (chart) => Math.abs(place(chart) - place(this));
    const giving = others.filter(gives).sort((a, b) => far(b) - far(a));
    const chosen = [];
    while (free < wanted && giving.length) {
      chosen.push(giving.shift());
      free += chosen.at(-1).contexts;
    }
    if (free < wanted) return false;
    this.contexts = wanted; // so that none of them takes its own back
    for (const chart of chosen) {
      chart.asked = false;
      chart.contexts = 0;
      chart.redraw();
    }
    return true;
  }

  // The viewer wants this scene rather than the one that is farthest from it.
  takeScene() {
    this.asked = true;
    this.makeRoom(1, () => true);
    this.redraw();
    this.panels.querySelector(".viz3d-scene")?.focus(); // the button that had it is gone
  }

  redraw() {
    this.drawn = "";
    this.update(this.text);
  }

  layPanels(names, payload) {
    for (const [name, div] of this.plots) {
      if (!names.includes(name)) this.drop(name, div);
    }
    for (const name of names) {
      if (!this.plots.has(name)) this.plots.set(name, panel(name));
      const div = this.plots.get(name);
      div.viz3dAlt = `${payload.title}, ${name === "flat" ? "2D" : "3D"}. ${payload.summary}`;
      div.setAttribute("aria-label", div.viz3dAlt);
      div.setAttribute("aria-busy", "true");
      // A twin of many rows says how high it must be to stay readable, its title included.
      const height = (payload[name].layout.height ?? 0) - TITLE_HEIGHT;
      div.style.setProperty("--viz3d-height", `${height}px`);
      const frame = div.closest(".viz3d-frame");
      if (name === "figure") layCameraButtons(frame, div, payload.figure.layout.scene);
      // What is in its place stays there: to be moved would cost a button the focus.
      if (frame.parentElement) continue;
      if (name === "figure") this.panels.prepend(frame);
      else this.panels.append(frame);
    }
    placeLinkSwitch();
    this.panels.classList.toggle("viz3d-both", names.length > 1);
  }

  async draw(Plotly, name, payload, theme) {
    const div = this.plots.get(name);
    const { data, layout } = payload[name];
    dress(data, layout, theme);
    div.viz3dHome = {};
    div.viz3dTop = layout.margin.t + (div.viz3dRows ?? 0);
    div.viz3dKey = payload.key;
    let kept;
    for (const scene of Object.keys(layout).filter((id) => SCENE.test(id))) {
      // A copy: plotly.js changes the camera that it is given.
      div.viz3dHome[scene] = plainCamera(layout[scene].camera ?? {});
      kept = recall(div, scene);
      layout[scene].camera = plainCamera(kept ?? homeCamera(div, scene));
    }
    await Plotly.react(div, data, layout, config(Plotly, name, payload.key));
    if (this.plots.get(name) !== div) return; // it went away meanwhile
    await makeRoomForLegend(div);
    div.setAttribute("aria-busy", "false");
    shared.group.add(div);
    // The viewer may have turned it while it was being drawn.
    shared.group.put((view) => recall(div, view.scene), shared.group.of(div));
    if (!div.viz3dListens) {
      div.viz3dListens = true;
      shared.marks.add(div, div.nextElementSibling);
      // A scene that was away may remember a newer camera than the others stand at.
      if (kept && shared.linked) shared.group.move(div, (view) => view.camera);
    }
    this.showFocus();
  }

  // Mark the place that the page points at; look at it once, so that the viewer can turn away.
  showFocus() {
    const place = this.focus;
    const drawn = [...this.plots.values()].filter((div) => div.viz3dListens);
    const marked = drawn.filter((div) => shared.marks.focus(div, place));
    for (const div of drawn) {
      const said = marked.includes(div) && place.label ? ` Marked: ${place.label}.` : "";
      div.setAttribute("aria-label", `${div.viz3dAlt}${said}`);
    }
    if (!drawn.length || drawn.length < this.plots.size) return;
    const outside = place && !marked.length ? `${place.label || "The place"} lies outside the axes.` : "";
    this.note.textContent = this.why || outside;
    // By its name: while a run grows, its height may change a little.
    const [key, name] = [drawn[0].viz3dKey, place && (place.label || JSON.stringify(place))];
    if (name === (shared.looked.get(key) ?? null)) return;
    shared.looked.set(key, name);
    if (!place) return;
    for (const div of marked) shared.group.move(div, (view) => lookedAt(view, place));
    marked[0]?.closest(".viz3d-frame").scrollIntoView({ block: "nearest" });
  }

  resize() {
    for (const div of this.plots.values()) {
      if (!div.viz3dListens || !div.offsetWidth) continue;
      window.Plotly.Plots.resize(div).then(() => makeRoomForLegend(div));
    }
  }

  drop(name, div) {
    const contexts = [...div.querySelectorAll("canvas")].map((canvas) => canvas.getContext("webgl"));
    shared.group.remove(div);
    shared.marks.remove(div);
    if (div.viz3dListens) window.Plotly.purge(div);
    // A browser allows few WebGL contexts: give them back now, not at the next garbage collection.
    for (const gl of contexts) gl?.getExtension("WEBGL_lose_context")?.loseContext();
    div.closest(".viz3d-frame").remove();
    this.plots.delete(name);
  }

  close() {
    this.turn++;
    this.resizing.disconnect();
    shared.charts.delete(this);
    for (const [name, div] of [...this.plots]) this.drop(name, div);
    this.root.remove();
    placeLinkSwitch();
    drawCrowded();
  }
}

// There is room again: a chart that had none draws its scene.
function drawCrowded() {
  for (const chart of shared.charts) {
    if (chart.crowded) chart.redraw();
  }
}

// One line of what Python sent: JSON without its braces.
function parsePart(part) {
  return JSON.parse(`{${part}}`);
}

// The div that plotly.js draws in, with what lies on it; a scene can be turned with keys.
function panel(name) {
  const frame = element("div", "viz3d-frame");
  const stage = element("div", "viz3d-stage");
  const div = element("div", `viz3d-panel viz3d-${name === "flat" ? "flat" : "scene"}`);
  const marks = svgElement("svg", { class: "viz3d-marks", "aria-hidden": "true" });
  stage.append(div, marks);
  frame.append(stage);
  if (name === "flat") {
    // A picture that has children: plotly.js lays buttons on it.
    div.setAttribute("role", "figure");
    return div;
  }
  div.tabIndex = 0;
  // Screen readers leave the arrow keys to an application.
  div.setAttribute("role", "application");
  div.setAttribute("aria-roledescription", "3D scene");
  div.setAttribute("aria-description", CAMERA_KEYS);
  div.addEventListener("keydown", (event) => {
    if (event.target === div) cameraByKeys(shared.group, div, event);
  });
  return div;
}

// Let the browser show what was drawn before the next drawing keeps it busy; a page in the
// background paints nothing and must not wait for it.
function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });
}

function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

// The row is made anew only for other axes, so that a button keeps the focus over a refresh.
function layCameraButtons(frame, div, scene) {
  const titles = { xaxis: scene?.xaxis?.title?.text, yaxis: scene?.yaxis?.title?.text };
  const said = JSON.stringify(titles);
  if (frame.dataset.titles === said) return;
  frame.dataset.titles = said;
  frame.querySelector(".viz3d-camera")?.remove();
  frame.prepend(cameraButtons(shared.group, div, titles));
}

let webgl;
function hasWebgl() {
  if (webgl === undefined) {
    const gl = document.createElement("canvas").getContext("webgl");
    webgl = Boolean(gl);
    gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return webgl;
}

// --- cameras: one per chart and scene, kept over runs of the page, other data and other pages ---

// `shared.cameras` holds each camera that a viewer moved, the latest last, and `shared.linked` whether
// they move as one. Who sets them from elsewhere says so with the event "viz3d:cameras".
function openCameras(shared) {
  if (shared.group) return;
  const stored = load("viz3d.cameras") ?? [];
  shared.cameras = new Map([...stored, ...(shared.cameras ?? [])]);
  shared.linked ??= load("viz3d.linked") ?? true;
  shared.group = new Cameras({ linked: shared.linked, moved: rememberCameras, home: homeCamera });
  shared.marks = new Marks(shared.group);
  shared.linkSwitch = linkSwitch(shared.group);
  shared.linkSwitch.addEventListener("change", () => {
    shared.linked = shared.group.linked;
    save("viz3d.linked", shared.linked);
  });
  window.addEventListener("viz3d:cameras", readCameras);
}

function cameraKey(div, scene) {
  return `${div.viz3dKey}/${scene}`;
}

// Linked scenes look from where any of them was moved last.
function recall(div, scene) {
  const own = cameraKey(div, scene);
  if (!shared.linked) return shared.cameras.get(own);
  const keys = new Set([own, ...shared.group.views.map((view) => cameraKey(view.div, view.scene))]);
  const latest = [...shared.cameras.keys()].filter((key) => keys.has(key)).at(-1);
  return shared.cameras.get(latest);
}

function rememberCameras(views) {
  for (const { div, scene, camera } of views) {
    const key = cameraKey(div, scene);
    shared.cameras.delete(key);
    if (!sameCamera(camera, plainCamera(homeCamera(div, scene)))) shared.cameras.set(key, camera);
    shared.marks.draw(div);
  }
  save("viz3d.cameras", [...shared.cameras]);
}

function readCameras() {
  shared.linkSwitch.querySelector("input").checked = shared.group.isLinked = shared.linked;
  save("viz3d.linked", shared.linked);
  save("viz3d.cameras", [...shared.cameras]);
  shared.group.put((view) => shared.cameras.get(cameraKey(view.div, view.scene)));
  for (const { div } of shared.group.views) shared.marks.draw(div);
}

// One switch for the page: in the first of its scenes, if there are more.
function placeLinkSwitch() {
  const rows = [...document.querySelectorAll(".viz3d-chart .viz3d-camera")];
  if (rows.length < 2) shared.linkSwitch.remove();
  else if (shared.linkSwitch.parentElement !== rows[0]) rows[0].append(shared.linkSwitch);
}

function homeCamera(div, scene) {
  return stepBack(div.viz3dHome[scene], div);
}

function load(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function save(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or switched off: what is said lasts as long as the page.
  }
}

// --- what every chart has in common ---

function config(Plotly, name, key) {
  const reset = (div) => shared.group.reset(div);
  const home = { name: "resetView", title: "Reset view", icon: Plotly.Icons.home, click: reset };
  return {
    displaylogo: false,
    doubleClick: "reset",
    // plotly.js offers to upload the chart to a service of its maker: not from here.
    plotlyServerURL: "",
    modeBarButtonsToRemove: [
      "sendChartToCloud", "resetCameraDefault3d", "resetCameraLastSave3d", "select2d", "lasso2d",
    ],
    modeBarButtonsToAdd: name === "figure" ? [home] : [],
    toImageButtonOptions: { filename: key, scale: 2 },
  };
}

function readTheme(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = read("text-color") || "#31333f";
  const background = read("background-color") || "#ffffff";
  const [grid, soft] = [0.25, 0.65].map((share) => mix(text, background, share));
  return { text, background, grid, soft, font: read("font") || "sans-serif" };
}

// An opaque colour between text and background: WebGL lines ignore transparency.
function mix(front, back, share) {
  const [a, b] = [channels(front), channels(back)];
  return `rgb(${a.map((value, i) => Math.round(share * value + (1 - share) * b[i])).join(", ")})`;
}

function channels(color) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// Put the page's colours over those of the figure, which is neutral by itself. The page has a title
// of its own, so that of the figure would only take room.
function dress(data, layout, theme) {
  const bars = [layout.coloraxis, ...data.flatMap((trace) => [trace, trace.marker, trace.line])]
    .map((holder) => holder?.colorbar)
    .filter(Boolean);
  for (const bar of bars) bar.tickfont = { ...bar.tickfont, color: theme.text };
  const axis = { color: theme.text, gridcolor: theme.grid, linecolor: theme.grid, zerolinecolor: theme.grid };
  Object.assign(layout, {
    autosize: true,
    paper_bgcolor: "rgba(0, 0, 0, 0)",
    plot_bgcolor: "rgba(0, 0, 0, 0)",
    font: { ...layout.font, color: theme.text, family: theme.font },
    modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: theme.soft, activecolor: theme.text },
  });
  layout.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: theme.background,
    bordercolor: theme.grid,
    font: { ...layout.hoverlabel?.font, color: theme.text, family: theme.font },
  };
  layout.margin = { ...layout.margin, t: bars.length ? 72 : 28 };
  delete layout.title;
  delete layout.width;
  delete layout.height;
  for (const [name, part] of Object.entries(layout)) {
    if (/^[xy]axis\d*$/.test(name)) Object.assign(part, axis);
    if (!SCENE.test(name)) continue;
    part.bgcolor = "rgba(0, 0, 0, 0)";
    for (const side of ["xaxis", "yaxis", "zaxis"]) {
      part[side] = { ...part[side], ...axis, showbackground: false };
    }
  }
}
