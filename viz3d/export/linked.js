// Draw every figure of the page, and let the scenes share one camera while somebody turns one.

"use strict";

(() => {
  const SCENE = /^scene\d*$/;
  const TURN = Math.PI / 36; // of one key press
  const NEARER = 0.9;
  const link = document.getElementById("viz3d-link");
  const scenes = [];
  let turning = null; // the scene that the others follow just now
  let next = null;

  function read(div) {
    const { data, layout } = JSON.parse(document.getElementById(`${div.id}-data`).textContent);
    // The page has a title of its own.
    delete layout.title;
    layout.margin = { ...layout.margin, t: 72 };
    layout.autosize = true;
    div.style.height = `${Math.max((layout.height ?? 540) - 60, 300)}px`;
    delete layout.height;
    return { data, layout };
  }

  const config = {
    displaylogo: false,
    responsive: true,
    // plotly.js offers to upload the chart to a service of its maker: not from here.
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d"],
  };

  // The field of view is fixed by the height: in a narrow picture the sides would be cut off.
  function stepBack(camera, div) {
    const far = Math.max(1, (1.15 * div.clientHeight) / Math.max(div.clientWidth, 1));
    const { x, y, z } = camera.eye;
    return { ...camera, eye: { x: far * x, y: far * y, z: far * z } };
  }

  function follow(source, camera) {
    if (!link?.checked || !camera || (turning && turning !== source)) return;
    turning = source;
    const waiting = next !== null;
    next = camera;
    if (waiting) return;
    requestAnimationFrame(async () => {
      const camera = next;
      next = null;
      const others = scenes.filter((div) => div !== source);
      await Promise.all(others.map((div) => Plotly.relayout(div, { "scene.camera": structuredClone(camera) })));
      if (next === null) turning = null;
    });
  }

  // Arrow keys turn the scene, + and - come nearer and go away, 0 shows it as it was.
  function press(div, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const camera = structuredClone(div.layout.scene.camera);
    const { x, y, z } = camera.eye;
    const far = Math.hypot(x, y, z);
    const around = { ArrowLeft: -TURN, ArrowRight: TURN }[event.key] ?? 0;
    const up = { ArrowUp: TURN, ArrowDown: -TURN }[event.key] ?? 0;
    const scale = { "+": NEARER, "=": NEARER, "-": 1 / NEARER }[event.key] ?? 1;
    if (event.key === "0") camera.eye = div.viz3dHome.eye;
    else if (around || up || scale !== 1) {
      const angle = Math.atan2(y, x) + around;
      const height = Math.min(1.5, Math.max(-1.5, Math.asin(z / far) + up));
      const flat = scale * far * Math.cos(height);
      camera.eye = { x: flat * Math.cos(angle), y: flat * Math.sin(angle), z: scale * far * Math.sin(height) };
    } else return;
    event.preventDefault();
    Plotly.relayout(div, { "scene.camera": camera });
  }

  async function draw(div) {
    const { data, layout } = read(div);
    const isScene = Object.keys(layout).some((name) => SCENE.test(name));
    if (isScene && layout.scene?.camera) layout.scene.camera = stepBack(layout.scene.camera, div);
    await Plotly.newPlot(div, data, layout, config);
    div.setAttribute("aria-busy", "false");
    if (!isScene) return;
    div.viz3dHome = structuredClone(div.layout.scene.camera);
    scenes.push(div);
    const moved = (change) => follow(div, change["scene.camera"]);
    div.on("plotly_relayouting", moved);
    div.on("plotly_relayout", moved);
    div.addEventListener("keydown", (event) => press(div, event));
  }

  // Let the browser show what was drawn before the next drawing keeps it busy.
  const painted = () => new Promise((resolve) => setTimeout(resolve));

  async function drawAll() {
    for (const div of document.querySelectorAll(".picture")) {
      await draw(div);
      await painted();
    }
  }

  // What WebGL drew is gone once it has been shown, so paper would stay blank: print a copy.
  addEventListener("beforeprint", () => {
    for (const div of scenes) {
      div._fullLayout.scene._scene.glplot.redraw();
      const drawn = div.querySelector("canvas");
      const copy = document.createElement("canvas");
      [copy.width, copy.height, copy.className] = [drawn.width, drawn.height, "paper"];
      copy.style.cssText = drawn.style.cssText;
      copy.getContext("2d").drawImage(drawn, 0, 0);
      drawn.after(copy);
    }
  });
  addEventListener("afterprint", () => document.querySelectorAll(".paper").forEach((copy) => copy.remove()));

  link?.addEventListener("change", () => {
    if (scenes.length) follow(scenes[0], scenes[0].layout.scene.camera);
  });
  drawAll();
})();
