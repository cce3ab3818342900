// One chart in a Streamlit page: the 3D scene and its flat twin, both drawn by plotly.js.
//
// Streamlit calls the default export when the element appears, on every run of the page and when
// the theme changes; what it returns is called once, when the element goes away. State that must
// outlive one element (plotly.js itself, the cameras) hangs on the window.

const shared = (window.viz3d ??= { cameras: new Map(), plotly: null });
const SCENE = /^scene\d*$/;
const TITLE_HEIGHT = 60; // of a figure, in pixels; the page takes it away

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
    this.panels = element("div", "viz3d-panels");
    this.root.append(this.note, this.panels);
    parent.append(this.root);
    this.plots = new Map(); // "figure" | "flat" -> the div that plotly.js draws in
    this.drawn = "";
    this.turn = 0;
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.root);
    this.turning = () => this.takeCameras();
    window.addEventListener("viz3d:cameras", this.turning); // of a link, if it comes late
  }

  async update(text) {
    const theme = readTheme(this.root);
    const drawing = text + JSON.stringify(theme);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    const turn = ++this.turn;
    const payload = JSON.parse(text);
    const noWebgl = payload.figure && !hasWebgl();
    const wanted = ["figure", "flat"].filter((name) => payload[name]);
    const names = noWebgl ? wanted.filter((name) => name !== "figure") : wanted;
    this.layPanels(names, payload);
    let Plotly;
    try {
      Plotly = await loadPlotly(payload.plotly);
    } catch {
      this.drawn = "";
      if (turn === this.turn) this.note.textContent = "The chart could not be loaded; reload the page.";
      return;
    }
    // The flat twin is quick and says the same: where both are in view, it comes first.
    const flat = this.plots.get("flat");
    if (flat && flat.getBoundingClientRect().top < window.innerHeight) names.reverse();
    for (const name of names) {
      if (turn !== this.turn) return;
      await this.draw(Plotly, name, payload, theme);
      await painted();
    }
    this.note.textContent = noWebgl
      ? "This browser has WebGL switched off, which the 3D view needs; here are the same numbers in 2D."
      : "";
  }

  layPanels(names, payload) {
    for (const [name, div] of this.plots) {
      if (!names.includes(name)) this.drop(name, div);
    }
    for (const name of names) {
      if (!this.plots.has(name)) {
        const panel = element("div", `viz3d-panel viz3d-${name === "flat" ? "flat" : "scene"}`);
        panel.setAttribute("role", "img");
        this.plots.set(name, panel);
      }
      const div = this.plots.get(name);
      div.setAttribute("aria-label", `${payload.title}, ${name === "flat" ? "2D" : "3D"}. ${payload.summary}`);
      div.setAttribute("aria-busy", "true");
      // A twin of many rows says how high it must be to stay readable, its title included.
      const height = (payload[name].layout.height ?? 0) - TITLE_HEIGHT;
      div.style.setProperty("--viz3d-height", `${height}px`);
      this.panels.append(div);
    }
    this.panels.classList.toggle("viz3d-both", names.length > 1);
  }

  async draw(Plotly, name, payload, theme) {
    const div = this.plots.get(name);
    const { data, layout } = payload[name];
    dress(data, layout, theme);
    const home = {};
    for (const scene of Object.keys(layout).filter((id) => SCENE.test(id))) {
      layout[scene].camera = stepBack(layout[scene].camera, div);
      home[`${scene}.camera`] = layout[scene].camera ?? null;
      const kept = recall(`${payload.key}/${scene}`);
      if (kept) layout[scene].camera = kept;
    }
    div.viz3dHome = home;
    div.viz3dKey = payload.key;
    await Plotly.react(div, data, layout, config(Plotly, name, payload.key));
    div.setAttribute("aria-busy", "false");
    if (div.viz3dListens) return;
    div.viz3dListens = true;
    div.on("plotly_relayout", (change) => {
      for (const [scene, part] of Object.keys(change).map((path) => path.split("."))) {
        if (SCENE.test(scene) && part === "camera") {
          remember(`${div.viz3dKey}/${scene}`, div.layout[scene].camera);
        }
      }
    });
  }

  takeCameras() {
    for (const div of this.plots.values()) {
      if (!div.viz3dListens) continue;
      for (const scene of Object.keys(div.layout).filter((id) => SCENE.test(id))) {
        const kept = recall(`${div.viz3dKey}/${scene}`);
        if (kept) window.Plotly.relayout(div, { [`${scene}.camera`]: kept });
      }
    }
  }

  resize() {
    for (const div of this.plots.values()) {
      if (div.viz3dListens && div.offsetWidth) window.Plotly.Plots.resize(div);
    }
  }

  drop(name, div) {
    const contexts = [...div.querySelectorAll("canvas")].map((canvas) => canvas.getContext("webgl"));
    if (div.viz3dListens) window.Plotly.purge(div);
    // A browser allows few WebGL contexts: give them back now, not at the next garbage collection.
    for (const gl of contexts) gl?.getExtension("WEBGL_lose_context")?.loseContext();
    div.remove();
    this.plots.delete(name);
  }

  close() {
    this.turn++;
    this.resizing.disconnect();
    window.removeEventListener("viz3d:cameras", this.turning);
    for (const [name, div] of [...this.plots]) this.drop(name, div);
    this.root.remove();
  }
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

function recall(key) {
  if (shared.cameras.has(key)) return shared.cameras.get(key);
  try {
    return JSON.parse(sessionStorage.getItem(`viz3d.camera.${key}`)) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(key, camera) {
  shared.cameras.set(key, camera);
  try {
    sessionStorage.setItem(`viz3d.camera.${key}`, JSON.stringify(camera));
  } catch {
    // Storage is full or switched off: the camera lasts as long as the page.
  }
}

// The field of view is fixed by the height: in a narrow panel the sides would be cut off.
function stepBack(camera, div) {
  const far = Math.max(1, (1.15 * div.clientHeight) / Math.max(div.clientWidth, 1));
  if (!camera?.eye || far === 1) return camera;
  const { x, y, z } = camera.eye;
  return { ...camera, eye: { x: far * x, y: far * y, z: far * z } };
}

function resetView(div) {
  const change = {};
  for (const [path, camera] of Object.entries(div.viz3dHome)) change[path] = camera;
  window.Plotly.relayout(div, change);
}

// --- what every chart has in common ---

function config(Plotly, name, key) {
  const home = { name: "resetView", title: "Reset view", icon: Plotly.Icons.home, click: resetView };
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
  return { text, background, grid: mix(text, background, 0.25), font: read("font") || "sans-serif" };
}

// WebGL lines ignore transparency, so the grid is an opaque colour between text and background.
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
  const bars = [layout.coloraxis, ...data, ...data.map((trace) => trace.marker)]
    .map((holder) => holder?.colorbar)
    .filter(Boolean);
  for (const bar of bars) bar.tickfont = { ...bar.tickfont, color: theme.text };
  const axis = { color: theme.text, gridcolor: theme.grid, linecolor: theme.grid, zerolinecolor: theme.grid };
  Object.assign(layout, {
    autosize: true,
    paper_bgcolor: "rgba(0, 0, 0, 0)",
    plot_bgcolor: "rgba(0, 0, 0, 0)",
    font: { ...layout.font, color: theme.text, family: theme.font },
    modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: theme.grid, activecolor: theme.text },
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
