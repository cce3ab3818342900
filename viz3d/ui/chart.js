// One chart in a Streamlit page: the 3D scene and its flat twin, both drawn by plotly.js.
//
// Streamlit calls the default export when the element appears, on every run of the page and when
// the theme changes; what it returns is called once, when the element goes away. State that must
// outlive one element (plotly.js itself, the cameras) hangs on the window, as `shared`. What is not
// defined here comes from the files that stand before this one (see component.py).

const TITLE_HEIGHT = 60; // of a figure, in pixels; the page takes it away

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
    const why = claimContexts(this, payload.figure);
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

  // The viewer wants this scene rather than the one that is farthest from it.
  takeScene() {
    this.asked = true;
    makeRoom(this, 1, () => true);
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
    shared.group.catchUp(div); // while it is what it was: how it is kept depends on what follows
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
    // Always the same: for another, plotly.js would set up the whole scene anew, also under a drag.
    div.viz3dConfig ??= config(Plotly, name, payload.key);
    await Plotly.react(div, data, layout, div.viz3dConfig);
    if (this.plots.get(name) !== div) return; // it went away meanwhile
    await makeRoomForLegend(div);
    div.setAttribute("aria-busy", "false");
    shared.group.catchUp(div);
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

// One line of what Python sent: JSON without its braces.
function parsePart(part) {
  return JSON.parse(`{${part}}`);
}

// Let the browser show what was drawn before the next drawing keeps it busy; a page in the
// background paints nothing and must not wait for it.
function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });
}
