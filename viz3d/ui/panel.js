// What a picture stands in: its place on the page and the buttons of its camera.

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

// One switch for the page: in the first of its scenes, if there are more.
function placeLinkSwitch() {
  const rows = [...document.querySelectorAll(".viz3d-chart .viz3d-camera")];
  if (rows.length < 2) shared.linkSwitch.remove();
  else if (shared.linkSwitch.parentElement !== rows[0]) rows[0].append(shared.linkSwitch);
}
