// Draw every figure of the page, each scene with its row of buttons; all turn together while they
// are linked. `Cameras` and the buttons come from the files before this one.

"use strict";

(() => {
  const cameras = new Cameras();

  const config = {
    displaylogo: false,
    // plotly.js offers to upload the chart to a service of its maker: not from here.
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d"],
  };

  // A panel that became wider or narrower; one that became higher did so for its legend.
  const widths = new ResizeObserver((changes) => {
    for (const { target: div } of changes) {
      if (div.clientWidth === div.viz3dWidth) continue;
      div.viz3dWidth = div.clientWidth;
      Plotly.Plots.resize(div).then(() => makeRoomForLegend(div));
    }
  });

  function read(div) {
    const { data, layout } = JSON.parse(document.getElementById(`${div.id}-data`).textContent);
    // The page has a title of its own.
    delete layout.title;
    layout.margin = { ...layout.margin, t: 72 };
    div.viz3dTop = layout.margin.t;
    layout.autosize = true;
    div.style.setProperty("--viz3d-height", `${Math.max((layout.height ?? 540) - 60, 300)}px`);
    delete layout.height;
    return { data, layout };
  }

  async function draw(div) {
    const { data, layout } = read(div);
    const scenes = Object.keys(layout).filter((name) => SCENE.test(name));
    for (const name of scenes) {
      layout[name].camera = stepBack(plainCamera(layout[name].camera ?? {}), div);
    }
    await Plotly.newPlot(div, data, layout, config);
    await makeRoomForLegend(div);
    div.viz3dWidth = div.clientWidth;
    widths.observe(div);
    if (scenes.length) letTurn(div, layout.scene);
    div.setAttribute("aria-busy", "false");
  }

  function letTurn(div, { xaxis, yaxis }) {
    cameras.add(div);
    div.before(cameraButtons(cameras, div, { xaxis: xaxis?.title?.text, yaxis: yaxis?.title?.text }));
    // Screen readers leave the arrow keys to an application.
    div.setAttribute("role", "application");
    div.setAttribute("aria-roledescription", "3D scene");
    div.setAttribute("aria-description", CAMERA_KEYS);
    div.addEventListener("keydown", (event) => {
      if (event.target === div) cameraByKeys(cameras, div, event);
    });
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
    for (const { div, scene } of cameras.views) {
      const { glplot } = div._fullLayout[scene]._scene;
      glplot.redraw();
      const drawn = glplot.canvas;
      const copy = document.createElement("canvas");
      [copy.width, copy.height, copy.className] = [drawn.width, drawn.height, "paper"];
      copy.style.cssText = drawn.style.cssText;
      copy.getContext("2d").drawImage(drawn, 0, 0);
      drawn.after(copy);
    }
  });
  addEventListener("afterprint", () => document.querySelectorAll(".paper").forEach((copy) => copy.remove()));

  document.getElementById("viz3d-link")?.append(linkSwitch(cameras));
  drawAll();
})();
